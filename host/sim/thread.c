// SPDX-License-Identifier: GPL-2.0
/* Pinning, interrupts, kicks, waiting and locks: threads of the test. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "sim.h"

#define PATIENCE_S 20 /* nobody wakes this thread: a lost wake-up */

static _Thread_local struct {
	bool pinned, fpu; /* pinned: interrupts off */
	co_u32 locks;
	co_u32 interrupts; /* depth */
	co_u32 cpu;
} self;

/* ---- contexts ------------------------------------------------------------------- */

static bool context_fits(enum sim_context wanted)
{
	switch (wanted) {
	case SIM_SLEEP:
		return !self.pinned && !self.locks && !self.interrupts;
	case SIM_ATOMIC:
		return true;
	case SIM_PINNED:
		return self.pinned;
	}
	return false;
}

void sim_context(enum sim_context wanted, const char *function)
{
	if (!context_fits(wanted))
		sim_die("%s() called%s%s%s%s", function,
			self.pinned ? " pinned" : " not pinned",
			self.locks ? ", under a lock" : "",
			self.interrupts ? ", in an interrupt" : "",
			": its contract doesn't allow that");
}

void sim_interrupt(void (*fn)(void *arg), void *arg)
{
	self.interrupts++;
	fn(arg);
	self.interrupts--;
}

/* ---- processors ------------------------------------------------------------------- */

static pthread_mutex_t ipi_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ipi_came = PTHREAD_COND_INITIALIZER;
static bool ipi[SIM_CPUS];

void sim_cpu_reset(void)
{
	pthread_mutex_lock(&ipi_mutex);
	memset(ipi, 0, sizeof(ipi));
	pthread_mutex_unlock(&ipi_mutex);
	self.cpu = 0;
}

void sim_cpu_set(co_u32 cpu)
{
	self.cpu = cpu;
}

bool sim_ipi_take(co_u32 cpu)
{
	bool came;

	pthread_mutex_lock(&ipi_mutex);
	came = ipi[cpu];
	ipi[cpu] = false;
	pthread_mutex_unlock(&ipi_mutex);
	return came;
}

static struct timespec patience(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	return until;
}

void sim_ipi_wait(co_u32 cpu)
{
	struct timespec until = patience();

	pthread_mutex_lock(&ipi_mutex);
	while (!ipi[cpu])
		if (pthread_cond_timedwait(&ipi_came, &ipi_mutex, &until))
			sim_die("no kick came to CPU %u", cpu);
	ipi[cpu] = false;
	pthread_mutex_unlock(&ipi_mutex);
}

void host_kick(co_u32 cpu, bool nmi)
{
	SIM_CONTEXT(SIM_ATOMIC);
	if (cpu >= SIM_CPUS)
		sim_die("host_kick(%u): no such CPU", cpu);
	co_fetch_add(nmi ? &sim.nmis : &sim.kicks, 1);
	pthread_mutex_lock(&ipi_mutex);
	ipi[cpu] = true;
	pthread_cond_broadcast(&ipi_came);
	pthread_mutex_unlock(&ipi_mutex);
}

co_u32 host_pin(void)
{
	SIM_CONTEXT(SIM_SLEEP);
	self.pinned = true;
	return self.cpu;
}

/* What came while interrupts were off is served: its handler does no harm. */
void host_unpin(void)
{
	SIM_CONTEXT(SIM_PINNED);
	if (self.fpu)
		sim_die("host_unpin() with the FPU taken");
	if (co_load(&sim.in_service))
		sim_die("host_unpin() with interrupt %#x in service",
			sim.in_service);
	self.pinned = false;
	sim_ipi_take(self.cpu);
}

co_u32 host_in_service(void)
{
	SIM_CONTEXT(SIM_PINNED);
	return co_load(&sim.in_service);
}

co_u32 host_cpu_count(void)
{
	SIM_CONTEXT(SIM_ATOMIC);
	return SIM_CPUS;
}

bool host_work_pending(void)
{
	SIM_CONTEXT(SIM_PINNED);
	return co_load(&sim.work) || co_load(&sim.signal);
}

int host_work(bool yield)
{
	SIM_CONTEXT(SIM_SLEEP);
	if (yield)
		sched_yield();
	if (co_exchange(&sim.work, 0))
		co_fetch_add(&sim.works, 1);
	return co_load(&sim.signal) ? -CO_EINTR : 0;
}

void host_fpu_begin(void)
{
	SIM_CONTEXT(SIM_PINNED);
	if (self.fpu)
		sim_die("host_fpu_begin() twice");
	self.fpu = true;
}

void host_fpu_end(void)
{
	SIM_CONTEXT(SIM_PINNED);
	if (!self.fpu)
		sim_die("host_fpu_end() without a begin");
	self.fpu = false;
}

co_u32 host_spare_vector(void)
{
	SIM_CONTEXT(SIM_ATOMIC);
	return 0xee;
}

co_u64 host_blockers(void)
{
	SIM_CONTEXT(SIM_SLEEP);
	return sim.blockers;
}

/* ---- waiting ------------------------------------------------------------------------ */

struct wait {
	pthread_mutex_t mutex;
	pthread_cond_t woken;
};
_Static_assert(sizeof(struct wait) <= sizeof(struct host_wait), "wait fits");

void host_wait_init(struct host_wait *w)
{
	struct wait *wait = (void *)w;

	pthread_mutex_init(&wait->mutex, NULL);
	pthread_cond_init(&wait->woken, NULL);
}

int host_wait(struct host_wait *w, bool (*ready)(void *arg), void *arg)
{
	struct timespec until = patience();
	struct wait *wait = (void *)w;
	bool signal;

	SIM_CONTEXT(SIM_SLEEP);
	if (sim.idle && !ready(arg))
		sim.idle();
	pthread_mutex_lock(&wait->mutex);
	while (!ready(arg) && !co_load(&sim.signal))
		if (pthread_cond_timedwait(&wait->woken, &wait->mutex,
					   &until) == ETIMEDOUT)
			sim_die("a thread sleeps that nobody wakes");
	signal = !ready(arg);
	pthread_mutex_unlock(&wait->mutex);
	return signal ? -CO_EINTR : 0;
}

void host_wake(struct host_wait *w)
{
	struct wait *wait = (void *)w;

	SIM_CONTEXT(SIM_ATOMIC);
	pthread_mutex_lock(&wait->mutex);
	pthread_cond_broadcast(&wait->woken);
	pthread_mutex_unlock(&wait->mutex);
}

/* ---- locks ---------------------------------------------------------------------------- */

_Static_assert(sizeof(pthread_mutex_t) <= sizeof(struct host_mutex) &&
		       sizeof(pthread_mutex_t) <= sizeof(struct host_lock),
	       "locks fit");

void host_mutex_init(struct host_mutex *m)
{
	pthread_mutex_init((void *)m, NULL);
}

void host_mutex_lock(struct host_mutex *m)
{
	SIM_CONTEXT(SIM_SLEEP);
	pthread_mutex_lock((void *)m);
}

void host_mutex_unlock(struct host_mutex *m)
{
	SIM_CONTEXT(SIM_SLEEP);
	pthread_mutex_unlock((void *)m);
}

void host_lock_init(struct host_lock *l)
{
	pthread_mutex_init((void *)l, NULL);
}

co_u64 host_lock(struct host_lock *l)
{
	SIM_CONTEXT(SIM_ATOMIC);
	pthread_mutex_lock((void *)l);
	return ++self.locks;
}

void host_unlock(struct host_lock *l, co_u64 state)
{
	if (state != self.locks--)
		sim_die("host_unlock() out of order");
	pthread_mutex_unlock((void *)l);
}
