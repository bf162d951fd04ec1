// SPDX-License-Identifier: GPL-2.0
/*
 * Dispatcher objects, and waits for them. All who wait are woken for whatever
 * changes, and look: there are few, and none is forgotten.
 */
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>
#include "shim.h"

#define OBJECTS_MAX 64

static DEFINE_RAW_SPINLOCK(lock); /* of all objects' states */
static DECLARE_WAIT_QUEUE_HEAD(waiters);

void object_init(struct nt_header *header, u8 type, size_t size, s32 state)
{
	memset(header, 0, sizeof(*header));
	header->type = type;
	header->size = size / 4;
	header->signal = state;
	INIT_LIST_HEAD(&header->waiters);
}

void object_wake_all(void)
{
	wake_up_all(&waiters);
}

s32 object_set(struct nt_header *header, s32 state)
{
	unsigned long flags;
	s32 old;

	raw_spin_lock_irqsave(&lock, flags);
	old = header->signal;
	header->signal = state;
	raw_spin_unlock_irqrestore(&lock, flags);
	if (state > 0)
		object_wake_all();
	return old;
}

/* ---- under the lock ---------------------------------------------------------------- */

static bool is_ready(struct nt_header *header)
{
	struct nt_mutant *mutant = (struct nt_mutant *)header;

	return header->signal > 0 || (header->type == NT_MUTANT &&
				      mutant->owner == thread_current());
}

static void take(struct nt_header *header)
{
	struct nt_mutant *mutant = (struct nt_mutant *)header;

	switch (header->type) {
	case NT_EVENT_SYNCHRONIZATION:
	case NT_TIMER_SYNCHRONIZATION:
		header->signal = 0;
		break;
	case NT_MUTANT:
		mutant->owner = thread_current();
		fallthrough;
	case NT_SEMAPHORE:
		header->signal--;
		break;
	}
}

/* The number of the one that was taken (0 with `all`), or -1. */
static int take_ready(u32 count, struct nt_header **objects, bool all)
{
	u32 i, ready = 0;

	for (i = 0; i < count; i++) {
		if (!is_ready(objects[i]))
			continue;
		ready++;
		if (!all) {
			take(objects[i]);
			return i;
		}
	}
	if (!all || ready < count)
		return -1;
	for (i = 0; i < count; i++)
		take(objects[i]);
	return 0;
}

/* ---- waiting ----------------------------------------------------------------------- */

struct wish {
	u32 count;
	struct nt_header **objects;
	bool all, interruptible;
	const s64 *timeout; /* NULL: none */
};

static int try(const struct wish *w)
{
	unsigned long flags;
	int which;

	raw_spin_lock_irqsave(&lock, flags);
	which = take_ready(w->count, w->objects, w->all);
	raw_spin_unlock_irqrestore(&lock, flags);
	return which;
}

static ktime_t end_of(const s64 *timeout)
{
	s64 ticks = *timeout < 0 ? -*timeout : *timeout - (s64)nt_system_time();

	return ktime_add_ns(ktime_get(), max(ticks, 0ll) * 100);
}

/* Where it may sleep. */
static ntstatus sleep(const struct wish *w)
{
	ktime_t end = w->timeout ? end_of(w->timeout) : KTIME_MAX;
	int state = w->interruptible ? TASK_INTERRUPTIBLE : TASK_IDLE;
	ntstatus status;
	DEFINE_WAIT(entry);

	for (;;) {
		prepare_to_wait(&waiters, &entry, state);
		status = try(w);
		if ((s32)status >= 0)
			break;
		if (w->interruptible && signal_pending(current)) {
			status = NT_USER_APC;
			break;
		}
		if (w->timeout && ktime_get() >= end) {
			status = NT_TIMEOUT;
			break;
		}
		if (w->timeout)
			schedule_hrtimeout(&end, HRTIMER_MODE_ABS);
		else
			schedule();
	}
	finish_wait(&waiters, &entry);
	return status;
}

static ntstatus wait(const struct wish *w, unsigned long site)
{
	bool polls = w->timeout && !*w->timeout;
	int which;

	if (!irql_check(polls ? DISPATCH_LEVEL : APC_LEVEL, site, "a wait"))
		return NT_UNSUCCESSFUL;
	if (!polls && irqs_disabled()) {
		complain(site, "a wait with interrupts off");
		return NT_UNSUCCESSFUL;
	}
	if (!polls)
		might_sleep();
	which = try(w);
	if (which >= 0)
		return which;
	return polls ? NT_TIMEOUT : sleep(w);
}

ntstatus object_wait(struct nt_header *object, const s64 *timeout, unsigned long site)
{
	struct wish w = { 1, &object, false, false, timeout };

	return wait(&w, site);
}

static bool is_interruptible(s8 mode, u8 alertable)
{
	return (mode || alertable) && !(current->flags & PF_KTHREAD);
}

static NT ntstatus KeWaitForSingleObject(struct nt_header *object, u32 reason,
					 s8 mode, u8 alertable,
					 const s64 *timeout)
{
	struct wish w = { 1, &object, false, is_interruptible(mode, alertable),
			  timeout };

	return wait(&w, CALLER);
}

static NT ntstatus KeWaitForMultipleObjects(u32 count,
					    struct nt_header **objects,
					    u32 any, u32 reason, s8 mode,
					    u8 alertable, const s64 *timeout,
					    void *blocks)
{
	struct wish w = { count, objects, !any,
			  is_interruptible(mode, alertable), timeout };

	if (!count || count > (blocks ? OBJECTS_MAX : 3)) {
		complain(CALLER, "a wait for %u objects", count);
		return NT_INVALID_PARAMETER;
	}
	return wait(&w, CALLER);
}

static NT ntstatus KeDelayExecutionThread(s8 mode, u8 alertable,
					  const s64 *interval)
{
	struct wish w = { 0, NULL, false, is_interruptible(mode, alertable),
			  interval };
	ntstatus status;

	if (!irql_at_most(APC_LEVEL))
		return NT_UNSUCCESSFUL;
	if (!*interval) {
		yield();
		return NT_OK;
	}
	status = wait(&w, CALLER);
	return status == NT_TIMEOUT ? NT_OK : status;
}

/* ---- events, mutexes, semaphores ------------------------------------------------------ */

static NT void KeInitializeEvent(struct nt_header *event, u32 type, u8 state)
{
	object_init(event, type & 1, sizeof(*event), state);
}

static NT s32 KeSetEvent(struct nt_header *event, s32 increment, u8 wait)
{
	irql_at_most(DISPATCH_LEVEL);
	if (wait)
		complain(CALLER, "KeSetEvent() with Wait, which the shim doesn't have");
	return object_set(event, 1);
}

static NT void KeClearEvent(struct nt_header *event)
{
	irql_at_most(DISPATCH_LEVEL);
	object_set(event, 0);
}

static NT s32 KeResetEvent(struct nt_header *event)
{
	irql_at_most(DISPATCH_LEVEL);
	return object_set(event, 0);
}

static NT s32 KeReadStateEvent(struct nt_header *event)
{
	return READ_ONCE(event->signal);
}

static NT void KeInitializeMutex(struct nt_mutant *mutex, u32 level)
{
	memset(mutex, 0, sizeof(*mutex));
	object_init(&mutex->header, NT_MUTANT, sizeof(*mutex), 1);
	mutex->apc = 1;
}

static NT s32 KeReleaseMutex(struct nt_mutant *mutex, u8 wait)
{
	unsigned long flags;
	bool own;
	s32 old;

	irql_at_most(DISPATCH_LEVEL);
	raw_spin_lock_irqsave(&lock, flags);
	old = mutex->header.signal;
	own = mutex->owner == thread_current();
	if (own && ++mutex->header.signal == 1)
		mutex->owner = NULL;
	raw_spin_unlock_irqrestore(&lock, flags);
	if (!own)
		complain(CALLER, "releases a mutex that isn't its own");
	object_wake_all();
	return old;
}

static NT s32 KeReadStateMutex(struct nt_mutant *mutex)
{
	return READ_ONCE(mutex->header.signal);
}

static NT void KeInitializeSemaphore(struct nt_semaphore *s, s32 count, s32 limit)
{
	object_init(&s->header, NT_SEMAPHORE, sizeof(*s), count);
	s->limit = limit;
}

static NT s32 KeReleaseSemaphore(struct nt_semaphore *s, s32 increment,
				 s32 adjustment, u8 wait)
{
	unsigned long flags;
	bool fits;
	s32 old;

	irql_at_most(DISPATCH_LEVEL);
	raw_spin_lock_irqsave(&lock, flags);
	old = s->header.signal;
	fits = old + adjustment <= s->limit;
	if (fits)
		s->header.signal = old + adjustment;
	raw_spin_unlock_irqrestore(&lock, flags);
	if (!fits)
		complain(CALLER, "a semaphore above its limit");
	object_wake_all();
	return old;
}

/* ---- fast mutexes: their users see nothing but the size ---------------------------------- */

struct fast_mutex {
	s32 count;
	void *owner;
	u32 contention;
	struct nt_header event;
	u32 old_irql;
};

static NT void ExAcquireFastMutex(struct fast_mutex *m)
{
	struct nt_header *event = &m->event;
	struct wish w = { 1, &event, false, false, NULL };

	if (!irql_at_most(APC_LEVEL))
		return;
	if (m->owner == thread_current())
		complain(CALLER, "takes a fast mutex that it has");
	if (atomic_dec_return((atomic_t *)&m->count) < 0)
		wait(&w, CALLER);
	m->owner = thread_current();
}

static NT void ExReleaseFastMutex(struct fast_mutex *m)
{
	if (m->owner != thread_current())
		complain(CALLER, "releases a fast mutex that isn't its own");
	m->owner = NULL;
	if (atomic_inc_return((atomic_t *)&m->count) <= 0)
		object_set(&m->event, 1);
}

const struct nt_export wait_exports[] = {
	EXPORT(KeWaitForSingleObject, NT_2003),
	EXPORT(KeWaitForMultipleObjects, NT_2003),
	EXPORT(KeDelayExecutionThread, NT_2003),
	EXPORT(KeInitializeEvent, NT_2003),
	EXPORT(KeSetEvent, NT_2003),
	EXPORT(KeClearEvent, NT_2003),
	EXPORT(KeResetEvent, NT_2003),
	EXPORT(KeReadStateEvent, NT_2003),
	EXPORT(KeInitializeMutex, NT_2003),
	EXPORT(KeReleaseMutex, NT_2003),
	EXPORT(KeReadStateMutex, NT_2003),
	EXPORT(KeInitializeSemaphore, NT_2003),
	EXPORT(KeReleaseSemaphore, NT_2003),
	EXPORT(ExAcquireFastMutex, NT_2003),
	EXPORT(ExReleaseFastMutex, NT_2003),
	EXPORTS_END
};
