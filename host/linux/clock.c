// SPDX-License-Identifier: GPL-2.0
/*
 * The host's wall clock: at what rate it is made to run, and the guests that are
 * told when that changes. The timekeeper tells us of each update and of each step,
 * whoever made it: settimeofday, adjtimex, a leap second, the end of a sleep.
 */
#include <linux/irq_work.h>
#include <linux/math64.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/timekeeper_internal.h>
#include <linux/timex.h>
#include "port.h"

static s64 rate;      /* in 2^-32 */
static s64 told_rate; /* the one that the guests were told of; under timekeeper_lock */

/* 1 ppm in 2^-32: smaller changes a guest finds out by itself. */
#define RATE_SLACK 4295

/* Hard interrupt context. */
static void tell_guests(struct irq_work *unused)
{
	struct linux_file *file;
	unsigned long flags;
	struct co_vm *vm;

	spin_lock_irqsave(&colinux_files_lock, flags);
	for_each_vm(file, vm)
		co_clock_changed(vm);
	spin_unlock_irqrestore(&colinux_files_lock, flags);
}
static DEFINE_IRQ_WORK(tell_work, tell_guests);

/*
 * A tick's length is what NTP makes of it, in ns << NTP_SCALE_SHIFT, and the TSC's
 * nominal frequency makes it NSEC_PER_SEC / HZ.
 */
static s64 rate_of(const struct timekeeper *tk)
{
	s64 nominal = div_u64((u64)NSEC_PER_SEC << NTP_SCALE_SHIFT, HZ);

	BUILD_BUG_ON(NTP_SCALE_SHIFT != 32);
	return div_s64(((s64)tk->ntp_tick - nominal) * HZ, NSEC_PER_SEC);
}

/* The timekeeper is being written: its clocks can't be read here, nor a thread be
 * woken up. */
static int clock_updated(struct notifier_block *nb, unsigned long stepped,
			 void *timekeeper)
{
	s64 now = rate_of(timekeeper);

	WRITE_ONCE(rate, now);
	if (!stepped && abs(now - told_rate) <= RATE_SLACK)
		return NOTIFY_DONE;
	told_rate = now;
	irq_work_queue(&tell_work);
	return NOTIFY_DONE;
}

static struct notifier_block clock_block = { .notifier_call = clock_updated };

co_s64 colinux_clock_rate(void)
{
	return READ_ONCE(rate);
}

/* The notifier is called at once, with the rate as it is. */
int colinux_clock_init(void)
{
	return pvclock_gtod_register_notifier(&clock_block);
}

void colinux_clock_exit(void)
{
	pvclock_gtod_unregister_notifier(&clock_block);
	irq_work_sync(&tell_work);
}
