// SPDX-License-Identifier: GPL-2.0
/*
 * The wall clock follows the host's, which somebody on the host may discipline,
 * step, or put to sleep.
 *
 * We run on the host's TSC at the host's nominal frequency, so the rate that NTP
 * has given the host's clock makes ours the same clock: the host tells the rate
 * whenever it changes. What is left, by the host's other clock source or by the
 * time that the news took, is measured now and then and slewed away through the
 * kernel's own NTP parameters. A large difference is stepped over.
 */
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/param.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/workqueue.h>
#include <asm/tsc.h>
#include "colinux.h"

/* A larger difference is stepped over: it'd take too long. */
#define STEP_NS		NSEC_PER_MSEC
/* A smaller one isn't worth a wake-up of its own. */
#define SLACK_NS	1000
/* How fast a difference is slewed away, in 2^-32: 500 ppm, as NTP does it. */
#define SLEW_MAX	2147484
#define SLEW_MIN_MS	1000
#define SLEWS_MAX	3
/* How often we look while somebody is awake; an idle guest isn't woken for it. */
#define LOOK_S		16
/* The host's clock source may differ from its TSC by so much, in 2^-32: 500 ppm. */
#define TRIM_MAX	2147484
/* Reading both clocks: the shortest of so many. */
#define TRIES		4

/* The wall clock's rates add up. All under `lock`. */
static DEFINE_MUTEX(lock);
static s64 trim; /* the host's clock source against the TSC, 2^-32 */
static unsigned int slews; /* since the last look, one after another */
static bool ours = true; /* nobody in the guest disciplines the clock himself */
static struct __kernel_timex set; /* what we gave the kernel last */

/* The last look after which nothing but `rate` and `trim` drove the clock. */
static struct {
	bool valid;
	u64 tsc;
	s64 offset;
	s64 rate;
} quiet;

static void follow(struct work_struct *unused);
static void follow_event(struct work_struct *unused);
static DECLARE_WORK(event_work, follow_event);
static DECLARE_DELAYED_WORK(slew_work, follow);
static DECLARE_DEFERRABLE_WORK(look_work, follow);

/* ---- clock=host|guest ----------------------------------------------------------- */

static int __init parse_clock(char *value)
{
	if (value && !strcmp(value, "guest"))
		ours = false;
	else if (!value || strcmp(value, "host"))
		pr_err("colinux: colinux_clock=%s: neither host nor guest; host is taken\n",
		       value ?: "");
	return 0;
}
early_param("colinux_clock", parse_clock);

/* ---- reading ---------------------------------------------------------------------- */

/* Of less than an hour. */
static s64 ticks_to_ns(s64 ticks)
{
	return div_s64(ticks * 1000000, colinux_boot.tsc_khz);
}

void colinux_read_clock(struct colinux_clock *host)
{
	struct co_event_page *page;
	unsigned long flags;

	/* The answer's fields are this vCPU's. */
	local_irq_save(flags);
	page = colinux_events();
	host->wall = colinux_call(CO_CALL_WALLCLOCK, 0, 0, 0, 0);
	host->tsc = page->clock_tsc;
	host->rate = page->clock_rate;
	local_irq_restore(flags);
}

/* The same of our own clock. */
static void read_own(struct colinux_clock *own)
{
	u64 before, wall, width, best = U64_MAX;
	int i;

	for (i = 0; i < TRIES; i++) {
		before = rdtsc_ordered();
		wall = ktime_get_real_ns();
		width = rdtsc_ordered() - before;
		if (width >= best)
			continue;
		best = width;
		own->tsc = before + width / 2;
		own->wall = wall;
	}
}

/* How much the host's clock is ahead of ours, in ns. */
static s64 read_offset(struct colinux_clock *host)
{
	struct colinux_clock own;
	unsigned long flags;

	local_irq_save(flags);
	read_own(&own);
	colinux_read_clock(host);
	local_irq_restore(flags);
	return host->wall - own.wall - ticks_to_ns(host->tsc - own.tsc);
}

/* ---- steering --------------------------------------------------------------------- */

/* A tick unit is a microsecond of USER_HZ: 100 ppm; the rest is in 2^-16 ppm. */
#define TICK_NOMINAL (1000000 / USER_HZ)
#define TICK_UNIT    ((1LL << 32) / TICK_NOMINAL)

static void set_rate(s64 rate)
{
	struct __kernel_timex tx = { .modes = ADJ_TICK | ADJ_FREQUENCY };
	s64 units = div_s64(rate, TICK_UNIT);
	int error;

	tx.tick = TICK_NOMINAL + units;
	tx.freq = ((rate - div_s64(units << 32, TICK_NOMINAL)) * 15625) >> 10;
	error = do_adjtimex(&tx);
	if (error < 0)
		pr_err_ratelimited("colinux: the host's clock can't be followed: %d\n", error);
	else
		set = tx;
}

static void step(s64 offset)
{
	struct timespec64 delta = ns_to_timespec64(offset);
	struct __kernel_timex tx = {
		.modes = ADJ_SETOFFSET | ADJ_NANO,
		.time = { delta.tv_sec, delta.tv_nsec },
	};
	int error = do_adjtimex(&tx);

	if (error < 0)
		pr_err_ratelimited("colinux: the host's clock can't be followed over %lld ns: %d\n",
				   offset, error);
}

/* Whoever disciplines the clock in the guest leaves his traces here. */
static bool disciplined(void)
{
	struct __kernel_timex tx = { .modes = 0 };

	do_adjtimex(&tx);
	return tx.tick != set.tick || tx.freq != set.freq ||
	       tx.status & (STA_PLL | STA_FLL);
}

/* Slews until the difference is gone; returns how many ms that takes. */
static unsigned int slew(s64 rate, s64 offset)
{
	s64 ms = max_t(s64, SLEW_MIN_MS,
		       div64_s64(abs(offset) << 32, SLEW_MAX * (s64)NSEC_PER_MSEC) + 1);

	set_rate(rate + div64_s64(offset << 32, ms * NSEC_PER_MSEC));
	return ms;
}

/* Since the last quiet look the clock ran at a known rate: what it lost or won is
 * the host's clock source's. */
static void learn_trim(const struct colinux_clock *host, s64 offset)
{
	s64 ns;

	if (!quiet.valid || quiet.rate != host->rate || abs(offset) > STEP_NS)
		return;
	ns = mul_u64_u64_div_u64(host->tsc - quiet.tsc, 1000000, colinux_boot.tsc_khz);
	if (ns < (s64)NSEC_PER_SEC * LOOK_S / 2)
		return;
	trim += div64_s64((offset - quiet.offset) << 32, ns) / 2;
	trim = clamp_t(s64, trim, -TRIM_MAX, TRIM_MAX);
}

static void settle(const struct colinux_clock *host, s64 offset)
{
	set_rate(host->rate + trim);
	slews = 0;
	quiet.valid = true;
	quiet.tsc = host->tsc;
	quiet.offset = offset;
	quiet.rate = host->rate;
	schedule_delayed_work(&look_work, LOOK_S * HZ);
}

static void follow_clock(void)
{
	struct colinux_clock host;
	s64 offset = read_offset(&host);

	learn_trim(&host, offset);
	quiet.valid = false;
	if (abs(offset) > STEP_NS) {
		step(offset);
		offset = read_offset(&host);
	}
	/* Over what can't be stepped nothing can be slewed. */
	if (abs(offset) <= SLACK_NS || abs(offset) > STEP_NS || slews == SLEWS_MAX) {
		settle(&host, offset);
		return;
	}
	slews++;
	mod_delayed_work(system_wq, &slew_work,
			 msecs_to_jiffies(slew(host.rate + trim, offset)));
}

/* Under `lock`. */
static void follow_locked(void)
{
	if (ours && disciplined()) {
		ours = false;
		pr_info("colinux: somebody disciplines the clock here: the host's is no longer followed\n");
	}
	if (ours)
		follow_clock();
}

static void follow(struct work_struct *unused)
{
	mutex_lock(&lock);
	follow_locked();
	mutex_unlock(&lock);
}

/* What was learned up to now is another clock's. */
static void follow_event(struct work_struct *unused)
{
	mutex_lock(&lock);
	quiet.valid = false;
	slews = 0;
	follow_locked();
	mutex_unlock(&lock);
}

/* Hard interrupt context: the host's wall clock was stepped, or its rate changed. */
void colinux_clock_event(void)
{
	schedule_work(&event_work);
}

/* Until the TSC became the clock no tick was counted while interrupts were off:
 * what was asked for at boot has fallen behind. */
static int __init colinux_set_clock(void)
{
	struct colinux_clock host;

	if (!colinux_guest())
		return 0;
	step(read_offset(&host));
	do_adjtimex(&set);
	follow(NULL);
	return 0;
}
late_initcall_sync(colinux_set_clock);
