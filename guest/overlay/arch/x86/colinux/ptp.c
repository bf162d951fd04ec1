// SPDX-License-Identifier: GPL-2.0
/*
 * The host's wall clock as a PTP clock, /dev/ptp0: for who wants to discipline
 * the guest's clock himself, by chrony's "refclock PHC".
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/ptp_clock_kernel.h>
#include <linux/timekeeping.h>
#include "colinux.h"

static int get_time(struct ptp_clock_info *info, struct timespec64 *now,
		    struct ptp_system_timestamp *system)
{
	struct colinux_clock host;

	ptp_read_system_prets(system);
	colinux_read_clock(&host);
	ptp_read_system_postts(system);
	*now = ns_to_timespec64(host.wall);
	return 0;
}

/* Both sides read the TSC: the host's time is taken to the moment of ours. */
static int get_cross(struct ptp_clock_info *info, struct system_device_crosststamp *cross)
{
	struct system_time_snapshot own;
	struct colinux_clock host;
	s64 ticks;

	colinux_read_clock(&host);
	ktime_get_snapshot(&own);
	ticks = own.cycles - host.tsc;
	/* Another clock source, or a thread that slept in between. */
	if (ticks < 0 || ticks > colinux_boot.tsc_khz)
		return -EAGAIN;
	cross->device = ns_to_ktime(host.wall + div_s64(ticks * 1000000, colinux_boot.tsc_khz));
	cross->sys_realtime = own.real;
	cross->sys_monoraw = own.raw;
	return 0;
}

/* The clock is the host's. */
static int set_time(struct ptp_clock_info *info, const struct timespec64 *now)
{
	return -EOPNOTSUPP;
}

static int adjust_rate(struct ptp_clock_info *info, long ppm)
{
	return -EOPNOTSUPP;
}

static int adjust_time(struct ptp_clock_info *info, s64 delta)
{
	return -EOPNOTSUPP;
}

static int enable(struct ptp_clock_info *info, struct ptp_clock_request *request, int on)
{
	return -EOPNOTSUPP;
}

static struct ptp_clock_info clock_info = {
	.owner = THIS_MODULE,
	.name = "colinux",
	.gettimex64 = get_time,
	.getcrosststamp = get_cross,
	.settime64 = set_time,
	.adjfine = adjust_rate,
	.adjtime = adjust_time,
	.enable = enable,
};

static int __init colinux_init_ptp(void)
{
	struct ptp_clock *clock;

	if (!colinux_guest())
		return 0;
	clock = ptp_clock_register(&clock_info, NULL);
	return PTR_ERR_OR_ZERO(clock);
}
device_initcall(colinux_init_ptp);
