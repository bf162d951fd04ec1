// SPDX-License-Identifier: GPL-2.0
/* Pools, contiguous memory, addresses. */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/unaligned.h>
#include "shim.h"

#define FRESH 0xcd /* what new memory is full of, */
#define GONE  0xdd /* and what is given back */

static gfp_t how(void)
{
	return irql_now() >= DISPATCH_LEVEL || irqs_disabled() ? GFP_ATOMIC :
								 GFP_KERNEL;
}

/* Behind the end, for those who write there. */
#define FENCE 0xfe9ce5fe9ce5fe9cull

/* From a page up it is aligned to pages. */
static void *pool_new(u64 size, bool zero, unsigned long site)
{
	u64 room = size + sizeof(u64);
	void *p;

	if (!irql_check(DISPATCH_LEVEL, site, "an allocation") ||
	    fails("pool", site))
		return NULL;
	if (size >= PAGE_SIZE)
		room = roundup_pow_of_two(room);
	p = room > KMALLOC_MAX_SIZE ? NULL : kmalloc(room, how() | __GFP_NOWARN);
	if (!p)
		return NULL;
	memset(p, zero ? 0 : FRESH, size);
	put_unaligned(FENCE, (u64 *)(p + size));
	track("pool", p, size, site);
	return p;
}

/* Executable pool, and paged one at DISPATCH_LEVEL, are mistakes. */
static void check_type(u32 type, unsigned long site)
{
	if (type & 1)
		irql_check(APC_LEVEL, site, "an allocation of paged pool");
	if (type & 512 && nt_version < NT_8)
		complain(site, "pool type %u before Windows 8", type);
}

static NT void *ExAllocatePoolWithTag(u32 type, u64 size, u32 tag)
{
	check_type(type, CALLER);
	return pool_new(size, false, CALLER);
}

/* POOL_FLAG_UNINITIALIZED is 2. */
static NT void *ExAllocatePool2(u64 flags, u64 size, u32 tag)
{
	return pool_new(size, !(flags & 2), CALLER);
}

static void pool_free(void *p, unsigned long site)
{
	ssize_t size;

	irql_check(DISPATCH_LEVEL, site, "ExFreePool");
	if (mdl_free_list(p, site))
		return;
	size = untrack("pool", p, site);
	if (size < 0)
		return;
	if (get_unaligned((u64 *)(p + size)) != FENCE)
		complain(site, "frees %zd bytes, and has written behind them", size);
	memset(p, GONE, size);
	kfree(p);
}

static NT void ExFreePoolWithTag(void *p, u32 tag)
{
	pool_free(p, CALLER);
}

static NT void ExFreePool(void *p)
{
	pool_free(p, CALLER);
}

/* ---- contiguous ------------------------------------------------------------------- */

static void *contiguous_new(u64 size, u64 lowest, u64 highest, u64 boundary,
			    unsigned long site)
{
	u64 room = roundup_pow_of_two(max(size, (u64)PAGE_SIZE));
	unsigned long pfn;
	void *p;

	/* Windows permits DISPATCH_LEVEL for some of these, and warns of it. */
	if (!irql_check(PASSIVE_LEVEL, site, "contiguous memory") ||
	    fails("contiguous memory", site) || (boundary && size > boundary))
		return NULL;
	pfn = block_take(room, lowest, highest);
	if (!pfn)
		return NULL;
	p = __va(PFN_PHYS(pfn));
	memset(p, FRESH, size);
	track("contiguous memory", p, room, site);
	return p;
}

static NT void *MmAllocateContiguousMemory(u64 size, u64 highest)
{
	return contiguous_new(size, 0, highest, 0, CALLER);
}

static NT void *MmAllocateContiguousMemorySpecifyCache(u64 size, u64 lowest,
						       u64 highest, u64 boundary,
						       u32 cache)
{
	return contiguous_new(size, lowest, highest, boundary, CALLER);
}

static void contiguous_free(void *p, unsigned long site)
{
	ssize_t size;

	irql_check(PASSIVE_LEVEL, site, "MmFreeContiguousMemory");
	size = untrack("contiguous memory", p, site);
	if (size >= 0)
		block_give(PHYS_PFN(virt_to_phys(p)), size >> PAGE_SHIFT);
}

static NT void MmFreeContiguousMemory(void *p)
{
	contiguous_free(p, CALLER);
}

static NT void MmFreeContiguousMemorySpecifyCache(void *p, u64 size, u32 cache)
{
	contiguous_free(p, CALLER);
}

/* ---- addresses ---------------------------------------------------------------------- */

static bool is_mapped_area(unsigned long va)
{
	return (va >= VMALLOC_START && va < VMALLOC_END) ||
	       (va >= MODULES_VADDR && va < MODULES_END);
}

static u64 physical(const void *va)
{
	struct page *page;

	if (virt_addr_valid(va))
		return virt_to_phys((void *)va);
	if (!is_mapped_area((unsigned long)va) || pe_discarded(va))
		return 0;
	page = vmalloc_to_page(va);
	return page ? page_to_phys(page) + offset_in_page(va) : 0;
}

static NT u64 MmGetPhysicalAddress(const void *va)
{
	u64 pa = physical(va);

	/* Windows answers 0, or brings the machine down. */
	if (!pa)
		complain(CALLER, "MmGetPhysicalAddress() of %px, where nothing is", va);
	return pa;
}

static NT u8 MmIsAddressValid(const void *va)
{
	return physical(va) != 0;
}

/* MM_COPY_MEMORY_VIRTUAL is 2: of the current process, or the system. */
static NT ntstatus MmCopyMemory(void *to, u64 from, u64 size, u32 flags,
				u64 *copied)
{
	u64 left;

	if (!irql_at_most(APC_LEVEL))
		return NT_UNSUCCESSFUL;
	*copied = 0;
	if (flags != 2)
		return NT_INVALID_PARAMETER;
	if (from < TASK_SIZE_MAX)
		left = copy_from_user(to, (void __user *)from, size);
	else
		left = copy_from_kernel_nofault(to, (void *)from, size) ? size : 0;
	*copied = size - left;
	return left ? 0xc0000005u : NT_OK;
}

/* Pairs of address and size, and a pair of zeros. */
static NT u64 *MmGetPhysicalMemoryRanges(void)
{
	unsigned long top = 0, pages = totalram_pages();
	u64 *ranges;
	int nid;

	if (!irql_at_most(PASSIVE_LEVEL))
		return NULL;
	ranges = pool_new(4 * sizeof(u64), true, CALLER);
	if (!ranges)
		return NULL;
	for_each_online_node(nid)
		top = max(top, (unsigned long)node_end_pfn(nid));
	ranges[0] = PFN_PHYS(top - pages);
	ranges[1] = PFN_PHYS(pages);
	return ranges;
}

static NT void *MmMapIoSpace(u64 pa, u64 size, u32 cache)
{
	void *va;

	if (!irql_at_most(PASSIVE_LEVEL) || fails("I/O mapping", CALLER))
		return NULL;
	va = (void __force *)ioremap(pa, size);
	if (va)
		track("I/O mapping", va, size, CALLER);
	return va;
}

static NT void MmUnmapIoSpace(void *va, u64 size)
{
	if (irql_at_most(PASSIVE_LEVEL) && untrack("I/O mapping", va, CALLER) >= 0)
		iounmap((void __iomem *)va);
}

const struct nt_export memory_exports[] = {
	EXPORT(ExAllocatePoolWithTag, NT_2003),
	EXPORT(ExAllocatePool2, NT_10),
	EXPORT(ExFreePoolWithTag, NT_2003),
	EXPORT(ExFreePool, NT_2003),
	EXPORT(MmAllocateContiguousMemory, NT_2003),
	EXPORT(MmAllocateContiguousMemorySpecifyCache, NT_2003),
	EXPORT(MmFreeContiguousMemory, NT_2003),
	EXPORT(MmFreeContiguousMemorySpecifyCache, NT_2003),
	EXPORT(MmGetPhysicalAddress, NT_2003),
	EXPORT(MmIsAddressValid, NT_2003),
	EXPORT(MmCopyMemory, NT_81),
	EXPORT(MmGetPhysicalMemoryRanges, NT_2003),
	EXPORT(MmMapIoSpace, NT_2003),
	EXPORT(MmUnmapIoSpace, NT_2003),
	EXPORTS_END
};
