/* SPDX-License-Identifier: GPL-2.0 */
/* The NT port's own header. */
#ifndef CO_HOST_NT_PORT_H
#define CO_HOST_NT_PORT_H

#include "../../core/vm.h"
#include "ioctl.h"
#include "nt.h"

/* ---- interrupts ------------------------------------------------------------ */

#define FLAGS_IF 0x200

static inline co_u64 nt_flags(void)
{
	co_u64 flags;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
	return flags;
}

#ifdef NT_FAKE /* tests/nt: a process, where interrupts are a variable */
co_u64 nt_irqs_off(void);
void nt_irqs_on(void);
bool nt_is_at_most(co_u8 most);
#else
static inline co_u64 nt_irqs_off(void)
{
	co_u64 flags = nt_flags();

	__asm__ volatile("cli" : : : "memory");
	return flags;
}

/* What is pending comes before the caller's next instruction but one. */
static inline void nt_irqs_on(void)
{
	__asm__ volatile("sti\n\tnop" : : : "memory");
}

/* Is the IRQL at most that, and interrupts are on? CR8 is the IRQL; only read. */
static inline bool nt_is_at_most(co_u8 most)
{
	co_u64 level;

	__asm__ volatile("mov %%cr8, %0" : "=r"(level));
	return nt_flags() & FLAGS_IF && level <= most;
}
#endif

/* May functions be called here that want at most DISPATCH_LEVEL? */
static inline bool nt_may_call(void)
{
	return nt_is_at_most(DISPATCH_LEVEL);
}

/* ---- optional.c --------------------------------------------------------------- */

/* What newer systems have; NULL: this one hasn't. */
extern struct nt_optional {
	co_u32 (*KeGetCurrentProcessorNumberEx)(struct nt_processor *number);
	ntstatus (*KeGetProcessorNumberFromIndex)(co_u32 index,
						  struct nt_processor *number);
	ntstatus (*KeSetTargetProcessorDpcEx)(struct nt_dpc *dpc,
					      const struct nt_processor *number);
	co_u32 (*KeQueryActiveProcessorCountEx)(co_u16 group);
	co_u32 (*KeQueryMaximumProcessorCountEx)(co_u16 group);
	void *(*ExAllocateTimer)(void (*fn)(void *timer, void *context),
				 void *context, co_u32 attributes);
	co_u8 (*ExSetTimer)(void *timer, co_s64 due, co_s64 period, void *more);
	co_u8 (*ExDeleteTimer)(void *timer, co_u8 cancel, co_u8 wait, void *more);
	void (*KeQuerySystemTimePrecise)(co_u64 *time);
	co_u8 (*PsIsThreadTerminating)(void *thread);
	ntstatus (*ZwYieldExecution)(void);
	void (*HalSendNMI)(void *affinity);
	void (*KeInitializeAffinityEx)(void *affinity);
	void (*KeAddProcessorAffinityEx)(void *affinity, co_u32 number);
} nt_optional;

extern struct nt_version nt_version;
static inline bool nt_is(co_u32 major, co_u32 minor)
{
	return nt_version.major > major ||
	       (nt_version.major == major && nt_version.minor >= minor);
}

/* Finds the above. [sleep] */
void nt_optional_init(void);
/* CO_NT_* of ioctl.h. [sleep] */
co_u32 nt_flags_found(void);

/* ---- files and requests ----------------------------------------------------------- */

struct nt_bell {
	struct nt_file *file;
	co_u32 number;
};

/* An open control handle: IRP_MJ_CREATE to IRP_MJ_CLOSE. */
struct nt_file {
	struct co_file core;
	struct nt_list list; /* in nt_files */
	co_u32 closing;	     /* its last handle is closed */

	/* map.c: the process that its memory is mapped into, under nt_memory_lock */
	void *process; /* NULL: not mapped; a reference */
	struct nt_list mapped; /* where `process` isn't NULL: in the list of those */
	co_u64 base, lowest;
	bool drained; /* not mapped, or by who is done with it: no disk reads into it */

	/* bell.c */
	struct host_lock bells_lock;
	struct nt_list waiting; /* IRPs, oldest first */
	co_u32 waiters;
	co_u64 rung[CO_NT_BELLS_MAX / 64];
	struct nt_dpc bells_dpc;
	struct nt_bell bell[CO_NT_BELLS_MAX];
};

/* A thread of a requester in one of the core's requests. */
struct nt_call {
	void *thread; /* NULL: this one is free */
	struct nt_file *file;
	struct nt_irp *irp;
	co_u32 interrupted;	/* it has to leave */
	co_u32 cpu;		/* [pinned] + 1; 0: not */
	co_u32 bound;		/* the CPU that it is bound to + 1; 0: none */
	co_u8 irql;		/* before host_pin() */
	struct host_wait *wait; /* where it sleeps */
	const co_u8 *data;	/* VM_LOAD: what came with the request */
	co_u64 size;
};

/* request.c: the call of this thread, or NULL. [any] */
struct nt_call *nt_call_now(void);
nt_dispatch_fn nt_device_control;
/* Does the requester want this thread back? [any] */
bool nt_call_ends(struct nt_call *call);

/* main.c: all open files. Who holds the lock sees VMs that stay so long. */
extern struct nt_list nt_files;
extern struct host_lock nt_files_lock;
#define nt_for_each_file(file)                                                   \
	for ((file) = co_container_of(nt_files.next, struct nt_file, list);      \
	     &(file)->list != &nt_files;                                         \
	     (file) = co_container_of((file)->list.next, struct nt_file, list))

static inline void nt_list_init(struct nt_list *head)
{
	head->next = head->previous = head;
}

static inline void nt_list_add(struct nt_list *head, struct nt_list *entry)
{
	entry->next = head;
	entry->previous = head->previous;
	head->previous->next = entry;
	head->previous = entry;
}

static inline void nt_list_remove(struct nt_list *entry)
{
	entry->previous->next = entry->next;
	entry->next->previous = entry->previous;
	nt_list_init(entry);
}

void nt_complete(struct nt_irp *irp, ntstatus status, co_u64 information);
/* A line for the debugger. [any up to DISPATCH_LEVEL] */
void nt_log(const char *text);

/* bell.c */
void nt_bells_init(struct nt_file *file);
/* CO_NT_BELLS: completes the request, or keeps it. */
ntstatus nt_bells_wait(struct nt_file *file, struct nt_irp *irp);
/* Cancels those that wait; none waits afterwards. [sleep] */
void nt_bells_close(struct nt_file *file);

/* ---- memory.c, map.c ------------------------------------------------------------------- */

#define NT_BLOCK CO_MEMORY_BLOCK

/* 2 MiB of machine memory that the driver has. */
struct nt_block {
	struct nt_mdl *mdl;	  /* NULL: it hasn't this one */
	co_u8 *va;		  /* the kernel's mapping */
	struct nt_linear *linear; /* the one mapping that it's a part of, or NULL */
	struct nt_file *file;	  /* whose guest has it; NULL: its piece has it */
	void *user;		  /* its address in file->process, or NULL */
};

/* Data, where the system can tell. */
static inline co_u32 nt_map_priority(void)
{
	return MM_NORMAL_PRIORITY | (nt_is(6, 2) ? MM_MAPPING_NO_EXECUTE : 0);
}

/* An MDL's pages for the kernel, all of them locked. NULL: no room. [sleep] */
void *nt_map_kernel(struct nt_mdl *mdl);

/* Orders all below, and who has which block. */
extern struct host_mutex nt_memory_lock;
int nt_memory_init(void); /* 0 or -CO_ENOMEM */
void nt_memory_exit(void);
/* NULL: there is none. [any] */
struct nt_block *nt_block_at(co_u64 pa);
/* Before VM_LOAD: the chunk that takes image and areas gets one mapping that is
 * linear throughout. 0 or -CO_ENOMEM. [sleep] */
int nt_memory_main(struct co_vm *vm);
/* What the driver holds that no guest has: as much of it as that file's guest may have,
 * NULL: all. [sleep] */
co_u64 nt_pool_bytes(const struct nt_file *file);
/* Pieces of at least that size of which no guest has anything go back to the system.
 * Did any? Also under nt_memory_lock. [sleep] */
bool nt_pool_drop(co_u64 least);
/* The end of what may be a block's address. */
extern co_u64 nt_memory_end;

/* A block of the file's is to be in the process' mapping, if there is one, from now
 * on. Under nt_memory_lock, in the process. 0 or -CO_ENOMEM. [sleep] */
int nt_map_block(struct nt_file *file, co_u64 pa, struct nt_block *block);
/* And not any more. Under nt_memory_lock, in any process. [sleep] */
void nt_unmap_block(struct nt_block *block);
/* CO_NT_MAP, CO_NT_UNMAP: 0 or -CO_E*. [sleep] */
int nt_map(struct nt_file *file, struct co_nt_map *map);
int nt_unmap(struct nt_file *file, const struct co_nt_map *map);
/* The file's last handle is gone: so is its mapping, for good. [sleep] */
void nt_map_close(struct nt_file *file);

/* Be told of processes' ends, when their mappings go. 0 or -CO_ENOMEM: the system
 * has no place left for another driver that wants that. [sleep] */
int nt_map_init(void);
void nt_map_exit(void);

/* guard.S: the pages in the current process, at `base`; NULL where that can't be. */
void *nt_map_guarded(struct nt_mdl *mdl, void *base, co_u32 priority);

/* ---- cpu.c ------------------------------------------------------------------------------ */

int nt_cpu_init(void); /* 0 or -CO_ENOMEM */
void nt_cpu_exit(void);
/* In any context. */
void nt_queue_dpc(struct nt_dpc *dpc);
/* Directs a DPC to a CPU; false: that one isn't there. */
bool nt_dpc_target(struct nt_dpc *dpc, co_u32 cpu);
/* A thread that is about to run a vCPU, on a system where it can't find out which
 * CPU it's on: it is bound to one until nt_cpu_unbind(). [sleep] */
void nt_cpu_bind(struct nt_call *call);
void nt_cpu_unbind(struct nt_call *call);

/* ---- time.c ------------------------------------------------------------------------------ */

void nt_time_init(void); /* [sleep], for 50 ms */
/* The TSC may have stood or started anew. [any up to DISPATCH_LEVEL] */
void nt_time_resumed(void);
/* The wall clock's base of systems without KeQuerySystemTimePrecise. [sleep] */
void nt_time_refresh(void);

/* ---- life.c, pressure.c ------------------------------------------------------------------ */

/* Calls it for each VM, under nt_files_lock. [any up to DISPATCH_LEVEL] */
void nt_tell_all(void (*tell)(struct co_vm *vm));
/* Power, clock and bug-check callbacks: those that the system refuses are named in
 * the log, and missed. [sleep] */
void nt_life_init(struct nt_device *device);
void nt_life_exit(void);
nt_dispatch_fn nt_shutdown;

/* While the system is short of memory guests are asked for theirs; where that can't
 * be found out the log says so. [sleep] */
void nt_pressure_init(void);
/* Its thread has ended afterwards. Not under nt_memory_lock. [sleep] */
void nt_pressure_exit(void);

#endif
