// SPDX-License-Identifier: GPL-2.0
/*
 * Loops that spin give way. Interrupts are really off in them: the host gets
 * the processor back only if we hand it over, and whoever would end the waiting
 * may be waiting for it.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <asm/colinux.h>
#include <asm/processor.h>
#include "colinux.h"

/* Most waits are shorter than this many turns, and a yield costs thousands of
 * cycles: a power of two. */
#define SPINS_PER_YIELD 128

static DEFINE_PER_CPU(unsigned int, spins);

noinstr void colinux_relax(void)
{
	rep_nop();
	if (!colinux_guest() || raw_cpu_inc_return(spins) % SPINS_PER_YIELD)
		return;
	colinux_call(CO_CALL_YIELD, 0, 0, 0, 0);
}
EXPORT_SYMBOL(colinux_relax);
