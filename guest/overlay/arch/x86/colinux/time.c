// SPDX-License-Identifier: GPL-2.0
/*
 * Time: the TSC is the clock, read without the host; clock.c makes it follow the
 * host's. The timer is one deadline in TSC ticks per vCPU, kept by the host.
 */
#include <linux/clockchips.h>
#include <linux/init.h>
#include <linux/nmi.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/static_call.h>
#include <linux/timekeeping.h>
#include <asm/paravirt.h>
#include <asm/setup.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>
#include "colinux.h"

/* clockevents counts its frequency in 32 bits: ticks of 8 TSC cycles. */
#define TSC_SHIFT 3

static DEFINE_PER_CPU(struct clock_event_device, timer);
/* The deadline last given to the host. It stands until we took it or set
 * another: an event that came too early, or was lost, changes nothing. */
static DEFINE_PER_CPU(u64, deadline) = CO_TIMER_OFF;

static void arm(u64 tsc)
{
	this_cpu_write(deadline, tsc);
	colinux_call(CO_CALL_TIMER, tsc, 0, 0, 0);
}

static int timer_next(unsigned long delta, struct clock_event_device *unused)
{
	arm(rdtsc() + ((u64)delta << TSC_SHIFT));
	return 0;
}

static int timer_off(struct clock_event_device *unused)
{
	arm(CO_TIMER_OFF);
	return 0;
}

/* A deadline that long past: this processor wasn't to be had for so long, since
 * the host had stopped us (a stopped daemon, a frozen group, no CPU time). Who
 * watches for processors that hang must not take it for one. */
#define AWAY_MS 1000

static void forgive(u64 late)
{
	if (late < (u64)colinux_boot.tsc_khz * AWAY_MS)
		return;
	touch_softlockup_watchdog_sync();
	rcu_cpu_stall_reset();
	reset_hung_task_detector();
}

/* Hard interrupt context; `told`: the host says that it is time. */
void colinux_timer_event(bool told)
{
	struct clock_event_device *event = this_cpu_ptr(&timer);
	u64 tsc = this_cpu_read(deadline);

	if (tsc == CO_TIMER_OFF)
		return;
	if (rdtsc() < tsc) {
		if (told)
			arm(tsc);
		return;
	}
	forgive(rdtsc() - tsc);
	this_cpu_write(deadline, CO_TIMER_OFF);
	event->event_handler(event);
}

/* For the vCPU that calls. */
void colinux_start_timer(void)
{
	struct clock_event_device *event = this_cpu_ptr(&timer);

	this_cpu_write(deadline, CO_TIMER_OFF);

	event->name = "colinux";
	event->features = CLOCK_EVT_FEAT_ONESHOT;
	event->rating = 500;
	event->cpumask = cpumask_of(smp_processor_id());
	event->set_next_event = timer_next;
	event->set_state_shutdown = timer_off;
	event->set_state_oneshot_stopped = timer_off;
	clockevents_config_and_register(event,
					(u64)colinux_boot.tsc_khz * 1000 >> TSC_SHIFT,
					0x100, ULONG_MAX >> TSC_SHIFT);
}

static unsigned long colinux_tsc_khz(void)
{
	return colinux_boot.tsc_khz;
}

static void colinux_get_wallclock(struct timespec64 *now)
{
	*now = ns_to_timespec64(colinux_call(CO_CALL_WALLCLOCK, 0, 0, 0, 0));
}

/* The clock that keeps time while we are off is the host's, and nothing that we
 * set. Not an error: the kernel would try again every two seconds. */
static int colinux_set_wallclock(const struct timespec64 *now)
{
	return 0;
}

static u64 colinux_steal_clock(int cpu)
{
	return READ_ONCE(colinux_areas[cpu].event.steal_ns);
}

static int __init colinux_init_steal(void)
{
	if (!colinux_guest())
		return 0;
	static_call_update(pv_steal_clock, colinux_steal_clock);
	static_key_slow_inc(&paravirt_steal_enabled);
	static_key_slow_inc(&paravirt_steal_rq_enabled);
	return 0;
}
arch_initcall(colinux_init_steal);

void __init colinux_init_time(void)
{
	x86_init.timers.timer_init = colinux_start_timer;
	x86_platform.calibrate_cpu = colinux_tsc_khz;
	x86_platform.calibrate_tsc = colinux_tsc_khz;
	x86_platform.get_wallclock = colinux_get_wallclock;
	x86_platform.set_wallclock = colinux_set_wallclock;
}
