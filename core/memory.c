// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory at the start: a list of contiguous pieces of machine memory. What
 * becomes of it is map.c's and move.c's.
 *
 * Machine address = guest physical address, so the pieces stand in the guest's
 * memory map exactly as the host gave them. Linux describes memory in sections
 * of 128 MiB, and a section that holds a single small piece costs as much as a
 * full one: pieces are asked for large and section-aligned first, and only a
 * fragmented host makes them smaller.
 */
#include "vm.h"

#define MIB	       0x100000ULL
#define GUEST_SECTION  (128 * MIB)
#define PIECE_MAX      (1024 * MIB)
#define RESERVE_MIN    (256 * MIB)
#define SMALL_HOST     (1024 * MIB)
#define CHUNKS_INITIAL 32

co_u64 co_memory_reserve(void)
{
	co_u64 free, total = host_memory(&free, NULL);
	co_u64 reserve = CO_MAX(total / 10, RESERVE_MIN);

	/* A lab host of 1 GiB and less has no 256 MiB to set aside. */
	if (total <= SMALL_HOST)
		reserve = CO_MIN(reserve, total / 4);
	return reserve;
}

co_u64 co_memory_available(void)
{
	co_u64 free, reserve = co_memory_reserve();

	host_memory(&free, NULL);
	if (free <= reserve)
		return 0;
	return CO_ALIGN_DOWN(free - reserve, CO_LARGE_PAGE);
}

/* The largest power of two that is not above `size`, which isn't 0. */
static co_u64 power_below(co_u64 size)
{
	return 1ULL << (63 - __builtin_clzll(size));
}

/* Room for one more chunk; the list doubles when it is full. */
static int chunks_grow(struct co_memory *mem, co_u32 *room)
{
	co_u32 want = *room ? *room * 2 : CHUNKS_INITIAL;
	struct co_chunk *chunk;

	if (mem->count < *room)
		return 0;
	chunk = host_alloc(want * sizeof(*chunk));
	if (!chunk)
		return -CO_ENOMEM;
	if (mem->count)
		memcpy(chunk, mem->chunk, mem->count * sizeof(*chunk));
	host_free(mem->chunk);
	mem->chunk = chunk;
	*room = want;
	return 0;
}

static void chunk_insert(struct co_memory *mem, co_u64 pa, co_u64 size)
{
	co_u32 i = mem->count++;

	for (; i > 0 && mem->chunk[i - 1].address > pa; i--)
		mem->chunk[i] = mem->chunk[i - 1];
	mem->chunk[i].address = pa;
	mem->chunk[i].size = size;
}

/*
 * One piece of at most *piece bytes. When the host has none of that size, *piece
 * shrinks to the next smaller power of two, and stays small: what failed once
 * costs the host a search of its whole memory each time.
 */
static int piece_alloc(co_u64 left, co_u64 *piece, co_u64 *pa, co_u64 *size)
{
	for (;;) {
		co_u64 try = CO_MIN(left, *piece);
		co_u64 align = CO_MIN(power_below(try), GUEST_SECTION);

		*pa = 0;
		if (!host_chunk_alloc(try, align, pa)) {
			*size = try;
			return 0;
		}
		if (try == CO_LARGE_PAGE)
			return -CO_ENOMEM;
		*piece = power_below(try - 1);
	}
}

/* What the daemon maps: blocks may come from anywhere. And where image and boot
 * information go. */
static void memory_survey(struct co_memory *mem)
{
	co_u32 i;

	mem->lowest = 0;
	host_memory(NULL, &mem->highest);
	mem->main = 0;
	for (i = 1; i < mem->count; i++)
		if (mem->chunk[i].size > mem->chunk[mem->main].size)
			mem->main = i;
}

static int memory_fill(struct co_memory *mem, co_u64 size)
{
	co_u64 piece = PIECE_MAX, pa, got;
	co_u32 room = 0;
	int err;

	while (mem->size < size) {
		err = chunks_grow(mem, &room);
		if (err)
			return err;
		err = piece_alloc(size - mem->size, &piece, &pa, &got);
		if (err)
			return err;
		err = co_map_prepare(mem, pa, got);
		if (err) {
			host_chunk_free(NULL, pa, got);
			return err;
		}
		chunk_insert(mem, pa, got);
		co_map_set(mem, pa, got, true);
	}
	return 0;
}

int co_memory_alloc(struct co_memory *mem, co_u64 size)
{
	int err;

	memset(mem, 0, sizeof(*mem));
	host_lock_init(&mem->lock);
	host_mutex_init(&mem->moves);
	if (!size || size % CO_LARGE_PAGE)
		return -CO_EINVAL;
	if (size > co_memory_available())
		return -CO_E2BIG;
	err = memory_fill(mem, size);
	if (err) {
		co_memory_free(mem);
		return err;
	}
	memory_survey(mem);
	return 0;
}

void co_memory_free(struct co_memory *mem)
{
	co_map_free(mem);
	host_free(mem->chunk);
	memset(mem, 0, sizeof(*mem));
}

/* The last chunk that starts at or below `pa`, NULL if there is none. */
static const struct co_chunk *chunk_below(const struct co_memory *mem,
					  co_u64 pa)
{
	co_u32 low = 0, high = mem->count;

	while (low < high) {
		co_u32 middle = low + (high - low) / 2;

		if (mem->chunk[middle].address <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &mem->chunk[low - 1] : NULL;
}

void *co_memory_at(const struct co_memory *mem, co_u64 pa, co_u64 size)
{
	const struct co_chunk *chunk = chunk_below(mem, pa);
	co_u64 offset;

	if (!chunk)
		return NULL;
	offset = pa - chunk->address;
	if (offset >= chunk->size || size > chunk->size - offset)
		return NULL;
	return host_chunk_va(pa);
}
