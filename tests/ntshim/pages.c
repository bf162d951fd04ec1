// SPDX-License-Identifier: GPL-2.0
/* Blocks of frames, of any power of two, also at a given place. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include "shim.h"

#define BUDDY_MAX   (PAGE_SIZE << (MAX_ORDER - 1))
#define LOWEST_PFN  (SZ_16M >> PAGE_SHIFT)
/* A longer range is an RCU stall on a busy host. */
#define STEP	    (SZ_16M >> PAGE_SHIFT)

static DEFINE_MUTEX(contig_lock); /* alloc_contig_range() bears no other beside it */

void block_give(unsigned long pfn, unsigned long count)
{
	unsigned long end = pfn + count;

	for (; pfn < end; pfn++)
		__free_page(pfn_to_page(pfn));
}

static bool usable(unsigned long pfn, unsigned long count)
{
	struct zone *zone = NULL;
	unsigned long at;

	for (at = pfn; at < pfn + count; at++) {
		struct page *page = pfn_to_online_page(at);

		if (!page || PageReserved(page) || (zone && page_zone(page) != zone))
			return false;
		zone = page_zone(page);
	}
	return true;
}

static bool take_at(unsigned long pfn, unsigned long count)
{
	unsigned long at, next;

	if (!usable(pfn, count))
		return false;
	for (at = pfn; at < pfn + count; at = next) {
		next = min(at + STEP, pfn + count);
		if (alloc_contig_range(at, next, MIGRATE_MOVABLE,
				       GFP_KERNEL | __GFP_NOWARN)) {
			block_give(pfn, at - pfn);
			return false;
		}
		cond_resched();
	}
	return true;
}

static unsigned long take_buddy(u64 size, u64 lowest, u64 highest)
{
	gfp_t zone = highest < BIT_ULL(32) - 1 ? GFP_DMA32 : 0;
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN |
					__GFP_RETRY_MAYFAIL | zone, get_order(size));

	if (!page)
		return 0;
	split_page(page, get_order(size));
	if (page_to_phys(page) >= lowest && page_to_phys(page) + size - 1 <= highest)
		return page_to_pfn(page);
	block_give(page_to_pfn(page), size >> PAGE_SHIFT);
	return 0;
}

static unsigned long scan(unsigned long first, unsigned long end, unsigned long count)
{
	unsigned long pfn;

	if (end < count)
		return 0;
	for (pfn = ALIGN_DOWN(end - count, count); pfn >= first && pfn; pfn -= count) {
		if (fatal_signal_pending(current))
			return 0;
		if (take_at(pfn, count))
			return pfn;
	}
	return 0;
}

unsigned long block_take(u64 size, u64 lowest, u64 highest)
{
	unsigned long count = size >> PAGE_SHIFT, pfn = 0, end;
	bool anywhere = highest - lowest >= size;

	if (anywhere && size <= BUDDY_MAX)
		pfn = take_buddy(size, lowest, highest);
	if (pfn || (anywhere && size < SZ_2M))
		return pfn;
	end = min_t(u64, node_end_pfn(first_online_node), (highest >> PAGE_SHIFT) + 1);
	mutex_lock(&contig_lock);
	pfn = scan(max_t(u64, lowest >> PAGE_SHIFT, LOWEST_PFN), end, count);
	mutex_unlock(&contig_lock);
	return pfn;
}
