/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host interface: all that the core asks of the operating system it lives
 * in. A port is host/<os>/ and implements these functions, nothing more; it
 * opens the device, marshals requests into co_request() and maps guest memory.
 *
 * Contexts, as marked at each function:
 *   [sleep]   may sleep; called with interrupts on. NT: PASSIVE_LEVEL.
 *   [atomic]  never sleeps; any context up to hard interrupt, interrupts on or
 *             off. NT: up to and above DISPATCH_LEVEL, so no pageable code.
 *   [pinned]  between host_pin() and host_unpin(): interrupts off.
 * Errors are negative CO_E* numbers.
 */
#ifndef CO_CORE_HOST_H
#define CO_CORE_HOST_H

#include "lib.h"

/* Storage for the port's own objects; each port asserts that its fits. */
struct host_timer {
	co_u64 storage[32];
};
struct host_wait {
	co_u64 storage[16];
};
struct host_mutex {
	co_u64 storage[24]; /* Linux: 144 bytes under lockdep */
};
struct host_lock {
	co_u64 storage[8];
};

/* ---- memory ------------------------------------------------------------- */

/* Zeroed kernel memory, 16-byte aligned (page-aligned from a page up), NULL
 * when there is none. [sleep] */
void *host_alloc(co_size size);
/* NULL is allowed. [sleep] */
void host_free(void *p);

/* A zeroed page below no limit, mapped for reading and writing at the returned
 * address, never mappable by user space; its machine address in *pa. NULL when
 * there is none. [sleep] */
void *host_page_alloc(co_u64 *pa);
void host_page_free(void *va); /* [sleep] */

struct co_file;

/* Guest memory: `size` bytes (multiple of 2 MiB) contiguous, aligned to `align`
 * (a power of two >= 2 MiB), zeroed. *pa: exactly there, 0: anywhere. 0 and *pa,
 * or -CO_ENOMEM. [sleep] */
int host_chunk_alloc(co_u64 size, co_u64 align, co_u64 *pa);
/* Any blocks of 2 MiB of what host_chunk_alloc() gave. First they leave the user
 * mappings of `file` (NULL: there are none), and nothing that began before can
 * put them there again; then they are free. Frames that someone else still holds
 * (I/O in flight) go when he lets go. [sleep] */
void host_chunk_free(struct co_file *file, co_u64 pa, co_u64 size);
/* The host's own mapping of a byte of guest memory; linear within a chunk as it
 * was allocated. NT: made by host_chunk_alloc(). [atomic] */
void *host_chunk_va(co_u64 pa);

/* All of the machine's memory in bytes. *free: what could be taken of it now
 * without swapping; *top: the end of the highest. Both may be NULL. [atomic] */
co_u64 host_memory(co_u64 *free, co_u64 *top);

/* Machine address of a byte of the driver's own text or data; 0: not mapped.
 * [sleep] */
co_u64 host_va_to_pa(const void *va);

/* From the requester's address space. 0 or -CO_EFAULT. [sleep] */
int host_copy_in(void *dst, co_u64 user, co_size n);

/* ---- processors --------------------------------------------------------- */

/* Keep this thread on its CPU, whose number it returns: no preemption, interrupts
 * off. Not nested. [sleep] -> [pinned] */
co_u32 host_pin(void);
void host_unpin(void);
/* The vector of an interrupt that this CPU has taken and no handler of the host's
 * has ended: until then it holds off all that isn't more urgent, and only here can
 * it be ended. 0: there is none. [pinned] */
co_u32 host_in_service(void);
co_u32 host_cpu_count(void); /* online [atomic] */
/* Does the host want this thread out of the guest
 * (reschedule, signal, freezer, task work)? [pinned] */
bool host_work_pending(void);
/* Serves what host_work_pending() is about; with `yield` others of the same
 * priority go first, asked for or not. 0: go on. -CO_EINTR: the thread has to go
 * back to user space. [sleep] */
int host_work(bool yield);
/* An interrupt to `cpu` (the own one included) whose handler does no harm. `nmi`:
 * one that can't be held off. [atomic] */
void host_kick(co_u32 cpu, bool nmi);
/* Give the host's own FPU state away and take it back; between the two the
 * core owns the registers. [pinned] */
void host_fpu_begin(void);
void host_fpu_end(void);
/* A vector that no hardware of this host raises, for the guest's own use. */
co_u32 host_spare_vector(void); /* [atomic] */
/* CO_BLOCK_* bits that only the port can know. [sleep] */
co_u64 host_blockers(void);

/* ---- time ---------------------------------------------------------------- */

co_u64 host_time_ns(void); /* monotonic, [atomic] */
/* Since 1970, UTC. *rate, unless NULL: how much faster than the TSC at
 * host_tsc_khz() the host makes that clock run, in 2^-32; negative: slower. 0
 * where the host doesn't tell. After each step of the clock, the machine's sleep
 * included, and each change of the rate by more than 1 ppm the port calls
 * co_clock_changed() for each VM. [atomic] */
co_u64 host_wall_ns(co_s64 *rate);
co_u32 host_tsc_khz(void); /* 0: unknown [atomic] */

/* One-shot. `fn` runs in hard-interrupt (NT: DPC) context. */
void host_timer_init(struct host_timer *t, void (*fn)(void *arg), void *arg);
/* At host_time_ns() == `when`, at once if that is past; replaces an earlier
 * setting. `away`: a CPU on which it must not fire unless it's the only one, from
 * which no two settings come at once; or HOST_CPU_ANY. [atomic] */
#define HOST_CPU_ANY 0xffffffff
void host_timer_set(struct host_timer *t, co_u64 when, co_u32 away);
/* Afterwards fn neither runs nor will. [sleep] */
void host_timer_cancel(struct host_timer *t);

/* ---- waiting and locks ---------------------------------------------------- */

void host_wait_init(struct host_wait *w);
/* Sleeps until ready(arg) or a signal: 0 or -CO_EINTR. [sleep] */
int host_wait(struct host_wait *w, bool (*ready)(void *arg), void *arg);
void host_wake(struct host_wait *w); /* [atomic] */

void host_mutex_init(struct host_mutex *m);
void host_mutex_lock(struct host_mutex *m); /* [sleep] */
void host_mutex_unlock(struct host_mutex *m);

void host_lock_init(struct host_lock *l);
/* Interrupts off while it is held; returns what unlock needs. [atomic] */
co_u64 host_lock(struct host_lock *l);
void host_unlock(struct host_lock *l, co_u64 state);

/* ---- notification and text ------------------------------------------------- */

/* Takes a reference to what the requester named (Linux: an eventfd). 0 or
 * -CO_EINVAL. [sleep] */
int host_doorbell_get(co_s64 handle, void **doorbell);
void host_doorbell_ring(void *doorbell); /* [atomic] */
void host_doorbell_put(void *doorbell);	 /* [sleep] */

/* vsnprintf with %s %d %u %x %llx %llu %c; returns the length written, without
 * the NUL. [atomic] */
int host_vformat(char *buf, co_size size, const char *format,
		 __builtin_va_list args) __attribute__((format(printf, 3, 0)));

#endif
