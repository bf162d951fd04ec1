// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts between vCPUs. There is no local APIC: what the kernel would write
 * into one's command register becomes events of the vCPUs that are meant, sent
 * by one call for all of them.
 */
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/irq_work.h>
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/hardirq.h>
#include <asm/irq_regs.h>
#include <asm/irq_vectors.h>
#include "colinux.h"
#include "compat.h"

/* Our meaning of the bits of CO_EVENT_OWN. */
#define EVENT_RESCHEDULE (1 << 16)
#define EVENT_CALL	 (1 << 17)
#define EVENT_CALL_ONE	 (1 << 18)
#define EVENT_BACKTRACE	 (1 << 19)
#define EVENT_STOP	 (1 << 20)
#define EVENT_KICK	 (1 << 21)

static void send_events(u64 targets, u64 events)
{
	if (targets)
		colinux_call(CO_CALL_SEND, targets, events, 0, 0);
}

static u64 vector_event(int vector)
{
	switch (vector) {
	case RESCHEDULE_VECTOR:
		return EVENT_RESCHEDULE;
	case CALL_FUNCTION_VECTOR:
		return EVENT_CALL;
	case CALL_FUNCTION_SINGLE_VECTOR:
		return EVENT_CALL_ONE;
	case NMI_VECTOR:
		/* An interrupt will have to do: it shows what the others do. */
		return EVENT_BACKTRACE;
	case REBOOT_VECTOR:
		return EVENT_STOP;
	}
	WARN_ONCE(1, "colinux: no event for vector %#x\n", vector);
	return 0;
}

/* All of it fits in one word: CO_VCPUS_MAX. */
static u64 targets(const struct cpumask *mask)
{
	BUILD_BUG_ON(NR_CPUS > BITS_PER_LONG);
	return cpumask_bits(mask)[0] & cpumask_bits(cpu_online_mask)[0];
}

static u64 self(void)
{
	return BIT_ULL(raw_smp_processor_id());
}

static void send_one(int cpu, int vector)
{
	send_events(BIT_ULL(cpu), vector_event(vector));
}

static void send_mask(const struct cpumask *mask, int vector)
{
	send_events(targets(mask), vector_event(vector));
}

static void send_mask_others(const struct cpumask *mask, int vector)
{
	send_events(targets(mask) & ~self(), vector_event(vector));
}

static void send_others(int vector)
{
	send_mask_others(cpu_online_mask, vector);
}

static void send_all(int vector)
{
	send_mask(cpu_online_mask, vector);
}

static void send_self(int vector)
{
	send_events(self(), vector_event(vector));
}

static struct apic apic_colinux __ro_after_init;

void __init colinux_init_apic(void)
{
	apic_colinux = apic_noop;
	apic_colinux.name = "colinux";
	apic_colinux.send_IPI = send_one;
	apic_colinux.send_IPI_mask = send_mask;
	apic_colinux.send_IPI_mask_allbutself = send_mask_others;
	apic_colinux.send_IPI_allbutself = send_others;
	apic_colinux.send_IPI_all = send_all;
	apic_colinux.send_IPI_self = send_self;
	colinux_install_apic(&apic_colinux);
}

void colinux_send_stop(void)
{
	send_others(REBOOT_VECTOR);
}

void colinux_send_kick(int cpu)
{
	send_events(BIT_ULL(cpu), EVENT_KICK);
}

u64 colinux_kick_event(void)
{
	return EVENT_KICK;
}

/* Hard interrupt context. */
void colinux_own_events(u64 events)
{
	if (events & EVENT_STOP)
		colinux_stop_this_cpu();
	if (events & EVENT_BACKTRACE)
		nmi_cpu_backtrace(get_irq_regs());
	if (events & EVENT_RESCHEDULE) {
		inc_irq_stat(irq_resched_count);
		scheduler_ipi();
	}
	if (events & EVENT_CALL) {
		inc_irq_stat(irq_call_count);
		generic_smp_call_function_interrupt();
	}
	if (events & EVENT_CALL_ONE) {
		inc_irq_stat(irq_call_count);
		generic_smp_call_function_single_interrupt();
	}
}
