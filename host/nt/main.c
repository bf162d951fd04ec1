// SPDX-License-Identifier: GPL-2.0
/*
 * The device: \\.\colinux, one open handle = one control handle. ioctl.h says what
 * can be asked through it.
 *
 * Who may open it: what is loaded through it runs in ring 0, so exactly those who may
 * load drivers anyhow, Administrators, whatever the device's security says.
 */
#include "port.h"

struct nt_list nt_files;
struct host_lock nt_files_lock;

static struct nt_device *device;
static const co_u16 device_text[] = u"\\Device\\colinux";
static const co_u16 link_text[] = u"\\DosDevices\\colinux";

void nt_complete(struct nt_irp *irp, ntstatus status, co_u64 information)
{
	irp->status = status;
	irp->information = information;
	IofCompleteRequest(irp, 0);
}

void nt_log(const char *text)
{
	DbgPrint("colinux: %s\n", text);
}

/* ---- opening and closing --------------------------------------------------------- */

static bool is_admin(void)
{
	struct nt_subject subject;
	bool admin;

	SeCaptureSubjectContext(&subject);
	SeLockSubjectContext(&subject);
	admin = subject.client ? subject.level >= IMPERSONATES &&
					 SeTokenIsAdmin(subject.client) :
				 SeTokenIsAdmin(subject.primary);
	SeUnlockSubjectContext(&subject);
	SeReleaseSubjectContext(&subject);
	return admin;
}

static struct nt_file *file_new(void)
{
	struct nt_file *file = host_alloc(sizeof(*file));
	co_u64 state;

	if (!file)
		return NULL;
	co_file_init(&file->core);
	nt_bells_init(file);
	file->drained = true;
	state = host_lock(&nt_files_lock);
	nt_list_add(&nt_files, &file->list);
	host_unlock(&nt_files_lock, state);
	return file;
}

static ntstatus create(struct nt_device *unused, struct nt_irp *irp)
{
	ntstatus status = STATUS_SUCCESS;

	if (!is_admin()) {
		status = STATUS_ACCESS_DENIED;
	} else {
		irp->stack->file->context = file_new();
		if (!irp->stack->file->context)
			status = STATUS_INSUFFICIENT_RESOURCES;
		/* A tick is up to 15.6 ms. */
		else if (!nt_optional.ExAllocateTimer)
			ExSetTimerResolution(10000, 1);
	}
	nt_complete(irp, status, 0);
	return status;
}

/* The last handle is closed; requests may still be in flight. */
static ntstatus cleanup(struct nt_device *unused, struct nt_irp *irp)
{
	struct nt_file *file = irp->stack->file->context;
	struct co_vm *vm = co_load(&file->core.vm);

	co_store(&file->closing, 1);
	if (vm)
		co_vm_stop(vm, CO_VERDICT_KILLED, "its daemon closed the driver");
	nt_bells_close(file);
	nt_map_close(file);
	nt_complete(irp, STATUS_SUCCESS, 0);
	return STATUS_SUCCESS;
}

/* No request is in flight any more, so nothing wakes or rings; what did has to have
 * ended before its storage goes. */
static ntstatus close(struct nt_device *unused, struct nt_irp *irp)
{
	struct nt_file *file = irp->stack->file->context;
	co_u64 state = host_lock(&nt_files_lock);

	nt_list_remove(&file->list);
	host_unlock(&nt_files_lock, state);
	KeFlushQueuedDpcs();
	co_file_release(&file->core);
	KeFlushQueuedDpcs();
	host_free(file);
	if (!nt_optional.ExAllocateTimer)
		ExSetTimerResolution(0, 0);
	nt_complete(irp, STATUS_SUCCESS, 0);
	return STATUS_SUCCESS;
}

/* ---- the driver's life ------------------------------------------------------------- */

static ntstatus device_create(struct nt_driver *driver)
{
	struct nt_string name, link;
	ntstatus status;

	RtlInitUnicodeString(&name, device_text);
	RtlInitUnicodeString(&link, link_text);
	status = IoCreateDevice(driver, 0, &name, DEVICE_UNKNOWN, DEVICE_SECURE_OPEN, 0,
				&device);
	if (NT_ERROR(status))
		return status;
	status = IoCreateSymbolicLink(&link, &name);
	if (NT_ERROR(status))
		IoDeleteDevice(device);
	return status;
}

/* The system unloads only when no handle is open, so there's no VM. */
static void unload(struct nt_driver *driver)
{
	struct nt_string link;

	nt_pressure_exit();
	nt_life_exit();
	RtlInitUnicodeString(&link, link_text);
	IoDeleteSymbolicLink(&link);
	IoDeleteDevice(device);
	nt_map_exit();
	nt_cpu_exit();
	nt_memory_exit();
}

ntstatus DriverEntry(struct nt_driver *driver, const struct nt_string *path);
ntstatus DriverEntry(struct nt_driver *driver, const struct nt_string *path)
{
	ntstatus status = STATUS_INSUFFICIENT_RESOURCES;

	nt_list_init(&nt_files);
	host_lock_init(&nt_files_lock);
	nt_optional_init();
	nt_time_init();
	if (nt_memory_init())
		goto memory;
	if (nt_cpu_init())
		goto cpu;
	if (nt_map_init())
		goto cpu;
	driver->unload = unload;
	driver->major[IRP_MJ_CREATE] = create;
	driver->major[IRP_MJ_CLEANUP] = cleanup;
	driver->major[IRP_MJ_CLOSE] = close;
	driver->major[IRP_MJ_DEVICE_CONTROL] = nt_device_control;
	driver->major[IRP_MJ_SHUTDOWN] = nt_shutdown;
	status = device_create(driver);
	if (NT_ERROR(status))
		goto map;
	nt_life_init(device);
	nt_pressure_init();
	nt_log("version " CO_VERSION);
	return STATUS_SUCCESS;

map:
	nt_map_exit();
cpu:
	nt_cpu_exit();
memory:
	nt_memory_exit();
	return status;
}
