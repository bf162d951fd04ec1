// SPDX-License-Identifier: GPL-2.0
/*
 * Where mingw's headers have the fields that nt.h has: compiled by mingw, not
 * linked. The Makefile makes assertions out of the assembler text.
 */
#define NTDDI_VERSION 0x0A000000
#define _WIN32_WINNT  0x0A00
#include <ntddk.h>

#define IS(text, value) __asm__ volatile("\n# LAYOUT " text " %c0" : : "i"(value))
#define SIZE(ours, theirs) IS("sizeof(struct " #ours ")", sizeof(theirs))
#define AT(ours, field, theirs, member) \
	IS("offsetof(struct " #ours "," #field ")", FIELD_OFFSET(theirs, member))

void layout(void);
void layout(void)
{
	SIZE(nt_string, UNICODE_STRING);
	SIZE(nt_header, DISPATCHER_HEADER);
	AT(nt_header, signal, DISPATCHER_HEADER, SignalState);
	SIZE(nt_mutant, KMUTANT);
	AT(nt_mutant, owner, KMUTANT, OwnerThread);
	SIZE(nt_semaphore, KSEMAPHORE);
	SIZE(nt_dpc, KDPC);
	AT(nt_dpc, number, KDPC, Number);
	AT(nt_dpc, fn, KDPC, DeferredRoutine);
	AT(nt_dpc, data, KDPC, DpcData);
	SIZE(nt_timer, KTIMER);
	AT(nt_timer, dpc, KTIMER, Dpc);
	AT(nt_timer, period, KTIMER, Period);
	SIZE(nt_mdl, MDL);
	AT(nt_mdl, system_va, MDL, MappedSystemVa);
	AT(nt_mdl, count, MDL, ByteCount);
	SIZE(nt_driver, DRIVER_OBJECT);
	AT(nt_driver, device, DRIVER_OBJECT, DeviceObject);
	AT(nt_driver, start, DRIVER_OBJECT, DriverStart);
	AT(nt_driver, name, DRIVER_OBJECT, DriverName);
	AT(nt_driver, unload, DRIVER_OBJECT, DriverUnload);
	AT(nt_driver, major, DRIVER_OBJECT, MajorFunction);
	SIZE(nt_device, DEVICE_OBJECT);
	AT(nt_device, flags, DEVICE_OBJECT, Flags);
	AT(nt_device, extension, DEVICE_OBJECT, DeviceExtension);
	AT(nt_device, stack_size, DEVICE_OBJECT, StackSize);
	SIZE(nt_file, FILE_OBJECT);
	AT(nt_file, context, FILE_OBJECT, FsContext);
	SIZE(nt_stack, IO_STACK_LOCATION);
	AT(nt_stack, out_size, IO_STACK_LOCATION,
	   Parameters.DeviceIoControl.OutputBufferLength);
	AT(nt_stack, in_size, IO_STACK_LOCATION,
	   Parameters.DeviceIoControl.InputBufferLength);
	AT(nt_stack, code, IO_STACK_LOCATION,
	   Parameters.DeviceIoControl.IoControlCode);
	AT(nt_stack, file, IO_STACK_LOCATION, FileObject);
	SIZE(nt_irp, IRP);
	AT(nt_irp, mdl, IRP, MdlAddress);
	AT(nt_irp, buffer, IRP, AssociatedIrp.SystemBuffer);
	AT(nt_irp, status, IRP, IoStatus.Status);
	AT(nt_irp, information, IRP, IoStatus.Information);
	AT(nt_irp, cancel, IRP, Cancel);
	AT(nt_irp, cancel_irql, IRP, CancelIrql);
	AT(nt_irp, cancel_fn, IRP, CancelRoutine);
	AT(nt_irp, user_buffer, IRP, UserBuffer);
	AT(nt_irp, driver_context, IRP, Tail.Overlay.DriverContext);
	AT(nt_irp, thread, IRP, Tail.Overlay.Thread);
	AT(nt_irp, list, IRP, Tail.Overlay.ListEntry);
	AT(nt_irp, stack, IRP, Tail.Overlay.CurrentStackLocation);
	AT(nt_irp, original_file, IRP, Tail.Overlay.OriginalFileObject);
}
