// SPDX-License-Identifier: GPL-2.0
/*
 * A Windows driver that does with each family of functions what colinux.sys may do,
 * and what it must not. Each test answers the line of what was wrong, or 0; what it
 * can't get memory for is STATUS_INSUFFICIENT_RESOURCES, with nothing left behind.
 */
#define NTDDI_VERSION 0x0A000000
#define _WIN32_WINNT  0x0A00
/* The header's own read and write CR8. */
#define KfRaiseIrql	 header_raise
#define KeLowerIrql	 header_lower
#define KeGetCurrentIrql header_current
#include <ntddk.h>
#include "codes.h"

#undef KfRaiseIrql
#undef KeLowerIrql
#undef KeGetCurrentIrql
__declspec(dllimport) KIRQL NTAPI KfRaiseIrql(KIRQL level);
__declspec(dllimport) void NTAPI KeLowerIrql(KIRQL level);
__declspec(dllimport) KIRQL NTAPI KeGetCurrentIrql(void);

#define TAG 0x74736554
#define MIB2 0x200000ull

#define NO_MEMORY 0x80000000u /* instead of a line */
#define EXPECT(what)                   \
	do {                           \
		if (!(what))           \
			return __LINE__; \
	} while (0)

static PDEVICE_OBJECT device;
static struct callbacks came;
static PVOID nmi_handle, power_handle, power_object;
static KBUGCHECK_CALLBACK_RECORD bug_record;
static char bug_buffer[64];

static LARGE_INTEGER ms(LONG n)
{
	return (LARGE_INTEGER){ .QuadPart = -10000ll * n };
}

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
	return 0;
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

static PVOID routine(PCWSTR name)
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

	KeInitializeEvent(&f.event, NotificationEvent, FALSE);
	if (PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
				 thread_routine, &f))
		return NO_MEMORY;
	EXPECT(!ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS,
					  (POBJECT_TYPE)PsThreadType, KernelMode,
					  &thread, NULL));
	ZwClose(handle);
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

int _snprintf(char *out, size_t room, const char *format, ...);

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

static ULONG test_file(PFILE_OBJECT file)
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
static PVOID user_va;

/* host/nt/guard.S: fn(arg), or NULL if that raised an exception. */
PVOID nt_guarded(PVOID (*fn)(PVOID arg), PVOID arg);

static PVOID map_user(PVOID mdl)
{
	return MmMapLockedPagesSpecifyCache(mdl, UserMode, MmCached, NULL, FALSE,
					    NormalPagePriority);
}

static ULONG map(ULONG64 *pa)
{
	PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = -1ll };
	PHYSICAL_ADDRESS skip = { .QuadPart = MIB2 };
	PMDL mdl = MmAllocatePagesForMdlEx(low, high, skip, MIB2, MmCached,
					   MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS);

	if (!mdl)
		return NO_MEMORY;
	user_va = nt_guarded(map_user, mdl);
	if (!user_va) {
		MmFreePagesFromMdl(mdl);
		ExFreePool(mdl);
		return NO_MEMORY;
	}
	user_mdl = mdl;
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

static ULONG (*const families[])(void) = {
	[ASK_POOL] = test_pool,		[ASK_PAGES] = test_pages,
	[ASK_MDL] = test_mdl,		[ASK_EVENT] = test_event,
	[ASK_MUTEX] = test_mutex,	[ASK_LOCK] = test_lock,
	[ASK_DPC] = test_dpc,		[ASK_TIMER] = test_timer,
	[ASK_EX_TIMER] = test_ex_timer, [ASK_THREAD] = test_thread,
	[ASK_AFFINITY] = test_affinity, [ASK_IPI] = test_ipi,
	[ASK_WORK] = test_work,		[ASK_TEXT] = test_text,
	[ASK_RELEASE] = release,	[ASK_UNMAP] = unmap,
	[ASK_IMAGE] = test_image,
};

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
	if (which < RTL_NUMBER_OF(families) && families[which])
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

static void unregister(void)
{
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
