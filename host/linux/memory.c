// SPDX-License-Identifier: GPL-2.0
/* Memory for the core: its own, and the guest's frames. */
#include <linux/gfp.h>
#include <linux/hugetlb.h>
#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include "port.h"

/* The DMA zone is small and others can't do without it. */
#define LOWEST_PFN (SZ_16M >> PAGE_SHIFT)
#define TAKE_STEP  (SZ_32M >> PAGE_SHIFT)

/* alloc_contig_range() answers -EBUSY to two at once. */
static DEFINE_MUTEX(contig_lock);

void *host_alloc(co_size size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT);
}

void host_free(void *p)
{
	kvfree(p);
}

void *host_page_alloc(co_u64 *pa)
{
	void *va = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (va)
		*pa = __pa(va);
	return va;
}

void host_page_free(void *va)
{
	free_page((unsigned long)va);
}

/* ---- chunks ----------------------------------------------------------------- */

/* Every frame online, in one zone, and none that can never move. Not in the zone
 * that has to stay movable: its memory may be unplugged, and what a guest has can't
 * be, nor can I/O pin it for long. */
static bool range_usable(unsigned long pfn, unsigned long count)
{
	unsigned long end = pfn + count;
	struct page *page = pfn_to_online_page(pfn);
	struct zone *zone;

	if (!page)
		return false;
	zone = page_zone(page);
	if (zone_idx(zone) == ZONE_MOVABLE)
		return false;
	for (; pfn < end; pfn++) {
		page = pfn_to_online_page(pfn);
		if (!page || page_zone(page) != zone || PageReserved(page) ||
		    PageHuge(page))
			return false;
	}
	return true;
}

static void free_range(unsigned long pfn, unsigned long end)
{
	for (; pfn < end; pfn++) {
		__free_page(pfn_to_page(pfn));
		if (!(pfn % 512))
			cond_resched();
	}
}

/* In steps: alloc_contig_range() zeroes all that it takes before anyone else may
 * run, and with a gigabyte on a busy host that was an RCU stall. */
static bool take_range(unsigned long pfn, unsigned long count)
{
	unsigned long at, next, end = pfn + count;

	if (!range_usable(pfn, count))
		return false;
	for (at = pfn; at < end; at = next) {
		next = min(at + TAKE_STEP, end);
		if (alloc_contig_range(at, next, MIGRATE_MOVABLE,
				       GFP_KERNEL | __GFP_NOWARN)) {
			free_range(pfn, at);
			return false;
		}
		cond_resched();
	}
	return true;
}

/* From the top of the node down: the host's own needs crowd at the bottom. */
static unsigned long scan_node(int nid, unsigned long count,
			       unsigned long align)
{
	unsigned long start = max(node_start_pfn(nid), (unsigned long)LOWEST_PFN);
	unsigned long pfn = node_end_pfn(nid);

	if (pfn < count)
		return 0;
	for (pfn = ALIGN_DOWN(pfn - count, align); pfn >= start; pfn -= align) {
		cond_resched();
		if (fatal_signal_pending(current))
			return 0;
		if (take_range(pfn, count))
			return pfn;
		if (pfn < align)
			break;
	}
	return 0;
}

static unsigned long take_contig(unsigned long count, unsigned long align)
{
	unsigned long pfn = 0;
	int nid;

	mutex_lock(&contig_lock);
	for_each_online_node(nid) {
		pfn = scan_node(nid, count, align);
		if (pfn)
			break;
	}
	mutex_unlock(&contig_lock);
	return pfn;
}

static unsigned long take_exactly(unsigned long pfn, unsigned long count)
{
	bool taken = false;

	mutex_lock(&contig_lock);
	if (pfn >= LOWEST_PFN)
		taken = take_range(pfn, count);
	mutex_unlock(&contig_lock);
	return taken ? pfn : 0;
}

/* Small chunks come from the buddy allocator, which knows where they are. */
static unsigned long take_buddy(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN |
					__GFP_RETRY_MAYFAIL, order);

	if (!page)
		return 0;
	/* As alloc_contig_range() gives them: each frame its own reference. */
	split_page(page, order);
	return page_to_pfn(page);
}

static void clear_range(unsigned long pfn, unsigned long count)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		clear_page(page_address(pfn_to_page(pfn + i)));
		if (!(i % 512))
			cond_resched();
	}
}

int host_chunk_alloc(co_u64 size, co_u64 align, co_u64 *pa)
{
	unsigned int order = get_order(size);
	unsigned long count = size >> PAGE_SHIFT, pfn;

	if (*pa)
		pfn = take_exactly(PHYS_PFN(*pa), count);
	else if (size == align && size == (PAGE_SIZE << order) && order <= MAX_PAGE_ORDER)
		pfn = take_buddy(order);
	else
		pfn = take_contig(count, align >> PAGE_SHIFT);
	if (!pfn)
		return -CO_ENOMEM;
	clear_range(pfn, count);
	*pa = PFN_PHYS(pfn);
	return 0;
}

/* As with any freed memory: who allocates it next zeroes what must be zero. */
void host_chunk_free(struct co_file *file, co_u64 pa, co_u64 size)
{
	unsigned long pfn = PHYS_PFN(pa);

	if (file)
		colinux_unmap(to_linux(file), pa, size);
	free_range(pfn, pfn + (size >> PAGE_SHIFT));
}

void *host_chunk_va(co_u64 pa)
{
	return __va(pa);
}

static unsigned long top_pfn(void)
{
	unsigned long top = 0;
	int nid;

	for_each_online_node(nid)
		top = max(top, (unsigned long)node_end_pfn(nid));
	return top;
}

co_u64 host_memory(co_u64 *free, co_u64 *top)
{
	long pages = si_mem_available();

	if (free)
		*free = pages > 0 ? (co_u64)pages << PAGE_SHIFT : 0;
	if (top)
		*top = PFN_PHYS(top_pfn());
	return (co_u64)totalram_pages() << PAGE_SHIFT;
}

/* ---- addresses --------------------------------------------------------------- */

co_u64 host_va_to_pa(const void *va)
{
	struct page *page;

	if (virt_addr_valid(va))
		return __pa(va);
	page = vmalloc_to_page(va);
	return page ? page_to_phys(page) + offset_in_page(va) : 0;
}

int host_copy_in(void *dst, co_u64 user, co_size n)
{
	return copy_from_user(dst, u64_to_user_ptr(user), n) ? -CO_EFAULT : 0;
}
