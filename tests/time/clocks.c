// SPDX-License-Identifier: GPL-2.0
/*
 * Reads, steps and bends the wall clock, in the host as in the guest. A reading is
 * a pair: the TSC, which both share, and the wall clock at that moment, so that
 * nothing that lies between two readings gets into their comparison.
 *
 *	clocks log MS SECONDS	"clock TSC NS WIDTH" on each line
 *	clocks step NS		steps the clock; "step TSC NS", the TSC before it
 *	clocks rate PPM		"rate TSC PPM"
 *	clocks ntp		"ntp TICK FREQ STATUS" of the kernel's NTP parameters
 *	clocks khz SECONDS	"khz N": the TSC's frequency by the raw clock
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES 8

static uint64_t tsc(void)
{
	uint64_t now;

	_mm_lfence();
	now = __rdtsc();
	_mm_lfence();
	return now;
}

static int64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The narrowest of some: whatever interrupted the others isn't in it. */
static uint64_t pair(clockid_t clock, int64_t *ns, uint64_t *width)
{
	uint64_t before, after, best = 0;
	int64_t read;
	int i;

	*width = UINT64_MAX;
	for (i = 0; i < TRIES; i++) {
		before = tsc();
		read = read_ns(clock);
		after = tsc();
		if (after - before >= *width)
			continue;
		*width = after - before;
		*ns = read;
		best = before + *width / 2;
	}
	return best;
}

static void wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static void log_clock(long ms, long seconds)
{
	int64_t end = read_ns(CLOCK_MONOTONIC) + seconds * 1000000000LL, ns;
	uint64_t at, width;

	do {
		at = pair(CLOCK_REALTIME, &ns, &width);
		printf("clock %llu %lld %llu\n", (unsigned long long)at,
		       (long long)ns, (unsigned long long)width);
		fflush(stdout);
		wait_ms(ms);
	} while (read_ns(CLOCK_MONOTONIC) < end);
}

static void adjust(struct timex *tx)
{
	if (adjtimex(tx) < 0)
		err(1, "adjtimex");
}

static void step(long long ns)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	uint64_t at = tsc();

	tx.time.tv_sec = ns / 1000000000;
	tx.time.tv_usec = ns % 1000000000;
	if (tx.time.tv_usec < 0) {
		tx.time.tv_sec--;
		tx.time.tv_usec += 1000000000;
	}
	adjust(&tx);
	printf("step %llu %lld\n", (unsigned long long)at, ns);
}

static void rate(long ppm)
{
	struct timex tx = { .modes = ADJ_FREQUENCY, .freq = ppm * 65536 };
	uint64_t at = tsc();

	adjust(&tx);
	printf("rate %llu %ld\n", (unsigned long long)at, ppm);
}

static void ntp(void)
{
	struct timex tx = { .modes = 0 };

	adjust(&tx);
	printf("ntp %ld %ld %#x\n", tx.tick, tx.freq, tx.status);
}

static void khz(long seconds)
{
	int64_t from, to;
	uint64_t start, end, width;

	start = pair(CLOCK_MONOTONIC_RAW, &from, &width);
	wait_ms(seconds * 1000);
	end = pair(CLOCK_MONOTONIC_RAW, &to, &width);
	printf("khz %.3f\n", (double)(end - start) * 1e6 / (double)(to - from));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long long first = argc > 2 ? atoll(argv[2]) : 0;

	if (!strcmp(what, "log") && argc == 4)
		log_clock((long)first, atol(argv[3]));
	else if (!strcmp(what, "step") && argc == 3)
		step(first);
	else if (!strcmp(what, "rate") && argc == 3)
		rate((long)first);
	else if (!strcmp(what, "ntp"))
		ntp();
	else if (!strcmp(what, "khz") && argc == 3)
		khz((long)first);
	else
		errx(1, "usage: clocks log MS SECONDS | step NS | rate PPM | ntp | khz SECONDS");
	return 0;
}
