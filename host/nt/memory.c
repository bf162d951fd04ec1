// SPDX-License-Identifier: GPL-2.0
/* Memory for the core: pool, and chunks for guests. */
#include "block.h"

/* More than that isn't worth a search: a section of a Linux guest's memory. */
#define PIECE_MAX (128ULL << 20)

static co_u64 total;

/* ---- pool memory ---------------------------------------------------------------- */

static void *pool(co_u64 size)
{
	co_u32 type = nt_is(6, 2) ? POOL_NONPAGED_NX : POOL_NONPAGED;
	void *p = ExAllocatePoolWithTag(type, size, POOL_TAG);

	if (p)
		memset(p, 0, size);
	return p;
}

void *host_alloc(co_size size)
{
	return pool(size);
}

void host_free(void *p)
{
	if (p)
		ExFreePoolWithTag(p, POOL_TAG);
}

void *host_page_alloc(co_u64 *pa)
{
	void *va = pool(CO_PAGE_SIZE);

	if (va)
		*pa = MmGetPhysicalAddress(va);
	return va;
}

void host_page_free(void *va)
{
	ExFreePoolWithTag(va, POOL_TAG);
}

/* A section that was discarded after the start has no machine address, and asking
 * for it may bring the system down. */
co_u64 host_va_to_pa(const void *va)
{
	return MmIsAddressValid(va) ? MmGetPhysicalAddress(va) : 0;
}

/* What came with this thread's request. */
int host_copy_in(void *dst, co_u64 user, co_size n)
{
	struct nt_call *call = nt_call_now();

	if (!call || user > call->size || n > call->size - user)
		return -CO_EFAULT;
	memcpy(dst, call->data + user, n);
	return 0;
}

/* ---- chunks ------------------------------------------------------------------------------ */

static int block_own(struct nt_file *file, co_u64 pa)
{
	struct nt_block *block = nt_block_at(pa);
	int err;

	block->file = file;
	err = nt_map_block(file, pa, block);
	if (err)
		nt_block_release(block);
	return err;
}

static int block_take(struct nt_file *file, co_u64 pa)
{
	struct nt_block *block = nt_block_at(pa);

	if (nt_block_is_free(block, file))
		nt_block_reuse(block);
	else if (block && block->mdl)
		return -CO_ENOMEM; /* another guest's, or kept */
	else if (nt_block_get(&pa))
		return -CO_ENOMEM;
	return block_own(file, pa);
}

static void blocks_release(co_u64 pa, co_u64 size)
{
	struct nt_block *block;
	co_u64 at;

	for (at = pa; at < pa + size; at += NT_BLOCK) {
		block = nt_block_at(at);
		nt_unmap_block(block);
		nt_block_release(block);
	}
}

static int take_exactly(struct nt_file *file, co_u64 pa, co_u64 size)
{
	co_u64 at;
	int err;

	if (pa + size > nt_memory_end)
		return -CO_ENOMEM;
	for (at = pa; at < pa + size; at += NT_BLOCK) {
		err = block_take(file, at);
		if (err) {
			blocks_release(pa, at - pa);
			return err;
		}
	}
	return 0;
}

/* Where there is that much in one piece; it may be gone again when it's taken. */
static co_u64 place_find(co_u64 size)
{
	struct nt_mdl *mdl = nt_pages_get(0, nt_memory_end - 1, size,
				       MM_DONT_ZERO_ALLOCATION);
	co_u64 pa;

	if (!mdl)
		return 0;
	pa = mdl->pfn[0] * CO_PAGE_SIZE;
	nt_pages_free(mdl);
	return pa;
}

static bool is_piece(co_u64 size)
{
	return size <= PIECE_MAX && !(size & (size - 1));
}

static int take_anywhere(struct nt_file *file, co_u64 size, co_u64 *pa)
{
	if (!is_piece(size))
		return -CO_ENOMEM;
	*pa = nt_pool_claim(file, size);
	if (!*pa && !nt_is(6, 1)) {
		if (nt_contiguous_get(size))
			return -CO_ENOMEM;
		*pa = nt_pool_claim(file, size);
	}
	/* A single block needs no place: any will do. */
	if (!*pa && size == NT_BLOCK)
		return nt_block_get(pa) ? -CO_ENOMEM : block_own(file, *pa);
	if (!*pa)
		*pa = place_find(size);
	return *pa ? take_exactly(file, *pa, size) : -CO_ENOMEM;
}

/* May a kept piece go for that? A start wants a large one out of one that is larger
 * still; a guest that grows can do with less first. */
static bool wants_kept(const struct nt_file *file, co_u64 size)
{
	return size == NT_BLOCK || (is_piece(size) && !co_load(&file->core.vm));
}

int host_chunk_alloc(co_u64 size, co_u64 align, co_u64 *pa)
{
	struct nt_call *call = nt_call_now();
	int err = -CO_ENOMEM;

	if (!call || (!*pa && align > size))
		return err;
	host_mutex_lock(&nt_memory_lock);
	if (!*pa) {
		err = take_anywhere(call->file, size, pa);
		if (err && wants_kept(call->file, size) && nt_pool_drop(size)) {
			*pa = 0;
			err = take_anywhere(call->file, size, pa);
		}
	} else if (nt_is(6, 1)) {
		err = take_exactly(call->file, *pa, size);
	}
	host_mutex_unlock(&nt_memory_lock);
	return err;
}

/* The blocks know themselves which mapping they are in. */
void host_chunk_free(struct co_file *file, co_u64 pa, co_u64 size)
{
	host_mutex_lock(&nt_memory_lock);
	blocks_release(pa, size);
	host_mutex_unlock(&nt_memory_lock);
}

/* ---- how much there is ----------------------------------------------------------------------- */

/* SYSTEM_PERFORMANCE_INFORMATION is 312 bytes in 2003, 344 in 10. */
#define PERFORMANCE	   2
#define PERFORMANCE_WORDS  128
#define PERFORMANCE_FREE   11 /* AvailablePages: what nobody uses, or keeps as a cache */

static co_u64 available(void)
{
	co_u32 info[PERFORMANCE_WORDS] = { 0 }, written;

	if (NT_ERROR(ZwQuerySystemInformation(PERFORMANCE, info, sizeof(info),
					      &written)))
		return 0;
	return (co_u64)info[PERFORMANCE_FREE] * CO_PAGE_SIZE;
}

/* The core asks from requests only, where the system may be asked; elsewhere it'd be
 * told of nothing free. */
co_u64 host_memory(co_u64 *free, co_u64 *highest)
{
	const struct nt_call *call = nt_call_now();

	if (free)
		*free = call && nt_is_at_most(APC_LEVEL) ?
				available() + nt_pool_bytes(call->file) : 0;
	if (highest)
		*highest = nt_memory_end;
	return total;
}

/* Memory that is added later isn't used. *top: where the highest ends. */
static int ranges_read(co_u64 *top)
{
	struct nt_memory_range *ranges = MmGetPhysicalMemoryRanges(), *r;

	if (!ranges)
		return -CO_ENOMEM;
	total = 0;
	for (r = ranges; r->size; r++) {
		total += r->size;
		*top = CO_MAX(*top, r->address + r->size);
	}
	ExFreePool(ranges);
	return 0;
}

int nt_memory_init(void)
{
	co_u64 top = 0;

	host_mutex_init(&nt_memory_lock);
	return ranges_read(&top) ? -CO_ENOMEM : nt_blocks_init(top);
}

/* After nt_memory_init(), whatever it returned. */
void nt_memory_exit(void)
{
	nt_blocks_exit();
}
