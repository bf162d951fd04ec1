// SPDX-License-Identifier: GPL-2.0
/* Objects with names and handles: devices, threads' handles, work items; who may. */
#include <linux/capability.h>
#include <linux/idr.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "shim.h"

struct nt_driver nt_driver;
struct nt_device *nt_device;

/* ---- devices ------------------------------------------------------------------------ */

static NT ntstatus IoCreateDevice(struct nt_driver *driver, u32 extension,
				  struct nt_string *name, u32 type, u32 flags,
				  u8 exclusive, struct nt_device **device)
{
	struct nt_device *d;

	if (!irql_at_most(APC_LEVEL) || fails("device", CALLER))
		return NT_NO_RESOURCES;
	if (nt_device) {
		complain(CALLER, "a second device");
		return NT_NAME_COLLISION;
	}
	d = kzalloc(sizeof(*d) + extension, GFP_KERNEL);
	if (!d)
		return NT_NO_RESOURCES;
	d->type = 3;
	d->size = sizeof(*d) + extension;
	d->references = 1;
	d->driver = driver;
	d->flags = 0x80; /* DO_DEVICE_INITIALIZING */
	d->characteristics = flags;
	d->device_type = type;
	d->stack_size = 1;
	d->extension = extension ? d + 1 : NULL;
	track("device", d, d->size, CALLER);
	driver->device = nt_device = *device = d;
	return NT_OK;
}

static NT void IoDeleteDevice(struct nt_device *device)
{
	irql_at_most(APC_LEVEL);
	if (untrack("device", device, CALLER) < 0)
		return;
	nt_driver.device = nt_device = NULL;
	kfree(device);
}

/* A link has no object: its name's place stands for it. */
static char link_name[128];

static void narrow(char *to, size_t room, const struct nt_string *from)
{
	size_t n = min_t(size_t, from->length / 2, room - 1), i;

	for (i = 0; i < n; i++)
		to[i] = from->text[i];
	to[n] = 0;
}

static NT ntstatus IoCreateSymbolicLink(struct nt_string *link,
					struct nt_string *target)
{
	if (!irql_at_most(PASSIVE_LEVEL) || fails("symbolic link", CALLER))
		return NT_NO_RESOURCES;
	if (tracked("symbolic link", link_name))
		return NT_NAME_COLLISION;
	narrow(link_name, sizeof(link_name), link);
	pr_info("ntshim: the driver's device is %s\n", link_name);
	track("symbolic link", link_name, link->length, CALLER);
	return NT_OK;
}

static NT ntstatus IoDeleteSymbolicLink(struct nt_string *link)
{
	if (!irql_at_most(PASSIVE_LEVEL))
		return NT_UNSUCCESSFUL;
	if (!nt_equal(link, link_name))
		complain(CALLER, "deletes a link that it hasn't made");
	untrack("symbolic link", link_name, CALLER);
	return NT_OK;
}

/* ---- handles and references ----------------------------------------------------------- */

static DEFINE_IDR(handles);
static DEFINE_MUTEX(handles_lock);

/* Windows' are multiples of 4. */
u64 handle_new(void *object)
{
	int id;

	mutex_lock(&handles_lock);
	id = idr_alloc(&handles, object, 1, 0, GFP_KERNEL | __GFP_NOFAIL);
	mutex_unlock(&handles_lock);
	track("handle", (void *)(long)id, 0, CALLER);
	return (u64)id * 4;
}

static void *handle_find(u64 handle, bool remove)
{
	void *object;

	mutex_lock(&handles_lock);
	object = remove ? idr_remove(&handles, handle / 4) :
			  idr_find(&handles, handle / 4);
	mutex_unlock(&handles_lock);
	return object;
}

/* Threads of ours, callback objects, events with a name, and Linux' own: processes and
 * their threads. */
static void object_get(void *object)
{
	if (thread_is(object))
		thread_get(object);
	else if (!callback_is(object) && !event_is(object))
		get_task_struct(object);
}

static void object_put(void *object)
{
	if (thread_is(object))
		thread_put(object);
	else if (!callback_is(object) && !event_is(object))
		put_task_struct(object);
}

static NT ntstatus ZwClose(u64 handle)
{
	void *object;

	if (!irql_at_most(PASSIVE_LEVEL))
		return NT_UNSUCCESSFUL;
	object = handle_find(handle, true);
	if (!object) {
		complain(CALLER, "closes handle %llx, which it doesn't have", handle);
		return NT_INVALID_HANDLE;
	}
	untrack("handle", (void *)(handle / 4), CALLER);
	object_put(object);
	return NT_OK;
}

static const char thread_type[] = "Thread";
static const char event_type[] = "Event";
static const char other_type[] = "Other";
static const void *PsThreadType = thread_type;
static const void *PsProcessType = other_type;
static const void *ExEventObjectType = event_type;
static const void *IoFileObjectType = other_type;

static NT ntstatus ObReferenceObjectByHandle(u64 handle, u32 access,
					     const void *type, s8 mode,
					     void **object, void *information)
{
	void *found;

	if (!irql_at_most(PASSIVE_LEVEL) || fails("reference", CALLER))
		return NT_UNSUCCESSFUL;
	found = handle_find(handle, false);
	if (!found)
		return NT_INVALID_HANDLE;
	if (type && type != (event_is(found) ? event_type : thread_type))
		return NT_TYPE_MISMATCH;
	object_get(found);
	track("reference", found, 0, CALLER);
	*object = found;
	return NT_OK;
}

static NT s64 ObfReferenceObject(void *object)
{
	irql_at_most(DISPATCH_LEVEL);
	track("reference", object, 0, CALLER);
	object_get(object);
	return 2;
}

static NT s64 ObfDereferenceObject(void *object)
{
	irql_at_most(DISPATCH_LEVEL);
	if (untrack("reference", object, CALLER) < 0)
		return 1;
	object_put(object);
	return 1;
}

static NT ntstatus ZwWaitForSingleObject(u64 handle, u8 alertable, const s64 *timeout)
{
	struct nt_header *object = handle_find(handle, false);

	if (!irql_at_most(PASSIVE_LEVEL))
		return NT_UNSUCCESSFUL;
	if (!object)
		return NT_INVALID_HANDLE;
	return object_wait(object, timeout, CALLER);
}

/* ---- events with a name ---------------------------------------------------------------- */

static struct nt_header low_memory = {
	.type = NT_EVENT_NOTIFICATION,
	.size = sizeof(low_memory) / 4,
	.waiters = LIST_HEAD_INIT(low_memory.waiters),
};

bool event_is(const void *object)
{
	return object == &low_memory;
}

bool event_low_memory_is_set(void)
{
	return READ_ONCE(low_memory.signal);
}

void event_low_memory(bool low)
{
	object_set(&low_memory, low);
}

static NT ntstatus ZwOpenEvent(u64 *handle, u32 access, const void **attributes)
{
	/* OBJECT_ATTRIBUTES: length, root, name. */
	const struct nt_string *name = attributes[2];

	if (!irql_at_most(PASSIVE_LEVEL) || fails("event", CALLER))
		return NT_NO_RESOURCES;
	if (!nt_equal(name, "\\KernelObjects\\LowMemoryCondition"))
		return NT_NOT_FOUND;
	*handle = handle_new(&low_memory);
	return NT_OK;
}

/* ---- work items ------------------------------------------------------------------------ */

struct work_item {
	struct work_struct work;
	struct nt_device *device;
	void *fn, *context;
	bool extended; /* its function gets the item, too */
	u32 queued;
};

static void work_run(struct work_struct *work)
{
	struct work_item *item = container_of(work, struct work_item, work);

	/* It may free the item, or queue it again. */
	xchg(&item->queued, 0);
	if (item->extended)
		call_driver("a work item", item->fn, item->device, item->context,
			    item, NULL);
	else
		call_driver("a work item", item->fn, item->device, item->context,
			    NULL, NULL);
	thread_check_affinity();
}

static NT struct work_item *IoAllocateWorkItem(struct nt_device *device)
{
	struct work_item *item;

	if (!irql_at_most(DISPATCH_LEVEL) || fails("work item", CALLER))
		return NULL;
	item = kzalloc(sizeof(*item), GFP_ATOMIC);
	if (!item)
		return NULL;
	INIT_WORK(&item->work, work_run);
	item->device = device;
	track("work item", item, sizeof(*item), CALLER);
	return item;
}

static void work_queue(struct work_item *item, void *fn, void *context,
		       bool extended, unsigned long site)
{
	irql_check(DISPATCH_LEVEL, site, "IoQueueWorkItem");
	if (xchg(&item->queued, 1)) {
		complain(site, "queues a work item that is queued");
		return;
	}
	item->fn = fn;
	item->context = context;
	item->extended = extended;
	schedule_work(&item->work);
}

static NT void IoQueueWorkItem(struct work_item *item, void *fn, u32 queue,
			       void *context)
{
	work_queue(item, fn, context, false, CALLER);
}

static NT void IoQueueWorkItemEx(struct work_item *item, void *fn, u32 queue,
				 void *context)
{
	/* (object, context, item): the order of work_run()'s arguments */
	work_queue(item, fn, context, true, CALLER);
}

static NT void IoFreeWorkItem(struct work_item *item)
{
	irql_at_most(DISPATCH_LEVEL);
	if (item->queued)
		complain(CALLER, "frees a work item that is queued");
	if (untrack("work item", item, CALLER) >= 0)
		kfree(item);
}

/* ---- rights ------------------------------------------------------------------------------ */

static bool may(void)
{
	return capable(CAP_SYS_MODULE);
}

static NT u8 SeSinglePrivilegeCheck(u64 luid, s8 mode)
{
	return may();
}

static NT void SeCaptureSubjectContext(void **context)
{
	irql_at_most(PASSIVE_LEVEL);
	memset(context, 0, 4 * sizeof(*context));
	context[2] = (void *)current->real_cred; /* the primary token */
	track("subject context", context, 0, CALLER);
}

static NT void SeReleaseSubjectContext(void **context)
{
	untrack("subject context", context, CALLER);
}

static NT void SeLockSubjectContext(void **context)
{
	irql_at_most(PASSIVE_LEVEL);
}

static NT u8 SeTokenIsAdmin(const void *token)
{
	irql_at_most(PASSIVE_LEVEL);
	if (token != current->real_cred)
		complain(CALLER, "asks about a token that isn't the caller's");
	return may();
}

static NT const void *PsReferencePrimaryToken(void *process)
{
	track("token", current->real_cred, 0, CALLER);
	return current->real_cred;
}

static NT void PsDereferencePrimaryToken(const void *token)
{
	untrack("token", token, CALLER);
}

/* ---- what else there is ---------------------------------------------------------------- */

static NT void *MmGetSystemRoutineAddress(struct nt_string *name)
{
	char text[64];

	if (!irql_at_most(PASSIVE_LEVEL))
		return NULL;
	narrow(text, sizeof(text), name);
	return pe_export(text);
}

static NT ntstatus IoRegisterShutdownNotification(struct nt_device *device)
{
	if (!irql_at_most(PASSIVE_LEVEL) || fails("shutdown notification", CALLER))
		return NT_NO_RESOURCES;
	track("shutdown notification", device, 0, CALLER);
	return NT_OK;
}

static NT void IoUnregisterShutdownNotification(struct nt_device *device)
{
	irql_at_most(PASSIVE_LEVEL);
	untrack("shutdown notification", device, CALLER);
}

/* After the driver's end. */
void object_exit(void)
{
	flush_scheduled_work();
	idr_destroy(&handles);
	kfree(nt_device);
	nt_device = NULL;
}

const struct nt_export object_exports[] = {
	EXPORT(IoCreateDevice, NT_2003),
	EXPORT(IoDeleteDevice, NT_2003),
	EXPORT(IoCreateSymbolicLink, NT_2003),
	EXPORT(IoDeleteSymbolicLink, NT_2003),
	EXPORT(ZwClose, NT_2003),
	EXPORT(ZwOpenEvent, NT_2003),
	EXPORT(ZwWaitForSingleObject, NT_2003),
	EXPORT(ObReferenceObjectByHandle, NT_2003),
	EXPORT(ObfReferenceObject, NT_2003),
	EXPORT(ObfDereferenceObject, NT_2003),
	{ "ObDereferenceObject", ObfDereferenceObject, NT_2003 },
	{ "PsThreadType", &PsThreadType, NT_2003 },
	{ "PsProcessType", &PsProcessType, NT_2003 },
	{ "ExEventObjectType", &ExEventObjectType, NT_2003 },
	{ "IoFileObjectType", &IoFileObjectType, NT_2003 },
	EXPORT(IoAllocateWorkItem, NT_2003),
	EXPORT(IoQueueWorkItem, NT_2003),
	EXPORT(IoQueueWorkItemEx, NT_VISTA),
	EXPORT(IoFreeWorkItem, NT_2003),
	EXPORT(SeSinglePrivilegeCheck, NT_2003),
	EXPORT(SeCaptureSubjectContext, NT_2003),
	EXPORT(SeReleaseSubjectContext, NT_2003),
	EXPORT(SeLockSubjectContext, NT_2003),
	{ "SeUnlockSubjectContext", SeLockSubjectContext, NT_2003 },
	EXPORT(SeTokenIsAdmin, NT_2003),
	EXPORT(PsReferencePrimaryToken, NT_2003),
	EXPORT(PsDereferencePrimaryToken, NT_2003),
	EXPORT(MmGetSystemRoutineAddress, NT_2003),
	EXPORT(IoRegisterShutdownNotification, NT_2003),
	EXPORT(IoUnregisterShutdownNotification, NT_2003),
	EXPORTS_END
};
