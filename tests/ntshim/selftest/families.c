// SPDX-License-Identifier: GPL-2.0
/*
 * Each family of functions that colinux.sys uses. A test answers the line of what was
 * wrong, or 0; NO_MEMORY when it didn't get what it asked for, with nothing left.
 */
#include "selftest.h"

/* ---- memory -------------------------------------------------------------------------- */

static ULONG test_pool(void)
{
	ULONG sizes[] = { 1, 100, 4096, 70000 }, i;
	UCHAR *p;

	for (i = 0; i < 4; i++) {
		p = ExAllocatePoolWithTag(NonPagedPool, sizes[i], TAG);
		if (!p)
			return NO_MEMORY;
		if (sizes[i] >= 4096 && (ULONG_PTR)p & 4095) {
			ExFreePoolWithTag(p, TAG);
			return __LINE__;
		}
		memset(p, 1, sizes[i]);
		ExFreePoolWithTag(p, TAG);
	}
	p = MmAllocateContiguousMemory(8192, (PHYSICAL_ADDRESS){ .QuadPart = -1ll });
	if (!p)
		return NO_MEMORY;
	i = MmGetPhysicalAddress(p).QuadPart + 4096 !=
	    MmGetPhysicalAddress(p + 4096).QuadPart;
	MmFreeContiguousMemory(p);
	EXPECT(!i);
	return 0;
}

static ULONG check_pages(PMDL mdl)
{
	PFN_NUMBER *pfn = MmGetMdlPfnArray(mdl);
	ULONG i;

	EXPECT(mdl->ByteCount == 2 * MIB2);
	for (i = 0; i < 1024; i++) {
		EXPECT(i % 512 || !(pfn[i] % 512));
		EXPECT(!(i % 512) || pfn[i] == pfn[i - 1] + 1);
	}
	return 0;
}

static ULONG check_mapping(PMDL mdl)
{
	ULONG line = 0;
	ULONG64 *p = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL,
						  FALSE, NormalPagePriority);

	if (!p)
		return NO_MEMORY;
	if (p[0] || p[MIB2 / 8])
		line = __LINE__;
	p[MIB2 / 8] = 0x1234;
	if (MmGetPhysicalAddress(p + MIB2 / 8).QuadPart !=
	    (LONGLONG)MmGetMdlPfnArray(mdl)[512] << 12)
		line = __LINE__;
	MmUnmapLockedPages(p, mdl);
	return line;
}

static ULONG test_pages(void)
{
	PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = -1ll };
	PHYSICAL_ADDRESS skip = { .QuadPart = MIB2 };
	PMDL mdl = MmAllocatePagesForMdlEx(low, high, skip, 2 * MIB2, MmCached,
					   MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS);
	ULONG line;

	if (!mdl)
		return NO_MEMORY;
	line = mdl->ByteCount < 2 * MIB2 ? NO_MEMORY : check_pages(mdl);
	if (!line)
		line = check_mapping(mdl);
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
	return line;
}

static ULONG test_mdl(void)
{
	UCHAR *p = ExAllocatePoolWithTag(NonPagedPool, 10000, TAG);
	ULONG line = 0;
	PMDL mdl;

	if (!p)
		return NO_MEMORY;
	mdl = IoAllocateMdl(p + 100, 9000, FALSE, FALSE, NULL);
	if (mdl) {
		MmBuildMdlForNonPagedPool(mdl);
		if (MmGetMdlByteOffset(mdl) != 100 ||
		    MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) != p + 100)
			line = __LINE__;
		if ((LONGLONG)MmGetMdlPfnArray(mdl)[1] !=
		    MmGetPhysicalAddress(p + 4096).QuadPart >> 12)
			line = __LINE__;
		IoFreeMdl(mdl);
	} else {
		line = NO_MEMORY;
	}
	ExFreePoolWithTag(p, TAG);
	return line;
}

/* ---- waiting --------------------------------------------------------------------------- */

static NTSTATUS open_event(PCWSTR name, PHANDLE handle)
{
	UNICODE_STRING string;
	OBJECT_ATTRIBUTES attributes;

	RtlInitUnicodeString(&string, name);
	InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE, NULL, NULL);
	return ZwOpenEvent(handle, SYNCHRONIZE, &attributes);
}

/* Not set where the test hasn't said that memory is low. */
static ULONG test_named_event(void)
{
	LARGE_INTEGER now = ms(0);
	HANDLE handle;
	PVOID event;

	if (NT_SUCCESS(open_event(L"\\KernelObjects\\NoSuchCondition", &handle)))
		return __LINE__;
	if (open_event(L"\\KernelObjects\\LowMemoryCondition", &handle))
		return NO_MEMORY;
	EXPECT(ZwWaitForSingleObject(handle, FALSE, &now) == STATUS_TIMEOUT);
	if (ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &event, NULL))
		event = NULL;
	ZwClose(handle);
	if (!event)
		return NO_MEMORY;
	EXPECT(!KeReadStateEvent(event));
	ObDereferenceObject(event);
	return 0;
}

static ULONG test_event(void)
{
	LARGE_INTEGER soon = ms(20), never = { .QuadPart = 0 };
	KEVENT a, b;
	PVOID both[] = { &a, &b };

	KeInitializeEvent(&a, SynchronizationEvent, FALSE);
	KeInitializeEvent(&b, NotificationEvent, TRUE);
	EXPECT(KeWaitForSingleObject(&a, Executive, KernelMode, FALSE, &soon) ==
	       STATUS_TIMEOUT);
	EXPECT(KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode,
					FALSE, NULL, NULL) == STATUS_WAIT_1);
	EXPECT(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode,
					FALSE, &soon, NULL) == STATUS_TIMEOUT);
	EXPECT(!KeSetEvent(&a, 0, FALSE));
	EXPECT(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode,
					FALSE, &soon, NULL) == STATUS_SUCCESS);
	EXPECT(!KeReadStateEvent(&a) && KeReadStateEvent(&b));
	EXPECT(KeResetEvent(&b) && !KeReadStateEvent(&b));
	EXPECT(KeWaitForSingleObject(&b, Executive, KernelMode, FALSE, &never) ==
	       STATUS_TIMEOUT);
	return test_named_event();
}

static ULONG test_mutex(void)
{
	KMUTEX mutex;
	FAST_MUTEX fast;

	KeInitializeMutex(&mutex, 0);
	EXPECT(!KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL));
	EXPECT(!KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL));
	EXPECT(KeReleaseMutex(&mutex, FALSE) == -1);
	EXPECT(KeReleaseMutex(&mutex, FALSE) == 0);
	EXPECT(KeReadStateMutex(&mutex) == 1);
	ExInitializeFastMutex(&fast);
	ExAcquireFastMutex(&fast);
	ExReleaseFastMutex(&fast);
	return 0;
}

static ULONG test_lock(void)
{
	KSPIN_LOCK lock;
	KIRQL old;

	KeInitializeSpinLock(&lock);
	EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
	old = KeAcquireSpinLockRaiseToDpc(&lock);
	EXPECT(KeGetCurrentIrql() == DISPATCH_LEVEL && old == PASSIVE_LEVEL);
	KeReleaseSpinLock(&lock, old);
	old = KfRaiseIrql(HIGH_LEVEL);
	EXPECT(KeGetCurrentIrql() == HIGH_LEVEL);
	KeLowerIrql(old);
	EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
	return 0;
}

/* ---- DPCs and timers -------------------------------------------------------------------- */

struct fired {
	KEVENT event;
	KIRQL level;
	ULONG cpu;
	LONG count;
};

static VOID NTAPI dpc_routine(PKDPC dpc, PVOID context, PVOID a, PVOID b)
{
	struct fired *f = context;

	(void)dpc;
	(void)a;
	(void)b;
	f->level = KeGetCurrentIrql();
	f->cpu = KeGetCurrentProcessorNumberEx(NULL);
	f->count++;
	KeSetEvent(&f->event, 0, FALSE);
}

static ULONG test_crowd(void);

static ULONG test_dpc(void)
{
	ULONG cpu, cpus = KeQueryActiveProcessorCountEx(0);
	LARGE_INTEGER limit = ms(10000);
	struct fired f = { .count = 0 };
	KDPC dpc;
	KIRQL old;

	KeInitializeEvent(&f.event, SynchronizationEvent, FALSE);
	for (cpu = 0; cpu < cpus; cpu++) {
		KeInitializeDpc(&dpc, dpc_routine, &f);
		KeSetTargetProcessorDpc(&dpc, (CCHAR)cpu);
		EXPECT(KeInsertQueueDpc(&dpc, NULL, NULL));
		EXPECT(!KeWaitForSingleObject(&f.event, Executive, KernelMode,
					      FALSE, &limit));
		EXPECT(f.level == DISPATCH_LEVEL && f.cpu == cpu);
	}
	KeInitializeDpc(&dpc, dpc_routine, &f);
	f.count = 0;
	old = KfRaiseIrql(DISPATCH_LEVEL);
	KeInsertQueueDpc(&dpc, NULL, NULL);
	cpu = KeInsertQueueDpc(&dpc, NULL, NULL);
	KeStallExecutionProcessor(1000);
	EXPECT(!cpu && !f.count);
	KeLowerIrql(old);
	KeFlushQueuedDpcs();
	EXPECT(f.count == 1);
	return test_crowd();
}

#define CROWD 16

static struct {
	KDPC dpc[CROWD];
	volatile LONG ticket, runs;
} crowd;

static VOID NTAPI crowd_routine(PKDPC dpc, PVOID context, PVOID a, PVOID b)
{
	(void)dpc;
	(void)context;
	(void)a;
	(void)b;
	InterlockedIncrement(&crowd.runs);
}

static ULONG_PTR NTAPI crowd_in(ULONG_PTR context)
{
	KDPC *dpc = &crowd.dpc[InterlockedIncrement(&crowd.ticket) % CROWD];

	(void)context;
	KeInsertQueueDpc(dpc, NULL, NULL);
	return 0;
}

/* All processors at the same time for the first one. */
static ULONG test_crowd(void)
{
	ULONG i;

	for (i = 0; i < CROWD; i++) {
		KeInitializeDpc(&crowd.dpc[i], crowd_routine, NULL);
		KeSetTargetProcessorDpc(&crowd.dpc[i], 0);
	}
	for (i = 0; i < 1000; i++)
		KeIpiGenericCall(crowd_in, 0);
	KeFlushQueuedDpcs();
	EXPECT(crowd.runs > 0);
	return 0;
}

static ULONG test_timer(void)
{
	LARGE_INTEGER limit = ms(10000), soon = ms(5), late = ms(60000);
	struct fired f = { .count = 0 };
	KTIMER timer;
	KDPC dpc;
	ULONG i;

	KeInitializeEvent(&f.event, SynchronizationEvent, FALSE);
	KeInitializeDpc(&dpc, dpc_routine, &f);
	KeInitializeTimerEx(&timer, NotificationTimer);
	EXPECT(!KeSetTimerEx(&timer, late, 0, &dpc));
	EXPECT(KeSetTimer(&timer, soon, &dpc));
	EXPECT(!KeWaitForSingleObject(&timer, Executive, KernelMode, FALSE, &limit));
	EXPECT(!KeWaitForSingleObject(&f.event, Executive, KernelMode, FALSE, &limit));
	EXPECT(f.level == DISPATCH_LEVEL && !KeCancelTimer(&timer));
	KeSetTimerEx(&timer, soon, 5, &dpc);
	for (i = 0; i < 3; i++)
		EXPECT(!KeWaitForSingleObject(&f.event, Executive, KernelMode,
					      FALSE, &limit));
	EXPECT(KeCancelTimer(&timer));
	KeFlushQueuedDpcs();
	return 0;
}

static VOID NTAPI ex_routine(PVOID timer, PVOID context)
{
	(void)timer;
	dpc_routine(NULL, context, NULL, NULL);
}

PVOID routine(PCWSTR name)
{
	UNICODE_STRING text;

	RtlInitUnicodeString(&text, name);
	return MmGetSystemRoutineAddress(&text);
}

static ULONG test_ex_timer(void)
{
	PVOID NTAPI (*make)(PVOID, PVOID, ULONG) = routine(L"ExAllocateTimer");
	BOOLEAN NTAPI (*set)(PVOID, LONGLONG, LONGLONG, PVOID) = routine(L"ExSetTimer");
	BOOLEAN NTAPI (*delete)(PVOID, BOOLEAN, BOOLEAN, PVOID) =
		routine(L"ExDeleteTimer");
	LARGE_INTEGER limit = ms(10000);
	struct fired f = { .count = 0 };
	ULONG line = 0;
	PVOID timer;

	if (!make) /* an old Windows */
		return set || delete ? __LINE__ : 0;
	EXPECT(set && delete);
	KeInitializeEvent(&f.event, SynchronizationEvent, FALSE);
	timer = make(ex_routine, &f, 4);
	if (!timer)
		return NO_MEMORY;
	set(timer, -50000, 0, NULL);
	if (KeWaitForSingleObject(&f.event, Executive, KernelMode, FALSE, &limit) ||
	    f.level != DISPATCH_LEVEL)
		line = __LINE__;
	set(timer, -600000000ll, 0, NULL);
	delete (timer, TRUE, TRUE, NULL);
	return line;
}

/* ---- threads and processors --------------------------------------------------------------- */

static VOID NTAPI thread_routine(PVOID context)
{
	struct fired *f = context;
	LARGE_INTEGER soon = ms(10);

	KeDelayExecutionThread(KernelMode, FALSE, &soon);
	f->count = 77;
	KeSetEvent(&f->event, 0, FALSE);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static ULONG test_thread(void)
{
	struct fired f = { .count = 0 };
	PVOID thread;
	HANDLE handle;
	NTSTATUS status;

	KeInitializeEvent(&f.event, NotificationEvent, FALSE);
	if (PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
				 thread_routine, &f))
		return NO_MEMORY;
	status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS,
					   (POBJECT_TYPE)PsThreadType, KernelMode,
					   &thread, NULL);
	if (status)
		EXPECT(!ZwWaitForSingleObject(handle, FALSE, NULL));
	ZwClose(handle);
	if (status)
		return NO_MEMORY;
	KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
	ObDereferenceObject(thread);
	EXPECT(f.count == 77 && KeReadStateEvent(&f.event));
	return 0;
}

static ULONG test_affinity(void)
{
	ULONG cpu, cpus = KeQueryActiveProcessorCountEx(0);
	KAFFINITY old;

	for (cpu = 0; cpu < cpus; cpu++) {
		old = KeSetSystemAffinityThreadEx(1ull << cpu);
		EXPECT(KeGetCurrentProcessorNumberEx(NULL) == cpu);
		KeRevertToUserAffinityThreadEx(old);
	}
	return 0;
}

static ULONG_PTR NTAPI ipi_routine(ULONG_PTR context)
{
	if (KeGetCurrentIrql() == IPI_LEVEL)
		InterlockedIncrement((LONG *)context);
	return 55;
}

static ULONG test_ipi(void)
{
	LONG count = 0;

	EXPECT(KeIpiGenericCall(ipi_routine, (ULONG_PTR)&count) == 55);
	EXPECT(count == (LONG)KeQueryActiveProcessorCountEx(0));
	return 0;
}

static VOID NTAPI work_routine(PDEVICE_OBJECT of, PVOID context)
{
	struct fired *f = context;

	f->count = of == device && KeGetCurrentIrql() == PASSIVE_LEVEL;
	KeSetEvent(&f->event, 0, FALSE);
}

static ULONG test_work(void)
{
	struct fired f = { .count = 0 };
	PIO_WORKITEM item = IoAllocateWorkItem(device);

	if (!item)
		return NO_MEMORY;
	KeInitializeEvent(&f.event, NotificationEvent, FALSE);
	IoQueueWorkItem(item, work_routine, DelayedWorkQueue, &f);
	KeWaitForSingleObject(&f.event, Executive, KernelMode, FALSE, NULL);
	IoFreeWorkItem(item);
	EXPECT(f.count == 1);
	return 0;
}

/* ---- text, files ------------------------------------------------------------------------- */

static ULONG test_text(void)
{
	static const char wanted[] = "-5 7 ff 123456789abc x ab   0042 wide|";
	char text[64];
	int n = _snprintf(text, sizeof(text), "%d %u %x %llx %c %-4s %04d %ls|", -5, 7,
			  255, 0x123456789abcull, 'x', "ab", 42, L"wide");

	EXPECT(n == sizeof(wanted) - 1 && strlen(text) == sizeof(wanted) - 1);
	EXPECT(!memcmp(text, wanted, sizeof(wanted)));
	EXPECT(_snprintf(text, 3, "%d", 12345) == -1);
	DbgPrint("selftest: %wZ\n", &(UNICODE_STRING){ 4, 6, (PWSTR)L"hi" });
	return 0;
}

ULONG test_file(PFILE_OBJECT file)
{
	EXPECT(file->FsContext);
	EXPECT(PsGetCurrentProcessId());
	return ++*(ULONG *)file->FsContext == 1 ? 0 : __LINE__;
}

static ULONG test_image(void)
{
	static const char constant[] = "constant";
	static int variable = 5;

	variable++;
	EXPECT(MmIsAddressValid((PVOID)constant) && MmIsAddressValid(&variable));
	EXPECT(MmGetPhysicalAddress(test_image).QuadPart);
	EXPECT(!MmIsAddressValid((PVOID)0x10));
	return variable >= 6 ? 0 : __LINE__;
}

family *const families[] = {
	[ASK_POOL] = test_pool,		[ASK_PAGES] = test_pages,
	[ASK_MDL] = test_mdl,		[ASK_EVENT] = test_event,
	[ASK_MUTEX] = test_mutex,	[ASK_LOCK] = test_lock,
	[ASK_DPC] = test_dpc,		[ASK_TIMER] = test_timer,
	[ASK_EX_TIMER] = test_ex_timer, [ASK_THREAD] = test_thread,
	[ASK_AFFINITY] = test_affinity, [ASK_IPI] = test_ipi,
	[ASK_WORK] = test_work,		[ASK_TEXT] = test_text,
	[ASK_IMAGE] = test_image,
};

const ULONG families_count = RTL_NUMBER_OF(families);
