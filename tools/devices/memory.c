/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory: from a machine address to a pointer, or to "that isn't yours".
 *
 * Blocks of 2 MiB come and go while the guest runs. The driver knows which are its
 * own; it is asked about each block once. A guest that names one that it has given
 * back since lies: the access faults, and the daemon ends the VM (fault.c).
 */
#include <stdlib.h>

#include "device.h"

#define BLOCK CO_MEMORY_BLOCK

bool guest_memory_init(struct guest_memory *mem)
{
	uint64_t blocks = (mem->highest - mem->lowest + BLOCK - 1) / BLOCK;

	mem->known = calloc(blocks / 64 + 1, sizeof(*mem->known));
	return mem->known;
}

void guest_memory_free(struct guest_memory *mem)
{
	free(mem->known);
	mem->known = NULL;
}

/* `n`: the block's number from `lowest` on. */
static bool block_known(const struct guest_memory *mem, uint64_t n)
{
	uint64_t *word = &mem->known[n / 64], bit = UINT64_C(1) << n % 64;

	if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
		return true;
	if (!mem->owned(mem->context, mem->lowest + n * BLOCK, BLOCK))
		return false;
	__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	return true;
}

/* The mapping is linear, and the guest's buffers do cross the border between two
 * blocks of its own. */
void *guest_at(const struct guest_memory *mem, uint64_t pa, uint64_t size)
{
	uint64_t offset = pa - mem->lowest, n;

	if (!mem->known || pa < mem->lowest || pa >= mem->highest ||
	    size > mem->highest - pa)
		return NULL;
	for (n = offset / BLOCK; n <= (offset + (size ? size - 1 : 0)) / BLOCK; n++)
		if (!block_known(mem, n))
			return NULL;
	return mem->base + offset;
}
