/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows, as far as the driver asks for it, in a process: its C files are linked
 * with this in place of ntoskrnl, under ASan and UBSan. Each function complains
 * (aborts) when it's called where Windows forbids it; each allocation can fail.
 * What a process hasn't, interrupts and processors, are variables; DPCs and timers
 * run on a thread of their own, at DISPATCH_LEVEL.
 */
#ifndef CO_TESTS_NT_FAKE_H
#define CO_TESTS_NT_FAKE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "../../host/nt/port.h"

#define MIB   (1ULL << 20)
#define HASTE 25 /* waits are so much shorter: nobody here needs that long */

struct fake {
	/* Set by the test. */
	co_u64 fail_at; /* the allocation with this number fails; 0: none */
	bool admin;
	co_u32 major, minor; /* of Windows */
	co_u32 integrity;    /* flags of code integrity */
	bool no_low;	     /* Windows has no event of low memory */
	bool time_stands;    /* no wait ends by its timeout */
	co_u64 wall;	     /* of the coarse clock, 100 ns since 1970 */
	void (*guest)(struct co_vcpu *vcpu, struct co_call *call);

	struct nt_event low; /* of low memory */

	/* Counted. */
	co_u64 allocations;
	co_u64 live; /* what the driver has to give back */
	co_u64 kicks;
	co_u64 free_blocks; /* of 2 MiB */
	co_u64 user_maps;   /* blocks in a process */
	co_u64 fpu;	    /* depth of host_fpu_begin() */
};
extern struct fake fake;
extern __thread void *fake_process; /* that this thread is of */
extern __thread co_u32 fake_cpu;
extern char fake_first[]; /* the process that a thread is of at first */
extern char fake_second[]; /* another one, that nothing is mapped in */

void fake_start(void);
void fake_end(void); /* aborts when something is left */
void fake_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The driver: DriverEntry and unload. */
ntstatus fake_load(void);
void fake_unload(void);
/* A handle; NULL and *status when it's refused. */
struct nt_file_object *fake_open(ntstatus *status);
void fake_cleanup(struct nt_file_object *file);
void fake_close(struct nt_file_object *file);

/* A request in flight, with buffers of exactly the asked sizes. */
struct fake_irp {
	struct nt_irp irp;
	struct nt_stack stack;
	void *in, *out; /* the requester's */
	co_u32 out_size;
	bool direct;
	co_u32 completed; /* times */
	ntstatus status;
	co_u64 information;
};

struct fake_irp *fake_irp(struct nt_file_object *file, co_u32 code, void *in,
			  co_u32 in_size, void *out, co_u32 out_size);
/* Hands it to the driver: its status, maybe STATUS_PENDING. */
ntstatus fake_send(struct fake_irp *r);
void fake_cancel(struct fake_irp *r);
/* Until it is completed. */
void fake_wait(struct fake_irp *r);
void fake_free(struct fake_irp *r);
/* All of it. */
ntstatus fake_control(struct nt_file_object *file, co_u32 code, void *in,
		      co_u32 in_size, void *out, co_u32 out_size);
/* What the callback object of that name tells. */
void fake_callback(const char *name, co_uptr a, co_uptr b);
void fake_shutdown(void);
/* The driver hears that this thread's process has started another. */
void fake_process_started(void);
/* That this one is at its end, by this thread, which is of the second one then if it
 * was its own. */
void fake_process_ended(void *process);
/* The one that has ended is another one, this thread isn't of it. */
void fake_process_lives(void);
/* Each second block that is free goes to somebody else, or comes back. */
void fake_fragment(bool fragmented);
/* The system becomes short of memory, or isn't any more. */
void fake_low_memory(bool low);
/* The text that the driver adds to a dump. */
co_u32 fake_crash(char *text, co_u32 room);

#endif
