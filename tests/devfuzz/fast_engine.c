// SPDX-License-Identifier: GPL-2.0
/* No io_uring: it would be tried for each script, and used for none. */
#include <errno.h>

#include "../../tools/devices/block.h"

extern const struct block_engine __wrap_block_uring;

static int no_uring(void **state, const struct block_image *image,
		    const int wake[2])
{
	(void)state;
	(void)image;
	(void)wake;
	return -ENOSYS;
}

const struct block_engine __wrap_block_uring = {
	.name = "io_uring",
	.open = no_uring,
};
