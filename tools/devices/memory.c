/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory: from a machine address to a pointer, or to "that isn't yours".
 */
#include "device.h"

/* The chunk that holds `pa`, or NULL. */
static const struct co_chunk *find_chunk(const struct guest_memory *mem,
					 uint64_t pa)
{
	size_t low = 0, high = mem->chunks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct co_chunk *c = &mem->chunk[middle];

		if (pa < c->address)
			high = middle;
		else if (pa - c->address >= c->size)
			low = middle + 1;
		else
			return c;
	}
	return NULL;
}

/*
 * The mapping is linear, so a range may go on in the next chunk if that one
 * starts where the last one ends: the guest sees one piece of memory there, and
 * its buffers do cross such a border.
 */
void *guest_at(const struct guest_memory *mem, uint64_t pa, uint64_t size)
{
	const struct co_chunk *c = find_chunk(mem, pa);
	const struct co_chunk *end = mem->chunk + mem->chunks;
	uint64_t covered;

	if (!c)
		return NULL;
	covered = c->size - (pa - c->address);
	while (covered < size) {
		if (c + 1 == end || c[1].address != c->address + c->size)
			return NULL;
		c++;
		covered += c->size;
	}
	return mem->base + (pa - mem->lowest);
}
