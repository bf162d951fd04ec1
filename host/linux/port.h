/* SPDX-License-Identifier: GPL-2.0 */
/* The Linux port's own header: Linux first, then the core's interface. */
#ifndef CO_HOST_LINUX_PORT_H
#define CO_HOST_LINUX_PORT_H

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

/* Its spin locks sleep, and ours, eventfd's and the wait queue's are taken in a
 * burst, with interrupts off. */
#ifdef CONFIG_PREEMPT_RT
#error "colinux needs a host kernel without CONFIG_PREEMPT_RT"
#endif

#define CO_LIB_PROVIDED
#include "core/vm.h"
#include "compat.h"

/* An open control handle. */
struct linux_file {
	struct co_file core;
	struct list_head list; /* in colinux_files */
	struct address_space *mapping; /* of its mmaps */
	struct rw_semaphore faults;    /* read: a page fault is served */
};

static inline struct linux_file *to_linux(struct co_file *core)
{
	return container_of(core, struct linux_file, core);
}

/* main.c: all open files. Who holds the lock, taken with interrupts off, sees VMs
 * that stay so long. */
extern struct list_head colinux_files;
extern spinlock_t colinux_files_lock;

/* For each VM that there is: a block with `file` and `vm`. */
#define for_each_vm(file, vm)                              \
	list_for_each_entry(file, &colinux_files, list)    \
		if (((vm) = smp_load_acquire(&(file)->core.vm)))

/* clock.c: the host's wall clock is watched for all files. 0 or -errno. */
int colinux_clock_init(void);
void colinux_clock_exit(void);
/* As host_wall_ns() tells it. Any context. */
co_s64 colinux_clock_rate(void);

/* cpu.c: the handler of our own NMIs. 0 or -errno. */
int colinux_cpu_init(void);
void colinux_cpu_exit(void);

/* life.c: what becomes of the VMs when the host sleeps or goes down. 0 or -errno. */
int colinux_life_init(void);
void colinux_life_exit(void);

/* pressure.c: when the host is short the guests of all files are asked. 0 or
 * -errno. */
int colinux_pressure_init(void);
void colinux_pressure_exit(void);

/* The file operation behind mmap (mmap.c). */
int colinux_mmap(struct file *file, struct vm_area_struct *vma);
/* Takes a range of machine addresses, which the core refuses already, out of all
 * mappings of the file. [sleep] */
void colinux_unmap(struct linux_file *file, u64 start, u64 size);

#endif
