// SPDX-License-Identifier: GPL-2.0
/*
 * The guests' blocks of 2 MiB: where they come from, and the kernel's mappings.
 *
 * Each block is an allocation of its own, so that a guest can give back any of
 * them; a larger piece is found by allocating it whole and letting it go, and then
 * taken block by block at exactly that place. Each has a mapping of its own, too.
 * The one piece in which the core wants a linear mapping throughout, the chunk with
 * kernel and areas, gets it before VM_LOAD: struct nt_linear. What of that one is
 * given back can't leave that mapping, and stays with the driver until the guest
 * wants it again, or has nothing of the piece any more.
 *
 * A piece lasts beyond its VM's end, so that the next start on a machine that has
 * long been running needn't find one. It goes when there's no other room.
 *
 * A frame that somebody gave back may still be the target of a disk's read, which the
 * daemon or the process' end left under way. The system knows that, and gives such a
 * frame to nobody (docs/nt.md says how far that is known). The driver doesn't: so what
 * it keeps goes to the same guest, or was a VM's whose daemon had ended all that.
 *
 * Before Windows 7 a piece is contiguous memory, which comes and goes as a whole.
 */
#include "block.h"

#define LEAF_BLOCKS 512 /* 1 GiB */
#define LEAF	    (LEAF_BLOCKS * NT_BLOCK)
#define BLOCK_PAGES (NT_BLOCK / CO_PAGE_SIZE)

struct nt_linear {
	struct nt_list list; /* in linears */
	co_u64 pa, size;
	struct nt_mdl *mdl; /* NULL: contiguous memory */
	co_u8 *va;
	struct nt_file *file; /* whose it is; NULL: nobody's, and nobody has any of it */
	co_u32 used;	      /* blocks that its guest has */
};

struct host_mutex nt_memory_lock;
co_u64 nt_memory_end;
static struct nt_block **leaves; /* [nt_memory_end / LEAF] */
static struct nt_list linears;
#define for_each_linear(l)                                                        \
	for ((l) = co_container_of(linears.next, struct nt_linear, list);         \
	     &(l)->list != &linears;                                              \
	     (l) = co_container_of((l)->list.next, struct nt_linear, list))

/* ---- the table of blocks ------------------------------------------------------------ */

struct nt_block *nt_block_at(co_u64 pa)
{
	struct nt_block *leaf =
		pa < nt_memory_end ? co_load(&leaves[pa / LEAF]) : NULL;

	return leaf ? &leaf[pa % LEAF / NT_BLOCK] : NULL;
}

/* The same, made if need be. NULL: no memory, or no such address. */
static struct nt_block *block_make(co_u64 pa)
{
	struct nt_block *leaf;

	if (pa >= nt_memory_end)
		return NULL;
	if (!leaves[pa / LEAF]) {
		leaf = host_alloc(LEAF_BLOCKS * sizeof(*leaf));
		co_store(&leaves[pa / LEAF], leaf);
	}
	return nt_block_at(pa);
}

void *host_chunk_va(co_u64 pa)
{
	return co_load(&nt_block_at(pa)->va) + pa % NT_BLOCK;
}

/* ---- from and to the system ------------------------------------------------------------ */

static bool is_one_piece(const struct nt_mdl *mdl, co_u64 size)
{
	co_u32 i, pages = (co_u32)(size / CO_PAGE_SIZE);

	if (mdl->count != size || mdl->pfn[0] % BLOCK_PAGES)
		return false;
	for (i = 1; i < pages; i++)
		if (mdl->pfn[i] != mdl->pfn[0] + i)
			return false;
	return true;
}

void nt_pages_free(struct nt_mdl *mdl)
{
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
}

/* Contiguous pages, aligned to their size, from [low, high]. */
struct nt_mdl *nt_pages_get(co_u64 low, co_u64 high, co_u64 size, co_u32 flags)
{
	struct nt_mdl *mdl;

	flags |= MM_REQUIRE_CONTIGUOUS_CHUNKS | MM_ALLOCATE_FULLY_REQUIRED;
	mdl = MmAllocatePagesForMdlEx(low, high, size, size, MM_CACHED, flags);
	if (mdl && !is_one_piece(mdl, size)) {
		nt_pages_free(mdl);
		return NULL;
	}
	return mdl;
}

void *nt_map_kernel(struct nt_mdl *mdl)
{
	return MmMapLockedPagesSpecifyCache(mdl, KERNEL_MODE, MM_CACHED, NULL, 0,
					    nt_map_priority());
}

static int block_enter(struct nt_mdl *mdl)
{
	struct nt_block *block = block_make(mdl->pfn[0] * CO_PAGE_SIZE);
	void *va = block ? nt_map_kernel(mdl) : NULL;

	if (!va)
		return -CO_ENOMEM;
	block->mdl = mdl;
	co_store(&block->va, va);
	return 0;
}

/* A block of the system's, zeroed by it. *pa as in host_chunk_alloc(). */
int nt_block_get(co_u64 *pa)
{
	co_u64 low = *pa, high = *pa ? *pa + NT_BLOCK - 1 : nt_memory_end - 1;
	struct nt_mdl *mdl = nt_pages_get(low, high, NT_BLOCK, 0);

	if (!mdl)
		return -CO_ENOMEM;
	if (block_enter(mdl)) {
		nt_pages_free(mdl);
		return -CO_ENOMEM;
	}
	*pa = mdl->pfn[0] * CO_PAGE_SIZE;
	return 0;
}

static void block_put(struct nt_block *block)
{
	struct nt_mdl *mdl = block->mdl;

	MmUnmapLockedPages(block->va, mdl);
	memset(block, 0, sizeof(*block));
	nt_pages_free(mdl);
}

/* ---- linear pieces ------------------------------------------------------------------- */

/* An MDL over pages that others hold, for a mapping. */
static struct nt_mdl *mdl_over(co_u64 pa, co_u64 size)
{
	struct nt_mdl *mdl = IoAllocateMdl(NULL, (co_u32)size, 0, 0, NULL);
	co_u64 i;

	if (!mdl)
		return NULL;
	for (i = 0; i < size / CO_PAGE_SIZE; i++)
		mdl->pfn[i] = pa / CO_PAGE_SIZE + i;
	mdl->flags |= MDL_PAGES_LOCKED;
	return mdl;
}

static struct nt_linear *linear_new(co_u64 pa, co_u64 size, co_u8 *va,
				    struct nt_mdl *mdl)
{
	struct nt_linear *l = host_alloc(sizeof(*l));

	if (!l)
		return NULL;
	l->pa = pa;
	l->size = size;
	l->va = va;
	l->mdl = mdl;
	nt_list_add(&linears, &l->list);
	return l;
}

/* Blocks that a guest has, into one mapping; their own ones go. */
static struct nt_linear *linear_over(co_u64 pa, co_u64 size)
{
	struct nt_mdl *mdl = mdl_over(pa, size);
	co_u8 *va = mdl ? nt_map_kernel(mdl) : NULL;
	struct nt_linear *l = va ? linear_new(pa, size, va, mdl) : NULL;

	if (!l) {
		if (va)
			MmUnmapLockedPages(va, mdl);
		if (mdl)
			IoFreeMdl(mdl);
	}
	return l;
}

int nt_memory_main(struct co_vm *vm)
{
	const struct co_chunk *main = &vm->memory.chunk[vm->memory.main];
	struct nt_linear *l = NULL;
	struct nt_block *block;
	co_u64 at;
	void *old;

	host_mutex_lock(&nt_memory_lock);
	block = nt_block_at(main->address);
	if (!block->linear && main->size > NT_BLOCK)
		l = linear_over(main->address, main->size);
	for (at = 0; l && at < main->size; at += NT_BLOCK) {
		block = nt_block_at(main->address + at);
		old = block->va;
		co_store(&block->va, l->va + at);
		MmUnmapLockedPages(old, block->mdl);
		block->linear = l;
		l->file = block->file;
		l->used++;
	}
	l = block->linear;
	host_mutex_unlock(&nt_memory_lock);
	return l || main->size == NT_BLOCK ? 0 : -CO_ENOMEM;
}

/* No guest has any of it: what it's made of, maybe not yet all, goes back to the
 * system, which waits for whoever else holds a page. */
static void linear_free(struct nt_linear *l)
{
	struct nt_block *block;
	struct nt_mdl *mdl;
	co_u64 at;

	nt_list_remove(&l->list);
	if (l->mdl)
		MmUnmapLockedPages(l->va, l->mdl);
	for (at = 0; at < l->size; at += NT_BLOCK) {
		block = nt_block_at(l->pa + at);
		mdl = block ? block->mdl : NULL;
		if (!mdl)
			break;
		memset(block, 0, sizeof(*block));
		if (l->mdl)
			nt_pages_free(mdl);
		else
			IoFreeMdl(mdl);
	}
	if (l->mdl)
		IoFreeMdl(l->mdl);
	else
		MmFreeContiguousMemory(l->va);
	host_free(l);
}

/* ---- contiguous memory ------------------------------------------------------------------- */

static int contiguous_enter(struct nt_linear *l)
{
	struct nt_block *block;
	co_u64 at;

	for (at = 0; at < l->size; at += NT_BLOCK) {
		block = block_make(l->pa + at);
		if (!block)
			return -CO_ENOMEM;
		block->mdl = mdl_over(l->pa + at, NT_BLOCK);
		if (!block->mdl)
			return -CO_ENOMEM;
		block->linear = l;
		co_store(&block->va, l->va + at);
	}
	return 0;
}

/* Into the pool, from where it is taken. */
int nt_contiguous_get(co_u64 size)
{
	co_u8 *va = MmAllocateContiguousMemorySpecifyCache(size, 0, nt_memory_end - 1,
							   size, MM_CACHED);
	co_u64 pa = va ? MmGetPhysicalAddress(va) : 0;
	struct nt_linear *l = NULL;

	if (va && !(pa % size))
		l = linear_new(pa, size, va, NULL);
	if (!l) {
		if (va)
			MmFreeContiguousMemory(va);
		return -CO_ENOMEM;
	}
	if (!contiguous_enter(l))
		return 0;
	linear_free(l);
	return -CO_ENOMEM;
}

/* ---- the pool of blocks ------------------------------------------------------------------ */

bool nt_block_is_free(const struct nt_block *block, const struct nt_file *file)
{
	const struct nt_linear *l = block ? block->linear : NULL;

	return l && !block->file && l->file == file;
}

co_u64 nt_pool_claim(struct nt_file *file, co_u64 size)
{
	struct nt_linear *l;
	co_u64 pa;

	for_each_linear(l) {
		if (size == l->size && !l->file) {
			l->file = file;
			return l->pa;
		}
		for (pa = l->pa; size == NT_BLOCK && pa < l->pa + l->size;
		     pa += NT_BLOCK)
			if (nt_block_is_free(nt_block_at(pa), file))
				return pa;
	}
	return 0;
}

void nt_block_reuse(struct nt_block *block)
{
	memset(block->va, 0, NT_BLOCK);
	block->linear->used++;
}

/* One piece for the next start is enough, if nothing is under way in it. */
static bool worth_keeping(const struct nt_linear *l)
{
	const struct nt_linear *first =
		co_container_of(linears.next, struct nt_linear, list);

	return l->file->drained && l == first && first->list.next == &linears;
}

void nt_block_release(struct nt_block *block)
{
	struct nt_linear *l = block->linear;

	block->file = NULL;
	if (!l)
		block_put(block);
	else if (--l->used)
		return;
	else if (worth_keeping(l))
		l->file = NULL;
	else
		linear_free(l);
}

co_u64 nt_pool_bytes(const struct nt_file *file)
{
	struct nt_linear *l;
	co_u64 bytes = 0;

	host_mutex_lock(&nt_memory_lock);
	for_each_linear(l)
		if (!file || !l->file || l->file == file)
			bytes += l->size - l->used * (co_u64)NT_BLOCK;
	host_mutex_unlock(&nt_memory_lock);
	return bytes;
}

bool nt_pool_drop(co_u64 least)
{
	struct nt_list *at, *next;
	struct nt_linear *l;
	bool any = false;

	host_mutex_lock(&nt_memory_lock);
	for (at = linears.next; at != &linears; at = next) {
		next = at->next;
		l = co_container_of(at, struct nt_linear, list);
		if (l->used || l->size < least)
			continue;
		linear_free(l);
		any = true;
	}
	host_mutex_unlock(&nt_memory_lock);
	return any;
}

/* ---- life --------------------------------------------------------------------------------- */

int nt_blocks_init(co_u64 top)
{
	nt_list_init(&linears);
	nt_memory_end = CO_ALIGN_UP(CO_MIN(top, CO_MAP_END), LEAF);
	leaves = host_alloc(nt_memory_end / LEAF * sizeof(*leaves));
	return leaves ? 0 : -CO_ENOMEM;
}

/* No guest has any. */
void nt_blocks_exit(void)
{
	co_u64 i;

	if (!leaves)
		return;
	while (linears.next != &linears)
		linear_free(co_container_of(linears.next, struct nt_linear, list));
	for (i = 0; i < nt_memory_end / LEAF; i++)
		host_free(leaves[i]);
	host_free(leaves);
	leaves = NULL;
}
