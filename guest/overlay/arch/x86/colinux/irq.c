// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts are the host's: each that hits the guest goes there. Events are
 * the guest's: bits that the host sets, taken on the way back.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/irq.h>
#include <asm/desc.h>
#include <asm/irq.h>
#include <asm/irq_regs.h>
#include <asm/nmi.h>
#include <asm/text-patching.h>
#include "colinux.h"

static void take_queues(struct co_event_page *page)
{
	unsigned long bits;
	unsigned int word, bit;

	for (word = 0; word < CO_QUEUE_WORDS; word++) {
		bits = xchg(&page->queues[word], 0);
		for_each_set_bit(bit, &bits, 64)
			colinux_queue_event(word * 64 + bit);
	}
}

static void take_configs(struct co_event_page *page)
{
	unsigned long bits = xchg(&page->configs, 0);
	unsigned int bit;

	for_each_set_bit(bit, &bits, CO_DEVICES_MAX)
		colinux_config_event(bit);
}

/*
 * Hard interrupt context. One pass: what comes meanwhile finds `events` at 0,
 * so the host sends another interrupt for it.
 */
static void take_events(struct co_event_page *page)
{
	u64 events = READ_ONCE(page->events) ? xchg(&page->events, 0) : 0;

	if (events)
		this_cpu_inc(colinux_stats.events);
	if (events & CO_EVENT_QUEUE)
		take_queues(page);
	if (events & CO_EVENT_CONFIG)
		take_configs(page);
	if (events & CO_EVENT_POWER)
		colinux_power_event(xchg(&page->power, 0));
	if (events & CO_EVENT_CLOCK)
		colinux_clock_event();
	if (events & CO_EVENT_MEMORY)
		colinux_memory_event();
	if (events & CO_EVENT_CPUS)
		colinux_cpus_event();
	if (events & CO_EVENT_OWN)
		colinux_own_events(events);
	if (events & (CO_EVENT_SLEEP | CO_EVENT_WAKE))
		colinux_sleep_event(events);
	colinux_timer_event(events & CO_EVENT_TIMER);
}

/* We look at the events after it: no interrupt from the host for them. */
static void forward(u8 vector)
{
	this_cpu_inc(colinux_stats.forwarded);
	colinux_leave(CO_CALL_FORWARD, vector, 0, 0, 0, CO_CALL_IRQS_ON);
}

void colinux_take_interrupt(struct pt_regs *regs, u8 vector)
{
	struct pt_regs *old_regs = set_irq_regs(regs);

	if (vector != colinux_boot.event_vector)
		forward(vector);
	else
		colinux_selftest_irq();
	take_events(colinux_events());
	set_irq_regs(old_regs);
}

static int forward_nmi(unsigned int type, struct pt_regs *regs)
{
	this_cpu_inc(colinux_stats.nmis);
	colinux_leave(CO_CALL_FORWARD, CO_VECTOR_NMI, 0, 0, 0, 0);
	return NMI_HANDLED;
}

int __init colinux_register_nmi(void)
{
	return register_nmi_handler(NMI_LOCAL, forward_nmi, NMI_FLAG_FIRST, "colinux");
}

/* From the guest's NMI gate: of a vCPU that isn't online yet, or any more, the kernel
 * would drop it, but it is the host's, who waits for it. */
noinstr void colinux_offline_nmi(void)
{
	colinux_leave(CO_CALL_FORWARD, CO_VECTOR_NMI, 0, 0, 0, 0);
}

/* From the guest's #MC gate, NMI-like context. */
noinstr void colinux_machine_check(void)
{
	colinux_leave(CO_CALL_FORWARD, CO_VECTOR_MCE, 0, 0, 0, 0);
}

void __init colinux_init_irq(void)
{
	u8 vector = colinux_boot.event_vector;

	if (vector < FIRST_EXTERNAL_VECTOR || vector == IA32_SYSCALL_VECTOR)
		panic("colinux: the host chose event vector %#x", vector);
	text_poke_early(&co_raise_int[1], &vector, sizeof(vector));
	if (test_bit(IA32_SYSCALL_VECTOR, (unsigned long *)colinux_boot.forward) &&
	    test_and_clear_bit(IA32_SYSCALL_VECTOR, system_vectors))
		pr_info("colinux: a device of the host may have vector 0x80: no system calls by it\n");
	idt_setup_apic_and_irq_gates();
}
