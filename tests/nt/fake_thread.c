// SPDX-License-Identifier: GPL-2.0
/* The system's event of low memory, handles, and system threads. */
#define _GNU_SOURCE
#include "fake_inside.h"

#include <stdlib.h>
#include <string.h>

struct handle {
	bool is_thread, waited;
	pthread_t thread;
	void (*fn)(void *context);
	void *context;
};

static const char low_name[] = "\\KernelObjects\\LowMemoryCondition";

void fake_low_memory(bool low)
{
	fake.low.opaque[0] = NOTIFICATION;
	if (low)
		KeSetEvent(&fake.low, 0, 0);
	else
		co_store(&fake.low.opaque[1], 0);
}

static ntstatus handle_new(void **handle, const struct nt_attributes *attributes)
{
	AT_MOST(PASSIVE_LEVEL);
	if (!(attributes->attributes & OBJ_KERNEL_HANDLE) ||
	    attributes->length != sizeof(*attributes))
		fake_die("a handle that the process has");
	if (fails())
		return STATUS_INSUFFICIENT_RESOURCES;
	*handle = calloc(1, sizeof(struct handle));
	alive(1);
	return STATUS_SUCCESS;
}

ntstatus ZwOpenEvent(void **handle, co_u32 access, struct nt_attributes *attributes)
{
	co_u32 i;

	for (i = 0; i < sizeof(low_name) - 1; i++)
		if (attributes->name->text[i] != (co_u8)low_name[i])
			fake_die("an event of another name");
	if (access != SYNCHRONIZE || attributes->name->length != 2 * i)
		fake_die("an event of another name, or for more than a wait");
	fake.low.opaque[0] = NOTIFICATION;
	return fake.no_low ? STATUS_INVALID_PARAMETER : handle_new(handle, attributes);
}

ntstatus ObReferenceObjectByHandle(void *handle, co_u32 access, void *type, co_u8 mode,
				   void **object, void *information)
{
	(void)access;
	(void)information;
	AT_MOST(PASSIVE_LEVEL);
	if (((struct handle *)handle)->is_thread || type || mode != KERNEL_MODE)
		fake_die("a reference that the fake hasn't");
	if (fails())
		return STATUS_INSUFFICIENT_RESOURCES;
	*object = &fake.low;
	alive(1);
	return STATUS_SUCCESS;
}

ntstatus ZwClose(void *handle)
{
	struct handle *h = handle;

	AT_MOST(PASSIVE_LEVEL);
	if (h->is_thread && !h->waited)
		fake_die("nobody has waited for a thread");
	free(h);
	alive(-1);
	return STATUS_SUCCESS;
}

static void *thread_main(void *handle)
{
	struct handle *h = handle;

	h->fn(h->context);
	fake_die("a system thread returns");
}

ntstatus PsCreateSystemThread(void **handle, co_u32 access,
			      struct nt_attributes *attributes, void *process,
			      void *client, void (*fn)(void *context), void *context)
{
	struct handle *h;

	(void)access;
	if (process || client || NT_ERROR(handle_new(handle, attributes)))
		return STATUS_INSUFFICIENT_RESOURCES;
	h = *handle;
	h->is_thread = true;
	h->fn = fn;
	h->context = context;
	alive(1);
	if (pthread_create(&h->thread, NULL, thread_main, h))
		fake_die("no thread");
	return STATUS_SUCCESS;
}

ntstatus PsTerminateSystemThread(ntstatus status)
{
	(void)status;
	AT_MOST(PASSIVE_LEVEL);
	alive(-1);
	pthread_exit(NULL);
}

ntstatus ZwWaitForSingleObject(void *handle, co_u8 alertable, const co_s64 *timeout)
{
	struct handle *h = handle;

	AT_MOST(PASSIVE_LEVEL);
	if (!h->is_thread || alertable || timeout)
		fake_die("a wait that the fake hasn't");
	pthread_join(h->thread, NULL);
	h->waited = true;
	return STATUS_SUCCESS;
}
