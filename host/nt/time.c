// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks and timers.
 *
 * A timer is set in bursts, with interrupts off, where the system's can't be: the
 * time is stored, and a DPC sets the system's. That is seldom needed: one that is
 * set for an earlier time already looks when it fires, and goes on to the later one.
 */
#include "port.h"
#include "../../core/x86/asm.h"

#define NS_PER_S      1000000000ULL
#define UNIT_NS	      100ULL /* of Windows' times */
#define EPOCH	      116444736000000000ULL /* 1601 to 1970, in units */
#define CALIBRATE_MS  50
#define HIGH_RESOLUTION 4 /* attribute of ExAllocateTimer() */

#define TIME_OF_DAY	 3 /* class of ZwQuerySystemInformation */
#define TIME_OF_DAY_SIZE 48

static co_u64 frequency; /* of the performance counter, Hz */
static co_u64 base_ns, base_tsc;
static co_u32 tsc_khz;
/* Systems without a precise wall clock: what it was at some moment. */
static struct host_lock wall_lock;
static co_u64 wall_ns, wall_at;

/* ---- clocks ------------------------------------------------------------------------- */

/* Apart, seconds and rest: the plain product overflows after hours. */
co_u64 host_time_ns(void)
{
	co_u64 counter = (co_u64)KeQueryPerformanceCounter(NULL);

	return counter / frequency * NS_PER_S +
	       counter % frequency * NS_PER_S / frequency;
}

void nt_time_refresh(void)
{
	co_u64 info[TIME_OF_DAY_SIZE / 8] = { 0 }, state, now;
	co_u32 written;

	if (nt_optional.KeQuerySystemTimePrecise ||
	    NT_ERROR(ZwQuerySystemInformation(TIME_OF_DAY, info, sizeof(info),
					      &written)))
		return;
	now = host_time_ns();
	state = host_lock(&wall_lock);
	wall_ns = (info[1] - EPOCH) * UNIT_NS;
	wall_at = now;
	host_unlock(&wall_lock, state);
}

co_u64 host_wall_ns(co_s64 *rate)
{
	co_u64 units, state, ns;

	/* Windows' own figure isn't one to rely upon: docs/nt.md. */
	if (rate)
		*rate = 0;
	if (nt_optional.KeQuerySystemTimePrecise) {
		nt_optional.KeQuerySystemTimePrecise(&units);
		return (units - EPOCH) * UNIT_NS;
	}
	state = host_lock(&wall_lock);
	ns = wall_ns + (host_time_ns() - wall_at);
	host_unlock(&wall_lock, state);
	return ns;
}

/* Both clocks at one moment. */
static void sample(co_u64 *ns, co_u64 *tsc)
{
	co_u64 flags = nt_irqs_off();
	co_u32 low, high;

	*ns = host_time_ns();
	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high));
	*tsc = low | (co_u64)high << 32;
	if (flags & FLAGS_IF)
		nt_irqs_on();
}

/* Ticks in so many nanoseconds, per ms; neither is 0. In 128 bits: the quotient fits
 * for any TSC below 4 THz. */
static co_u32 khz_of(co_u64 ticks, co_u64 ns)
{
	co_u64 quotient, rest;

	__asm__("mulq %3\n\tdivq %4"
		: "=a"(quotient), "=&d"(rest)
		: "0"(ticks), "r"(1000000ULL), "r"(ns)
		: "cc");
	return (co_u32)quotient;
}

/* The longer since the base, the better. */
static void calibrate(co_u64 least_ns)
{
	co_u64 ns, tsc;

	sample(&ns, &tsc);
	if (ns - base_ns >= least_ns && tsc > base_tsc)
		co_store(&tsc_khz, khz_of(tsc - base_tsc, ns - base_ns));
}

co_u32 host_tsc_khz(void)
{
	return co_load(&tsc_khz);
}

void nt_time_resumed(void)
{
	sample(&base_ns, &base_tsc);
}

void nt_time_init(void)
{
	co_s64 interval = -(co_s64)(CALIBRATE_MS * 1000000 / UNIT_NS);

	KeQueryPerformanceCounter((co_s64 *)&frequency);
	host_lock_init(&wall_lock);
	nt_time_resumed();
	nt_time_refresh();
	KeDelayExecutionThread(KERNEL_MODE, 0, &interval);
	calibrate(1);
}

/* ---- timers ------------------------------------------------------------------------------ */

#define NEVER (1ULL << 62) /* from there on */

struct timer {
	struct nt_ktimer system;
	struct nt_dpc fire, set;
	void *high;   /* the system's high-resolution timer, from the first use on */
	co_u64 when;  /* wanted; >= NEVER: off */
	co_u64 armed; /* what the system's is set for; >= NEVER: not */
	void (*fn)(void *arg);
	void *arg;
	co_u32 away;
	co_u32 lock; /* of the system's timer; at DISPATCH_LEVEL */
};
_Static_assert(sizeof(struct timer) <= sizeof(struct host_timer), "raise host_timer");

static struct timer *to_timer(struct host_timer *t)
{
	return (struct timer *)t->storage;
}

static co_u8 timer_lock(struct timer *t)
{
	co_u8 old = KfRaiseIrql(DISPATCH_LEVEL);

	while (co_exchange(&t->lock, 1))
		__builtin_ia32_pause();
	return old;
}

static void timer_unlock(struct timer *t, co_u8 old)
{
	co_store(&t->lock, 0);
	KeLowerIrql(old);
}

/* The same one, if there is no other. */
static co_u32 other_cpu(co_u32 away)
{
	return away + 1 < host_cpu_count() ? away + 1 : 0;
}

static void high_fired(void *high, void *timer);

/* The system's timer, to t->when. With `away` it's one whose DPC, and with it its
 * place, can be chosen. Locked. */
static void arm(struct timer *t)
{
	co_u64 when = co_load(&t->when), now = host_time_ns();
	co_s64 due;

	if (when >= NEVER || when >= co_load(&t->armed))
		return;
	co_store(&t->armed, when);
	due = when > now ? -(co_s64)((when - now + UNIT_NS - 1) / UNIT_NS) : -1;
	if (t->away == HOST_CPU_ANY && nt_optional.ExAllocateTimer && !t->high)
		t->high = nt_optional.ExAllocateTimer(high_fired, t, HIGH_RESOLUTION);
	if (t->away == HOST_CPU_ANY && t->high) {
		nt_optional.ExSetTimer(t->high, due, 0, NULL);
		return;
	}
	if (t->away != HOST_CPU_ANY)
		nt_dpc_target(&t->fire, other_cpu(t->away));
	KeSetTimer(&t->system, due, &t->fire);
}

static void arm_now(struct timer *t)
{
	co_u8 old = timer_lock(t);

	arm(t);
	timer_unlock(t, old);
}

static void set_later(struct nt_dpc *dpc, void *context, void *a, void *b)
{
	arm_now(context);
}

/* Is it due? Then it's off. Otherwise it goes on. */
static bool is_due(struct timer *t)
{
	co_u8 old = timer_lock(t);
	co_u64 when;
	bool due;

	co_store(&t->armed, ~0ULL);
	when = co_load(&t->when);
	due = when < NEVER && when <= host_time_ns() &&
	      co_compare_exchange(&t->when, when, ~0ULL);
	if (!due)
		arm(t);
	timer_unlock(t, old);
	return due;
}

static void fired(struct nt_dpc *dpc, void *context, void *a, void *b)
{
	struct timer *t = context;

	if (is_due(t))
		t->fn(t->arg);
}

static void high_fired(void *high, void *timer)
{
	fired(NULL, timer, NULL, NULL);
}

void host_timer_init(struct host_timer *timer, void (*fn)(void *arg), void *arg)
{
	struct timer *t = to_timer(timer);

	memset(t, 0, sizeof(*t));
	KeInitializeTimer(&t->system);
	KeInitializeDpc(&t->fire, fired, t);
	KeInitializeDpc(&t->set, set_later, t);
	KeSetImportanceDpc(&t->set, DPC_HIGH);
	t->when = t->armed = ~0ULL;
	t->away = HOST_CPU_ANY;
	t->fn = fn;
	t->arg = arg;
}

/* Whoever stores `when` looks at `armed` afterwards, whoever finds that it fired
 * looks at `when` afterwards: one of the two arms it. */
void host_timer_set(struct host_timer *timer, co_u64 when, co_u32 away)
{
	struct timer *t = to_timer(timer);

	co_store(&t->away, away);
	co_store(&t->when, when);
	if (when >= NEVER || when >= co_load(&t->armed))
		return;
	if (nt_may_call()) {
		arm_now(t);
		return;
	}
	/* Not here: the guest that is about to run may never let the DPC come. */
	if (away != HOST_CPU_ANY)
		nt_dpc_target(&t->set, other_cpu(away));
	nt_queue_dpc(&t->set);
}

/* Its function may set it again just when we look: the watchdog's does, whose timers
 * aren't high-resolution ones. */
void host_timer_cancel(struct host_timer *timer)
{
	struct timer *t = to_timer(timer);

	do {
		co_store(&t->when, ~0ULL);
		KeFlushQueuedDpcs();
		KeCancelTimer(&t->system);
		if (t->high)
			nt_optional.ExDeleteTimer(t->high, 1, 1, NULL);
		t->high = NULL;
		co_store(&t->armed, ~0ULL);
		KeFlushQueuedDpcs();
	} while (co_load(&t->when) < NEVER || co_load(&t->armed) < NEVER || t->high);
}
