// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the rate of this machine's time stamp counter in kHz. QEMU's emulation
 * hands the counter through, but a lab host that measures it against emulated
 * timers on a busy machine has been wrong by a factor of 17: it is told instead.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

struct moment {
	uint64_t ns, ticks;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of some tries the one that was interrupted least. */
static struct moment moment(void)
{
	struct moment best = { 0, 0 };
	uint64_t least = UINT64_MAX;
	int i;

	for (i = 0; i < 32; i++) {
		uint64_t before = now_ns(), ticks = __rdtsc(), after = now_ns();

		if (after - before >= least)
			continue;
		least = after - before;
		best = (struct moment){ before + least / 2, ticks };
	}
	return best;
}

int main(void)
{
	struct moment from = moment(), to;

	usleep(50000);
	to = moment();
	printf("%llu\n", (unsigned long long)((to.ticks - from.ticks) * 1000000 /
					      (to.ns - from.ns)));
	return 0;
}
