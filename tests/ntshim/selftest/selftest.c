// SPDX-License-Identifier: GPL-2.0
/*
 * A Windows driver that does what colinux.sys may do, and what it must not: requests,
 * callbacks, mistakes. What a test can't get memory for is
 * STATUS_INSUFFICIENT_RESOURCES, with nothing left behind.
 */
#include "selftest.h"

PDEVICE_OBJECT device;
static struct callbacks came;
static PVOID nmi_handle, power_handle, power_object;
static KBUGCHECK_CALLBACK_RECORD bug_record;
static char bug_buffer[64];

/* ---- requests that wait ---------------------------------------------------------------------- */

static PIRP pended;

static VOID NTAPI cancel_routine(PDEVICE_OBJECT of, PIRP irp)
{
	(void)of;
	InterlockedExchangePointer((PVOID *)&pended, NULL);
	IoReleaseCancelSpinLock(irp->CancelIrql);
	irp->IoStatus.Status = STATUS_CANCELLED;
	irp->IoStatus.Information = 0;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
}

/* STATUS_PENDING, or why not. */
static NTSTATUS pend(PIRP irp)
{
	KIRQL old;

	IoAcquireCancelSpinLock(&old);
	if (irp->Cancel || pended) {
		IoReleaseCancelSpinLock(old);
		return irp->Cancel ? STATUS_CANCELLED : STATUS_DEVICE_BUSY;
	}
	IoMarkIrpPending(irp);
	IoSetCancelRoutine(irp, cancel_routine);
	pended = irp;
	IoReleaseCancelSpinLock(old);
	return STATUS_PENDING;
}

static VOID NTAPI release_routine(PKDPC dpc, PVOID context, PVOID a, PVOID b)
{
	PIRP irp = NULL;
	KIRQL old;

	(void)dpc;
	(void)context;
	(void)a;
	(void)b;
	IoAcquireCancelSpinLock(&old);
	if (pended && IoSetCancelRoutine(pended, NULL)) {
		irp = pended;
		pended = NULL;
	}
	IoReleaseCancelSpinLock(old);
	if (!irp)
		return;
	irp->IoStatus.Status = STATUS_SUCCESS;
	irp->IoStatus.Information = 0;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
}

static ULONG release(void)
{
	static KDPC dpc;

	KeInitializeDpc(&dpc, release_routine, NULL);
	KeInsertQueueDpc(&dpc, NULL, NULL);
	KeFlushQueuedDpcs();
	return 0;
}

/* ---- memory in the requester's process ------------------------------------------------------- */

static PMDL user_mdl;
static PVOID user_va, user_process;

/* host/nt/guard.S: NULL if it raised an exception. */
PVOID nt_map_guarded(PMDL mdl, PVOID base, ULONG priority);

static ULONG map(ULONG64 *pa)
{
	PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = -1ll };
	PHYSICAL_ADDRESS skip = { .QuadPart = MIB2 };
	PMDL mdl = MmAllocatePagesForMdlEx(low, high, skip, MIB2, MmCached,
					   MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS);

	if (!mdl)
		return NO_MEMORY;
	user_va = nt_map_guarded(mdl, NULL, NormalPagePriority);
	if (!user_va) {
		MmFreePagesFromMdl(mdl);
		ExFreePool(mdl);
		return NO_MEMORY;
	}
	user_mdl = mdl;
	user_process = PsGetCurrentProcess();
	*pa = MmGetMdlPfnArray(mdl)[0] << 12;
	return 0;
}

static ULONG unmap(void)
{
	if (!user_mdl)
		return __LINE__;
	MmUnmapLockedPages(user_va, user_mdl);
	MmFreePagesFromMdl(user_mdl);
	ExFreePool(user_mdl);
	user_mdl = NULL;
	return 0;
}

static ULONG direct(PIRP irp)
{
	ULONG *p = irp->MdlAddress ? MmGetSystemAddressForMdlSafe(irp->MdlAddress,
								  NormalPagePriority) :
				     NULL;
	if (!p)
		return NO_MEMORY;
	*p = 0x600d;
	return 0;
}

/* ---- mistakes ---------------------------------------------------------------------------------- */

static ULONG wrong_wait(void)
{
	KIRQL old = KfRaiseIrql(DISPATCH_LEVEL);
	LARGE_INTEGER soon = ms(5);
	NTSTATUS status;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, TRUE);
	status = KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &soon);
	KeLowerIrql(old);
	return status == STATUS_UNSUCCESSFUL ? 0 : __LINE__;
}

static VOID NTAPI late_routine(PVOID context)
{
	LARGE_INTEGER late = ms(10000);

	(void)context;
	KeDelayExecutionThread(KernelMode, FALSE, &late);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Nobody waits for it. */
static ULONG wrong_thread(void)
{
	HANDLE handle;

	if (PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
				 late_routine, NULL))
		return NO_MEMORY;
	ZwClose(handle);
	return 0;
}

static ULONG wrong(ULONG which)
{
	KIRQL old;
	UCHAR *p;

	if (which == ASK_WRONG_WAIT)
		return wrong_wait();
	if (which == ASK_WRONG_LEVEL) {
		KfRaiseIrql(DISPATCH_LEVEL);
		return 0;
	}
	if (which == ASK_WRONG_THREAD)
		return wrong_thread();
	if (which == ASK_WRONG_CLI) {
		__asm__ volatile("cli");
		return 0;
	}
	old = which == ASK_WRONG_PAGED ? KfRaiseIrql(DISPATCH_LEVEL) : PASSIVE_LEVEL;
	p = ExAllocatePoolWithTag(which == ASK_WRONG_PAGED ? PagedPool : NonPagedPool,
				  40, TAG);
	if (which == ASK_WRONG_PAGED)
		KeLowerIrql(old);
	if (!p)
		return NO_MEMORY;
	if (which == ASK_WRONG_LEAK)
		return 0;
	if (which == ASK_WRONG_BEHIND)
		((volatile UCHAR *)p)[40] = 1;
	ExFreePoolWithTag(p, TAG);
	if (which == ASK_WRONG_FREE)
		ExFreePoolWithTag(p, TAG);
	return 0;
}

/* ---- requests ------------------------------------------------------------------------------------ */

static ULONG answer(ULONG which, PIRP irp, PIO_STACK_LOCATION stack, ULONG *size)
{
	PVOID buffer = irp->AssociatedIrp.SystemBuffer;

	*size = 4;
	if (which == ASK_NAMES)
		return routine(buffer) != NULL;
	if (which == ASK_FILE)
		return test_file(stack->FileObject);
	if (which == ASK_MAP)
		return map((ULONG64 *)buffer + 1) ? NO_MEMORY : (*size = 16, 0);
	if (which == ASK_DIRECT)
		return direct(irp);
	if (which == ASK_CALLBACK) {
		memcpy((ULONG *)buffer + 1, &came, sizeof(came));
		*size = 4 + sizeof(came);
		return 0;
	}
	if (which >= ASK_WRONG_WAIT && which <= ASK_WRONG_LAST)
		return wrong(which);
	if (which == ASK_RELEASE)
		return release();
	if (which == ASK_UNMAP)
		return unmap();
	if (which < families_count && families[which])
		return families[which]();
	return __LINE__;
}

static NTSTATUS finish(PIRP irp, NTSTATUS status, ULONG_PTR size)
{
	irp->IoStatus.Status = status;
	irp->IoStatus.Information = size;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return status;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT of, PIRP irp)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
	ULONG which = (stack->Parameters.DeviceIoControl.IoControlCode >> 2 & 0xfff) - 0x900;
	ULONG line, size;
	NTSTATUS status;

	(void)of;
	if (which == ASK_PEND) {
		status = pend(irp);
		return status == STATUS_PENDING ? status : finish(irp, status, 0);
	}
	if (stack->Parameters.DeviceIoControl.OutputBufferLength < 32)
		return finish(irp, STATUS_BUFFER_TOO_SMALL, 0);
	line = answer(which, irp, stack, &size);
	if (line == NO_MEMORY)
		return finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
	if (which != ASK_DIRECT)
		*(ULONG *)irp->AssociatedIrp.SystemBuffer = line;
	return finish(irp, STATUS_SUCCESS, size);
}

static NTSTATUS NTAPI create(PDEVICE_OBJECT of, PIRP irp)
{
	PFILE_OBJECT file = IoGetCurrentIrpStackLocation(irp)->FileObject;

	(void)of;
	file->FsContext = ExAllocatePoolWithTag(NonPagedPool, 8, TAG);
	if (!file->FsContext)
		return finish(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
	*(ULONG *)file->FsContext = 0;
	return finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT of, PIRP irp)
{
	(void)of;
	release();
	if (user_mdl)
		unmap();
	return finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI close(PDEVICE_OBJECT of, PIRP irp)
{
	(void)of;
	ExFreePoolWithTag(IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext, TAG);
	return finish(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI shutdown(PDEVICE_OBJECT of, PIRP irp)
{
	(void)of;
	came.shutdowns++;
	return finish(irp, STATUS_SUCCESS, 0);
}

/* ---- what Windows calls for ------------------------------------------------------------------------- */

static BOOLEAN NTAPI nmi_routine(PVOID context, BOOLEAN handled)
{
	(void)context;
	if (KeGetCurrentIrql() == HIGH_LEVEL)
		came.nmis++;
	return handled;
}

static VOID NTAPI power_routine(PVOID context, PVOID what, PVOID back)
{
	(void)context;
	if ((ULONG_PTR)what != PO_CB_SYSTEM_STATE_LOCK)
		return;
	if (back)
		came.backs++;
	else
		came.sleeps++;
}

static VOID NTAPI bug_routine(PVOID buffer, ULONG length)
{
	_snprintf(buffer, length, "bug check at IRQL %u", KeGetCurrentIrql());
	came.bugs++;
}

static VOID NTAPI process_routine(HANDLE parent, HANDLE id, BOOLEAN created)
{
	(void)parent;
	(void)id;
	if (created)
		return;
	came.ends++;
	if (user_mdl && user_process == PsGetCurrentProcess())
		unmap();
}

static BOOLEAN processes;

static void unregister(void)
{
	if (processes)
		PsSetCreateProcessNotifyRoutine(process_routine, TRUE);
	if (bug_record.State)
		KeDeregisterBugCheckCallback(&bug_record);
	if (power_handle)
		ExUnregisterCallback(power_handle);
	if (power_object)
		ObDereferenceObject(power_object);
	if (nmi_handle)
		KeDeregisterNmiCallback(nmi_handle);
}

static NTSTATUS register_callbacks(void)
{
	static const WCHAR text[] = L"\\Callback\\PowerState";
	UNICODE_STRING name = { sizeof(text) - 2, sizeof(text), (PWSTR)text };
	OBJECT_ATTRIBUTES attributes;
	PCALLBACK_OBJECT object;

	InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
	nmi_handle = KeRegisterNmiCallback(nmi_routine, NULL);
	if (!nmi_handle)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (ExCreateCallback(&object, &attributes, FALSE, TRUE))
		return STATUS_INSUFFICIENT_RESOURCES;
	power_object = object;
	power_handle = ExRegisterCallback(object, power_routine, NULL);
	if (!power_handle)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (!KeRegisterBugCheckCallback(&bug_record, (PVOID)bug_routine, bug_buffer,
					sizeof(bug_buffer), (PUCHAR)"selftest"))
		return STATUS_INSUFFICIENT_RESOURCES;
	processes = !PsSetCreateProcessNotifyRoutine(process_routine, FALSE);
	if (!processes)
		return STATUS_INSUFFICIENT_RESOURCES;
	return IoRegisterShutdownNotification(device);
}

/* ---- coming and going -------------------------------------------------------------------------------- */

static const WCHAR device_text[] = L"\\Device\\selftest", link_text[] = L"\\??\\selftest";
#define NAME(text) { sizeof(text) - 2, sizeof(text), (PWSTR)text }
static UNICODE_STRING device_name = NAME(device_text), link_name = NAME(link_text);

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
	(void)driver;
	IoUnregisterShutdownNotification(device);
	unregister();
	IoDeleteSymbolicLink(&link_name);
	IoDeleteDevice(device);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
	NTSTATUS status = IoCreateDevice(driver, 0, &device_name, FILE_DEVICE_UNKNOWN,
					 FILE_DEVICE_SECURE_OPEN, FALSE, &device);

	DbgPrint("selftest: %wZ\n", path);
	if (status)
		return status;
	status = IoCreateSymbolicLink(&link_name, &device_name);
	if (!status) {
		status = register_callbacks();
		if (status) {
			unregister();
			IoDeleteSymbolicLink(&link_name);
		}
	}
	if (status) {
		IoDeleteDevice(device);
		return status;
	}
	driver->MajorFunction[IRP_MJ_CREATE] = create;
	driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
	driver->MajorFunction[IRP_MJ_CLOSE] = close;
	driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
	driver->MajorFunction[IRP_MJ_SHUTDOWN] = shutdown;
	driver->DriverUnload = unload;
	device->Flags &= ~DO_DEVICE_INITIALIZING;
	return STATUS_SUCCESS;
}
