// SPDX-License-Identifier: GPL-2.0
/*
 * For `real_*`: the devices on the kernel's descriptors and threads, and libuv.
 */
#include <sched.h>
#include <string.h>

#include "descriptors.h"
#include "fuzz.h"
#include "fuzz_dir.h"

/* Enough for a thread that comes; one that has ended or never began won't. */
#define PATIENCE 2000

void fuzz_let_work(unsigned int (*rests)(void))
{
	unsigned int before = rests(), patience = PATIENCE;

	while (rests() == before && patience--)
		sched_yield();
}

/* Nobody waits for seconds here. */
void fuzz_time_pass(uint64_t ms)
{
	(void)ms;
}

void fuzz_clear(void *p, size_t size)
{
	memset(p, 0, size);
}

const bool fuzz_share_looks = false;

void fuzz_end(void)
{
	fuzz_check_descriptors();
}
