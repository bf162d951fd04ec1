/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user-space host: what a test sets and what it may look at.
 *
 * The core is linked with host/sim in place of a port, and with sim's guest.c in
 * place of the processor half of core/x86. Nothing happens by itself here: the
 * clock stands until sim_time_advance(), memory lies where sim_memory_add() says,
 * an allocation fails when sim.fail_at says so, and the guest is a C function.
 *
 * Each function of core/host.h checks the context that its contract names and
 * aborts with its name: a [sleep] function called pinned, with interrupts off or
 * under a lock is a bug of the core even where it would do no harm here.
 */
#ifndef CO_HOST_SIM_H
#define CO_HOST_SIM_H

#include "../../core/x86/x86.h"

#define SIM_CPUS      4
#define SIM_DOORBELLS 8

/* The guest: called for each world switch with the vCPU, whose area it may read
 * and write as a guest would; fills the call that it leaves with. */
typedef void sim_guest_fn(struct co_vcpu *vcpu, struct co_call *call);

struct sim {
	/* Set by the test. */
	co_u64 memory_total;
	co_u64 memory_taken; /* by others than guests */
	co_u32 tsc_khz;
	co_u64 wall_ns;
	co_s64 wall_rate;
	co_u64 read_ns; /* that a reading of the wall clock takes */
	void (*wall_read)(void); /* before each */
	co_u64 blockers;     /* host_blockers() */
	co_u64 cpu_blockers; /* co_cpu_blockers() */
	bool la57;
	sim_guest_fn *guest;
	void (*copied_in)(void); /* after each host_copy_in() */
	void (*idle)(void); /* when a thread is about to sleep in host_wait() */
	/* when a block goes, before it's free */
	void (*leaving)(struct co_file *file, co_u64 pa, co_u64 size);
	void (*replay)(void); /* the host's handler, in each co_replay() */
	co_u64 copy_fault;  /* copies that touch this address fail */
	co_u64 fail_at;	    /* the allocation with this number fails; 0: none */
	co_u32 signal;	    /* atomic: host_work() and host_wait() say EINTR */
	co_u32 work;	    /* atomic: host_work_pending() until host_work() */
	co_u32 in_service;  /* atomic: host_in_service(), until it is replayed */

	/* Counted for the test; atomics. */
	co_u64 allocations; /* tried */
	co_u64 live; /* allocations, pages, chunks, doorbells not given back */
	co_u64 chunk_bytes; /* live */
	co_u64 kicks;
	co_u64 nmis; /* the kicks that were NMIs */
	co_u64 rung[SIM_DOORBELLS];
	co_u64 replayed[256];
	co_u64 works;
	co_u64 copies;
};
extern struct sim sim;

/* All as at the start: 16 GiB host, 2 GHz TSC, one range of 8 GiB for guests,
 * time 1 s. Aborts when something is still alive. */
void sim_reset(void);
/* Machine memory that guests can get: from here on only what is added. Ranges
 * are used from the highest address down. */
void sim_memory_none(void);
void sim_memory_add(co_u64 pa, co_u64 size);
/* Live chunks cover `pa`? */
bool sim_memory_owned(co_u64 pa);
/* Host's mapping of a page from host_page_alloc(), NULL if it isn't one. */
void *sim_page_va(co_u64 pa);

/* Moves clock and TSC, runs the timers that are due. Any thread. */
void sim_time_advance(co_u64 ns);
/* A timer is set to go off at that time; 0: none is. */
co_u64 sim_timer_next(void);
/* Where that timer must not go off. */
co_u32 sim_timer_away(void);

/* The CPU that host_pin() puts this thread on. */
void sim_cpu_set(co_u32 cpu);
/* Has an interrupt come for this CPU? Takes it. */
bool sim_ipi_take(co_u32 cpu);
/* Waits for one, as a guest that computes does. */
void sim_ipi_wait(co_u32 cpu);

/* ---- between sim's own files ------------------------------------------------ */

enum sim_context { SIM_SLEEP, SIM_ATOMIC, SIM_PINNED };
/* Aborts when the calling thread is not in a context of that kind. */
void sim_context(enum sim_context wanted, const char *function);
#define SIM_CONTEXT(wanted) sim_context(wanted, __func__)
void sim_die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* Counts an allocation; true if this one has to fail. */
bool sim_fails(void);
void sim_alive(co_s64 change);
/* A timer's function runs as in an interrupt. */
void sim_interrupt(void (*fn)(void *arg), void *arg);
void sim_time_reset(void);
void sim_cpu_reset(void);
void sim_guest_reset(void);

#endif
