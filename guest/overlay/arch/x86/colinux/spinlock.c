// SPDX-License-Identifier: GPL-2.0
/*
 * What a vCPU knows about the others that the host has taken away: it doesn't
 * spin for them, and doesn't wait for them to flush their TLBs.
 */
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/smp.h>
#include <asm/paravirt.h>
#include <asm/qspinlock.h>
#include <asm/tlb.h>
#include <asm/tlbflush.h>
#include "colinux.h"

static u64 state_of(int cpu)
{
	return READ_ONCE(colinux_areas[cpu].event.state);
}

static void sleep_until(u64 events, u64 flags)
{
	colinux_leave(CO_CALL_IDLE, events, 0, 0, 0, flags);
}

/*
 * Sleeps while *lock is `value`, or shorter. The one who changes it kicks then:
 * the kick stays pending if it comes between our look and our sleep.
 */
static void lock_wait(u8 *lock, u8 value)
{
	struct co_event_page *page = colinux_events();
	unsigned long flags;

	if (in_nmi())
		return;
	raw_local_irq_save(flags);
	if (READ_ONCE(*lock) == value) {
		/* Whom we interrupted with interrupts on gets all his events. */
		if (raw_irqs_disabled_flags(flags))
			sleep_until(colinux_kick_event(), 0);
		else if (!READ_ONCE(page->events))
			sleep_until(0, CO_CALL_IRQS_ON);
	}
	atomic64_andnot(colinux_kick_event(), (atomic64_t *)&page->events);
	raw_local_irq_restore(flags);
	if (!raw_irqs_disabled_flags(flags) && READ_ONCE(page->events))
		co_raise_events();
}

bool colinux_vcpu_preempted(long cpu);
__visible bool colinux_vcpu_preempted(long cpu)
{
	return state_of(cpu) & CO_VCPU_STATE_PREEMPTED;
}
PV_CALLEE_SAVE_REGS_THUNK(colinux_vcpu_preempted);

/* A vCPU that is out comes back with an empty TLB (abi/guest.h). The page table
 * entries were changed before: the barrier is the other half of the host's. */
static void colinux_flush_tlb_multi(const struct cpumask *cpus, const struct flush_tlb_info *info)
{
	struct cpumask in;
	int cpu;

	smp_mb();
	cpumask_clear(&in);
	for_each_cpu(cpu, cpus)
		if (!(state_of(cpu) & CO_VCPU_STATE_OUT))
			__cpumask_set_cpu(cpu, &in);
	native_flush_tlb_multi(&in, info);
}

void __init colinux_init_spinlocks(void)
{
	pv_ops.mmu.flush_tlb_multi = colinux_flush_tlb_multi;
	pv_ops.mmu.tlb_remove_table = tlb_remove_table;
	static_branch_disable(&virt_spin_lock_key);
	if (num_possible_cpus() == 1 || nopvspin)
		return;
	__pv_init_lock_hash();
	pv_ops.lock.queued_spin_lock_slowpath = __pv_queued_spin_lock_slowpath;
	pv_ops.lock.queued_spin_unlock = PV_CALLEE_SAVE(__pv_queued_spin_unlock);
	pv_ops.lock.wait = lock_wait;
	pv_ops.lock.kick = colinux_send_kick;
	pv_ops.lock.vcpu_is_preempted = PV_CALLEE_SAVE(colinux_vcpu_preempted);
}
