// SPDX-License-Identifier: GPL-2.0
/*
 * Timers, and the clocks. A KTIMER has no room for Linux' timer: one of a fixed
 * number of shadows stands for it while it is set.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "shim.h"

#define SHADOWS 512

struct shadow {
	struct hrtimer timer;
	struct nt_timer *of; /* NULL: free */
	u64 period_ns;
};

static struct shadow shadows[SHADOWS];
static DEFINE_RAW_SPINLOCK(lock); /* of all `of` and `shadow` */

/* Between 1601 and 1970, in 100 ns. */
#define EPOCH 116444736000000000ull

u64 nt_system_time(void)
{
	return ktime_get_real_ns() / 100 + EPOCH;
}

/* Under the lock. A timer that fires meanwhile finds that it isn't meant. */
static bool forget(struct nt_timer *timer)
{
	struct shadow *shadow = timer->shadow;

	if (!shadow || shadow->of != timer)
		return false;
	hrtimer_try_to_cancel(&shadow->timer);
	shadow->of = NULL;
	timer->shadow = NULL;
	return true;
}

static enum hrtimer_restart fired(struct hrtimer *t)
{
	struct shadow *shadow = container_of(t, struct shadow, timer);
	enum hrtimer_restart again = HRTIMER_NORESTART;
	struct nt_timer *timer;
	struct nt_dpc *dpc = NULL;

	raw_spin_lock(&lock);
	timer = shadow->of;
	/* Not for one that has taken the shadow for a later time just now. */
	if (timer && ktime_get() < hrtimer_get_expires(t))
		timer = NULL;
	if (timer) {
		dpc = timer->dpc;
		timer->header.signal = 1;
		if (shadow->period_ns) {
			hrtimer_forward_now(t, ns_to_ktime(shadow->period_ns));
			again = HRTIMER_RESTART;
		} else {
			timer->shadow = NULL;
			shadow->of = NULL;
		}
	}
	raw_spin_unlock(&lock);
	if (timer && dpc)
		dpc_queue(dpc, NULL, NULL);
	if (timer)
		object_wake_all();
	return again;
}

static struct shadow *shadow_take(void)
{
	int i;

	for (i = 0; i < SHADOWS; i++)
		if (!shadows[i].of && !hrtimer_active(&shadows[i].timer))
			return &shadows[i];
	return NULL;
}

/* Negative: 100 ns from now; else a time since 1601. */
static bool set(struct nt_timer *timer, s64 due, u64 period_ns,
		struct nt_dpc *dpc, unsigned long site)
{
	struct shadow *shadow;
	unsigned long flags;
	bool was;

	if (due >= 0)
		due -= nt_system_time();
	else
		due = -due;
	raw_spin_lock_irqsave(&lock, flags);
	was = forget(timer);
	shadow = shadow_take();
	if (shadow) {
		shadow->of = timer;
		shadow->period_ns = period_ns;
		timer->shadow = shadow;
		timer->dpc = dpc;
		timer->header.signal = 0;
		hrtimer_start(&shadow->timer, ns_to_ktime(max(due, 0ll) * 100),
			      HRTIMER_MODE_REL_HARD);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	if (!shadow)
		complain(site, "more than %d timers at once", SHADOWS);
	return was;
}

static bool cancel(struct nt_timer *timer)
{
	unsigned long flags;
	bool was;

	raw_spin_lock_irqsave(&lock, flags);
	was = forget(timer);
	raw_spin_unlock_irqrestore(&lock, flags);
	return was;
}

static NT void KeInitializeTimerEx(struct nt_timer *timer, u32 type)
{
	memset(timer, 0, sizeof(*timer));
	object_init(&timer->header, NT_TIMER_NOTIFICATION + (type & 1),
		    sizeof(*timer), 0);
}

static NT void KeInitializeTimer(struct nt_timer *timer)
{
	KeInitializeTimerEx(timer, 0);
}

static NT u8 KeSetTimerEx(struct nt_timer *timer, s64 due, s32 period,
			  struct nt_dpc *dpc)
{
	irql_at_most(DISPATCH_LEVEL);
	return set(timer, due, (u64)period * NSEC_PER_MSEC, dpc, CALLER);
}

static NT u8 KeSetTimer(struct nt_timer *timer, s64 due, struct nt_dpc *dpc)
{
	irql_at_most(DISPATCH_LEVEL);
	return set(timer, due, 0, dpc, CALLER);
}

static NT u8 KeCancelTimer(struct nt_timer *timer)
{
	irql_at_most(DISPATCH_LEVEL);
	return cancel(timer);
}

static NT u8 KeReadStateTimer(struct nt_timer *timer)
{
	return READ_ONCE(timer->header.signal) != 0;
}

/* ---- the timers of Windows 8.1 --------------------------------------------------- */

struct ex_timer {
	struct nt_timer timer; /* first: it is an object to wait for */
	struct nt_dpc dpc;
	void *fn, *context;
	bool deleted;
};

static NT void ex_fired(struct nt_dpc *dpc, void *context, void *a, void *b)
{
	struct ex_timer *t = context;

	if (t->fn && !READ_ONCE(t->deleted))
		call_driver("an ExTimer's callback", t->fn, t, t->context, NULL,
			    NULL);
}

static NT void *ExAllocateTimer(void *fn, void *context, u32 attributes)
{
	struct ex_timer *t;

	if (!irql_at_most(DISPATCH_LEVEL) || fails("timer", CALLER))
		return NULL;
	t = kzalloc(sizeof(*t), GFP_ATOMIC);
	if (!t)
		return NULL;
	KeInitializeTimerEx(&t->timer, attributes >> 31 ? 0 : 1);
	t->dpc.fn = ex_fired;
	t->dpc.context = t;
	t->fn = fn;
	t->context = context;
	track("timer", t, sizeof(*t), CALLER);
	return t;
}

static NT u8 ExSetTimer(struct ex_timer *t, s64 due, s64 period, void *more)
{
	irql_at_most(DISPATCH_LEVEL);
	return set(&t->timer, due, period * 100, &t->dpc, CALLER);
}

static NT u8 ExCancelTimer(struct ex_timer *t, void *more)
{
	irql_at_most(DISPATCH_LEVEL);
	return cancel(&t->timer);
}

/* With `wait` its callback has ended afterwards. */
static NT u8 ExDeleteTimer(struct ex_timer *t, u8 cancels, u8 wait, void *more)
{
	bool was;

	if (wait && !irql_at_most(APC_LEVEL))
		return 0;
	was = cancel(&t->timer);
	if (!wait) {
		complain(CALLER, "ExDeleteTimer() without waiting, which the shim doesn't have");
		return was;
	}
	dpc_flush();
	if (untrack("timer", t, CALLER) >= 0)
		kfree(t);
	return was;
}

/* ---- clocks ------------------------------------------------------------------------ */

static NT u64 KeQueryPerformanceCounter(u64 *frequency)
{
	if (frequency)
		*frequency = 10000000;
	return ktime_get_ns() / 100;
}

static NT void KeQuerySystemTime(u64 *time)
{
	*time = nt_system_time();
}

static NT u64 KeQueryInterruptTime(void)
{
	return ktime_get_boottime_ns() / 100;
}

static NT u64 KeQueryInterruptTimePrecise(u64 *counter)
{
	*counter = KeQueryPerformanceCounter(NULL);
	return KeQueryInterruptTime();
}

static NT u32 KeQueryTimeIncrement(void)
{
	return 156250;
}

static NT u32 ExSetTimerResolution(u32 time, u8 set)
{
	irql_at_most(PASSIVE_LEVEL);
	return time;
}

static NT void KeStallExecutionProcessor(u32 us)
{
	u64 end = ktime_get_ns() + us * NSEC_PER_USEC;

	while (ktime_get_ns() < end)
		cpu_relax();
}

void timer_init(void)
{
	int i;

	for (i = 0; i < SHADOWS; i++) {
		hrtimer_init(&shadows[i].timer, CLOCK_MONOTONIC,
			     HRTIMER_MODE_REL_HARD);
		shadows[i].timer.function = fired;
	}
}

/* A timer that is set when its driver goes brings Windows down. */
void timer_exit(void)
{
	int i;

	for (i = 0; i < SHADOWS; i++) {
		if (shadows[i].of)
			complain(0, "a timer is set, and nobody is left");
		hrtimer_cancel(&shadows[i].timer);
	}
}

const struct nt_export timer_exports[] = {
	EXPORT(KeInitializeTimer, NT_2003),
	EXPORT(KeInitializeTimerEx, NT_2003),
	EXPORT(KeSetTimer, NT_2003),
	EXPORT(KeSetTimerEx, NT_2003),
	EXPORT(KeCancelTimer, NT_2003),
	EXPORT(KeReadStateTimer, NT_2003),
	EXPORT(ExAllocateTimer, NT_81),
	EXPORT(ExSetTimer, NT_81),
	EXPORT(ExCancelTimer, NT_81),
	EXPORT(ExDeleteTimer, NT_81),
	EXPORT(KeQueryPerformanceCounter, NT_2003),
	{ "KeQuerySystemTimePrecise", KeQuerySystemTime, NT_8 },
	EXPORT(KeQueryInterruptTimePrecise, NT_8),
	EXPORT(KeQueryTimeIncrement, NT_2003),
	EXPORT(ExSetTimerResolution, NT_2003),
	EXPORT(KeStallExecutionProcessor, NT_2003),
	EXPORTS_END
};
