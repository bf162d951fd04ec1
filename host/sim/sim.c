// SPDX-License-Identifier: GPL-2.0
/* The knobs' start values, and what doesn't belong anywhere else. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

struct sim sim;

void sim_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("# sim: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

void sim_reset(void)
{
	if (co_load(&sim.live))
		sim_die("%llu objects were not given back", sim.live);
	sim = (struct sim){
		.memory_total = 16ULL << 30,
		.tsc_khz = 2000000,
		.wall_ns = 1700000000000000000ULL,
	};
	sim_memory_none();
	sim_memory_add(4ULL << 30, 8ULL << 30);
	sim_time_reset();
	sim_cpu_reset();
	sim_guest_reset();
}

bool sim_fails(void)
{
	co_u64 number = co_fetch_add(&sim.allocations, 1) + 1;

	return number == sim.fail_at;
}

void sim_alive(co_s64 change)
{
	co_fetch_add(&sim.live, (co_u64)change);
}

/* ---- notification and log --------------------------------------------------- */

struct doorbell {
	co_s64 handle;
};

int host_doorbell_get(co_s64 handle, void **doorbell)
{
	struct doorbell *d;

	SIM_CONTEXT(SIM_SLEEP);
	if (handle < 0 || handle >= SIM_DOORBELLS)
		return -CO_EINVAL;
	d = malloc(sizeof(*d));
	if (!d)
		sim_die("out of memory");
	d->handle = handle;
	sim_alive(1);
	*doorbell = d;
	return 0;
}

void host_doorbell_ring(void *doorbell)
{
	struct doorbell *d = doorbell;

	SIM_CONTEXT(SIM_ATOMIC);
	co_fetch_add(&sim.rung[d->handle], 1);
}

void host_doorbell_put(void *doorbell)
{
	SIM_CONTEXT(SIM_SLEEP);
	sim_alive(-1);
	free(doorbell);
}

int host_vformat(char *buf, co_size size, const char *format,
		 __builtin_va_list args)
{
	int length;

	SIM_CONTEXT(SIM_ATOMIC);
	length = vsnprintf(buf, size, format, args);
	if (length < 0)
		sim_die("bad format: %s", format);
	return (co_size)length < size ? length : (int)size - 1;
}
