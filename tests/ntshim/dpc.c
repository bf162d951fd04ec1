// SPDX-License-Identifier: GPL-2.0
/*
 * IRQL, spin locks, DPCs and calls on all CPUs. A DPC runs in a hard interrupt of its
 * CPU (irq_work for the own one, an IPI for another, which pulls it out of a guest as
 * on Windows), or when the IRQL there falls below DISPATCH_LEVEL.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include "shim.h"

struct cpu {
	raw_spinlock_t lock; /* of the queue; interrupts off */
	struct list_head queue;
	struct irq_work here;
	call_single_data_t there;
	unsigned int sent; /* it is on its way: Linux looks at that without a lock */
	u8 irql;
	bool runs;
	unsigned long flags; /* of the interrupts, while above DISPATCH_LEVEL */
};

static DEFINE_PER_CPU(struct cpu, cpus);

/* ---- IRQL --------------------------------------------------------------------- */

u8 irql_now(void)
{
	return raw_cpu_read(cpus.irql);
}

u8 irql_raise(u8 level)
{
	unsigned long flags = 0;
	u8 old;

	preempt_disable();
	if (level > DISPATCH_LEVEL)
		local_irq_save(flags);
	old = irql_now();
	if (level > DISPATCH_LEVEL && old <= DISPATCH_LEVEL)
		raw_cpu_write(cpus.flags, flags);
	raw_cpu_write(cpus.irql, level);
	if (level < DISPATCH_LEVEL || old >= DISPATCH_LEVEL)
		preempt_enable();
	return old;
}

void irql_lower(u8 level)
{
	struct cpu *cpu = raw_cpu_ptr(&cpus);
	u8 old = cpu->irql;
	unsigned long flags = cpu->flags;

	cpu->irql = level;
	if (old > DISPATCH_LEVEL && level <= DISPATCH_LEVEL)
		local_irq_restore(flags);
	if (old < DISPATCH_LEVEL || level >= DISPATCH_LEVEL)
		return;
	if (!list_empty_careful(&cpu->queue))
		irq_work_queue(&cpu->here);
	preempt_enable();
}

bool irql_check(u8 most, unsigned long site, const char *function)
{
	if (irql_now() <= most)
		return true;
	complain(site, "%s() at IRQL %u, above %u", function, irql_now(), most);
	return false;
}

u64 call_at(u8 level, const char *what, void *fn, const void *a, const void *b,
	    const void *c, const void *d)
{
	u8 old = irql_now();
	u64 result;

	raw_cpu_write(cpus.irql, level);
	result = call_driver(what, fn, a, b, c, d);
	raw_cpu_write(cpus.irql, old);
	return result;
}

static NT u8 KfRaiseIrql(u8 level)
{
	if (level < irql_now())
		complain(CALLER, "KfRaiseIrql(%u) at IRQL %u", level, irql_now());
	else if (level == APC_LEVEL && !irqs_disabled())
		complain(CALLER, "APC_LEVEL with interrupts on, which the shim doesn't have");
	return irql_raise(level);
}

static NT u8 KeRaiseIrqlToDpcLevel(void)
{
	irql_at_most(DISPATCH_LEVEL);
	return irql_raise(DISPATCH_LEVEL);
}

static NT void KeLowerIrql(u8 level)
{
	if (level > irql_now())
		complain(CALLER, "KeLowerIrql(%u) at IRQL %u", level, irql_now());
	irql_lower(level);
}

static NT u8 KeGetCurrentIrql(void)
{
	return irql_now();
}

/* ---- spin locks ------------------------------------------------------------------ */

#define SPINS_MAX 2000000000ul

static void spin_enter(u64 *lock, unsigned long site)
{
	unsigned long n = 0;

	while (cmpxchg64(lock, 0, 1)) {
		cpu_relax();
		if (++n == SPINS_MAX)
			complain(site, "a spin lock is never released");
	}
}

static void spin_leave(u64 *lock, unsigned long site)
{
	if (!xchg(lock, 0))
		complain(site, "releases a spin lock that nobody has");
}

static NT void KeInitializeSpinLock(u64 *lock)
{
	*lock = 0;
}

static NT u8 KeAcquireSpinLockRaiseToDpc(u64 *lock)
{
	u8 old;

	irql_at_most(DISPATCH_LEVEL);
	old = irql_raise(DISPATCH_LEVEL);
	spin_enter(lock, CALLER);
	return old;
}

static NT void KeReleaseSpinLock(u64 *lock, u8 level)
{
	irql_at_most(DISPATCH_LEVEL);
	spin_leave(lock, CALLER);
	irql_lower(level);
}

static NT void KeAcquireSpinLockAtDpcLevel(u64 *lock)
{
	if (irql_now() < DISPATCH_LEVEL)
		complain(CALLER, "KeAcquireSpinLockAtDpcLevel() at IRQL %u", irql_now());
	spin_enter(lock, CALLER);
}

static NT void KeReleaseSpinLockFromDpcLevel(u64 *lock)
{
	spin_leave(lock, CALLER);
}

/* ---- DPCs ----------------------------------------------------------------------- */

static struct nt_dpc *dpc_next(struct cpu *cpu)
{
	struct nt_dpc *dpc;

	raw_spin_lock(&cpu->lock);
	dpc = list_first_entry_or_null(&cpu->queue, struct nt_dpc, list);
	if (dpc) {
		list_del(&dpc->list);
		cpu->runs = true;
	} else {
		cpu->runs = false;
	}
	raw_spin_unlock(&cpu->lock);
	return dpc;
}

/* In a hard interrupt. Its storage may be queued again, or freed, once it runs. */
static void dpcs_run(void)
{
	struct cpu *cpu = raw_cpu_ptr(&cpus);
	struct nt_dpc *dpc;

	if (cpu->irql >= DISPATCH_LEVEL)
		return;
	while ((dpc = dpc_next(cpu))) {
		nt_dpc_fn *fn = dpc->fn;
		void *context = dpc->context, *a = dpc->arg1, *b = dpc->arg2;

		smp_store_release(&dpc->data, NULL);
		call_at(DISPATCH_LEVEL, "a DPC", fn, dpc, context, a, b);
	}
}

static void run_here(struct irq_work *work)
{
	dpcs_run();
}

static void run_there(void *unused)
{
	xchg(&raw_cpu_ptr(&cpus)->sent, 0);
	dpcs_run();
}

/* Interrupts off, or at DISPATCH_LEVEL, or whatever CPU it is doesn't matter. */
static void dpc_send(int number, struct cpu *cpu)
{
	if (number == raw_smp_processor_id())
		irq_work_queue(&cpu->here);
	else if (!xchg(&cpu->sent, 1)) /* otherwise it will see the queue */
		smp_call_function_single_async(number, &cpu->there);
}

bool dpc_queue(struct nt_dpc *dpc, void *a, void *b)
{
	unsigned long flags;
	struct cpu *cpu;
	int number;

	if (cmpxchg(&dpc->data, NULL, dpc))
		return false;
	dpc->arg1 = a;
	dpc->arg2 = b;
	local_irq_save(flags);
	number = dpc->number ? dpc->number - 1 : smp_processor_id();
	cpu = per_cpu_ptr(&cpus, number);
	raw_spin_lock(&cpu->lock);
	list_add_tail(&dpc->list, &cpu->queue);
	raw_spin_unlock(&cpu->lock);
	dpc_send(number, cpu);
	local_irq_restore(flags);
	return true;
}

static NT void KeInitializeDpc(struct nt_dpc *dpc, nt_dpc_fn *fn, void *context)
{
	memset(dpc, 0, sizeof(*dpc));
	dpc->type = 19;
	dpc->importance = 1;
	dpc->fn = fn;
	dpc->context = context;
}

static NT u8 KeInsertQueueDpc(struct nt_dpc *dpc, void *a, void *b)
{
	return dpc_queue(dpc, a, b);
}

static NT u8 KeRemoveQueueDpc(struct nt_dpc *dpc)
{
	unsigned long flags;
	bool found = false;
	struct nt_dpc *at;
	int number;

	for_each_online_cpu(number) {
		struct cpu *cpu = per_cpu_ptr(&cpus, number);

		raw_spin_lock_irqsave(&cpu->lock, flags);
		list_for_each_entry(at, &cpu->queue, list)
			found |= at == dpc;
		if (found)
			list_del(&dpc->list);
		raw_spin_unlock_irqrestore(&cpu->lock, flags);
		if (found)
			break;
	}
	if (found)
		smp_store_release(&dpc->data, NULL);
	return found;
}

static NT void KeSetImportanceDpc(struct nt_dpc *dpc, u32 importance)
{
	dpc->importance = importance;
}

static NT void KeSetTargetProcessorDpc(struct nt_dpc *dpc, s8 number)
{
	if (number < 0 || !cpu_online(number))
		complain(CALLER, "a DPC for CPU %d", number);
	else
		dpc->number = number + 1;
}

/* PROCESSOR_NUMBER: group, number, reserved. */
static NT ntstatus KeSetTargetProcessorDpcEx(struct nt_dpc *dpc, const u8 *number)
{
	if (number[0] || number[1] || !cpu_online(number[2]))
		return NT_INVALID_PARAMETER;
	dpc->number = number[2] + 1;
	return NT_OK;
}

static bool dpcs_idle(void)
{
	int number;

	for_each_online_cpu(number) {
		struct cpu *cpu = per_cpu_ptr(&cpus, number);

		if (!list_empty_careful(&cpu->queue) || READ_ONCE(cpu->runs))
			return false;
	}
	return true;
}

void dpc_flush(void)
{
	while (!dpcs_idle())
		msleep(1);
}

static NT void KeFlushQueuedDpcs(void)
{
	if (irql_at_most(PASSIVE_LEVEL))
		dpc_flush();
}

/* ---- on all CPUs ---------------------------------------------------------------- */

struct everywhere {
	void *fn, *context;
	u64 result;
};

static void everywhere_here(void *arg)
{
	struct everywhere *e = arg;

	e->result = call_at(IPI_LEVEL, "a function on all CPUs", e->fn,
			    e->context, NULL, NULL, NULL);
}

static NT u64 KeIpiGenericCall(void *fn, void *context)
{
	struct everywhere e = { fn, context, 0 };

	if (irqs_disabled()) {
		complain(CALLER, "KeIpiGenericCall() with interrupts off");
		return 0;
	}
	if (irql_at_most(DISPATCH_LEVEL))
		on_each_cpu(everywhere_here, &e, 1);
	return e.result;
}

void dpc_init(void)
{
	int number;

	for_each_possible_cpu(number) {
		struct cpu *cpu = per_cpu_ptr(&cpus, number);

		raw_spin_lock_init(&cpu->lock);
		INIT_LIST_HEAD(&cpu->queue);
		init_irq_work(&cpu->here, run_here);
		INIT_CSD(&cpu->there, run_there, NULL);
	}
}

static void nothing(void *unused)
{
}

/* After the driver's last function. */
void dpc_exit(void)
{
	int number;

	dpc_flush();
	on_each_cpu(nothing, NULL, 1);
	for_each_possible_cpu(number)
		irq_work_sync(&per_cpu_ptr(&cpus, number)->here);
}

const struct nt_export dpc_exports[] = {
	EXPORT(KfRaiseIrql, NT_2003),
	EXPORT(KeRaiseIrqlToDpcLevel, NT_2003),
	EXPORT(KeLowerIrql, NT_2003),
	EXPORT(KeGetCurrentIrql, NT_2003),
	EXPORT(KeInitializeSpinLock, NT_2003),
	EXPORT(KeAcquireSpinLockRaiseToDpc, NT_2003),
	EXPORT(KeReleaseSpinLock, NT_2003),
	EXPORT(KeAcquireSpinLockAtDpcLevel, NT_2003),
	EXPORT(KeReleaseSpinLockFromDpcLevel, NT_2003),
	EXPORT(KeInitializeDpc, NT_2003),
	EXPORT(KeInsertQueueDpc, NT_2003),
	EXPORT(KeRemoveQueueDpc, NT_2003),
	EXPORT(KeSetImportanceDpc, NT_2003),
	EXPORT(KeSetTargetProcessorDpc, NT_2003),
	EXPORT(KeSetTargetProcessorDpcEx, NT_7),
	EXPORT(KeFlushQueuedDpcs, NT_2003),
	EXPORT(KeIpiGenericCall, NT_2003),
	EXPORTS_END
};
