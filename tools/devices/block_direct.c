/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cache=none: reads and writes go past the host's page cache, through a second
 * descriptor of the same file. What isn't aligned as the file system wants it goes
 * the old way; the kernel keeps the two coherent.
 */
#define _GNU_SOURCE /* O_DIRECT, statx() */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"

/* What is enough for each file system and device, where the kernel doesn't tell:
 * before Linux 6.1. */
#define ALIGN_SAFE 4096

/* 0: the kernel knows that there is no direct I/O. */
static uint32_t alignment(int fd)
{
	uint32_t align = ALIGN_SAFE;
#ifdef STATX_DIOALIGN
	struct statx st;

	if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) &&
	    (st.stx_mask & STATX_DIOALIGN))
		align = st.stx_dio_mem_align > st.stx_dio_offset_align ?
				st.stx_dio_mem_align :
				st.stx_dio_offset_align;
#endif
	return align;
}

int block_direct_open(struct block_image *image, const char *path,
		      bool read_only, struct error **err)
{
	char self[32];

	/* The file that is locked, whatever its path has become. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", image->fd);
	image->direct_fd = open(self, O_DIRECT | O_CLOEXEC |
					      (read_only ? O_RDONLY : O_RDWR));
	if (image->direct_fd < 0 && errno != EINVAL)
		return error_set(err, errno, "%s: cache=none", path);
	image->direct_align = image->direct_fd < 0 ? 0 :
						     alignment(image->direct_fd);
	if (!image->direct_align)
		return error_set(err, 0,
				 "%s: cache=none: its file system has no direct I/O: leave the option out",
				 path);
	return 0;
}

int block_fd_for(const struct block_image *image, const struct block_io *io)
{
	uint64_t all = io->offset;
	unsigned int i;

	if (image->direct_fd < 0 || io->op > BLOCK_WRITE_DURABLE)
		return image->fd;
	for (i = 0; i < io->iov_n; i++)
		all |= (uintptr_t)io->iov[i].iov_base | io->iov[i].iov_len;
	return all & (image->direct_align - 1) ? image->fd : image->direct_fd;
}
