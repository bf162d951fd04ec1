// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in blocks of 2 MiB, each ours or the host's at a time. Guest memory is
 * machine memory: what comes back may be other frames than those that went.
 *
 * A block that this kernel knows (it has struct pages) and that the host has is
 * marked PageOffline, is in no page table, and stands in the list `away`. The
 * frames of a block that it doesn't know get struct pages first, as ZONE_DEVICE
 * does it, in pieces of a section; the buddy allocator looks at both halves of
 * its largest order, so that they come in pairs, and the other half is away.
 *
 * One thread only calls all this (memory.c).
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/sched/mm.h>
#include <asm/dma.h>
#include <asm/io.h>
#include <asm/pgtable.h>
#include <asm/sections.h>
#include <asm/tlbflush.h>
#include "../../../mm/internal.h"
#include "blocks.h"
#include "colinux.h"

#define PAIR_PAGES MAX_ORDER_NR_PAGES

static LIST_HEAD(away);

/* ---- the direct map -------------------------------------------------------- */

/* NULL if that memory is mapped with pages of 1 GiB. */
static pmd_t *block_pmd(unsigned long va)
{
	p4d_t *p4d = p4d_offset(pgd_offset_k(va), va);
	pud_t *pud = pud_offset(p4d, va);

	return pud_none(*pud) || pud_leaf(*pud) ? NULL : pmd_offset(pud, va);
}

/* A table that someone split the large page into; early ones aren't the page
 * allocator's. */
static void free_split(pmd_t pmd)
{
	struct page *table = pmd_page(pmd);

	if (!PageReserved(table))
		__free_page(table);
}

/* No processor has it in its page tables or TLB afterwards. */
static int hide(struct page *page)
{
	unsigned long va = (unsigned long)page_address(page);
	pmd_t *pmd = block_pmd(va), old;

	if (!pmd)
		return -EBUSY;
	old = *pmd;
	set_pmd(pmd, __pmd(0));
	flush_tlb_kernel_range(va, va + PMD_SIZE);
	if (pmd_leaf(old)) {
		update_page_count(PG_LEVEL_2M, -1);
	} else {
		update_page_count(PG_LEVEL_4K, -PTRS_PER_PTE);
		free_split(old);
	}
	return 0;
}

static void show(struct page *page)
{
	unsigned long pa = page_to_phys(page);

	init_memory_mapping(pa, pa + PMD_SIZE, PAGE_KERNEL);
}

/* ---- away and back ------------------------------------------------------------ */

static void mark_away(struct page *page)
{
	unsigned int i;

	for (i = 0; i < BLOCK_PAGES; i++)
		__SetPageOffline(page + i);
	list_add(&page->lru, &away);
}

static void mark_back(struct page *page)
{
	unsigned int i;

	list_del(&page->lru);
	for (i = 0; i < BLOCK_PAGES; i++)
		__ClearPageOffline(page + i);
}

/* MemTotal stays: what went comes again on demand. */
static void account(struct page *page, long pages)
{
	atomic_long_add(pages, &page_zone(page)->managed_pages);
}

/* To the page allocator. */
static void block_back(struct page *page)
{
	mark_back(page);
	show(page);
	account(page, BLOCK_PAGES);
	__free_pages(page, BLOCK_ORDER);
}

/* What the image had for its start and is free: the host doesn't take it. */
static bool is_kept(struct page *page)
{
	u64 pa = page_to_phys(page);

	return pa + CO_MEMORY_BLOCK > __pa_symbol(_text) && pa < __pa_symbol(_end);
}

/* Another one than those: the page allocator would offer the same again. */
static struct page *alloc_block(gfp_t gfp)
{
	struct page *page, *next;
	LIST_HEAD(kept);

	while ((page = alloc_pages(gfp | __GFP_NOWARN, BLOCK_ORDER)) && is_kept(page))
		list_add(&page->lru, &kept);
	while ((next = list_first_entry_or_null(&kept, struct page, lru))) {
		list_del(&next->lru);
		__free_pages(next, BLOCK_ORDER);
	}
	return page;
}

int colinux_give_block(gfp_t gfp)
{
	struct page *page = alloc_block(gfp);
	u64 result;
	int err;

	if (!page)
		return -ENOMEM;
	err = hide(page);
	if (err) {
		__free_pages(page, BLOCK_ORDER);
		return err;
	}
	account(page, -BLOCK_PAGES);
	mark_away(page);
	result = colinux_call(CO_CALL_MEMORY_GIVE, page_to_phys(page),
			      CO_MEMORY_BLOCK, 0, 0);
	if (!colinux_failed(result))
		return 0;
	block_back(page);
	return -EIO;
}

/* ---- unknown frames --------------------------------------------------------------- */

static struct page *known_block(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	return page && PageOffline(page) ? page : NULL;
}

/* As alloc_pages() leaves a block: one reference, on its first page. */
static void adopt_pages(unsigned long pfn, unsigned long end)
{
	struct page *page;

	for (; pfn < end; pfn++) {
		page = pfn_to_page(pfn);
		ClearPageReserved(page);
		set_page_count(page, pfn % BLOCK_PAGES == 0);
	}
}

static struct zone *zone_for(unsigned long pfn)
{
	return &NODE_DATA(0)->node_zones[pfn < MAX_DMA32_PFN ? ZONE_DMA32 : ZONE_NORMAL];
}

/* What the rest of the kernel does when memory comes online. What it calls is
 * __meminit, which stays where memory can be added. */
static noinline void __ref enliven(struct zone *zone, unsigned long pfn, unsigned long count)
{
	bool fresh = !populated_zone(zone);

	if (fresh)
		setup_zone_pageset(zone);
	online_mem_sections(SECTION_ALIGN_DOWN(pfn), SECTION_ALIGN_UP(pfn + count));
	adjust_present_page_count(pfn_to_page(pfn), NULL, count);
	if (fresh)
		build_all_zonelists(NULL);
}

static int add_span(unsigned long pfn, unsigned long count)
{
	struct mhp_params params = { .pgprot = PAGE_KERNEL };
	struct memory_notify arg = {
		.start_pfn = pfn,
		.nr_pages = count,
		.status_change_nid = NUMA_NO_NODE,
		.status_change_nid_normal = NUMA_NO_NODE,
	};
	struct zone *zone = zone_for(pfn);
	int err = add_pages(0, pfn, count, &params);

	if (err)
		return err;
	move_pfn_range_to_zone(zone, pfn, count, NULL, MIGRATE_MOVABLE);
	adopt_pages(pfn, pfn + count);
	/* Shadows and the like. Without memory for them the span stays, unused. */
	err = notifier_to_errno(memory_notify(MEM_GOING_ONLINE, &arg));
	if (err) {
		memory_notify(MEM_CANCEL_ONLINE, &arg);
		return err;
	}
	enliven(zone, pfn, count);
	memory_notify(MEM_ONLINE, &arg);
	return 0;
}

/* Struct pages for the block; for its neighbour, too, where there are none. */
static int learn(unsigned long pfn)
{
	unsigned long count = pfn_valid(pfn) ? BLOCK_PAGES : PAIR_PAGES;
	int err;

	pfn = ALIGN_DOWN(pfn, count);
	mem_hotplug_begin();
	err = add_span(pfn, count);
	mem_hotplug_done();
	if (err)
		return err;
	for (; count; count -= BLOCK_PAGES, pfn += BLOCK_PAGES)
		mark_away(pfn_to_page(pfn));
	return 0;
}

/* Frames that the host has given: to the page allocator. */
int colinux_add_block(u64 pa)
{
	unsigned long pfn = PHYS_PFN(pa);
	struct page *page = known_block(pfn);
	int err = page ? 0 : learn(pfn);

	if (!err)
		block_back(pfn_to_page(pfn));
	return err;
}

/* ---- taking ------------------------------------------------------------------------- */

/* How many blocks from `pfn` on are away, at most `most`. */
static unsigned int run_of(unsigned long pfn, unsigned int most)
{
	unsigned int n = 0;

	while (n < most && known_block(pfn + n * BLOCK_PAGES))
		n++;
	return n;
}

static unsigned int take(u64 wish, unsigned int blocks)
{
	u64 pa = colinux_call(CO_CALL_MEMORY_TAKE, wish,
			      (u64)blocks * CO_MEMORY_BLOCK, 0, 0);
	unsigned int i, added = 0;

	if (colinux_failed(pa))
		return 0;
	for (i = 0; i < blocks; i++, pa += CO_MEMORY_BLOCK) {
		if (!colinux_add_block(pa))
			added++;
		else
			colinux_call(CO_CALL_MEMORY_GIVE, pa, CO_MEMORY_BLOCK, 0, 0);
	}
	return added;
}

/* The frames that went last, and their neighbours, are the likeliest to be free
 * still: in one go, or one by one, or whatever the host has. */
static unsigned int take_known(unsigned int most)
{
	unsigned long pfn = page_to_pfn(list_first_entry(&away, struct page, lru));
	unsigned int n;

	for (n = 0; n + 1 < most && known_block(pfn - BLOCK_PAGES); n++)
		pfn -= BLOCK_PAGES;
	n = run_of(pfn, most);
	if (n > 1) {
		unsigned int taken = take(PFN_PHYS(pfn), n);

		if (taken)
			return taken;
	}
	return take(PFN_PHYS(pfn), 1);
}

unsigned int colinux_take_blocks(unsigned int most)
{
	/* What memory this takes itself may be the last. */
	unsigned int flags = memalloc_noreclaim_save(), taken = 0;

	if (!list_empty(&away))
		taken = take_known(min(most, BLOCKS_TAKE_MAX));
	else if (most >= PAIR_PAGES / BLOCK_PAGES)
		taken = take(0, PAIR_PAGES / BLOCK_PAGES);
	if (!taken)
		taken = take(0, 1);
	memalloc_noreclaim_restore(flags);
	return taken;
}
