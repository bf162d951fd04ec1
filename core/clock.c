// SPDX-License-Identifier: GPL-2.0
/*
 * The host's wall clock for a guest that makes its own follow it. Both kernels read
 * one TSC, so what the guest gets is the wall clock at a TSC value: the time that
 * the call took, and all that came between, drops out of its arithmetic.
 */
#include "x86/x86.h"

/* The reading in the middle of the shortest of so many pairs of TSC readings:
 * something long, an SMI or a hypervisor's turn, may have hit the others. */
#define TRIES 3

co_u64 co_clock_read(struct co_vcpu *vcpu)
{
	struct co_event_page *page = &vcpu->area->event;
	co_u64 before, wall, width, best = ~0ULL, result = 0;
	co_s64 rate;
	int i;

	for (i = 0; i < TRIES; i++) {
		before = co_rdtsc();
		wall = host_wall_ns(&rate);
		width = co_rdtsc() - before;
		if (width >= best)
			continue;
		best = width;
		result = wall;
		page->clock_tsc = before + width / 2;
		page->clock_rate = rate;
	}
	return result;
}

void co_clock_changed(struct co_vm *vm)
{
	if (co_load(&vm->loaded))
		co_event_set(&vm->vcpu[0], CO_EVENT_CLOCK);
}
