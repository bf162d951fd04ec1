// SPDX-License-Identifier: GPL-2.0
/*
 * A host that runs short asks its guests first: a shrinker whose objects are the
 * pages that guests say they don't use. It can't wait for them, but they give
 * back within milliseconds, and the host scans again.
 */
#include <linux/mm.h>
#include <linux/shrinker.h>
#include "port.h"

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

int colinux_pressure_init(void)
{
	shrinker = shrinker_alloc(0, "colinux");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = pressure_count;
	shrinker->scan_objects = pressure_scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	return 0;
}

void colinux_pressure_exit(void)
{
	shrinker_free(shrinker);
}
