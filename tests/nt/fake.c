// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "fake_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fake fake;
__thread void *fake_process;
__thread co_u32 fake_cpu;
char fake_first[] = "a process";
char fake_second[] = "another process";
__thread bool irqs_are_off;
__thread co_u8 irql;

void fake_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* ---- where a function may be called -------------------------------------------- */

void at_most(co_u8 level, const char *function)
{
	if (irqs_are_off && irql < HIGH_LEVEL)
		fake_die("%s() with interrupts off", function);
	if (irql > level)
		fake_die("%s() at IRQL %d, above %d", function, irql, level);
}

co_u64 nt_irqs_off(void)
{
	bool were_off = irqs_are_off;

	irqs_are_off = true;
	return were_off ? 0 : FLAGS_IF;
}

void nt_irqs_on(void)
{
	irqs_are_off = false;
}

bool nt_is_at_most(co_u8 most)
{
	return !irqs_are_off && irql <= most;
}

co_u8 KfRaiseIrql(co_u8 level)
{
	co_u8 old = irql;

	if (level < old)
		fake_die("KfRaiseIrql(%d) at IRQL %d", level, old);
	irql = level;
	return old;
}

void KeLowerIrql(co_u8 level)
{
	if (level > irql)
		fake_die("KeLowerIrql(%d) at IRQL %d", level, irql);
	irql = level;
}

/* ---- what is alive ------------------------------------------------------------------ */

bool fails(void)
{
	return co_fetch_add(&fake.allocations, 1) + 1 == fake.fail_at;
}

void alive(int change)
{
	co_fetch_add(&fake.live, (co_u64)(co_s64)change);
}

struct pool {
	co_u64 size;
	co_u64 tag;
};

void *ExAllocatePoolWithTag(co_u32 type, co_u64 size, co_u32 tag)
{
	co_u64 room = size < CO_PAGE_SIZE ? 16 : CO_PAGE_SIZE;
	struct pool *p;

	AT_MOST(DISPATCH_LEVEL);
	if (type == POOL_NONPAGED_NX && fake.major * 10 + fake.minor < 62)
		fake_die("NX pool before Windows 8");
	if (fails())
		return NULL;
	p = aligned_alloc(room, (size + 2 * room - 1) / room * room);
	memset((char *)p + room, 0xcd, size);
	((struct pool *)((char *)p + room))[-1] = (struct pool){ size, tag };
	alive(1);
	return (char *)p + room;
}

void ExFreePoolWithTag(void *p, co_u32 tag)
{
	struct pool *head = (struct pool *)p - 1;
	co_u64 room = head->size < CO_PAGE_SIZE ? 16 : CO_PAGE_SIZE;

	AT_MOST(DISPATCH_LEVEL);
	if (tag && head->tag != tag)
		fake_die("frees pool of another tag");
	memset(p, 0xdd, head->size);
	free((char *)p - room);
	alive(-1);
}

/* For what the system has allocated. */
void ExFreePool(void *p)
{
	ExFreePoolWithTag(p, 0);
}

co_u64 MmGetPhysicalAddress(const void *va)
{
	return (co_uptr)va & ~0xfff000000000ULL;
}

co_u8 MmIsAddressValid(const void *va)
{
	return va != NULL;
}

/* ---- waiting --------------------------------------------------------------------------- */

pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void KeInitializeEvent(struct nt_event *event, co_u32 type, co_u8 state)
{
	if (type != EVENT_SYNCHRONIZATION)
		fake_die("event type %d", type);
	event->opaque[0] = EVENT;
	event->opaque[1] = state;
}

co_s32 KeSetEvent(struct nt_event *event, co_s32 boost, co_u8 wait)
{
	AT_MOST(DISPATCH_LEVEL);
	(void)boost;
	(void)wait;
	pthread_mutex_lock(&big);
	if (event->opaque[0] != EVENT && event->opaque[0] != NOTIFICATION)
		fake_die("KeSetEvent() of something else");
	event->opaque[1] = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&big);
	return 0;
}

void KeInitializeMutex(struct nt_mutex *mutex, co_u32 level)
{
	(void)level;
	memset(mutex, 0, sizeof(*mutex));
	mutex->opaque[0] = MUTEX;
}

static bool try_take(co_u64 *object)
{
	co_uptr self = (co_uptr)KeGetCurrentThread();

	if (object[0] == NOTIFICATION)
		return object[1];
	if (object[0] == EVENT) {
		bool was = object[1];

		object[1] = 0;
		return was;
	}
	if (object[0] != MUTEX)
		fake_die("a wait for nothing that is one");
	if (object[1] && object[2] != self)
		return false;
	object[1]++;
	object[2] = self;
	return true;
}

/* The first that can be taken, or -1. */
static int try_any(co_u32 count, void **objects)
{
	co_u32 i;

	for (i = 0; i < count; i++)
		if (try_take(objects[i]))
			return (int)i;
	return -1;
}

/* The end of a wait; it never comes where time stands. */
static struct timespec end_of(const co_s64 *timeout)
{
	struct timespec t = { INT32_MAX, 0 };
	co_u64 ns;

	if (!timeout || fake.time_stands)
		return t;
	if (*timeout >= 0)
		fake_die("a wait to a date");
	clock_gettime(CLOCK_REALTIME, &t);
	ns = (co_u64)t.tv_nsec + (co_u64)-*timeout * 100 / HASTE;
	t.tv_sec += (time_t)(ns / 1000000000);
	t.tv_nsec = (long)(ns % 1000000000);
	return t;
}

ntstatus KeWaitForMultipleObjects(co_u32 count, void **objects, co_u32 type,
				  co_u32 reason, co_u8 mode, co_u8 alertable,
				  const co_s64 *timeout, void *blocks)
{
	struct timespec end = end_of(timeout);
	int which, error = 0;

	AT_MOST(PASSIVE_LEVEL);
	(void)reason;
	(void)mode;
	if (alertable || type != WAIT_ANY || (count > 3 && !blocks))
		fake_die("a wait that the fake hasn't");
	pthread_mutex_lock(&big);
	while ((which = try_any(count, objects)) < 0 && !error)
		error = pthread_cond_timedwait(&changed, &big, &end);
	pthread_mutex_unlock(&big);
	return which < 0 ? STATUS_TIMEOUT : (ntstatus)which;
}

ntstatus KeWaitForSingleObject(void *object, co_u32 reason, co_u8 mode,
			       co_u8 alertable, const co_s64 *timeout)
{
	return KeWaitForMultipleObjects(1, &object, WAIT_ANY, reason, mode, alertable,
					timeout, NULL);
}

co_s32 KeReleaseMutex(struct nt_mutex *mutex, co_u8 wait)
{
	(void)wait;
	AT_MOST(PASSIVE_LEVEL);
	pthread_mutex_lock(&big);
	if (!mutex->opaque[1] || mutex->opaque[2] != (co_uptr)KeGetCurrentThread())
		fake_die("releases another's mutex");
	mutex->opaque[1]--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&big);
	return 0;
}

ntstatus KeDelayExecutionThread(co_u8 mode, co_u8 alertable, const co_s64 *interval)
{
	(void)mode;
	(void)alertable;
	AT_MOST(PASSIVE_LEVEL);
	usleep((useconds_t)(-*interval / 10 / HASTE));
	return STATUS_SUCCESS;
}

void *KeGetCurrentThread(void)
{
	static __thread char self[64];

	return self;
}

void *IoGetCurrentProcess(void)
{
	return fake_process;
}

static void *ended; /* the process whose address space is gone */

void KeStackAttachProcess(void *process, struct nt_apc_state *state)
{
	AT_MOST(PASSIVE_LEVEL);
	if (process == ended)
		fake_die("attaches to a process that has ended");
	state->opaque[0] = (co_uptr)fake_process;
	fake_process = process;
}

void KeUnstackDetachProcess(struct nt_apc_state *state)
{
	fake_process = (void *)(co_uptr)state->opaque[0];
}

static nt_process_fn *process_fn;

ntstatus PsSetCreateProcessNotifyRoutine(nt_process_fn *fn, co_u8 remove)
{
	AT_MOST(PASSIVE_LEVEL);
	if (!remove && fails())
		return STATUS_INVALID_PARAMETER;
	if (remove ? process_fn != fn : process_fn != NULL)
		fake_die("a notification that is there, or isn't");
	process_fn = remove ? NULL : fn;
	alive(remove ? -1 : 1);
	return STATUS_SUCCESS;
}

co_u64 PsGetCurrentProcessId(void)
{
	return (co_uptr)fake_process;
}

void fake_process_started(void)
{
	process_fn(fake_process, fake_second, 1);
}

void fake_process_ended(void *process)
{
	process_fn(NULL, process, 0);
	if (process != fake_process)
		return;
	if (process == fake_first && fake.user_maps)
		fake_die("a process ends, and has pages that aren't its own");
	ended = fake_process;
	fake_process = fake_second;
}

void fake_process_lives(void)
{
	ended = NULL;
}

co_s64 ObfReferenceObject(void *object)
{
	(void)object;
	alive(1);
	return 1;
}

co_s64 ObfDereferenceObject(void *object)
{
	(void)object;
	alive(-1);
	return 1;
}

/* ---- clocks, processors --------------------------------------------------------------------- */

co_s64 KeQueryPerformanceCounter(co_s64 *frequency)
{
	if (frequency)
		*frequency = 10000000;
	return (co_s64)(now_ns() / 100);
}

static void KeQuerySystemTimePrecise(co_u64 *time)
{
	*time = 116444736000000000ULL + now_ns() / 100;
}

co_u32 ExSetTimerResolution(co_u32 time, co_u8 set)
{
	AT_MOST(PASSIVE_LEVEL);
	alive(set ? 1 : -1);
	return time;
}

static co_u32 KeGetCurrentProcessorNumberEx(struct nt_processor *number)
{
	(void)number;
	return fake_cpu;
}

static ntstatus KeGetProcessorNumberFromIndex(co_u32 index, struct nt_processor *number)
{
	*number = (struct nt_processor){ 0, (co_u8)index, 0 };
	return index < 4 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static ntstatus KeSetTargetProcessorDpcEx(struct nt_dpc *dpc,
					  const struct nt_processor *number)
{
	KeSetTargetProcessorDpc(dpc, number->number);
	return STATUS_SUCCESS;
}

static co_u32 KeQueryActiveProcessorCountEx(co_u16 group)
{
	return group == ALL_GROUPS ? 4 : 0;
}

co_u64 KeQueryActiveProcessors(void)
{
	return 0xf;
}

void KeSetSystemAffinityThread(co_u64 mask)
{
	AT_MOST(PASSIVE_LEVEL);
	fake_cpu = (co_u32)__builtin_ctzll(mask);
	alive(1);
}

void KeRevertToUserAffinityThread(void)
{
	alive(-1);
}

static ntstatus ZwYieldExecution(void)
{
	AT_MOST(PASSIVE_LEVEL);
	sched_yield();
	return STATUS_SUCCESS;
}

void fake_fpu(void *image, bool save)
{
	(void)image;
	if (nt_may_call())
		fake_die("the FPU is switched with interrupts on");
	co_fetch_add(&fake.fpu, save ? 1 : ~0ULL);
}

/* ---- names -------------------------------------------------------------------------------------- */

#define SINCE(version, name) { #name, (void *)name, version }
static const struct {
	const char *name;
	void *fn;
	co_u32 since;
} newer[] = {
	SINCE(61, KeGetCurrentProcessorNumberEx),
	SINCE(61, KeGetProcessorNumberFromIndex),
	SINCE(61, KeSetTargetProcessorDpcEx),
	SINCE(61, KeQueryActiveProcessorCountEx),
	SINCE(60, ZwYieldExecution),
	SINCE(62, KeQuerySystemTimePrecise),
	SINCE(63, ExAllocateTimer),
	SINCE(63, ExSetTimer),
	SINCE(63, ExDeleteTimer),
};

void RtlInitUnicodeString(struct nt_string *string, const co_u16 *text)
{
	co_u16 n = 0;

	while (text[n])
		n++;
	*string = (struct nt_string){ n * 2, n * 2 + 2, text };
}

static bool equal(const struct nt_string *string, const char *text)
{
	co_u32 i;

	for (i = 0; i < string->length / 2u; i++)
		if (string->text[i] != (co_u8)text[i] || !text[i])
			return false;
	return !text[i];
}

void *MmGetSystemRoutineAddress(const struct nt_string *name)
{
	co_u32 i;

	AT_MOST(PASSIVE_LEVEL);
	for (i = 0; i < CO_ARRAY_SIZE(newer); i++)
		if (equal(name, newer[i].name) &&
		    fake.major * 10 + fake.minor >= newer[i].since)
			return newer[i].fn;
	return NULL;
}

ntstatus RtlGetVersion(struct nt_version *version)
{
	version->major = fake.major;
	version->minor = fake.minor;
	version->build = 7601;
	return STATUS_SUCCESS;
}

co_u32 DbgPrint(const char *format, ...)
{
	AT_MOST(DISPATCH_LEVEL);
	(void)format;
	return 0;
}

ntstatus ZwQuerySystemInformation(co_u32 what, void *out, co_u32 size, co_u32 *written)
{
	co_u32 *words = out;

	AT_MOST(PASSIVE_LEVEL);
	*written = size;
	if (what == 2)
		words[11] = (co_u32)(fake.free_blocks * 512);
	else if (what == 3)
		((co_u64 *)out)[1] = 116444736000000000ULL + co_load(&fake.wall);
	else if (what == 103)
		words[1] = fake.integrity;
	else
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}

/* ---- life -------------------------------------------------------------------------------------------- */

void fake_start(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.admin = true;
	fake.major = 10;
	fake_process = fake_first;
	ended = NULL;
	timers_start();
}

void fake_end(void)
{
	timers_end();
	if (fake.live || fake.fpu || fake.user_maps)
		fake_die("left: %llu objects, FPU %lld, %llu user mappings",
			 fake.live, (co_s64)fake.fpu, fake.user_maps);
}
