/* SPDX-License-Identifier: GPL-2.0 */
/* What cobd asks of an operating system beside opening images (devices/block.h). */
#ifndef CO_TOOLS_OS_DISK_ENGINE_H
#define CO_TOOLS_OS_DISK_ENGINE_H

#include "../devices/block.h"

/* The best engine for this image, tried. */
const struct block_engine *block_choose(const struct block_image *image,
					int wake);
/* What to use when `engine` can't be opened any more; NULL: nothing. */
const struct block_engine *block_fallback(const struct block_engine *engine);
/* The size that its file or device has now; -1 and an error. */
int block_image_size(const struct block_image *image, const char *path,
		     uint64_t *size, struct error **err);
/* Another one. 0 or an errno. */
int block_image_resize(struct block_image *image, uint64_t size);
/* Words about the helper that serves it, "" if there's nothing to say. */
const char *block_image_trouble(const struct block_image *image);
/* What was made for it stays when it is closed: the VM runs. */
void block_image_keep(struct block_image *image);

#endif
