// SPDX-License-Identifier: GPL-2.0
/*
 * A host that runs short asks its guests first: a shrinker whose objects are the
 * pages that guests say they don't use. It can't wait for them, but they give
 * back within milliseconds, and the host scans again.
 */
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>
#include "port.h"

static LIST_HEAD(files);
static DEFINE_SPINLOCK(files_lock);
static struct shrinker *shrinker;

void colinux_pressure_add(struct linux_file *file)
{
	spin_lock(&files_lock);
	list_add_tail(&file->pressure_list, &files);
	spin_unlock(&files_lock);
}

void colinux_pressure_remove(struct linux_file *file)
{
	spin_lock(&files_lock);
	list_del(&file->pressure_list);
	spin_unlock(&files_lock);
}

static u64 free_in(struct linux_file *file)
{
	struct co_vm *vm = smp_load_acquire(&file->core.vm);

	return vm ? co_memory_idle(vm) : 0;
}

static unsigned long pressure_count(struct shrinker *s,
				    struct shrink_control *sc)
{
	struct linux_file *file;
	u64 bytes = 0;

	spin_lock(&files_lock);
	list_for_each_entry(file, &files, pressure_list)
		bytes += free_in(file);
	spin_unlock(&files_lock);
	return bytes ? bytes >> PAGE_SHIFT : SHRINK_EMPTY;
}

/* Each guest with something to give is asked for all that is missing: together
 * they give back too much rather than too little, and take it again. */
static unsigned long pressure_scan(struct shrinker *s,
				   struct shrink_control *sc)
{
	u64 bytes = round_up((u64)sc->nr_to_scan << PAGE_SHIFT, CO_MEMORY_BLOCK);
	struct linux_file *file;

	spin_lock(&files_lock);
	list_for_each_entry(file, &files, pressure_list)
		if (free_in(file))
			co_memory_ask(file->core.vm, bytes);
	spin_unlock(&files_lock);
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
