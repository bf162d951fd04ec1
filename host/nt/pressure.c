// SPDX-License-Identifier: GPL-2.0
/*
 * A system that runs short of memory asks its guests: Windows keeps an event set for
 * as long as it lasts. Nothing tells what is missing, so that guests are asked in
 * steps, at a pace that lets them give and Windows look. They keep what they need to
 * live, however long that goes on.
 *
 * The thread that waits is there without a VM, too: the piece that the driver keeps
 * for the next one (block.c) goes first. A guest that sleeps with its host finds the
 * wish when it wakes.
 */
#include "port.h"

/* Windows is short below 32 MiB for each 4 GiB, 64 MiB at most (documentation of
 * CreateMemoryResourceNotification()): one step of one guest fills that. */
#define STEP (64ULL << 20)
/* 500 ms: a guest gives a step within milliseconds, also one that first has to drop
 * caches. */
#define PACE 5000000

static const co_u16 low_name[] = u"\\KernelObjects\\LowMemoryCondition";
static struct nt_event end;
static void *low;    /* the system's event, a reference; NULL: there is no thread */
static void *thread; /* a handle of the kernel's */

static void ask(struct co_vm *vm)
{
	co_memory_ask(vm, STEP);
}

/* Until `end` is set. */
static bool is_low(void)
{
	void *objects[] = { &end, low };

	return KeWaitForMultipleObjects(2, objects, WAIT_ANY, WAIT_EXECUTIVE,
					KERNEL_MODE, 0, NULL, NULL) == 1;
}

static bool next_step(void)
{
	co_s64 pace = -PACE;

	return KeWaitForSingleObject(&end, WAIT_EXECUTIVE, KERNEL_MODE, 0, &pace) ==
	       STATUS_TIMEOUT;
}

static void watch(void *unused)
{
	while (is_low()) {
		nt_pool_drop(0);
		nt_tell_all(ask);
		if (!next_step())
			break;
	}
	PsTerminateSystemThread(STATUS_SUCCESS);
}

/* NULL: it can't be had. Not made where it is missing: a new one would be set. */
static void *low_open(void)
{
	struct nt_string name;
	struct nt_attributes attributes = { sizeof(attributes), NULL, &name,
					    OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
					    NULL, NULL };
	void *handle, *object;

	RtlInitUnicodeString(&name, low_name);
	if (NT_ERROR(ZwOpenEvent(&handle, SYNCHRONIZE, &attributes)))
		return NULL;
	if (NT_ERROR(ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KERNEL_MODE,
					       &object, NULL)))
		object = NULL;
	ZwClose(handle);
	return object;
}

static bool thread_start(void)
{
	struct nt_attributes attributes = { sizeof(attributes), NULL, NULL,
					    OBJ_KERNEL_HANDLE, NULL, NULL };

	KeInitializeEvent(&end, EVENT_SYNCHRONIZATION, 0);
	return !NT_ERROR(PsCreateSystemThread(&thread, SYNCHRONIZE, &attributes, NULL,
					      NULL, watch, NULL));
}

void nt_pressure_init(void)
{
	low = low_open();
	if (low && !thread_start()) {
		ObfDereferenceObject(low);
		low = NULL;
	}
	if (!low)
		nt_log("no notice of low memory: guests aren't asked for theirs");
}

void nt_pressure_exit(void)
{
	if (!low)
		return;
	KeSetEvent(&end, 0, 0);
	ZwWaitForSingleObject(thread, 0, NULL);
	ZwClose(thread);
	ObfDereferenceObject(low);
	low = NULL;
}
