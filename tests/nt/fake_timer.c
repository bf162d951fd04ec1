// SPDX-License-Identifier: GPL-2.0
/* DPCs and timers: a thread that is all of the system's interrupts. */
#define _GNU_SOURCE
#include "fake_inside.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { D_NEXT, D_FN, D_CONTEXT, D_QUEUED, D_TARGET };
enum { T_SET, T_DUE, T_DPC };

static struct nt_dpc *queue;
static struct nt_ktimer *timers[512];
static bool dpc_runs, dpc_ends;
static pthread_t dpc_thread;

void KeInitializeDpc(struct nt_dpc *dpc, nt_dpc_fn *fn, void *context)
{
	memset(dpc, 0, sizeof(*dpc));
	dpc->opaque[D_FN] = (co_uptr)fn;
	dpc->opaque[D_CONTEXT] = (co_uptr)context;
}

void KeSetImportanceDpc(struct nt_dpc *dpc, co_u32 importance)
{
	(void)dpc;
	(void)importance;
}

void KeSetTargetProcessorDpc(struct nt_dpc *dpc, co_u8 number)
{
	dpc->opaque[D_TARGET] = number + 1;
}

static bool enqueue(struct nt_dpc *dpc)
{
	if (dpc->opaque[D_QUEUED])
		return false;
	dpc->opaque[D_QUEUED] = 1;
	dpc->opaque[D_NEXT] = (co_uptr)queue;
	queue = dpc;
	pthread_cond_broadcast(&changed);
	return true;
}

co_u8 KeInsertQueueDpc(struct nt_dpc *dpc, void *a, void *b)
{
	bool done;

	(void)a;
	(void)b;
	if (irqs_are_off && irql != HIGH_LEVEL)
		fake_die("KeInsertQueueDpc() with interrupts off, not at HIGH_LEVEL");
	pthread_mutex_lock(&big);
	if (dpc->opaque[D_TARGET] && !dpc->opaque[D_CONTEXT])
		fake.kicks++;
	done = enqueue(dpc);
	pthread_mutex_unlock(&big);
	return done;
}

co_u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (co_u64)t.tv_sec * 1000000000 + (co_u64)t.tv_nsec;
}

static void timers_look(void)
{
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(timers); i++) {
		if (!timers[i] || timers[i]->opaque[T_DUE] > now_ns())
			continue;
		enqueue((struct nt_dpc *)(co_uptr)timers[i]->opaque[T_DPC]);
		timers[i] = NULL;
	}
}

static void dpc_run(struct nt_dpc *dpc)
{
	nt_dpc_fn *fn = (nt_dpc_fn *)(co_uptr)dpc->opaque[D_FN];
	void *context = (void *)(co_uptr)dpc->opaque[D_CONTEXT];

	queue = (struct nt_dpc *)(co_uptr)dpc->opaque[D_NEXT];
	dpc->opaque[D_QUEUED] = 0;
	dpc_runs = true;
	pthread_mutex_unlock(&big);
	fn(dpc, context, NULL, NULL);
	if (irqs_are_off || irql != DISPATCH_LEVEL)
		fake_die("a DPC leaves interrupts off, or IRQL %d", irql);
	pthread_mutex_lock(&big);
	dpc_runs = false;
	pthread_cond_broadcast(&changed);
}

static void *dpc_loop(void *unused)
{
	struct timespec t;

	irql = DISPATCH_LEVEL;
	pthread_mutex_lock(&big);
	while (!dpc_ends) {
		timers_look();
		if (queue) {
			dpc_run(queue);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += 1000000;
		if (t.tv_nsec >= 1000000000) {
			t.tv_nsec -= 1000000000;
			t.tv_sec++;
		}
		pthread_cond_timedwait(&changed, &big, &t);
	}
	pthread_mutex_unlock(&big);
	return unused;
}

void KeFlushQueuedDpcs(void)
{
	AT_MOST(PASSIVE_LEVEL);
	pthread_mutex_lock(&big);
	while (queue || dpc_runs)
		pthread_cond_wait(&changed, &big);
	pthread_mutex_unlock(&big);
}

void KeInitializeTimer(struct nt_ktimer *timer)
{
	memset(timer, 0, sizeof(*timer));
}

static bool timer_remove(struct nt_ktimer *timer)
{
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(timers); i++) {
		if (timers[i] != timer)
			continue;
		timers[i] = NULL;
		return true;
	}
	return false;
}

co_u8 KeSetTimer(struct nt_ktimer *timer, co_s64 due, struct nt_dpc *dpc)
{
	bool was;
	co_u32 i;

	AT_MOST(DISPATCH_LEVEL);
	if (due >= 0)
		fake_die("KeSetTimer() to a date");
	pthread_mutex_lock(&big);
	was = timer_remove(timer);
	for (i = 0; timers[i]; i++)
		;
	timer->opaque[T_DUE] = now_ns() + (co_u64)-due * 100;
	timer->opaque[T_DPC] = (co_uptr)dpc;
	timers[i] = timer;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&big);
	return was;
}

co_u8 KeCancelTimer(struct nt_ktimer *timer)
{
	bool was;

	AT_MOST(DISPATCH_LEVEL);
	pthread_mutex_lock(&big);
	was = timer_remove(timer);
	pthread_mutex_unlock(&big);
	return was;
}

struct high {
	struct nt_ktimer timer;
	struct nt_dpc dpc;
	void (*fn)(void *timer, void *context);
	void *context;
};

static void high_fired(struct nt_dpc *dpc, void *context, void *a, void *b)
{
	struct high *h = context;

	(void)dpc;
	(void)a;
	(void)b;
	h->fn(h, h->context);
}

void *ExAllocateTimer(void (*fn)(void *timer, void *context), void *context,
		      co_u32 attributes)
{
	struct high *h;

	AT_MOST(DISPATCH_LEVEL);
	(void)attributes;
	if (fails())
		return NULL;
	h = calloc(1, sizeof(*h));
	h->fn = fn;
	h->context = context;
	KeInitializeDpc(&h->dpc, high_fired, h);
	alive(1);
	return h;
}

co_u8 ExSetTimer(void *timer, co_s64 due, co_s64 period, void *more)
{
	struct high *h = timer;

	(void)period;
	(void)more;
	return KeSetTimer(&h->timer, due, &h->dpc);
}

co_u8 ExDeleteTimer(void *timer, co_u8 cancel, co_u8 wait, void *more)
{
	struct high *h = timer;

	AT_MOST(PASSIVE_LEVEL);
	(void)more;
	if (!cancel || !wait)
		fake_die("ExDeleteTimer() without waiting");
	KeCancelTimer(&h->timer);
	KeFlushQueuedDpcs();
	free(h);
	alive(-1);
	return 1;
}

void timers_start(void)
{
	dpc_ends = false;
	if (pthread_create(&dpc_thread, NULL, dpc_loop, NULL))
		fake_die("no thread");
}

void timers_end(void)
{
	co_u32 i;

	pthread_mutex_lock(&big);
	dpc_ends = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&big);
	pthread_join(dpc_thread, NULL);
	for (i = 0; i < CO_ARRAY_SIZE(timers); i++)
		if (timers[i])
			fake_die("a timer is set, and nobody is left");
	if (queue)
		fake_die("left: a DPC");
}
