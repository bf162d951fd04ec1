// SPDX-License-Identifier: GPL-2.0
/* Time, waiting, locks, notification, text. */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "port.h"

struct linux_timer {
	struct hrtimer timer;
	call_single_data_t csd; /* sets it on another CPU, to `when` */
	u64 when;
	unsigned int sent; /* the csd is on its way */
	void (*fn)(void *arg);
	void *arg;
};

/* The core keeps the storage, the port says what lies in it. */
#define OBJECT(name, type, opaque)                                     \
	static inline type *name(struct opaque *o)                     \
	{                                                              \
		BUILD_BUG_ON(sizeof(type) > sizeof(*o));               \
		return (type *)o->storage;                             \
	}

OBJECT(to_timer, struct linux_timer, host_timer)
OBJECT(to_wait, wait_queue_head_t, host_wait)
OBJECT(to_mutex, struct mutex, host_mutex)
OBJECT(to_lock, spinlock_t, host_lock)

co_u64 host_time_ns(void)
{
	return ktime_get_ns();
}

co_u64 host_wall_ns(co_s64 *rate)
{
	if (rate)
		*rate = colinux_clock_rate();
	return ktime_get_real_ns();
}

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct linux_timer *t = container_of(timer, struct linux_timer, timer);

	t->fn(t->arg);
	return HRTIMER_NORESTART;
}

static void set_here(void *arg)
{
	struct linux_timer *t = arg;

	hrtimer_start(&t->timer, ns_to_ktime(READ_ONCE(t->when)),
		      HRTIMER_MODE_ABS_PINNED_HARD);
	smp_store_release(&t->sent, 0);
}

void host_timer_init(struct host_timer *timer, void (*fn)(void *arg), void *arg)
{
	struct linux_timer *t = to_timer(timer);

	hrtimer_init(&t->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	t->timer.function = timer_fired;
	INIT_CSD(&t->csd, set_here, t);
	t->fn = fn;
	t->arg = arg;
}

/*
 * Not a timer of the wheel, which could be set on any CPU: those are softirqs', and
 * a CPU that waits for the one that a guest keeps may be one that has left its
 * softirqs to a thread. Interrupts off: the chosen CPU can't go offline meanwhile.
 */
static void set_away(struct linux_timer *t, co_u64 when, co_u32 away)
{
	unsigned int cpu = cpumask_next(away, cpu_online_mask);

	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	WRITE_ONCE(t->when, when);
	if (smp_processor_id() != away)
		hrtimer_start(&t->timer, ns_to_ktime(when),
			      HRTIMER_MODE_ABS_PINNED_HARD);
	else if (!xchg(&t->sent, 1) && smp_call_function_single_async(cpu, &t->csd))
		smp_store_release(&t->sent, 0);
}

void host_timer_set(struct host_timer *timer, co_u64 when, co_u32 away)
{
	unsigned long flags;

	if (away == HOST_CPU_ANY) {
		hrtimer_start(&to_timer(timer)->timer, ns_to_ktime(when),
			      HRTIMER_MODE_ABS_HARD);
		return;
	}
	local_irq_save(flags);
	set_away(to_timer(timer), when, away);
	local_irq_restore(flags);
}

/* Its function may send it to another CPU just when we look. */
void host_timer_cancel(struct host_timer *timer)
{
	struct linux_timer *t = to_timer(timer);

	do {
		while (smp_load_acquire(&t->sent))
			msleep(1);
		hrtimer_cancel(&t->timer);
	} while (smp_load_acquire(&t->sent));
}

void host_wait_init(struct host_wait *w)
{
	init_waitqueue_head(to_wait(w));
}

int host_wait(struct host_wait *w, bool (*ready)(void *arg), void *arg)
{
	return wait_event_interruptible(*to_wait(w), ready(arg)) ? -CO_EINTR : 0;
}

void host_wake(struct host_wait *w)
{
	wake_up(to_wait(w));
}

void host_mutex_init(struct host_mutex *m)
{
	mutex_init(to_mutex(m));
}

void host_mutex_lock(struct host_mutex *m)
{
	mutex_lock(to_mutex(m));
}

void host_mutex_unlock(struct host_mutex *m)
{
	mutex_unlock(to_mutex(m));
}

void host_lock_init(struct host_lock *l)
{
	spin_lock_init(to_lock(l));
}

co_u64 host_lock(struct host_lock *l)
{
	unsigned long flags;

	spin_lock_irqsave(to_lock(l), flags);
	return flags;
}

void host_unlock(struct host_lock *l, co_u64 state)
{
	spin_unlock_irqrestore(to_lock(l), state);
}

int host_doorbell_get(co_s64 handle, void **doorbell)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(handle);

	if (IS_ERR(ctx))
		return -CO_EINVAL;
	*doorbell = ctx;
	return 0;
}

void host_doorbell_ring(void *doorbell)
{
	eventfd_signal(doorbell);
}

void host_doorbell_put(void *doorbell)
{
	eventfd_ctx_put(doorbell);
}

int host_vformat(char *buf, co_size size, const char *format,
		 __builtin_va_list args)
{
	return vscnprintf(buf, size, format, args);
}
