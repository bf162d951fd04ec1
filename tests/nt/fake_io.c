// SPDX-License-Identifier: GPL-2.0
/* Requests, callbacks, rights. */
#define _GNU_SOURCE
#include "fake_inside.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

ntstatus DriverEntry(struct nt_driver *driver, const struct nt_string *path);

static struct nt_driver driver;
static char the_device;
static pthread_mutex_t cancel_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the driver ------------------------------------------------------------------- */

ntstatus fake_load(void)
{
	memset(&driver, 0, sizeof(driver));
	return DriverEntry(&driver, NULL);
}

void fake_unload(void)
{
	driver.unload(&driver);
}

static ntstatus object(int change)
{
	if (change > 0 && fails())
		return STATUS_INSUFFICIENT_RESOURCES;
	alive(change);
	return STATUS_SUCCESS;
}

ntstatus IoCreateDevice(struct nt_driver *d, co_u32 extension,
			const struct nt_string *name, co_u32 type,
			co_u32 characteristics, co_u8 exclusive,
			struct nt_device **device)
{
	(void)d;
	(void)extension;
	(void)name;
	(void)exclusive;
	if (type != DEVICE_UNKNOWN || characteristics != DEVICE_SECURE_OPEN)
		fake_die("a device of type %d", type);
	*device = (struct nt_device *)&the_device;
	return object(1);
}

void IoDeleteDevice(struct nt_device *device)
{
	(void)device;
	object(-1);
}

ntstatus IoCreateSymbolicLink(const struct nt_string *link, const struct nt_string *to)
{
	(void)link;
	(void)to;
	return object(1);
}

ntstatus IoDeleteSymbolicLink(const struct nt_string *link)
{
	(void)link;
	return object(-1);
}

/* ---- rights ----------------------------------------------------------------------------- */

void SeCaptureSubjectContext(struct nt_subject *subject)
{
	memset(subject, 0, sizeof(*subject));
	subject->primary = &fake;
	alive(1);
}

void SeReleaseSubjectContext(struct nt_subject *subject)
{
	(void)subject;
	alive(-1);
}

void SeLockSubjectContext(struct nt_subject *subject)
{
	(void)subject;
}

void SeUnlockSubjectContext(struct nt_subject *subject)
{
	(void)subject;
}

co_u8 SeTokenIsAdmin(void *token)
{
	return token == &fake && fake.admin;
}

/* ---- requests ---------------------------------------------------------------------------- */

struct fake_irp *fake_irp(struct nt_file_object *file, co_u32 code, void *in,
			  co_u32 in_size, void *out, co_u32 out_size)
{
	struct fake_irp *r = calloc(1, sizeof(*r));

	r->irp.stack = &r->stack;
	r->stack.file = file;
	r->stack.major = IRP_MJ_DEVICE_CONTROL;
	r->stack.code = code;
	r->stack.in_size = in_size;
	r->stack.out_size = r->out_size = out_size;
	r->out = out;
	r->direct = (code & 3) == CO_NT_OUT_DIRECT;
	if (!r->direct) {
		r->irp.buffer = malloc(in_size > out_size ? in_size : out_size);
		if (in_size)
			memcpy(r->irp.buffer, in, in_size);
	} else if (out_size) {
		r->irp.mdl = calloc(1, sizeof(*r->irp.mdl));
		r->irp.mdl->flags = MDL_MAPPED_TO_SYSTEM_VA;
		r->irp.mdl->system_va = out;
	}
	return r;
}

ntstatus fake_send(struct fake_irp *r)
{
	co_u8 major = r->stack.major;
	ntstatus status = driver.major[major]((struct nt_device *)&the_device, &r->irp);

	if (!nt_may_call() || KfRaiseIrql(2) || (KeLowerIrql(0), 0))
		fake_die("a request leaves interrupts off, or an IRQL");
	if (status != STATUS_PENDING && co_load(&r->completed) != 1)
		fake_die("request 0x%x returns 0x%x, completed %d times", r->stack.code,
			 status, r->completed);
	if (status != STATUS_PENDING && r->status != status)
		fake_die("request 0x%x returns 0x%x, completed with 0x%x", r->stack.code,
			 status, r->status);
	return status;
}

void IofCompleteRequest(struct nt_irp *irp, co_u8 boost)
{
	struct fake_irp *r = co_container_of(irp, struct fake_irp, irp);

	(void)boost;
	if (!nt_may_call())
		fake_die("a request is completed with interrupts off");
	if (co_load(&irp->cancel_fn))
		fake_die("a request is completed that has a cancel routine");
	if (irp->status == STATUS_PENDING || irp->information > r->out_size)
		fake_die("completed with 0x%x, %llu bytes of %u", irp->status,
			 irp->information, r->out_size);
	r->status = irp->status;
	r->information = irp->information;
	if (!NT_ERROR(irp->status) && !r->direct && r->out)
		memcpy(r->out, irp->buffer, irp->information);
	if (co_fetch_add(&r->completed, 1))
		fake_die("a request is completed twice");
}

void IoAcquireCancelSpinLock(co_u8 *level)
{
	*level = KfRaiseIrql(DISPATCH_LEVEL);
	pthread_mutex_lock(&cancel_lock);
}

void IoReleaseCancelSpinLock(co_u8 level)
{
	pthread_mutex_unlock(&cancel_lock);
	KeLowerIrql(level);
}

void fake_cancel(struct fake_irp *r)
{
	nt_cancel_fn *fn;
	co_u8 level;

	IoAcquireCancelSpinLock(&level);
	co_store(&r->irp.cancel, 1);
	fn = co_exchange(&r->irp.cancel_fn, NULL);
	r->irp.cancel_irql = level;
	if (fn)
		fn((struct nt_device *)&the_device, &r->irp);
	else
		IoReleaseCancelSpinLock(level);
}

void fake_wait(struct fake_irp *r)
{
	while (!co_load(&r->completed))
		sched_yield();
}

void fake_free(struct fake_irp *r)
{
	free(r->irp.buffer);
	free(r->irp.mdl);
	free(r);
}

ntstatus fake_control(struct nt_file_object *file, co_u32 code, void *in,
		      co_u32 in_size, void *out, co_u32 out_size)
{
	struct fake_irp *r = fake_irp(file, code, in, in_size, out, out_size);
	ntstatus status = fake_send(r);

	if (status == STATUS_PENDING)
		fake_die("request 0x%x is pended", code);
	fake_free(r);
	return status;
}

static ntstatus simple(struct nt_file_object *file, co_u8 major)
{
	struct fake_irp *r = fake_irp(file, 0, NULL, 0, NULL, 0);
	ntstatus status;

	r->stack.major = major;
	status = fake_send(r);
	fake_free(r);
	return status;
}

struct nt_file_object *fake_open(ntstatus *status)
{
	struct nt_file_object *file = calloc(1, sizeof(*file));

	*status = simple(file, IRP_MJ_CREATE);
	if (!NT_ERROR(*status))
		return file;
	free(file);
	return NULL;
}

void fake_cleanup(struct nt_file_object *file)
{
	simple(file, IRP_MJ_CLEANUP);
}

void fake_close(struct nt_file_object *file)
{
	simple(file, IRP_MJ_CLOSE);
	free(file);
}

void fake_shutdown(void)
{
	simple(NULL, IRP_MJ_SHUTDOWN);
}

/* ---- callbacks ------------------------------------------------------------------------------ */

static struct callback {
	const char *name;
	nt_callback_fn *fn;
	void *context;
} callbacks[] = { { "PowerState", NULL, NULL }, { "SetSystemTime", NULL, NULL } };

static bool ends_with(const struct nt_string *string, const char *text)
{
	co_u32 n = (co_u32)strlen(text), i;

	for (i = 0; i < n; i++)
		if (string->text[string->length / 2 - n + i] != (co_u8)text[i])
			return false;
	return true;
}

ntstatus ExCreateCallback(void **object, struct nt_attributes *attributes, co_u8 create,
			  co_u8 multiple)
{
	co_u32 i;

	(void)create;
	(void)multiple;
	if (fails())
		return STATUS_INSUFFICIENT_RESOURCES;
	for (i = 0; i < CO_ARRAY_SIZE(callbacks); i++) {
		if (!ends_with(attributes->name, callbacks[i].name))
			continue;
		*object = &callbacks[i];
		alive(1); /* a reference */
		return STATUS_SUCCESS;
	}
	return STATUS_INVALID_PARAMETER;
}

void *ExRegisterCallback(void *object, nt_callback_fn *fn, void *context)
{
	struct callback *c = object;

	if (fails())
		return NULL;
	c->fn = fn;
	c->context = context;
	alive(1);
	return c;
}

void ExUnregisterCallback(void *handle)
{
	((struct callback *)handle)->fn = NULL;
	alive(-1);
}

void fake_callback(const char *name, co_uptr a, co_uptr b)
{
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(callbacks); i++)
		if (!strcmp(callbacks[i].name, name) && callbacks[i].fn)
			callbacks[i].fn(callbacks[i].context, (void *)a, (void *)b);
}

static nt_bug_fn *bug_fn;
static struct nt_bug_record *bug_record;

co_u8 KeRegisterBugCheckReasonCallback(struct nt_bug_record *record, nt_bug_fn *fn,
				       co_u32 reason, const char *component)
{
	(void)component;
	if (reason != BUG_SECONDARY_DATA || fails())
		return 0;
	bug_fn = fn;
	bug_record = record;
	alive(1);
	return 1;
}

co_u8 KeDeregisterBugCheckReasonCallback(struct nt_bug_record *record)
{
	if (record != bug_record)
		fake_die("another record");
	bug_fn = NULL;
	alive(-1);
	return 1;
}

co_u32 fake_crash(char *text, co_u32 room)
{
	struct nt_bug_data data = { .most = room - 1 };
	co_u64 flags = nt_irqs_off();
	co_u8 old = KfRaiseIrql(HIGH_LEVEL);

	bug_fn(BUG_SECONDARY_DATA, bug_record, &data, sizeof(data));
	KeLowerIrql(old);
	if (flags)
		nt_irqs_on();
	memcpy(text, data.out, data.out_size);
	text[data.out_size] = 0;
	return data.out_size;
}

void *KeRegisterNmiCallback(co_u8 (*fn)(void *context, co_u8 handled), void *context)
{
	(void)fn;
	(void)context;
	fake_die("NMIs that nobody can send");
}

ntstatus KeDeregisterNmiCallback(void *handle)
{
	(void)handle;
	return STATUS_SUCCESS;
}

ntstatus IoRegisterShutdownNotification(struct nt_device *device)
{
	(void)device;
	return object(1);
}

void IoUnregisterShutdownNotification(struct nt_device *device)
{
	(void)device;
	object(-1);
}
