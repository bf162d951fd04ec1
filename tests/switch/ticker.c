// SPDX-License-Identifier: GPL-2.0
/*
 * ticker MICROSECONDS: sleeps that long again and again, so that this processor
 * gets a timer interrupt each time. Ends with its parent.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct timespec nap = { 0, (argc > 1 ? atol(argv[1]) : 100) * 1000 };

	prctl(PR_SET_TIMERSLACK, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		nanosleep(&nap, NULL);
}
