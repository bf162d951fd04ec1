// SPDX-License-Identifier: GPL-2.0
/*
 * A host that runs short asks its guests first: a shrinker whose objects are the
 * pages that guests say they don't use. It can't wait for them, but they give
 * back within milliseconds, and the host scans again. Whoever takes faster than
 * that comes to the OOM killer, which waits for them before it kills.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include "port.h"

#define OOM_ASK	    SZ_64M /* of each guest: their caches, too */
#define OOM_WAIT_MS 2000
#define OOM_STEP_MS 10
#define OOM_IDLE    (5 * HZ) /* not again that soon, where nothing came */

static struct shrinker *shrinker;

static unsigned long pressure_count(struct shrinker *s,
				    struct shrink_control *sc)
{
	struct linux_file *file;
	unsigned long flags;
	struct co_vm *vm;
	u64 bytes = 0;

	spin_lock_irqsave(&colinux_files_lock, flags);
	for_each_vm(file, vm)
		bytes += co_memory_idle(vm);
	spin_unlock_irqrestore(&colinux_files_lock, flags);
	return bytes ? bytes >> PAGE_SHIFT : SHRINK_EMPTY;
}

/* Each guest with something to give is asked for all that is missing: together
 * they give back too much rather than too little, and take it again. */
static unsigned long pressure_scan(struct shrinker *s,
				   struct shrink_control *sc)
{
	u64 bytes = round_up((u64)sc->nr_to_scan << PAGE_SHIFT, CO_MEMORY_BLOCK);
	struct linux_file *file;
	unsigned long flags;
	struct co_vm *vm;

	spin_lock_irqsave(&colinux_files_lock, flags);
	for_each_vm(file, vm)
		if (co_memory_idle(vm))
			co_memory_ask(vm, bytes);
	spin_unlock_irqrestore(&colinux_files_lock, flags);
	return SHRINK_STOP;
}

/* What guests have; each is asked for more of it, 0: none is. */
static u64 guests_hold(u64 ask)
{
	struct linux_file *file;
	unsigned long flags;
	struct co_vm *vm;
	u64 bytes = 0;

	spin_lock_irqsave(&colinux_files_lock, flags);
	for_each_vm(file, vm) {
		bytes += co_load(&vm->memory.size);
		if (ask)
			co_memory_ask(vm, ask);
	}
	spin_unlock_irqrestore(&colinux_files_lock, flags);
	return bytes;
}

/* Bytes that came back from guests, who are asked for it. May sleep, with the kernel's
 * oom_lock held: not for ever. The first that comes is enough, the kernel tries again. */
static u64 wait_for_guests(void)
{
	u64 before = guests_hold(OOM_ASK), now = before;
	unsigned int ms;

	for (ms = 0; before && now >= before && ms < OOM_WAIT_MS; ms += OOM_STEP_MS) {
		if (fatal_signal_pending(current))
			break;
		msleep(OOM_STEP_MS);
		now = guests_hold(0);
	}
	return now < before ? before - now : 0;
}

/* Where guests may take again (one node or cpuset alone is short), what they give is
 * no help, and would seem to be one for ever. */
static int before_oom(struct notifier_block *nb, unsigned long unused, void *freed)
{
	static unsigned long idle_until; /* by oom_lock */
	u64 bytes;

	if (co_memory_available() || time_before(jiffies, idle_until))
		return NOTIFY_OK;
	bytes = wait_for_guests();
	if (!bytes)
		idle_until = jiffies + OOM_IDLE;
	*(unsigned long *)freed += bytes >> PAGE_SHIFT;
	return NOTIFY_OK;
}

static struct notifier_block oom_block = { .notifier_call = before_oom };

int colinux_pressure_init(void)
{
	int error;

	shrinker = shrinker_alloc(0, "colinux");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = pressure_count;
	shrinker->scan_objects = pressure_scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	error = register_oom_notifier(&oom_block);
	if (error)
		shrinker_free(shrinker);
	return error;
}

void colinux_pressure_exit(void)
{
	unregister_oom_notifier(&oom_block);
	shrinker_free(shrinker);
}
