// SPDX-License-Identifier: GPL-2.0
/*
 * The host sleeps, and afterwards its TSC, which is our clock, may begin anew. So
 * our clocks stand meanwhile, as over a sleep of our own, and all processors but
 * the first wait with interrupts off: nothing reads them in between.
 */
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/tick.h>
#include <linux/workqueue.h>
#include <asm/tsc.h>
#include "../../../kernel/time/timekeeping.h"
#include "colinux.h"

/* From SLEEP until WAKE. A host that didn't wait for us may be awake again before
 * our clocks stand; they do so all the same, since its TSC may be another one. */
static bool sleeping;

/* On the first processor, interrupts off. The host raises CO_EVENT_CLOCK, too:
 * that corrects the wall clock, which went on by the host's idea of it. */
static int sleep_clocks(void *unused)
{
	struct co_event_page *page = colinux_events();
	int error = timekeeping_suspend();

	if (error)
		return error;
	tsc_save_sched_clock_state();
	while (READ_ONCE(sleeping) && !(READ_ONCE(page->events) & CO_EVENT_WAKE))
		colinux_leave(CO_CALL_IDLE, CO_EVENT_WAKE, 0, 0, 0, 0);
	tsc_restore_sched_clock_state();
	timekeeping_resume();
	return 0;
}

/* Deadlines were in the old TSC's ticks. */
static void resume_timer(void *unused)
{
	tick_resume_local();
}

static void sleep_with_host(struct work_struct *unused)
{
	int error = stop_machine(sleep_clocks, NULL, cpumask_of(0));

	if (error)
		pr_err("colinux: the clocks can't be stopped for the host's sleep: %d\n", error);
	on_each_cpu(resume_timer, NULL, 1);
}
static DECLARE_WORK(sleep_work, sleep_with_host);

/* Hard interrupt context, first processor. Both at once: the host has slept. */
void colinux_sleep_event(u64 events)
{
	WRITE_ONCE(sleeping, !(events & CO_EVENT_WAKE));
	if (events & CO_EVENT_SLEEP)
		schedule_work(&sleep_work);
}
