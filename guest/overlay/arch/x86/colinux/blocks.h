/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks of memory from and to the host; one thread calls all of these. */
#ifndef _COLINUX_BLOCKS_H
#define _COLINUX_BLOCKS_H

#include <linux/gfp.h>
#include <linux/pgtable.h>
#include <linux/types.h>

#define BLOCK_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define BLOCK_PAGES	(1UL << BLOCK_ORDER)
/* 32 MiB in one call: few enough that the host isn't kept waiting. */
#define BLOCKS_TAKE_MAX 16U

/* A free block to the host. -ENOMEM: `gfp` found none. */
int colinux_give_block(gfp_t gfp);
/* Up to `most` blocks, at least 1, from the host; how many, 0: it has none. */
unsigned int colinux_take_blocks(unsigned int most);
/* A block that is ours, but not the page allocator's yet. 0 or -errno. */
int colinux_add_block(u64 pa);

#endif
