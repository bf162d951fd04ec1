// SPDX-License-Identifier: GPL-2.0
/*
 * The hypercall: leave for the host with a request, come back with an answer,
 * then see to what happened on the way.
 */
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/smp.h>
#include "colinux.h"

DEFINE_PER_CPU(struct colinux_stats, colinux_stats);

static __always_inline struct co_vcpu_area *this_area(void)
{
	return &colinux_areas[raw_smp_processor_id()];
}

noinstr struct co_event_page *colinux_events(void)
{
	return &this_area()->event;
}

/*
 * NMIs and machine checks that hit the passage were only counted. The counter
 * is cleared before they are delivered: one that comes meanwhile counts anew.
 */
static __always_inline void deliver(struct co_passage_page *page, co_u32 *counter,
				    u64 vector)
{
	const struct co_call call = { .nr = CO_CALL_FORWARD, .arg = { vector } };
	u32 n;

	for (n = READ_ONCE(*counter) ? arch_xchg(counter, 0) : 0; n; n--) {
		co_leave(page, &call);
		raw_cpu_inc(colinux_stats.nmis);
		raw_cpu_inc(colinux_stats.nmis_passage);
	}
}

/*
 * Interrupts off. Reading the page first has the early page fault handler map
 * it while there still is one: the switch code couldn't take the fault.
 */
noinstr u64 colinux_leave(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 flags)
{
	const struct co_call call = { nr, { a0, a1, a2, a3 }, flags };
	struct co_passage_page *page = &this_area()->passage;
	u64 result;

	(void)READ_ONCE(page->result);
	raw_cpu_inc(colinux_stats.calls);
	result = co_leave(page, &call);
	while (READ_ONCE(page->nmi_count) || READ_ONCE(page->mce_count)) {
		deliver(page, &page->mce_count, CO_VECTOR_MCE);
		deliver(page, &page->nmi_count, CO_VECTOR_NMI);
	}
	return result;
}

/*
 * With interrupts on, events that the host left are taken at once, on the vCPU
 * that they are for; with interrupts off the host has sent an interrupt that
 * comes when they are on again.
 */
noinstr u64 colinux_call(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	unsigned long flags;
	bool on, pending;
	u64 result;

	preempt_disable_notrace();
	raw_local_irq_save(flags);
	on = !raw_irqs_disabled_flags(flags);
	result = colinux_leave(nr, a0, a1, a2, a3, on ? CO_CALL_IRQS_ON : 0);
	pending = on && READ_ONCE(colinux_events()->events);
	raw_local_irq_restore(flags);
	if (pending)
		co_raise_events();
	preempt_enable_notrace();
	return result;
}
