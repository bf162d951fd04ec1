/* SPDX-License-Identifier: GPL-2.0 */
/* The Linux port's own header: Linux first, then the core's interface. */
#ifndef CO_HOST_LINUX_PORT_H
#define CO_HOST_LINUX_PORT_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* Its spin locks sleep, and ours, eventfd's and the wait queue's are taken in a
 * burst, with interrupts off. */
#ifdef CONFIG_PREEMPT_RT
#error "colinux needs a host kernel without CONFIG_PREEMPT_RT"
#endif

#define CO_LIB_PROVIDED
#include "core/vm.h"
#include "compat.h"

/* The file operation behind mmap (mmap.c). */
int colinux_mmap(struct file *file, struct vm_area_struct *vma);

#endif
