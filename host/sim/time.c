// SPDX-License-Identifier: GPL-2.0
/* A clock that moves when the test says so, and the timers that hang on it. */
#include <pthread.h>

#include "sim.h"

#define START_NS 1000000000ULL

struct timer {
	void (*fn)(void *arg);
	void *arg;
	co_u64 when;
	co_u32 away;
	bool armed;
	bool running;
	struct timer *next; /* all armed ones, in no order */
};
_Static_assert(sizeof(struct timer) <= sizeof(struct host_timer), "timer fits");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
static struct timer *armed;
static co_u64 now_ns;

void sim_time_reset(void)
{
	pthread_mutex_lock(&mutex);
	if (armed)
		sim_die("a timer is still armed");
	now_ns = START_NS;
	pthread_mutex_unlock(&mutex);
}

co_u64 host_time_ns(void)
{
	SIM_CONTEXT(SIM_ATOMIC);
	return co_load(&now_ns);
}

co_u64 host_wall_ns(co_s64 *rate)
{
	co_u64 wall;

	SIM_CONTEXT(SIM_ATOMIC);
	if (rate)
		*rate = sim.wall_rate;
	if (sim.wall_read)
		sim.wall_read();
	wall = sim.wall_ns + co_fetch_add(&now_ns, sim.read_ns);
	/* It was read at that time's middle. */
	return wall + sim.read_ns / 2;
}

co_u32 host_tsc_khz(void)
{
	SIM_CONTEXT(SIM_ATOMIC);
	return sim.tsc_khz;
}

co_u64 co_rdtsc(void)
{
	co_u64 now = co_load(&now_ns);

	return now / 1000000 * sim.tsc_khz +
	       now % 1000000 * sim.tsc_khz / 1000000;
}

/* ---- timers -------------------------------------------------------------------- */

static void unlink_timer(struct timer *t)
{
	struct timer **link = &armed;

	while (*link && *link != t)
		link = &(*link)->next;
	if (*link)
		*link = t->next;
	t->armed = false;
}

void host_timer_init(struct host_timer *timer, void (*fn)(void *arg), void *arg)
{
	struct timer *t = (void *)timer;

	memset(timer, 0, sizeof(*timer));
	t->fn = fn;
	t->arg = arg;
}

void host_timer_set(struct host_timer *timer, co_u64 when, co_u32 away)
{
	struct timer *t = (void *)timer;

	SIM_CONTEXT(SIM_ATOMIC);
	pthread_mutex_lock(&mutex);
	unlink_timer(t);
	t->when = when;
	t->away = away;
	t->armed = true;
	t->next = armed;
	armed = t;
	pthread_mutex_unlock(&mutex);
}

void host_timer_cancel(struct host_timer *timer)
{
	struct timer *t = (void *)timer;

	SIM_CONTEXT(SIM_SLEEP);
	pthread_mutex_lock(&mutex);
	unlink_timer(t);
	while (t->running)
		pthread_cond_wait(&finished, &mutex);
	pthread_mutex_unlock(&mutex);
}

static struct timer *earliest(void)
{
	struct timer *t, *first = armed;

	for (t = armed; t; t = t->next)
		if (t->when < first->when)
			first = t;
	return first;
}

co_u64 sim_timer_next(void)
{
	struct timer *t;
	co_u64 when;

	pthread_mutex_lock(&mutex);
	t = earliest();
	when = t ? t->when : 0;
	pthread_mutex_unlock(&mutex);
	return when;
}

co_u32 sim_timer_away(void)
{
	struct timer *t;
	co_u32 away;

	pthread_mutex_lock(&mutex);
	t = earliest();
	away = t ? t->away : HOST_CPU_ANY;
	pthread_mutex_unlock(&mutex);
	return away;
}

/* The function runs without the mutex: it may set its timer again. */
static void fire(struct timer *t)
{
	unlink_timer(t);
	t->running = true;
	pthread_mutex_unlock(&mutex);
	sim_interrupt(t->fn, t->arg);
	pthread_mutex_lock(&mutex);
	t->running = false;
	pthread_cond_broadcast(&finished);
}

void sim_time_advance(co_u64 ns)
{
	co_u64 until = co_load(&now_ns) + ns;
	struct timer *t;

	pthread_mutex_lock(&mutex);
	for (t = earliest(); t && t->when <= until; t = earliest()) {
		if (t->when > now_ns)
			co_store(&now_ns, t->when);
		fire(t);
	}
	if (until > now_ns)
		co_store(&now_ns, until);
	pthread_mutex_unlock(&mutex);
}
