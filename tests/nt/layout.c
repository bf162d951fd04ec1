// SPDX-License-Identifier: GPL-2.0
/*
 * Where the fields of Windows' structures are: compiled twice, with host/nt/nt.h and
 * (DDK) with mingw's headers, into lines "->name number" that have to be the same.
 */
#ifdef DDK
#include <ntifs.h>
#define PICK(ours, theirs) theirs
#else
#include "../../host/nt/nt.h"
#define PICK(ours, theirs) ours
#endif

#define SAY(name, value) __asm__ volatile("->" name " %c0" : : "i"(value))
#define SIZE(ours, theirs) SAY(#ours, sizeof(PICK(struct ours, theirs)))
#define AT(ours, field, theirs, their_field) \
	SAY(#ours "." #field,                \
	    __builtin_offsetof(PICK(struct ours, theirs), PICK(field, their_field)))

static void structures(void)
{
	SIZE(nt_list, LIST_ENTRY);
	SIZE(nt_string, UNICODE_STRING);
	AT(nt_string, room, UNICODE_STRING, MaximumLength);
	AT(nt_string, text, UNICODE_STRING, Buffer);
	SIZE(nt_event, KEVENT);
	SIZE(nt_mutex, KMUTEX);
	SIZE(nt_ktimer, KTIMER);
	SIZE(nt_dpc, KDPC);
	SIZE(nt_apc_state, KAPC_STATE);

	SIZE(nt_mdl, MDL);
	AT(nt_mdl, flags, MDL, MdlFlags);
	AT(nt_mdl, system_va, MDL, MappedSystemVa);
	AT(nt_mdl, count, MDL, ByteCount);
	AT(nt_mdl, offset, MDL, ByteOffset);
	SIZE(nt_memory_range, PHYSICAL_MEMORY_RANGE);

	AT(nt_driver, unload, DRIVER_OBJECT, DriverUnload);
	AT(nt_driver, major, DRIVER_OBJECT, MajorFunction);
	SIZE(nt_driver, DRIVER_OBJECT);
	AT(nt_file_object, context, FILE_OBJECT, FsContext);
	SIZE(nt_stack, IO_STACK_LOCATION);
	AT(nt_stack, control, IO_STACK_LOCATION, Control);
	AT(nt_stack, out_size, IO_STACK_LOCATION,
	   Parameters.DeviceIoControl.OutputBufferLength);
	AT(nt_stack, in_size, IO_STACK_LOCATION,
	   Parameters.DeviceIoControl.InputBufferLength);
	AT(nt_stack, code, IO_STACK_LOCATION, Parameters.DeviceIoControl.IoControlCode);
	AT(nt_stack, file, IO_STACK_LOCATION, FileObject);
	SIZE(nt_irp, IRP);
	AT(nt_irp, mdl, IRP, MdlAddress);
	AT(nt_irp, buffer, IRP, AssociatedIrp.SystemBuffer);
	AT(nt_irp, status, IRP, IoStatus.Status);
	AT(nt_irp, information, IRP, IoStatus.Information);
	AT(nt_irp, cancel, IRP, Cancel);
	AT(nt_irp, cancel_irql, IRP, CancelIrql);
	AT(nt_irp, cancel_fn, IRP, CancelRoutine);
	AT(nt_irp, driver_context, IRP, Tail.Overlay.DriverContext);
	AT(nt_irp, list, IRP, Tail.Overlay.ListEntry);
	AT(nt_irp, stack, IRP, Tail.Overlay.CurrentStackLocation);

	SIZE(nt_subject, SECURITY_SUBJECT_CONTEXT);
	AT(nt_subject, level, SECURITY_SUBJECT_CONTEXT, ImpersonationLevel);
	AT(nt_subject, primary, SECURITY_SUBJECT_CONTEXT, PrimaryToken);
	SIZE(nt_version, RTL_OSVERSIONINFOW);
	AT(nt_version, build, RTL_OSVERSIONINFOW, dwBuildNumber);
	SIZE(nt_attributes, OBJECT_ATTRIBUTES);
	AT(nt_attributes, name, OBJECT_ATTRIBUTES, ObjectName);
	AT(nt_attributes, attributes, OBJECT_ATTRIBUTES, Attributes);
	SIZE(nt_bug_record, KBUGCHECK_REASON_CALLBACK_RECORD);
	SIZE(nt_bug_data, KBUGCHECK_SECONDARY_DUMP_DATA);
	AT(nt_bug_data, most, KBUGCHECK_SECONDARY_DUMP_DATA, MaximumAllowed);
	AT(nt_bug_data, guid, KBUGCHECK_SECONDARY_DUMP_DATA, Guid);
	AT(nt_bug_data, out, KBUGCHECK_SECONDARY_DUMP_DATA, OutBuffer);
	AT(nt_bug_data, out_size, KBUGCHECK_SECONDARY_DUMP_DATA, OutBufferLength);
	SIZE(nt_processor, PROCESSOR_NUMBER);
}

static void numbers(void)
{
	SAY("MDL_PAGES_LOCKED", MDL_PAGES_LOCKED);
	SAY("MDL_MAPPED_TO_SYSTEM_VA", MDL_MAPPED_TO_SYSTEM_VA);
	SAY("MDL_SOURCE_IS_NONPAGED_POOL", MDL_SOURCE_IS_NONPAGED_POOL);
	SAY("IRP_MJ_CREATE", IRP_MJ_CREATE);
	SAY("IRP_MJ_CLOSE", IRP_MJ_CLOSE);
	SAY("IRP_MJ_CLEANUP", IRP_MJ_CLEANUP);
	SAY("IRP_MJ_SHUTDOWN", IRP_MJ_SHUTDOWN);
	SAY("IRP_MJ_DEVICE_CONTROL", IRP_MJ_DEVICE_CONTROL);
	SAY("SL_PENDING_RETURNED", SL_PENDING_RETURNED);
	SAY("chunks", PICK(MM_REQUIRE_CONTIGUOUS_CHUNKS,
			   MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS));
	SAY("fully", PICK(MM_ALLOCATE_FULLY_REQUIRED, MM_ALLOCATE_FULLY_REQUIRED));
	SAY("don't zero", PICK(MM_DONT_ZERO_ALLOCATION, MM_DONT_ZERO_ALLOCATION));
	SAY("normal priority", PICK(MM_NORMAL_PRIORITY, NormalPagePriority));
	SAY("uncached", PICK(MM_UNCACHED, MmNonCached));
	SAY("cached", PICK(MM_CACHED, MmCached));
	SAY("secondary dump data", PICK(BUG_SECONDARY_DATA, KbCallbackSecondaryDumpData));
	SAY("synchronization event", PICK(EVENT_SYNCHRONIZATION, SynchronizationEvent));
	SAY("high importance", PICK(DPC_HIGH, HighImportance));
	SAY("impersonation", PICK(IMPERSONATES, SecurityImpersonation));
	SAY("unknown device", PICK(DEVICE_UNKNOWN, FILE_DEVICE_UNKNOWN));
	SAY("secure open", PICK(DEVICE_SECURE_OPEN, FILE_DEVICE_SECURE_OPEN));
	SAY("case", PICK(OBJ_CASE_INSENSITIVE, OBJ_CASE_INSENSITIVE));
	SAY("kernel handle", PICK(OBJ_KERNEL_HANDLE, OBJ_KERNEL_HANDLE));
	SAY("right to wait", PICK(SYNCHRONIZE, SYNCHRONIZE));
	SAY("any of several", PICK(WAIT_ANY, WaitAny));
	SAY("timeout", PICK(STATUS_TIMEOUT, STATUS_TIMEOUT));
}

void layout(void);
void layout(void)
{
	structures();
	numbers();
}
