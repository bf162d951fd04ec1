// SPDX-License-Identifier: GPL-2.0
/* A colinux.sys that tells its version and nothing else: ABI is what the makefile
 * says, so that a wrong one can be had, too. */
#include <ntddk.h>

#include "../../host/nt/ioctl.h"

static UNICODE_STRING device_name, link_name;

static NTSTATUS NTAPI open_close(DEVICE_OBJECT *device, IRP *irp)
{
	(void)device;
	irp->IoStatus.Status = STATUS_SUCCESS;
	irp->IoStatus.Information = 0;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return STATUS_SUCCESS;
}

static NTSTATUS answer(IRP *irp, ULONG size)
{
	struct {
		struct co_req_version version;
		struct co_nt_result result;
	} *a = irp->AssociatedIrp.SystemBuffer;

	if (size != sizeof(*a))
		return STATUS_INVALID_PARAMETER;
	RtlZeroMemory(a, sizeof(*a));
	a->version.driver_abi = ABI;
	a->version.guest_abi = CO_GUEST_ABI_VERSION;
	RtlCopyMemory(a->version.build, "test", 5);
	irp->IoStatus.Information = sizeof(*a);
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(DEVICE_OBJECT *device, IRP *irp)
{
	IO_STACK_LOCATION *at = IoGetCurrentIrpStackLocation(irp);
	NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

	(void)device;
	irp->IoStatus.Information = 0;
	if (at->Parameters.DeviceIoControl.IoControlCode == CO_NT_REQUEST(CO_REQ_VERSION))
		status = answer(irp, at->Parameters.DeviceIoControl.OutputBufferLength);
	irp->IoStatus.Status = status;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return status;
}

static void NTAPI unload(DRIVER_OBJECT *driver)
{
	IoDeleteSymbolicLink(&link_name);
	IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path)
{
	DEVICE_OBJECT *device;
	NTSTATUS status;

	(void)path;
	RtlInitUnicodeString(&device_name, L"\\Device\\colinux");
	RtlInitUnicodeString(&link_name, L"\\DosDevices\\colinux");
	status = IoCreateDevice(driver, 0, &device_name, FILE_DEVICE_UNKNOWN, 0,
				FALSE, &device);
	if (status)
		return status;
	status = IoCreateSymbolicLink(&link_name, &device_name);
	if (status) {
		IoDeleteDevice(device);
		return status;
	}
	driver->DriverUnload = unload;
	driver->MajorFunction[IRP_MJ_CREATE] = open_close;
	driver->MajorFunction[IRP_MJ_CLOSE] = open_close;
	driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
	return STATUS_SUCCESS;
}
