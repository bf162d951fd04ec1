// SPDX-License-Identifier: GPL-2.0
/*
 * When memory goes to the host and when it comes back. A thread keeps a margin
 * of free memory between two marks: what is free beyond the upper for a moment
 * goes, and below the lower more comes, before anyone has to wait. Whoever can't
 * be served from the margin asks the thread and waits for it: reclaim by way of a
 * shrinker, and before it kills, the OOM killer.
 *
 * MemTotal is what we may have, and what the host keeps for us counts as free:
 * programs size themselves by these, and what they then use comes.
 */
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/printk.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include <linux/wait.h>
#include "blocks.h"
#include "colinux.h"
#include "compat.h"

#define PAGES(bytes)  ((long)((bytes) >> PAGE_SHIFT))
#define MARGIN_MIN    PAGES(SZ_64M)
#define MARGIN_SHARE  32 /* of what we have */
#define FLOOR	      PAGES(SZ_16M) /* is kept even when the host asks */
#define PERIOD	      (2 * HZ)
#define PERIOD_BUSY   (HZ / 2) /* while there is something to give */
#define PERIOD_QUIET  (8 * HZ) /* when nothing has changed for a while */
#define CALM	      (10 * HZ) /* nothing ahead of demand after the host asked */
#define REFUSED	      (2 * HZ)	/* until the host is asked again */
#define DEMAND	      16 /* blocks for one who waits */
#define SHRINK_WAIT   (HZ / 2)
#define OOM_WAIT      (5 * HZ)
#define SMALL	      PAGES(SZ_64M)

static DECLARE_WAIT_QUEUE_HEAD(wake); /* the thread waits here */
static DECLARE_WAIT_QUEUE_HEAD(served); /* and those who asked it, here */
static struct task_struct *thread;
static atomic_t demand; /* blocks that someone waits for */
static bool told;	/* an event came */
static unsigned long rounds; /* of the thread that served a demand */

/* The thread's; others read. In pages. */
static long have, limit, last_free;
static unsigned long calm_until, refused_until;
static bool refused;

static struct co_event_page *event_page(void)
{
	return &colinux_areas[0].event;
}

static long free_pages_now(void)
{
	return global_zone_page_state(NR_FREE_PAGES);
}

unsigned long colinux_memory_spare(void)
{
	long spare = READ_ONCE(limit) - READ_ONCE(have);

	return READ_ONCE(refused) || spare < 0 ? 0 : spare;
}

static long margin(void)
{
	return max(MARGIN_MIN, have / MARGIN_SHARE);
}

static void wake_thread(void)
{
	wake_up(&wake);
}

void colinux_memory_event(void)
{
	WRITE_ONCE(told, true);
	wake_thread();
}

/* ---- the thread -------------------------------------------------------------- */

static void set_limit(long pages)
{
	totalram_pages_add(pages - limit);
	WRITE_ONCE(limit, pages);
}

/* Watermarks go by the size; what sets them is __meminit, which stays. */
static noinline void __ref set_have(long pages)
{
	static long marked;

	WRITE_ONCE(have, pages);
	if (abs(pages - marked) > marked / 8) {
		marked = pages;
		init_per_zone_wmark_min();
	}
}

static void take(long pages)
{
	unsigned int taken;

	while (pages > 0 && have < limit) {
		taken = colinux_take_blocks(min_t(long, DIV_ROUND_UP(pages, BLOCK_PAGES),
						  (limit - have) / BLOCK_PAGES));
		if (!taken) {
			refused_until = jiffies + REFUSED;
			WRITE_ONCE(refused, true);
			return;
		}
		WRITE_ONCE(refused, false);
		set_have(have + taken * BLOCK_PAGES);
		pages -= taken * BLOCK_PAGES;
		wake_up_all(&served);
		cond_resched();
	}
}

/* A block that lies free as one. */
#define GFP_QUICK (GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM)
/* What lies free in pieces: compaction may help. */
#define GFP_FREE (GFP_HIGHUSER_MOVABLE | __GFP_NORETRY)
/* Caches may shrink and swap may fill for it. */
#define GFP_FORCE (GFP_HIGHUSER_MOVABLE | __GFP_RETRY_MAYFAIL)

/* Gives up to so many pages back; whoever needs some meanwhile goes first. */
static long give(long pages, gfp_t gfp)
{
	long given = 0;

	while (pages - given >= (long)BLOCK_PAGES && !atomic_read(&demand)) {
		if (colinux_give_block(GFP_QUICK) && colinux_give_block(gfp))
			break;
		given += BLOCK_PAGES;
		set_have(have - BLOCK_PAGES);
		cond_resched();
	}
	return given;
}

static void serve_demand(void)
{
	int blocks = atomic_xchg(&demand, 0);

	if (!blocks)
		return;
	take(max_t(long, blocks * BLOCK_PAGES, margin() - free_pages_now()));
	WRITE_ONCE(rounds, rounds + 1);
	wake_up_all(&served);
}

static void obey_limit(void)
{
	u64 wish = READ_ONCE(event_page()->memory);

	if (wish)
		set_limit(PAGES(min(wish, colinux_boot.memory_max)));
	if (have > limit)
		give(have - limit, GFP_FORCE);
}

static void obey_host(void)
{
	long asked = PAGES(xchg(&event_page()->memory_ask, 0));
	long given;

	if (!asked)
		return;
	calm_until = jiffies + CALM;
	given = give(max(asked, free_pages_now() - FLOOR), GFP_FREE);
	if (given < asked && free_pages_now() > FLOOR)
		give(asked - given, GFP_FORCE);
}

/*
 * Gives only what was free a moment ago, too. When to look again: each look wakes
 * the host, and who takes much wakes us; who only frees is found out in time.
 */
static long keep_margin(long period)
{
	long now = free_pages_now(), before = last_free;
	long upper = margin() + margin() / 4;

	last_free = now;
	if (refused && time_after(jiffies, refused_until))
		WRITE_ONCE(refused, false);
	if (now > upper && before > upper) {
		if (give(min(now, before) - margin(), GFP_FREE))
			return PERIOD_BUSY;
	} else if (now > upper) {
		return PERIOD_BUSY;
	}
	if (now < margin() / 2 && !refused && time_after(jiffies, calm_until))
		take(margin() - now);
	if (abs(now - before) > (long)BLOCK_PAGES)
		return PERIOD;
	return min_t(long, period * 2, PERIOD_QUIET);
}

static void tell(void)
{
	WRITE_ONCE(event_page()->memory_free, (u64)free_pages_now() << PAGE_SHIFT);
}

static int memory_thread(void *unused)
{
	long period = PERIOD;

	while (!kthread_should_stop()) {
		wait_event_idle_timeout(wake, atomic_read(&demand) || READ_ONCE(told) ||
					kthread_should_stop(), period);
		serve_demand();
		if (xchg(&told, false) || have > limit) {
			obey_limit();
			obey_host();
		}
		period = keep_margin(period);
		tell();
	}
	return 0;
}

/* ---- those who ask it ------------------------------------------------------------ */

/* Pages that came meanwhile. */
static unsigned long ask_and_wait(long timeout)
{
	unsigned long round = READ_ONCE(rounds);
	long before = READ_ONCE(have), now;

	if (current == thread || !colinux_memory_spare())
		return 0;
	atomic_set(&demand, DEMAND);
	wake_thread();
	wait_event_timeout(served, READ_ONCE(have) > before || READ_ONCE(rounds) != round,
			   timeout);
	now = READ_ONCE(have);
	return now > before ? now - before : 0;
}

/* No seeks: reclaim asks for half of what we name, at once and in one batch. */
static unsigned long spare_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	return min(colinux_memory_spare(), 2 * DEMAND * BLOCK_PAGES) ?: SHRINK_EMPTY;
}

static unsigned long spare_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	return ask_and_wait(SHRINK_WAIT) ?: SHRINK_STOP;
}

static int __init register_spare(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "colinux");

	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = spare_count;
	shrinker->scan_objects = spare_scan;
	shrinker->batch = DEMAND * BLOCK_PAGES;
	shrinker->seeks = 0;
	shrinker_register(shrinker);
	return 0;
}

static int before_oom(struct notifier_block *nb, unsigned long unused, void *freed)
{
	*(unsigned long *)freed += ask_and_wait(OOM_WAIT);
	return NOTIFY_OK;
}

static struct notifier_block oom_block = { .notifier_call = before_oom };

/* ---- start ------------------------------------------------------------------------- */

/* Pieces for which the memory map had no room. */
static void __init add_rest(void)
{
	const struct co_chunk *chunks = __va(colinux_boot.chunks);
	u64 pa, end;
	u32 i;

	for (i = 0; i < colinux_boot.chunk_count; i++) {
		end = chunks[i].address + chunks[i].size;
		for (pa = chunks[i].address; pa < end; pa += CO_MEMORY_BLOCK)
			if (!pfn_to_online_page(PHYS_PFN(pa)) && colinux_add_block(pa))
				pr_err("colinux: %#llx: no memory to describe this block\n", pa);
		have += PAGES(chunks[i].size);
	}
}

static int __init colinux_init_memory(void)
{
	if (!colinux_guest())
		return 0;
	add_rest();
	/* The kernel would set a page block aside against fragmentation: with
	 * blocks of 2 MiB that is most of what the smallest guests have free. */
	if (have < SMALL)
		watermark_boost_factor = 0;
	limit = have;
	last_free = free_pages_now();
	calm_until = jiffies;
	set_limit(PAGES(colinux_boot.memory_max));
	thread = kthread_run(memory_thread, NULL, "colinux-memory");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	register_oom_notifier(&oom_block);
	return register_spare();
}
subsys_initcall(colinux_init_memory);
