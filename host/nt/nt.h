/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of Windows' kernel the driver uses: structures of x64 up to the fields it
 * touches, and prototypes. Not the DDK's headers: their inlines read %gs and the
 * shared user page and write CR8, which have a meaning on Windows alone, and they
 * don't compile where the unit tests do. tests/nt/layout.c has the compiler compare
 * these with mingw's.
 *
 * IRQLs and contexts are those of the public documentation of each function.
 */
#ifndef CO_HOST_NT_NT_H
#define CO_HOST_NT_NT_H

#include "../../core/lib.h"

#ifdef _WIN32
#define NT_IMPORT __declspec(dllimport)
#else
#define NT_IMPORT
#endif

typedef co_u32 ntstatus;

#define STATUS_SUCCESS		      0x00000000u
#define STATUS_TIMEOUT		      0x00000102u
#define STATUS_PENDING		      0x00000103u
#define STATUS_INVALID_PARAMETER      0xc000000du
#define STATUS_INVALID_DEVICE_REQUEST 0xc0000010u
#define STATUS_ACCESS_DENIED	      0xc0000022u
#define STATUS_INSUFFICIENT_RESOURCES 0xc000009au
#define STATUS_CANCELLED	      0xc0000120u
#define NT_ERROR(status) ((status) >> 31)

#define PASSIVE_LEVEL  0
#define APC_LEVEL      1
#define DISPATCH_LEVEL 2
#define HIGH_LEVEL     15

#define KERNEL_MODE 0
#define USER_MODE   1

struct nt_list {
	struct nt_list *next, *previous;
};

struct nt_string {
	co_u16 length, room; /* bytes */
	const co_u16 *text;
};

/* ---- objects of the dispatcher: opaque, for their size ------------------------ */

struct nt_event {
	co_u64 opaque[3];
};
struct nt_mutex {
	co_u64 opaque[7];
};
struct nt_ktimer {
	co_u64 opaque[8];
};
struct nt_dpc {
	co_u64 opaque[8];
};
struct nt_apc_state {
	co_u64 opaque[6];
};

typedef void nt_dpc_fn(struct nt_dpc *dpc, void *context, void *a, void *b);

/* ---- memory -------------------------------------------------------------------- */

struct nt_mdl {
	struct nt_mdl *next;
	co_u16 size, flags;
	void *process, *system_va, *start_va;
	co_u32 count, offset; /* bytes */
	co_u64 pfn[];
};

#define MDL_MAPPED_TO_SYSTEM_VA	    0x0001
#define MDL_PAGES_LOCKED	    0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004

#define POOL_NONPAGED	 0
#define POOL_NONPAGED_NX 512
#define POOL_TAG	 0x784c6f63u /* "coLx" */

#define MM_UNCACHED 0
#define MM_CACHED   1
#define MM_DONT_ZERO_ALLOCATION	      0x01
#define MM_ALLOCATE_FULLY_REQUIRED    0x04
#define MM_REQUIRE_CONTIGUOUS_CHUNKS  0x20
#define MM_NORMAL_PRIORITY	      16
#define MM_MAPPING_NO_EXECUTE	      0x40000000u

struct nt_memory_range {
	co_u64 address, size; /* the last one has both 0 */
};

/* ---- requests --------------------------------------------------------------------- */

struct nt_device;
struct nt_irp;
typedef ntstatus nt_dispatch_fn(struct nt_device *device, struct nt_irp *irp);
typedef void nt_cancel_fn(struct nt_device *device, struct nt_irp *irp);

struct nt_driver {
	co_u16 type, size;
	struct nt_device *device;
	co_u32 flags;
	void *start;
	co_u32 image_size;
	void *section, *extension;
	struct nt_string name;
	void *hardware, *fast_io, *init, *start_io;
	void (*unload)(struct nt_driver *driver);
	nt_dispatch_fn *major[28];
};

struct nt_file_object {
	co_u16 type, size;
	struct nt_device *device;
	void *vpb, *context, *context2;
};

#define IRP_MJ_CREATE	      0
#define IRP_MJ_CLOSE	      2
#define IRP_MJ_DEVICE_CONTROL 14
#define IRP_MJ_SHUTDOWN	      16
#define IRP_MJ_CLEANUP	      18
#define SL_PENDING_RETURNED   1

struct nt_stack {
	co_u8 major, minor, flags, control;
	co_u32 out_size __attribute__((aligned(8)));
	co_u32 in_size __attribute__((aligned(8)));
	co_u32 code __attribute__((aligned(8)));
	void *type3;
	struct nt_device *device;
	struct nt_file_object *file;
	void *completion, *context;
};

struct nt_irp {
	co_u16 type, size;
	struct nt_mdl *mdl;
	co_u32 flags;
	void *buffer;
	struct nt_list thread_list;
	ntstatus status;
	co_u64 information;
	co_u8 mode, pending, stack_count, location;
	co_u8 cancel, cancel_irql, apc, allocation;
	void *user_iosb, *user_event;
	co_u64 overlay[2];
	nt_cancel_fn *cancel_fn;
	void *user_buffer;
	void *driver_context[4];
	void *thread, *auxiliary;
	struct nt_list list;
	struct nt_stack *stack;
	void *original_file;
	void *rest;
};

#define DEVICE_UNKNOWN	   0x22
#define DEVICE_SECURE_OPEN 0x100

/* ---- the rest ---------------------------------------------------------------------- */

struct nt_subject {
	void *client; /* token, when the thread impersonates */
	co_u32 level;
	void *primary;
	void *audit;
};
#define IMPERSONATES 2 /* SecurityImpersonation: below it a token is a name only */

struct nt_version {
	co_u32 size, major, minor, build, platform;
	co_u16 text[128];
};

struct nt_attributes {
	co_u32 length;
	void *root;
	const struct nt_string *name;
	co_u32 attributes;
	void *security, *quality;
};
#define OBJ_CASE_INSENSITIVE 0x40
#define OBJ_KERNEL_HANDLE    0x200
#define SYNCHRONIZE	     0x100000 /* a right: to wait for it */

struct nt_bug_record {
	struct nt_list list;
	void *fn, *component;
	co_u64 checksum;
	co_u32 reason;
	co_u8 state;
};
#define BUG_SECONDARY_DATA 2

struct nt_bug_data {
	void *in;
	co_u32 in_size, most;
	co_u8 guid[16];
	void *out;
	co_u32 out_size;
};

struct nt_processor {
	co_u16 group;
	co_u8 number, reserved;
};

#define ALL_GROUPS 0xffff

/* Waits: 100 ns, negative: from now. */
#define WAIT_EXECUTIVE	     0
#define WAIT_ANY	     1
#define EVENT_SYNCHRONIZATION 1

/* ---- functions ------------------------------------------------------------------------ */

/* imports.list has the reason for each. Those with "?" there are in port.h. */
NT_IMPORT co_s64 KeQueryPerformanceCounter(co_s64 *frequency);

NT_IMPORT void *ExAllocatePoolWithTag(co_u32 type, co_u64 size, co_u32 tag);
NT_IMPORT void ExFreePoolWithTag(void *p, co_u32 tag);
NT_IMPORT void ExFreePool(void *p);
NT_IMPORT struct nt_mdl *MmAllocatePagesForMdlEx(co_u64 low, co_u64 high,
						 co_u64 skip, co_u64 size,
						 co_u32 cache, co_u32 flags);
NT_IMPORT void MmFreePagesFromMdl(struct nt_mdl *mdl);
NT_IMPORT void *MmAllocateContiguousMemorySpecifyCache(co_u64 size, co_u64 low,
						       co_u64 high, co_u64 boundary,
						       co_u32 cache);
NT_IMPORT void MmFreeContiguousMemory(void *va);
NT_IMPORT void *MmMapLockedPagesSpecifyCache(struct nt_mdl *mdl, co_u8 mode,
					     co_u32 cache, void *base,
					     co_u32 bug_check, co_u32 priority);
NT_IMPORT void MmUnmapLockedPages(void *va, struct nt_mdl *mdl);
NT_IMPORT struct nt_mdl *IoAllocateMdl(void *va, co_u32 size, co_u8 secondary,
				       co_u8 quota, struct nt_irp *irp);
NT_IMPORT void IoFreeMdl(struct nt_mdl *mdl);
NT_IMPORT co_u64 MmGetPhysicalAddress(const void *va);
NT_IMPORT co_u8 MmIsAddressValid(const void *va);
NT_IMPORT struct nt_memory_range *MmGetPhysicalMemoryRanges(void);
NT_IMPORT void *MmMapIoSpace(co_u64 pa, co_u64 size, co_u32 cache);
NT_IMPORT void MmUnmapIoSpace(void *va, co_u64 size);
NT_IMPORT ntstatus ZwQuerySystemInformation(co_u32 what, void *out, co_u32 size,
					    co_u32 *written);

NT_IMPORT co_u8 KfRaiseIrql(co_u8 level);
NT_IMPORT void KeLowerIrql(co_u8 level);
NT_IMPORT void KeInitializeDpc(struct nt_dpc *dpc, nt_dpc_fn *fn, void *context);
NT_IMPORT co_u8 KeInsertQueueDpc(struct nt_dpc *dpc, void *a, void *b);
NT_IMPORT void KeSetImportanceDpc(struct nt_dpc *dpc, co_u32 importance);
#define DPC_HIGH 2
NT_IMPORT void KeSetTargetProcessorDpc(struct nt_dpc *dpc, co_u8 number);
NT_IMPORT void KeFlushQueuedDpcs(void);
NT_IMPORT void KeInitializeTimer(struct nt_ktimer *timer);
NT_IMPORT co_u8 KeSetTimer(struct nt_ktimer *timer, co_s64 due, struct nt_dpc *dpc);
NT_IMPORT co_u8 KeCancelTimer(struct nt_ktimer *timer);
NT_IMPORT co_u64 KeIpiGenericCall(co_u64 (*fn)(co_u64 arg), co_u64 arg);
NT_IMPORT co_u64 KeQueryActiveProcessors(void);
NT_IMPORT void KeSetSystemAffinityThread(co_u64 mask);
NT_IMPORT void KeRevertToUserAffinityThread(void);
NT_IMPORT void *KeRegisterNmiCallback(co_u8 (*fn)(void *context, co_u8 handled),
				      void *context);
NT_IMPORT ntstatus KeDeregisterNmiCallback(void *handle);

NT_IMPORT void KeInitializeEvent(struct nt_event *event, co_u32 type, co_u8 state);
NT_IMPORT co_s32 KeSetEvent(struct nt_event *event, co_s32 boost, co_u8 wait);
NT_IMPORT ntstatus KeWaitForSingleObject(void *object, co_u32 reason, co_u8 mode,
					 co_u8 alertable, const co_s64 *timeout);
NT_IMPORT ntstatus KeWaitForMultipleObjects(co_u32 count, void **objects, co_u32 type,
					    co_u32 reason, co_u8 mode,
					    co_u8 alertable, const co_s64 *timeout,
					    void *blocks);
NT_IMPORT void KeInitializeMutex(struct nt_mutex *mutex, co_u32 level);
NT_IMPORT co_s32 KeReleaseMutex(struct nt_mutex *mutex, co_u8 wait);
NT_IMPORT ntstatus KeDelayExecutionThread(co_u8 mode, co_u8 alertable,
					  const co_s64 *interval);
NT_IMPORT void *KeGetCurrentThread(void);
NT_IMPORT void *IoGetCurrentProcess(void);
NT_IMPORT void KeStackAttachProcess(void *process, struct nt_apc_state *state);
NT_IMPORT void KeUnstackDetachProcess(struct nt_apc_state *state);
NT_IMPORT co_s64 ObfReferenceObject(void *object);
NT_IMPORT co_s64 ObfDereferenceObject(void *object);
NT_IMPORT ntstatus ObReferenceObjectByHandle(void *handle, co_u32 access, void *type,
					     co_u8 mode, void **object,
					     void *information);
NT_IMPORT ntstatus ZwOpenEvent(void **handle, co_u32 access,
			       struct nt_attributes *attributes);
NT_IMPORT ntstatus ZwWaitForSingleObject(void *handle, co_u8 alertable,
					 const co_s64 *timeout);
NT_IMPORT ntstatus ZwClose(void *handle);
NT_IMPORT ntstatus PsCreateSystemThread(void **handle, co_u32 access,
					struct nt_attributes *attributes,
					void *process, void *client,
					void (*fn)(void *context), void *context);
NT_IMPORT ntstatus PsTerminateSystemThread(ntstatus status);
/* PCREATE_PROCESS_NOTIFY_ROUTINE: at PASSIVE_LEVEL; an end in the process itself, by
 * its last thread, before its handles are closed and its address space goes. */
typedef void nt_process_fn(void *parent_id, void *id, co_u8 created);
/* `remove` waits for calls of it that are under way. */
NT_IMPORT ntstatus PsSetCreateProcessNotifyRoutine(nt_process_fn *fn, co_u8 remove);
NT_IMPORT co_u64 PsGetCurrentProcessId(void);

NT_IMPORT ntstatus IoCreateDevice(struct nt_driver *driver, co_u32 extension,
				  const struct nt_string *name, co_u32 type,
				  co_u32 characteristics, co_u8 exclusive,
				  struct nt_device **device);
NT_IMPORT void IoDeleteDevice(struct nt_device *device);
NT_IMPORT ntstatus IoCreateSymbolicLink(const struct nt_string *link,
					const struct nt_string *to);
NT_IMPORT ntstatus IoDeleteSymbolicLink(const struct nt_string *link);
NT_IMPORT void IofCompleteRequest(struct nt_irp *irp, co_u8 boost);
NT_IMPORT void IoAcquireCancelSpinLock(co_u8 *level);
NT_IMPORT void IoReleaseCancelSpinLock(co_u8 level);
NT_IMPORT ntstatus IoRegisterShutdownNotification(struct nt_device *device);
NT_IMPORT void IoUnregisterShutdownNotification(struct nt_device *device);
NT_IMPORT void SeCaptureSubjectContext(struct nt_subject *subject);
NT_IMPORT void SeReleaseSubjectContext(struct nt_subject *subject);
NT_IMPORT void SeLockSubjectContext(struct nt_subject *subject);
NT_IMPORT void SeUnlockSubjectContext(struct nt_subject *subject);
NT_IMPORT co_u8 SeTokenIsAdmin(void *token);

NT_IMPORT ntstatus ExCreateCallback(void **object, struct nt_attributes *attributes,
				    co_u8 create, co_u8 multiple);
typedef void nt_callback_fn(void *context, void *a, void *b);
NT_IMPORT void *ExRegisterCallback(void *object, nt_callback_fn *fn, void *context);
NT_IMPORT void ExUnregisterCallback(void *handle);
typedef void nt_bug_fn(co_u32 reason, struct nt_bug_record *record,
		       struct nt_bug_data *data, co_u32 size);
NT_IMPORT co_u8 KeRegisterBugCheckReasonCallback(struct nt_bug_record *record,
						 nt_bug_fn *fn, co_u32 reason,
						 const char *component);
NT_IMPORT co_u8 KeDeregisterBugCheckReasonCallback(struct nt_bug_record *record);
NT_IMPORT co_u32 ExSetTimerResolution(co_u32 time, co_u8 set);

NT_IMPORT co_u32 DbgPrint(const char *format, ...);
NT_IMPORT ntstatus RtlGetVersion(struct nt_version *version);
NT_IMPORT void RtlInitUnicodeString(struct nt_string *string, const co_u16 *text);
NT_IMPORT void *MmGetSystemRoutineAddress(const struct nt_string *name);

#endif
