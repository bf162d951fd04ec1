/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shim: Windows' kernel, as far as colinux.sys asks for it, in a Linux module.
 *
 * Each file implements a family of functions for the driver (NT, called by it) and
 * has a table of them, which pe.c searches. The IRQL is kept in software, per CPU:
 * at DISPATCH_LEVEL and above preemption is off, above it interrupts, too. DPCs run
 * in hard interrupts, and wait while their CPU is at DISPATCH_LEVEL.
 */
#ifndef NTSHIM_SHIM_H
#define NTSHIM_SHIM_H

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "nt.h"

/* A function that the driver may import. `since`: the first Windows that has it,
 * major * 0x100 + minor. */
struct nt_export {
	const char *name;
	void *value;
	u16 since;
};

#define NT_2003	 0x0502
#define NT_VISTA 0x0600
#define NT_7	 0x0601
#define NT_8	 0x0602
#define NT_81	 0x0603
#define NT_10	 0x0a00

extern const struct nt_export memory_exports[], mdl_exports[], wait_exports[],
	thread_exports[], dpc_exports[], timer_exports[], irp_exports[],
	object_exports[], callback_exports[], text_exports[];

#define EXPORT(name, since) { #name, name, since }
#define EXPORTS_END	    { NULL, NULL, 0 }

/* The place in the driver that called the function of the shim. */
#define CALLER ((unsigned long)__builtin_return_address(0))

/* What a function of the driver may rely upon after a call. */
struct nt_registers {
	u64 rbx, rbp, rsi, rdi, r12, r13, r14, r15, rsp, rip;
};

/* ---- main.c ------------------------------------------------------------------ */

extern unsigned int nt_version; /* the Windows that is played */
/* A function that Linux doesn't export; NULL: there is none. */
void *linux_function(const char *name);

/* ---- pe.c --------------------------------------------------------------------- */

/* Maps the file, relocates and links it. Its entry, or an ERR_PTR, with all names
 * that are missing in the log. */
void *pe_load(const char *path);
void pe_unload(void);
/* Takes the sections away that Windows discards when the driver has started. */
int pe_discard(void);
/* Offset in the image; what isn't in it: ULONG_MAX. */
unsigned long pe_offset(const void *address);
/* Is it in the image, but in a section that was discarded? */
bool pe_discarded(const void *address);
u32 pe_size(void);
void *pe_base(void);
/* An exception in a function that the driver called, with these registers: as they
 * are where the caller itself catches it. False: it doesn't. */
bool pe_raise(struct nt_registers *r);
/* By name: what MmGetSystemRoutineAddress() finds. */
void *pe_export(const char *name);

/* ---- call.S -------------------------------------------------------------------- */

/* A function of the driver, with its stack and its convention. */
u64 nt_call(void *fn, const void *a, const void *b, const void *c, const void *d);
/* What the driver calls for MmMapLockedPagesSpecifyCache(): it hands map_locked() the
 * registers, which may be others afterwards. */
void nt_map_locked(void);
u64 map_locked(struct nt_registers *r, struct nt_mdl *mdl, s8 mode, u32 cache,
	       void *base, u32 bug_check, u32 priority);
/* nt_call(), and IRQL and interrupt flag have to be the same afterwards. (main.c) */
u64 call_driver(const char *what, void *fn, const void *a, const void *b,
		const void *c, const void *d);

/* ---- track.c -------------------------------------------------------------------- */

/* The driver broke a rule of Windows': told in the kernel log, and counted. */
#define complain(site, format, ...) \
	complain_at(site, format "\n", ##__VA_ARGS__)
__printf(2, 3) void complain_at(unsigned long site, const char *format, ...);
/* What the driver has to give back. [any context] */
void track(const char *kind, const void *object, size_t size,
	   unsigned long site);
/* Its size; complains and returns -1 if there's none of that kind. */
ssize_t untrack(const char *kind, const void *object, unsigned long site);
bool tracked(const char *kind, const void *object);
/* Names all that is left, and forgets it. */
void track_report(void);
/* Shall this allocation fail? */
bool fails(const char *kind, unsigned long site);
/* fail nth N | fail random SEED ONE_IN | fail off */
int fail_command(const char *command);
int track_status(char *text, size_t room);

/* ---- dpc.c ------------------------------------------------------------------------- */

u8 irql_now(void);
/* Returns the old one. */
u8 irql_raise(u8 level);
void irql_lower(u8 level);
/* Is the caller at most at `most`? Complains otherwise. */
#define irql_at_most(most) irql_check(most, CALLER, __func__)
bool irql_check(u8 most, unsigned long site, const char *function);
/* As call_driver(), in an interrupt, or where there are none. */
u64 call_at(u8 level, const char *what, void *fn, const void *a, const void *b,
	    const void *c, const void *d);
bool dpc_queue(struct nt_dpc *dpc, void *a, void *b);
void dpc_init(void);
/* All queues are empty, and nothing runs. [sleep] */
void dpc_flush(void);
void dpc_exit(void);

/* ---- timer.c ------------------------------------------------------------------------ */

void timer_init(void);
void timer_exit(void);
u64 nt_system_time(void); /* 100 ns since 1601 */

/* ---- wait.c --------------------------------------------------------------------------- */

/* Who waits looks again. [any] */
void object_wake_all(void);
/* Sets the object's state and wakes who waits for it; the old state. [any] */
s32 object_set(struct nt_header *header, s32 state);
void object_init(struct nt_header *header, u8 type, size_t size, s32 state);
/* Waits for one; `timeout` as Windows', NULL: none. [sleep] */
ntstatus object_wait(struct nt_header *object, const s64 *timeout, unsigned long site);

/* ---- thread.c ----------------------------------------------------------------------- */

/* The object of the thread that runs: Linux' own for a process' threads. */
void *thread_current(void);
/* The process that it is of, or is attached to. */
struct task_struct *process_current(void);
/* Is it the object of a system thread? */
bool thread_is(const void *object);
void thread_get(void *object);
void thread_put(void *object);
/* Before a process' thread leaves the driver. */
void thread_check_affinity(void);
void thread_init(void);
void thread_exit(void);

/* ---- pages.c ----------------------------------------------------------------------- */

/* One block of frames, a power of two and aligned to that, within [lowest, highest];
 * each frame has a reference of its own. The first one's number; 0: there is none.
 * [sleep] */
unsigned long block_take(u64 size, u64 lowest, u64 highest);
void block_give(unsigned long pfn, unsigned long count);

/* ---- system.c ---------------------------------------------------------------------- */

extern const struct nt_export system_exports[];

/* ---- mdl.c ------------------------------------------------------------------------- */

/* An MDL of the shim's own for the pages of a requester's buffer, or NULL. [sleep] */
struct nt_mdl *mdl_of_user(u64 address, u32 size, bool write);
void mdl_put_user(struct nt_mdl *mdl);
/* The same for memory of vmalloc()'s. */
struct nt_mdl *mdl_of_kernel(void *va, u32 size);
void mdl_put_kernel(struct nt_mdl *mdl);
/* Frees the list of pages that the driver gives to ExFreePool(), if it's one. */
bool mdl_free_list(void *p, unsigned long site);

/* ---- irp.c --------------------------------------------------------------------------- */

/* A request on its way. */
struct request {
	struct nt_irp irp;
	struct nt_stack stack;
	struct list_head list; /* in flight */
	struct task_struct *task; /* whose signals cancel it, or NULL */
	struct nt_file *file;
	refcount_t references;
	bool completed, cancelled;
	/* Any context up to DISPATCH_LEVEL. */
	void (*done)(struct request *r);
	void *context;
};

struct request *request_new(struct nt_file *file, u8 major);
void request_put(struct request *r);
/* The one that this thread is in the driver for, or NULL. */
struct nt_file *request_file(void);
/* Hands it to the driver; done() is called when it is completed, maybe at once. */
ntstatus request_start(struct request *r);
/* Waits for its end, too; a signal of the thread cancels it. Its status. [sleep] */
ntstatus request_run(struct request *r);
/* CREATE, CLEANUP, CLOSE, SHUTDOWN. [sleep] */
ntstatus request_simple(struct nt_file *file, u8 major);
void request_complete(struct request *r, unsigned long site);
void request_cancel(struct request *r);
/* How many are in flight for a file? `cancel`: cancels them. */
unsigned int requests_of(struct nt_file *file, bool cancel);
void irp_init(void);
void irp_exit(void);

/* ---- object.c -------------------------------------------------------------------- */

extern struct nt_driver nt_driver;
extern struct nt_device *nt_device; /* that the driver made, or NULL */
/* A handle for an object; a thread's has been counted for it. */
u64 handle_new(void *object);
/* Is it an event with a name? */
bool event_is(const void *object);
/* Windows is short of memory, or not any more. [any] */
void event_low_memory(bool low);
bool event_low_memory_is_set(void);
void object_exit(void);

/* ---- device.c ------------------------------------------------------------------- */

/* The node by which programs reach the driver. */
int device_init(void);
void device_exit(void);
/* Pages of an MDL for the process whose request this is: its address, or NULL. */
void *device_map_user(struct nt_mdl *mdl, void *base, unsigned long site);
void device_unmap_user(void *va, struct nt_mdl *mdl, unsigned long site);

/* ---- callback.c ------------------------------------------------------------------ */

/* bugcheck | power sleep|back | shutdown | memory low|enough */
int callback_command(const char *text);
int callback_status(char *text, size_t room);
bool callback_is(const void *object);
/* The address space of this process goes: the driver hears of it. [sleep] */
void callback_process_ends(void);
void callback_init(void);
void callback_exit(void);

/* ---- text.c ------------------------------------------------------------------------ */

/* As much of a printf as drivers use. */
int nt_format(char *out, size_t room, const char *format,
	      __builtin_ms_va_list args);
/* Does the counted string hold these characters? */
bool nt_equal(const struct nt_string *string, const char *text);

#endif
