// SPDX-License-Identifier: GPL-2.0
/* stamp: the wall clock in nanoseconds and the TSC of the same moment. Both
 * kernels read the same TSC, so two stamps compare their clocks exactly. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

int main(void)
{
	unsigned long long before = __rdtsc(), after;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	after = __rdtsc();
	printf("stamp %llu %llu\n",
	       (unsigned long long)now.tv_sec * 1000000000 +
		       (unsigned long long)now.tv_nsec,
	       before + (after - before) / 2);
	return 0;
}
