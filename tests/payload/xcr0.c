// SPDX-License-Identifier: GPL-2.0
/*
 * Takes components out of XCR0 while they are in use, and puts them back: each
 * time the host leaves the guest and comes again with that XCR0.
 */
#include "payload.h"

#define CR4_OSXSAVE (1ULL << 18)
#define X87_SSE	    3

static co_u64 xcr0_get(void)
{
	co_u32 low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (co_u64)high << 32;
}

static void xcr0_set(co_u64 value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((co_u32)value),
			 "d"((co_u32)(value >> 32)));
}

/* Not a fast call: the burst ends. */
static void host_and_back(co_u64 want)
{
	call(CO_CALL_YIELD, 0, 0, 0, 0);
	if (xcr0_get() != want)
		fail("XCR0 is 0x%llx, was 0x%llx", xcr0_get(), want);
}

void program(const char *words)
{
	co_u64 rounds = word(words, "rounds", 1), cr4, all, i;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	if (!(cr4 & CR4_OSXSAVE))
		fail("the host has no XSAVE");
	all = xcr0_get();
	for (i = 0; i < rounds; i++) {
		host_and_back(all);
		xcr0_set(X87_SSE);
		host_and_back(X87_SSE);
		xcr0_set(all);
	}
	say("rounds %llu xcr0 0x%llx", rounds, all);
}
