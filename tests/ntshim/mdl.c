// SPDX-License-Identifier: GPL-2.0
/* Memory descriptor lists: pages for guests, requesters' buffers, mappings. */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "shim.h"

#define SKIP_CONTIGUOUS 0x20 /* MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS */
#define FULLY_REQUIRED	0x04
#define DONT_ZERO	0x01
#define USER_MODE	1

static u32 pages_in(const struct nt_mdl *mdl)
{
	return DIV_ROUND_UP(mdl->offset + mdl->count, PAGE_SIZE);
}

static struct nt_mdl *mdl_new(u64 va, u32 size, unsigned long site)
{
	u32 n = DIV_ROUND_UP(offset_in_page(va) + (u64)size, PAGE_SIZE);
	size_t room = struct_size((struct nt_mdl *)NULL, pfn, n);
	struct nt_mdl *mdl = kzalloc(room, irql_now() ? GFP_ATOMIC : GFP_KERNEL);

	if (!mdl)
		return NULL;
	mdl->size = room;
	mdl->start_va = (void *)(va & PAGE_MASK);
	mdl->offset = offset_in_page(va);
	mdl->count = size;
	return mdl;
}

static NT struct nt_mdl *IoAllocateMdl(void *va, u32 size, u8 secondary,
				       u8 quota, void *irp)
{
	struct nt_mdl *mdl;

	if (!irql_at_most(DISPATCH_LEVEL) || fails("MDL", CALLER))
		return NULL;
	mdl = mdl_new((u64)va, size, CALLER);
	if (mdl)
		track("MDL", mdl, mdl->size, CALLER);
	return mdl;
}

static NT void IoFreeMdl(struct nt_mdl *mdl)
{
	irql_at_most(DISPATCH_LEVEL);
	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA)
		complain(CALLER, "frees an MDL that is mapped");
	if (untrack("MDL", mdl, CALLER) >= 0)
		kfree(mdl);
}

static NT void MmBuildMdlForNonPagedPool(struct nt_mdl *mdl)
{
	u64 va = (u64)mdl->start_va;
	u32 i;

	for (i = 0; i < pages_in(mdl); i++, va += PAGE_SIZE)
		mdl->pfn[i] = virt_addr_valid(va) ?
				      virt_to_phys((void *)va) >> PAGE_SHIFT :
				      vmalloc_to_pfn((void *)va);
	mdl->system_va = mdl->start_va + mdl->offset;
	mdl->flags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

/* ---- pages ------------------------------------------------------------------------ */

static void pages_free(const struct nt_mdl *mdl)
{
	u32 i;

	for (i = 0; i < pages_in(mdl); i++)
		block_give(mdl->pfn[i], 1);
}

static bool block_add(struct nt_mdl *mdl, u64 size, u64 lowest, u64 highest,
		      bool zero)
{
	unsigned long pfn = block_take(size, lowest, highest);
	u32 at = mdl->count >> PAGE_SHIFT, i;

	if (!pfn)
		return false;
	for (i = 0; i < size >> PAGE_SHIFT; i++) {
		if (zero)
			clear_page(__va(PFN_PHYS(pfn + i)));
		mdl->pfn[at + i] = pfn + i;
		if (!(i % 512))
			cond_resched();
	}
	mdl->count += size;
	return true;
}

static NT struct nt_mdl *MmAllocatePagesForMdlEx(u64 lowest, u64 highest, u64 skip,
						 u64 size, u32 cache, u32 flags)
{
	u64 block = flags & SKIP_CONTIGUOUS ? (skip ? skip : size) : PAGE_SIZE;
	struct nt_mdl *mdl;
	bool fits = true;

	if (!irql_at_most(APC_LEVEL))
		return NULL;
	if (flags & SKIP_CONTIGUOUS && nt_version < NT_VISTA)
		complain(CALLER, "contiguous chunks before Vista");
	if (size > U32_MAX - PAGE_SIZE || size % block || !is_power_of_2(block)) {
		complain(CALLER, "%llu bytes in blocks of %llu", size, block);
		return NULL;
	}
	if (fails("pages", CALLER))
		return NULL;
	mdl = kvzalloc(struct_size(mdl, pfn, size >> PAGE_SHIFT), GFP_KERNEL);
	if (!mdl)
		return NULL;
	mdl->flags = MDL_PAGES_LOCKED;
	while (fits && mdl->count < size && !fails("block of pages", CALLER))
		fits = block_add(mdl, block, lowest, highest, !(flags & DONT_ZERO));
	/* Less than wanted is an answer, too, unless it was to be all or nothing. */
	if (!mdl->count || (flags & FULLY_REQUIRED && mdl->count < size)) {
		pages_free(mdl);
		kvfree(mdl);
		return NULL;
	}
	/* The list is the pool's, the pages are the list's. */
	mdl->size = min_t(u64, struct_size(mdl, pfn, size >> PAGE_SHIFT), S16_MAX);
	track("pages", mdl, mdl->count, CALLER);
	track("list of pages", mdl, mdl->count, CALLER);
	return mdl;
}

static NT struct nt_mdl *MmAllocatePagesForMdl(u64 lowest, u64 highest, u64 skip,
					       u64 size)
{
	return MmAllocatePagesForMdlEx(lowest, highest, 0, size, 1, 0);
}

static NT void MmFreePagesFromMdl(struct nt_mdl *mdl)
{
	irql_at_most(APC_LEVEL);
	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA)
		complain(CALLER, "frees pages that are mapped");
	if (untrack("pages", mdl, CALLER) >= 0)
		pages_free(mdl);
	mdl->flags &= ~MDL_PAGES_LOCKED;
}

/* The other half of freeing what MmAllocatePagesForMdlEx() gave: ExFreePool(). */
bool mdl_free_list(void *p, unsigned long site)
{
	if (!tracked("list of pages", p))
		return false;
	if (tracked("pages", p))
		complain(site, "frees a list whose pages it has");
	untrack("list of pages", p, site);
	kvfree(p);
	return true;
}

/* ---- mappings ---------------------------------------------------------------------- */

static void *map_system(struct nt_mdl *mdl, bool executable, unsigned long site)
{
	u32 n = pages_in(mdl), i;
	struct page **pages;
	void *va;

	if (mdl->flags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) {
		complain(site, "maps an MDL that is mapped");
		return NULL;
	}
	if (fails("mapping", site))
		return NULL;
	pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < n; i++)
		pages[i] = pfn_to_page(mdl->pfn[i]);
	va = vmap(pages, n, VM_MAP, executable ? PAGE_KERNEL_EXEC : PAGE_KERNEL);
	kvfree(pages);
	if (!va)
		return NULL;
	va += mdl->offset;
	mdl->system_va = va;
	mdl->flags |= MDL_MAPPED_TO_SYSTEM_VA;
	track("mapping", va, mdl->count, site);
	return va;
}

/* What Windows answers for a process: an address, or an exception. */
static u64 map_user(struct nt_registers *r, struct nt_mdl *mdl, void *base)
{
	unsigned long site = r->rip;
	void *va = device_map_user(mdl, base, site);

	if (!va && !pe_raise(r))
		complain(site, "an exception that nobody catches");
	return (u64)va;
}

/* MdlMappingNoExecute is in `priority`, and without it the pages are executable. */
u64 map_locked(struct nt_registers *r, struct nt_mdl *mdl, s8 mode, u32 cache,
	       void *base, u32 bug_check, u32 priority)
{
	if (!irql_check(mode == USER_MODE ? APC_LEVEL : DISPATCH_LEVEL, r->rip,
			"MmMapLockedPagesSpecifyCache"))
		return 0;
	if (bug_check && mode != USER_MODE)
		complain(r->rip, "a mapping that may end in a bug check");
	if (mode == USER_MODE)
		return map_user(r, mdl, base);
	if (irql_now() || irqs_disabled()) {
		complain(r->rip, "a mapping at DISPATCH_LEVEL, which the shim doesn't have");
		return 0;
	}
	return (u64)map_system(mdl, !(priority & BIT(30)), r->rip);
}

static NT void MmUnmapLockedPages(void *va, struct nt_mdl *mdl)
{
	if ((u64)va < TASK_SIZE_MAX) {
		if (irql_at_most(APC_LEVEL))
			device_unmap_user(va, mdl, CALLER);
		return;
	}
	if (irql_now() || irqs_disabled()) {
		complain(CALLER, "an unmapping at DISPATCH_LEVEL, which the shim doesn't have");
		return;
	}
	if (untrack("mapping", va, CALLER) < 0)
		return;
	vunmap((void *)((u64)va & PAGE_MASK));
	mdl->flags &= ~MDL_MAPPED_TO_SYSTEM_VA;
	mdl->system_va = NULL;
}

static NT ntstatus MmProtectMdlSystemAddress(struct nt_mdl *mdl, u32 protection)
{
	return tracked("mapping", mdl->system_va) ? NT_OK : NT_INVALID_PARAMETER;
}

/* ---- requesters' buffers ------------------------------------------------------------- */

struct nt_mdl *mdl_of_user(u64 address, u32 size, bool write)
{
	struct nt_mdl *mdl = mdl_new(address, size, 0);
	u32 n, i;
	struct page **pages;
	int got;

	if (!mdl)
		return NULL;
	n = pages_in(mdl);
	pages = kvcalloc(n, sizeof(*pages), GFP_KERNEL);
	got = pages ? pin_user_pages_fast(address & PAGE_MASK, n,
					  write ? FOLL_WRITE : 0, pages) : 0;
	for (i = 0; got > 0 && i < got; i++)
		mdl->pfn[i] = page_to_pfn(pages[i]);
	mdl->flags = MDL_PAGES_LOCKED;
	if (got == n) {
		kvfree(pages);
		return mdl;
	}
	if (got > 0)
		unpin_user_pages(pages, got);
	kvfree(pages);
	kfree(mdl);
	return NULL;
}

/* As Windows completes a request: what the driver mapped goes with the list. */
void mdl_put_user(struct nt_mdl *mdl)
{
	u32 i;

	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA) {
		untrack("mapping", mdl->system_va, 0);
		vunmap((void *)((u64)mdl->system_va & PAGE_MASK));
	}
	for (i = 0; i < pages_in(mdl); i++)
		unpin_user_page(pfn_to_page(mdl->pfn[i]));
	kfree(mdl);
}

struct nt_mdl *mdl_of_kernel(void *va, u32 size)
{
	struct nt_mdl *mdl = mdl_new((u64)va, size, 0);
	u32 i;

	if (!mdl)
		return NULL;
	for (i = 0; i < pages_in(mdl); i++)
		mdl->pfn[i] = vmalloc_to_pfn(va + i * PAGE_SIZE);
	mdl->flags = MDL_PAGES_LOCKED;
	return mdl;
}

void mdl_put_kernel(struct nt_mdl *mdl)
{
	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA) {
		untrack("mapping", mdl->system_va, 0);
		vunmap((void *)((u64)mdl->system_va & PAGE_MASK));
	}
	kfree(mdl);
}

const struct nt_export mdl_exports[] = {
	EXPORT(IoAllocateMdl, NT_2003),
	EXPORT(IoFreeMdl, NT_2003),
	EXPORT(MmBuildMdlForNonPagedPool, NT_2003),
	EXPORT(MmAllocatePagesForMdl, NT_2003),
	EXPORT(MmAllocatePagesForMdlEx, NT_2003),
	EXPORT(MmFreePagesFromMdl, NT_2003),
	{ "MmMapLockedPagesSpecifyCache", nt_map_locked, NT_2003 },
	EXPORT(MmUnmapLockedPages, NT_2003),
	EXPORT(MmProtectMdlSystemAddress, NT_2003),
	EXPORTS_END
};
