/* SPDX-License-Identifier: GPL-2.0 */
/* Between block.c and memory.c. All under nt_memory_lock, and [sleep]. */
#ifndef CO_HOST_NT_BLOCK_H
#define CO_HOST_NT_BLOCK_H

#include "port.h"

int nt_blocks_init(co_u64 top); /* 0 or -CO_ENOMEM */
void nt_blocks_exit(void);	/* after it, whatever it returned */

/* Contiguous pages of the system's, aligned to their size, a power of two, from
 * [low, high]. NULL: there are none. */
struct nt_mdl *nt_pages_get(co_u64 low, co_u64 high, co_u64 size, co_u32 flags);
void nt_pages_free(struct nt_mdl *mdl);

/* A block from the system, zeroed and mapped; *pa as in host_chunk_alloc(). 0 or
 * -CO_ENOMEM. It has no owner yet. */
int nt_block_get(co_u64 *pa);
/* Has the driver this one, for the file's guest? NULL is allowed. */
bool nt_block_is_free(const struct nt_block *block, const struct nt_file *file);
/* Such a one goes to it; what was in it is wiped. */
void nt_block_reuse(struct nt_block *block);
/* Its guest has it no more. */
void nt_block_release(struct nt_block *block);

/* The address of a piece of that size that is nobody's, the file's from now on, or of
 * a block that its guest gave back of its own. 0: there is none. */
co_u64 nt_pool_claim(struct nt_file *file, co_u64 size);
/* Gets such a piece of contiguous memory. 0 or -CO_ENOMEM. */
int nt_contiguous_get(co_u64 size);

#endif
