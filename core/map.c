// SPDX-License-Identifier: GPL-2.0
/*
 * Which blocks of 2 MiB of the machine's memory are a guest's at the moment: a
 * bit for each, in leaves that are made where a bit is needed and stay until the
 * VM goes, so that a reader needs no lock.
 *
 * A reader that goes on to use the memory has to know that it stays: it holds
 * mem->lock meanwhile (co_memory_read()), or it is one of those that
 * host_chunk_free() waits for (the port's page faults).
 */
#include "vm.h"

static co_u64 *leaf_of(const struct co_memory *mem, co_u64 pa)
{
	co_u64 n = pa / CO_MAP_LEAF;

	return n < CO_MAP_LEAVES ? co_load(&mem->leaf[n]) : NULL;
}

static bool block_present(const struct co_memory *mem, co_u64 pa)
{
	co_u64 *leaf = leaf_of(mem, pa);
	co_u64 n = pa % CO_MAP_LEAF / CO_MEMORY_BLOCK;

	return leaf && (co_load(&leaf[n / 64]) >> n % 64 & 1);
}

bool co_memory_has(const struct co_memory *mem, co_u64 pa, co_u64 size)
{
	co_u64 at = CO_ALIGN_DOWN(pa, CO_MEMORY_BLOCK);

	if (!size || size > CO_MAP_END || pa > CO_MAP_END - size)
		return false;
	for (; at < pa + size; at += CO_MEMORY_BLOCK)
		if (!block_present(mem, at))
			return false;
	return true;
}

bool co_memory_has_any(const struct co_memory *mem, co_u64 pa, co_u64 size)
{
	co_u64 at;

	for (at = pa; at < pa + size; at += CO_MEMORY_BLOCK)
		if (block_present(mem, at))
			return true;
	return false;
}

int co_map_prepare(struct co_memory *mem, co_u64 pa, co_u64 size)
{
	co_u64 n;

	if (size > CO_MAP_END || pa > CO_MAP_END - size)
		return -CO_ENOMEM;
	for (n = pa / CO_MAP_LEAF; n * CO_MAP_LEAF < pa + size; n++) {
		co_u64 *leaf = mem->leaf[n];

		if (leaf)
			continue;
		leaf = host_alloc(CO_MAP_LEAF / CO_MEMORY_BLOCK / 8);
		if (!leaf)
			return -CO_ENOMEM;
		co_store(&mem->leaf[n], leaf);
	}
	return 0;
}

void co_map_set(struct co_memory *mem, co_u64 pa, co_u64 size, bool present)
{
	co_u64 state = host_lock(&mem->lock), at;

	for (at = pa; at < pa + size; at += CO_MEMORY_BLOCK) {
		co_u64 *leaf = leaf_of(mem, at);
		co_u64 n = at % CO_MAP_LEAF / CO_MEMORY_BLOCK;

		if (present)
			co_fetch_or(&leaf[n / 64], 1ULL << n % 64);
		else
			co_fetch_and(&leaf[n / 64], ~(1ULL << n % 64));
	}
	size = present ? mem->size + size : mem->size - size;
	/* Who reads the size first finds a peak that isn't below it. */
	co_store(&mem->peak, CO_MAX(mem->peak, size));
	co_store(&mem->size, size);
	host_unlock(&mem->lock, state);
}

/* From `pa` on: the next blocks that are the guest's, in one piece within a leaf.
 * False: there are none. */
static bool next_run(const struct co_memory *mem, co_u64 *pa, co_u64 *size)
{
	co_u64 at = *pa, end;

	while (at < CO_MAP_END && !block_present(mem, at))
		at = leaf_of(mem, at) ? at + CO_MEMORY_BLOCK :
					CO_ALIGN_DOWN(at, CO_MAP_LEAF) + CO_MAP_LEAF;
	end = at;
	while (end < CO_MAP_END && block_present(mem, end) &&
	       (end == at || end % CO_MAP_LEAF))
		end += CO_MEMORY_BLOCK;
	*pa = at;
	*size = end - at;
	return end > at;
}

void co_map_free(struct co_memory *mem)
{
	co_u64 pa, size;
	co_u32 n;

	for (pa = 0; next_run(mem, &pa, &size); pa += size)
		host_chunk_free(NULL, pa, size);
	for (n = 0; n < CO_MAP_LEAVES; n++) {
		host_free(mem->leaf[n]);
		mem->leaf[n] = NULL;
	}
}

/* Host mappings are linear in a block, and not always beyond. */
bool co_memory_read(struct co_memory *mem, co_u64 pa, void *to, co_u64 size)
{
	co_u64 state = host_lock(&mem->lock), done = 0, some;
	bool has = !size || co_memory_has(mem, pa, size);

	for (; has && done < size; done += some) {
		some = CO_MEMORY_BLOCK - (pa + done) % CO_MEMORY_BLOCK;
		some = CO_MIN(some, size - done);
		memcpy((char *)to + done, host_chunk_va(pa + done), some);
	}
	host_unlock(&mem->lock, state);
	return has;
}
