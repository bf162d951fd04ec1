// SPDX-License-Identifier: GPL-2.0
#include "../disk_engine.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../devices/storage.h"

/* Tries io_uring, so that `colinux info` tells the truth before the start. */
const struct block_engine *block_choose(const struct block_image *image,
					int bell)
{
	int wake[2] = { bell, bell };
	void *state;

	if (image->storage)
		return &block_vhost;
	if (block_uring.open(&state, image, wake))
		return &block_plain;
	block_uring.close(state);
	return &block_uring;
}

const struct block_engine *block_fallback(const struct block_engine *engine)
{
	return engine == &block_uring ? &block_plain : NULL;
}

int block_image_size(const struct block_image *image, const char *path,
		     uint64_t *size, struct error **err)
{
	struct stat st;
	int rc = fstat(image->fd, &st);

	*size = (uint64_t)st.st_size;
	if (!rc && S_ISBLK(st.st_mode))
		rc = ioctl(image->fd, BLKGETSIZE64, size);
	return rc ? error_set(err, errno, "%s: has no size", path) : 0;
}

int block_image_resize(struct block_image *image, uint64_t size)
{
	return ftruncate(image->fd, (off_t)size) ? errno : 0;
}

const char *block_image_trouble(const struct block_image *image)
{
	const struct storage *s = image->storage;

	return s && atomic_load(&s->helper.lost) ? s->helper.why : "";
}

void block_image_keep(struct block_image *image)
{
	if (image->storage)
		storage_keep(image->storage);
}
