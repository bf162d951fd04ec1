// SPDX-License-Identifier: GPL-2.0
/* System threads, and which processors a thread may run on. */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sched/signal.h>
#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include "shim.h"

struct nt_thread {
	struct nt_header header; /* first: it is an object to wait for */
	struct list_head list;
	struct task_struct *task;
	void *start, *context;
	refcount_t references; /* the thread itself, handles, pointers */
	unsigned long site;
};

static LIST_HEAD(threads);
static atomic_t running = ATOMIC_INIT(0); /* threads, in the driver's code */
static unsigned int started; /* ever, and the end of each in ours */
static DECLARE_COMPLETION(gone);
static DEFINE_SPINLOCK(lock);

/* A thread of a process, with system affinity. */
struct bound {
	struct list_head list;
	struct task_struct *task;
	cpumask_t user; /* what it goes back to */
};

static LIST_HEAD(bound_threads);

static struct nt_thread *find(struct task_struct *task)
{
	struct nt_thread *t, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(t, &threads, list)
		if (t->task == task)
			found = t;
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

void *thread_current(void)
{
	struct nt_thread *t = NULL;

	if (current->flags & PF_KTHREAD)
		t = find(current);
	return t ? (void *)t : current;
}

bool thread_is(const void *object)
{
	struct nt_thread *t;
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(t, &threads, list)
		found |= t == object;
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

void thread_get(void *object)
{
	struct nt_thread *t = object;

	refcount_inc(&t->references);
}

void thread_put(void *object)
{
	struct nt_thread *t = object;
	unsigned long flags;

	if (!refcount_dec_and_test(&t->references))
		return;
	spin_lock_irqsave(&lock, flags);
	list_del(&t->list);
	spin_unlock_irqrestore(&lock, flags);
	put_task_struct(t->task);
	kfree(t);
}

static __noreturn void end(struct nt_thread *t)
{
	if (irql_now() != PASSIVE_LEVEL)
		complain(t->site, "a thread ends at IRQL %u", irql_now());
	untrack("thread", t, t->site);
	atomic_dec(&running);
	object_set(&t->header, 1);
	thread_put(t);
	kthread_complete_and_exit(&gone, 0);
}

static int run(void *arg)
{
	struct nt_thread *t = arg;

	call_driver("a thread", t->start, t->context, NULL, NULL, NULL);
	end(t);
}

static struct nt_thread *thread_new(void *start, void *context,
				    unsigned long site)
{
	struct nt_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);
	unsigned long flags;

	if (!t)
		return NULL;
	object_init(&t->header, NT_THREAD, sizeof(t->header), 0);
	t->start = start;
	t->context = context;
	t->site = site;
	refcount_set(&t->references, 2); /* its own and the handle's */
	t->task = kthread_create(run, t, "colinux.sys");
	if (IS_ERR(t->task)) {
		kfree(t);
		return NULL;
	}
	get_task_struct(t->task);
	spin_lock_irqsave(&lock, flags);
	list_add(&t->list, &threads);
	spin_unlock_irqrestore(&lock, flags);
	return t;
}

static NT ntstatus PsCreateSystemThread(u64 *handle, u32 access, void *attributes,
					void *process, void *client, void *start,
					void *context)
{
	struct nt_thread *t;

	if (!irql_at_most(PASSIVE_LEVEL))
		return NT_UNSUCCESSFUL;
	if (fails("thread", CALLER))
		return NT_NO_RESOURCES;
	t = thread_new(start, context, CALLER);
	if (!t)
		return NT_NO_RESOURCES;
	*handle = handle_new(t);
	started++;
	atomic_inc(&running);
	track("thread", t, sizeof(*t), CALLER);
	wake_up_process(t->task);
	return NT_OK;
}

static NT ntstatus PsTerminateSystemThread(ntstatus status)
{
	struct nt_thread *t = find(current);

	if (!t) {
		complain(CALLER, "PsTerminateSystemThread() in a process' thread");
		return NT_INVALID_PARAMETER;
	}
	end(t);
}

/* Windows takes a thread whose time is over from its CPU as soon as interrupts are
 * on; Linux would wait for the next one. Drivers ask who they are often enough. */
static NT void *KeGetCurrentThread(void)
{
	if (preemptible() && irql_now() == PASSIVE_LEVEL)
		cond_resched();
	return thread_current();
}

/* Of whom it is that it runs as: one thread at a time can be attached to another. */
static struct {
	struct task_struct *thread, *process;
} attached;

struct task_struct *process_current(void)
{
	return READ_ONCE(attached.thread) == current ? attached.process :
						       current->group_leader;
}

static NT void *IoGetCurrentProcess(void)
{
	return process_current();
}

static NT u64 PsGetCurrentProcessId(void)
{
	return task_tgid_nr(current);
}

static NT u64 PsGetCurrentThreadId(void)
{
	return task_pid_nr(current);
}

/* Linux' own priorities stay: what is above 15 is real time on Windows. */
static NT s32 KeSetPriorityThread(void *thread, s32 priority)
{
	irql_at_most(DISPATCH_LEVEL);
	return 8;
}

static NT s32 KeQueryPriorityThread(void *thread)
{
	return 8;
}

/* The shim's unmapping for a process doesn't need its page tables: only who it is. */
static NT void KeStackAttachProcess(struct task_struct *process, void *state)
{
	irql_at_most(APC_LEVEL);
	if (attached.thread)
		complain(CALLER, "attaches to a process twice");
	if (!READ_ONCE(process->mm))
		complain(CALLER, "attaches to a process that has ended");
	attached.process = process;
	WRITE_ONCE(attached.thread, current);
	track("attachment", state, 0, CALLER);
}

static NT void KeUnstackDetachProcess(void *state)
{
	untrack("attachment", state, CALLER);
	WRITE_ONCE(attached.thread, NULL);
}

static NT u8 PsIsThreadTerminating(struct task_struct *thread)
{
	return !thread_is(thread) && fatal_signal_pending(thread);
}

static NT ntstatus ZwYieldExecution(void)
{
	if (irql_at_most(PASSIVE_LEVEL))
		yield();
	return NT_OK;
}

/* ---- processors ------------------------------------------------------------------ */

static u64 mask_of(const cpumask_t *mask)
{
	return cpumask_bits(mask)[0];
}

static void affinity_set(u64 wanted)
{
	cpumask_t mask;

	cpumask_clear(&mask);
	cpumask_bits(&mask)[0] = wanted;
	cpumask_and(&mask, &mask, cpu_online_mask);
	if (set_cpus_allowed_ptr(current, &mask))
		complain(0, "system affinity %llx isn't possible", wanted);
}

static struct bound *bound_find(void)
{
	struct bound *b, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(b, &bound_threads, list)
		if (b->task == current)
			found = b;
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

static void bound_add(void)
{
	struct bound *b = kmalloc(sizeof(*b), GFP_KERNEL | __GFP_NOFAIL);
	unsigned long flags;

	b->task = current;
	cpumask_copy(&b->user, current->cpus_ptr);
	spin_lock_irqsave(&lock, flags);
	list_add(&b->list, &bound_threads);
	spin_unlock_irqrestore(&lock, flags);
}

static void revert(struct bound *b)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	list_del(&b->list);
	spin_unlock_irqrestore(&lock, flags);
	set_cpus_allowed_ptr(current, &b->user);
	kfree(b);
}

void thread_check_affinity(void)
{
	struct bound *b = bound_find();

	if (!b)
		return;
	complain(0, "a thread goes back to its program with system affinity");
	revert(b);
}

/* The affinity that was set before; 0: none. */
static u64 affinity_swap(u64 wanted, unsigned long site)
{
	struct bound *b = bound_find();
	u64 old = b ? mask_of(current->cpus_ptr) : 0;

	if (!irql_check(APC_LEVEL, site, "KeSetSystemAffinityThread"))
		return old;
	if (!(wanted & mask_of(cpu_online_mask))) {
		complain(site, "affinity %llx without a CPU", wanted);
		return old;
	}
	if (!b)
		bound_add();
	affinity_set(wanted);
	return old;
}

static void affinity_revert(u64 old, unsigned long site)
{
	struct bound *b = bound_find();

	if (!irql_check(APC_LEVEL, site, "KeRevertToUserAffinityThread"))
		return;
	if (!b)
		complain(site, "reverts an affinity that it hasn't set");
	else if (old)
		affinity_set(old);
	else
		revert(b);
}

static NT u64 KeSetSystemAffinityThreadEx(u64 mask)
{
	return affinity_swap(mask, CALLER);
}

static NT void KeSetSystemAffinityThread(u64 mask)
{
	affinity_swap(mask, CALLER);
}

static NT void KeRevertToUserAffinityThreadEx(u64 old)
{
	affinity_revert(old, CALLER);
}

static NT void KeRevertToUserAffinityThread(void)
{
	affinity_revert(0, CALLER);
}

/* GROUP_AFFINITY: mask, group. */
static NT void KeSetSystemGroupAffinityThread(const u64 *wanted, u64 *old)
{
	u64 was = affinity_swap(wanted[0], CALLER);

	if (old) {
		old[0] = was;
		old[1] = 0;
	}
}

static NT void KeRevertToUserGroupAffinityThread(const u64 *old)
{
	affinity_revert(old[0], CALLER);
}

static NT u64 KeQueryActiveProcessors(void)
{
	return mask_of(cpu_online_mask);
}

static NT u32 KeQueryActiveProcessorCount(u64 *mask)
{
	if (mask)
		*mask = mask_of(cpu_online_mask);
	return num_online_cpus();
}

static NT u32 KeQueryActiveProcessorCountEx(u16 group)
{
	return num_online_cpus();
}

static NT u32 KeGetCurrentProcessorNumberEx(u8 *number)
{
	u32 cpu = raw_smp_processor_id();

	if (number) {
		number[0] = number[1] = number[3] = 0;
		number[2] = cpu;
	}
	return cpu;
}

static NT ntstatus KeGetProcessorNumberFromIndex(u32 index, u8 *number)
{
	if (index >= num_online_cpus())
		return NT_INVALID_PARAMETER;
	number[0] = number[1] = number[3] = 0;
	number[2] = index;
	return NT_OK;
}

static NT u32 KeGetCurrentProcessorNumber(void)
{
	return raw_smp_processor_id();
}

/* KAFFINITY_EX: the words that it has, that it may have, and these. */
struct affinity {
	u16 count, size;
	u32 reserved;
	u64 bitmap[32];
};

static NT void KeInitializeAffinityEx(struct affinity *a)
{
	a->count = 1;
	a->size = 20;
	a->reserved = 0;
	memset(a->bitmap, 0, 20 * sizeof(u64));
}

static NT void KeAddProcessorAffinityEx(struct affinity *a, u32 cpu)
{
	a->bitmap[0] |= BIT_ULL(cpu);
}

static NT void HalSendNMI(const struct affinity *a)
{
	cpumask_t mask;

	cpumask_clear(&mask);
	cpumask_bits(&mask)[0] = a->bitmap[0];
	apic->send_IPI_mask(&mask, NMI_VECTOR);
}

/* Windows' is a char. */
static s8 number_of_processors;

void thread_init(void)
{
	number_of_processors = num_online_cpus();
}

/* One that outlives its driver brings Windows down. Here it is waited for. */
static void wait_for_end(void)
{
	if (atomic_read(&running))
		complain(0, "a thread runs, and its driver is gone");
	for (; started; started--)
		wait_for_completion(&gone);
}

void thread_exit(void)
{
	struct nt_thread *t, *next;

	wait_for_end();
	list_for_each_entry_safe(t, next, &threads, list) {
		complain(t->site, "leaked: a thread's object");
		list_del(&t->list);
		put_task_struct(t->task);
		kfree(t);
	}
}

const struct nt_export thread_exports[] = {
	EXPORT(PsCreateSystemThread, NT_2003),
	EXPORT(PsTerminateSystemThread, NT_2003),
	EXPORT(KeGetCurrentThread, NT_2003),
	{ "PsGetCurrentThread", KeGetCurrentThread, NT_2003 },
	EXPORT(IoGetCurrentProcess, NT_2003),
	{ "PsGetCurrentProcess", IoGetCurrentProcess, NT_2003 },
	EXPORT(PsGetCurrentProcessId, NT_2003),
	EXPORT(PsGetCurrentThreadId, NT_2003),
	EXPORT(KeSetPriorityThread, NT_2003),
	EXPORT(KeQueryPriorityThread, NT_2003),
	EXPORT(KeSetSystemAffinityThread, NT_2003),
	EXPORT(KeSetSystemAffinityThreadEx, NT_VISTA),
	EXPORT(KeRevertToUserAffinityThread, NT_2003),
	EXPORT(KeRevertToUserAffinityThreadEx, NT_VISTA),
	EXPORT(KeSetSystemGroupAffinityThread, NT_7),
	EXPORT(KeRevertToUserGroupAffinityThread, NT_7),
	EXPORT(KeStackAttachProcess, NT_2003),
	EXPORT(KeUnstackDetachProcess, NT_2003),
	EXPORT(PsIsThreadTerminating, NT_2003),
	EXPORT(ZwYieldExecution, NT_2003),
	EXPORT(KeInitializeAffinityEx, NT_7),
	EXPORT(KeAddProcessorAffinityEx, NT_7),
	EXPORT(HalSendNMI, NT_7),
	EXPORT(KeQueryActiveProcessors, NT_2003),
	EXPORT(KeQueryActiveProcessorCount, NT_VISTA),
	EXPORT(KeQueryActiveProcessorCountEx, NT_7),
	{ "KeQueryMaximumProcessorCountEx", KeQueryActiveProcessorCountEx, NT_7 },
	EXPORT(KeGetCurrentProcessorNumber, NT_VISTA),
	EXPORT(KeGetCurrentProcessorNumberEx, NT_7),
	EXPORT(KeGetProcessorNumberFromIndex, NT_7),
	{ "KeNumberProcessors", &number_of_processors, NT_2003 },
	EXPORTS_END
};
