/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a driver for Windows x64 sees of the kernel's objects: the fields that the
 * shim touches, at their places. layout.c has mingw's headers say where those are,
 * and layout.h, made of it, lets the compiler compare.
 */
#ifndef NTSHIM_NT_H
#define NTSHIM_NT_H

#include <linux/list.h>
#include <linux/types.h>

#define NT __attribute__((ms_abi))

typedef u32 ntstatus;

#define NT_OK			 0x00000000u
#define NT_TIMEOUT		 0x00000102u
#define NT_PENDING		 0x00000103u
#define NT_USER_APC		 0x000000c0u
#define NT_UNSUCCESSFUL		 0xc0000001u
#define NT_INVALID_HANDLE	 0xc0000008u
#define NT_INVALID_PARAMETER	 0xc000000du
#define NT_INVALID_REQUEST	 0xc0000010u
#define NT_ACCESS_DENIED	 0xc0000022u
#define NT_TYPE_MISMATCH	 0xc0000024u
#define NT_NAME_COLLISION	 0xc0000035u
#define NT_MUTANT_NOT_OWNED	 0xc0000046u
#define NT_NO_RESOURCES		 0xc000009au
#define NT_NOT_FOUND		 0xc0000225u
#define NT_CANCELLED		 0xc0000120u
#define NT_ERROR(status) ((s32)(status) < 0)

/* IRQLs of x64. */
#define PASSIVE_LEVEL  0
#define APC_LEVEL      1
#define DISPATCH_LEVEL 2
#define IPI_LEVEL      14
#define HIGH_LEVEL     15

struct nt_string {
	u16 length, room; /* in bytes */
	u16 *text;
};

/* Types in a dispatcher header. */
#define NT_EVENT_NOTIFICATION	 0
#define NT_EVENT_SYNCHRONIZATION 1
#define NT_MUTANT		 2
#define NT_SEMAPHORE		 5
#define NT_THREAD		 6
#define NT_TIMER_NOTIFICATION	 8
#define NT_TIMER_SYNCHRONIZATION 9

struct nt_header {
	u8 type, a, size, b;
	s32 signal;
	struct list_head waiters;
};

struct nt_mutant {
	struct nt_header header;
	struct list_head list;
	void *owner;
	u8 abandoned, apc;
};

struct nt_semaphore {
	struct nt_header header;
	s32 limit;
};

struct nt_dpc;
typedef NT void nt_dpc_fn(struct nt_dpc *dpc, void *context, void *a, void *b);

struct nt_dpc {
	u8 type, importance;
	u16 number; /* the shim's: the target's number + 1, or 0 */
	struct list_head list;
	nt_dpc_fn *fn;
	void *context, *arg1, *arg2;
	void *data; /* the shim's: not NULL while it's queued */
};

struct nt_timer {
	struct nt_header header;
	u64 due;
	void *shadow; /* the shim's */
	void *unused;
	struct nt_dpc *dpc;
	u32 processor, period;
};

struct nt_mdl {
	struct nt_mdl *next;
	s16 size;
	u16 flags;
	void *process;
	void *system_va, *start_va;
	u32 count, offset;
	u64 pfn[];
};

#define MDL_MAPPED_TO_SYSTEM_VA	    0x0001
#define MDL_PAGES_LOCKED	    0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004

struct nt_device;
struct nt_irp;
typedef NT ntstatus nt_dispatch_fn(struct nt_device *device, struct nt_irp *irp);
typedef NT void nt_cancel_fn(struct nt_device *device, struct nt_irp *irp);

struct nt_driver {
	s16 type, size;
	struct nt_device *device;
	u32 flags;
	void *start;
	u32 image_size;
	void *section, *extension;
	struct nt_string name;
	void *hardware, *fast_io, *init, *start_io;
	NT void (*unload)(struct nt_driver *driver);
	nt_dispatch_fn *major[28];
};

struct nt_device {
	s16 type;
	u16 size;
	s32 references;
	struct nt_driver *driver;
	struct nt_device *next, *attached;
	struct nt_irp *current_irp;
	void *timer;
	u32 flags, characteristics;
	void *vpb, *extension;
	u32 device_type;
	s8 stack_size;
	u8 rest[251];
};

struct nt_file {
	s16 type, size;
	struct nt_device *device;
	void *vpb, *context, *context2;
	u8 rest[176];
};

struct nt_stack {
	u8 major, minor, flags, control;
	u32 out_size __aligned(8);
	u32 in_size __aligned(8);
	u32 code __aligned(8);
	void *type3;
	struct nt_device *device;
	struct nt_file *file;
	void *completion, *context;
};

#define SL_PENDING_RETURNED 0x01

#define IRP_MJ_CREATE	      0
#define IRP_MJ_CLOSE	      2
#define IRP_MJ_DEVICE_CONTROL 14
#define IRP_MJ_SHUTDOWN	      16
#define IRP_MJ_CLEANUP	      18

struct nt_irp {
	s16 type;
	u16 size;
	struct nt_mdl *mdl;
	u32 flags;
	void *buffer;
	struct list_head thread_list;
	u32 status;
	u64 information;
	s8 mode;
	u8 pending;
	s8 stack_count, location;
	u8 cancel, cancel_irql;
	s8 apc;
	u8 allocation;
	void *user_iosb, *user_event;
	u64 overlay[2];
	nt_cancel_fn *cancel_fn;
	void *user_buffer;
	void *driver_context[4];
	void *thread, *auxiliary;
	struct list_head list;
	struct nt_stack *stack;
	struct nt_file *original_file;
	u64 rest;
};

#endif
