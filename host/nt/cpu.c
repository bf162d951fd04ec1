// SPDX-License-Identifier: GPL-2.0
/*
 * Processors. A thread in a burst has its interrupts off, which keeps it where it is:
 * the system reschedules in interrupts only. It isn't bound to its CPU beyond that:
 * when a replayed interrupt ends in a reschedule, nothing that belongs to that CPU is
 * in use any more, and it may go on on another one.
 */
#include "port.h"
#include "../../core/x86/asm.h"

#define FPU_ALIGN     64
#define FXSAVE_SIZE   512
#define CR4_OSXSAVE   (1ULL << 18)
#define VECTOR_CLASS0 0x20 /* below lie exceptions, and the system's APC interrupt */

/* Local APIC: SDM vol. 3, 11.4.1 and 11.12.1.2 */
#define MSR_APIC_BASE  0x1b
#define APIC_X2	       (1u << 10)
#define APIC_ON	       (1u << 11)
#define MSR_X2APIC     0x800 /* register at offset n: MSR 0x800 + n / 16 */
#define APIC_PRIORITY  0xa0
#define APIC_SPURIOUS  0xf0
#define APIC_SERVICE   0x100 /* 8 words of 32 vectors, 16 bytes apart */
#define SPURIOUS_GUESS 0xdf /* Windows' own; no APIC: nothing is ever raised */

struct cpu {
	struct nt_dpc kick;
	co_u32 targeted;
	co_u32 unused;
	co_u64 nmi_sent; /* when; 0: none is on its way */
	void *fpu;	 /* the host's registers during a burst */
	void *fpu_alloc;
	co_u64 cr8;
};

static struct cpu *cpus;
static co_u32 cpu_max;
static co_u8 *apic; /* its page, only read; NULL: x2APIC or none */
static bool x2apic, has_xsave;
static co_u32 spurious;
static void *nmi_handle;

/* ---- numbers ---------------------------------------------------------------------- */

static bool has_numbers(void)
{
	return nt_optional.KeSetTargetProcessorDpcEx;
}

co_u32 host_cpu_count(void)
{
	co_u32 count = 0;
	co_u64 mask;

	if (has_numbers())
		return nt_optional.KeQueryActiveProcessorCountEx(ALL_GROUPS);
	for (mask = KeQueryActiveProcessors(); mask; mask &= mask - 1)
		count++;
	return count;
}

/* A system without the function: the next of its CPUs in turn. */
void nt_cpu_bind(struct nt_call *call)
{
	static co_u32 turn;

	if (has_numbers())
		return;
	call->bound = co_fetch_add(&turn, 1) % host_cpu_count() + 1;
	KeSetSystemAffinityThread(1ULL << (call->bound - 1));
}

void nt_cpu_unbind(struct nt_call *call)
{
	if (call->bound)
		KeRevertToUserAffinityThread();
	call->bound = 0;
}

bool nt_dpc_target(struct nt_dpc *dpc, co_u32 cpu)
{
	struct nt_processor number;

	if (!has_numbers()) {
		KeSetTargetProcessorDpc(dpc, (co_u8)cpu);
		return true;
	}
	return !NT_ERROR(nt_optional.KeGetProcessorNumberFromIndex(cpu, &number)) &&
	       !NT_ERROR(nt_optional.KeSetTargetProcessorDpcEx(dpc, &number));
}

/* ---- pinning -------------------------------------------------------------------------- */

co_u32 host_pin(void)
{
	struct nt_call *call = nt_call_now();
	co_u32 cpu;

	nt_irqs_off();
	cpu = call->bound ? call->bound - 1 :
			    nt_optional.KeGetCurrentProcessorNumberEx(NULL);
	co_store(&call->cpu, cpu + 1);
	return cpu;
}

void host_unpin(void)
{
	co_store(&nt_call_now()->cpu, 0);
	nt_irqs_on();
}

/* The scheduler needs no help of ours: it came in host_unpin(). */
bool host_work_pending(void)
{
	return nt_call_ends(nt_call_now());
}

int host_work(bool yields)
{
	co_s64 now = 0;

	if (nt_call_ends(nt_call_now()))
		return -CO_EINTR;
	if (yields && nt_optional.ZwYieldExecution)
		nt_optional.ZwYieldExecution();
	else if (yields)
		KeDelayExecutionThread(USER_MODE, 0, &now);
	return 0;
}

/* ---- the local APIC, read ----------------------------------------------------------------- */

static co_u32 apic_read(co_u32 offset)
{
	if (x2apic)
		return (co_u32)co_rdmsr(MSR_X2APIC + offset / 16);
	return *(volatile co_u32 *)(apic + offset);
}

static void apic_find(void)
{
	co_u64 base = co_rdmsr(MSR_APIC_BASE);

	spurious = SPURIOUS_GUESS;
	if (!(base & APIC_ON))
		return;
	x2apic = base & APIC_X2;
	if (!x2apic)
		apic = MmMapIoSpace(CO_ALIGN_DOWN(base & (CO_MAP_END - 1), CO_PAGE_SIZE),
				    CO_PAGE_SIZE, MM_UNCACHED);
	if (x2apic || apic)
		spurious = apic_read(APIC_SPURIOUS) & 0xff;
}

/* The processor's priority is that of what it has in service, in steps of 16. */
co_u32 host_in_service(void)
{
	co_u32 class, bits;

	if (!x2apic && !apic)
		return 0;
	class = apic_read(APIC_PRIORITY) & 0xf0;
	if (class < VECTOR_CLASS0)
		return 0;
	bits = apic_read(APIC_SERVICE + class / 32 * 16) & 0xffffu << class % 32;
	return bits ? class / 32 * 32 + 31 - (co_u32)__builtin_clz(bits) : 0;
}

/* A spurious interrupt needs no EOI, so the guest may take one for an event that
 * isn't there. */
co_u32 host_spare_vector(void)
{
	return spurious;
}

/* ---- interrupts to others -------------------------------------------------------------------- */

/* With interrupts off it's as at HIGH_LEVEL, where this one may be called; the
 * system has its own ideas of what it may do at lower ones. */
void nt_queue_dpc(struct nt_dpc *dpc)
{
	co_u8 old;

	if (nt_may_call()) {
		KeInsertQueueDpc(dpc, NULL, NULL);
		return;
	}
	old = KfRaiseIrql(HIGH_LEVEL);
	KeInsertQueueDpc(dpc, NULL, NULL);
	KeLowerIrql(old);
}

/* Its interrupt is all that is wanted. */
static void kicked(struct nt_dpc *dpc, void *context, void *a, void *b)
{
}

/* An NMI that hasn't come after so long never will. */
#define NMI_LOST_NS 5000000000ULL

/* One at a time: a second one that is sent while the first is being forwarded comes
 * when nobody expects it any more. */
static bool nmi_may_go(struct cpu *c)
{
	co_u64 last = co_load(&c->nmi_sent), now = host_time_ns();

	return (!last || now - last > NMI_LOST_NS) &&
	       co_compare_exchange(&c->nmi_sent, last, now);
}

/* KAFFINITY_EX: 8 bytes and 8 for each group; how many the system has it knows, and
 * writes as many. */
#define AFFINITY_WORDS 66

static void nmi_send(co_u32 cpu)
{
	co_u64 affinity[AFFINITY_WORDS] = { 0 };

	nt_optional.KeInitializeAffinityEx(affinity);
	nt_optional.KeAddProcessorAffinityEx(affinity, cpu);
	nt_optional.HalSendNMI(affinity);
}

void host_kick(co_u32 cpu, bool nmi)
{
	struct cpu *c = &cpus[cpu];

	if (cpu >= cpu_max)
		return;
	if (nmi && nt_optional.HalSendNMI) {
		if (nmi_may_go(c))
			nmi_send(cpu);
		return;
	}
	if (!co_load(&c->targeted) && nt_dpc_target(&c->kick, cpu))
		co_store(&c->targeted, 1);
	nt_queue_dpc(&c->kick);
}

/* Those that we sent have done their work when they arrive. Any context: the CPU's
 * own number needs no call that an NMI forbids. */
static co_u8 nmi_taken(void *context, co_u8 handled)
{
	co_u32 cpu = nt_optional.KeGetCurrentProcessorNumberEx(NULL);

	return handled || (cpu < cpu_max && co_exchange(&cpus[cpu].nmi_sent, 0));
}

/* ---- FPU ------------------------------------------------------------------------------------- */

/* Its registers are those of the thread's user mode, and the callee's of the calling
 * convention; the kernel uses none meanwhile. */
void host_fpu_begin(void)
{
	struct cpu *c = &cpus[nt_call_now()->cpu - 1];

	if (has_xsave)
		co_xsave(c->fpu);
	else
		co_fxsave(c->fpu);
}

void host_fpu_end(void)
{
	struct cpu *c = &cpus[nt_call_now()->cpu - 1];

	if (has_xsave)
		co_xrstor(c->fpu);
	else
		co_fxrstor(c->fpu);
}

static int fpu_alloc(struct cpu *c)
{
	co_u32 size = FXSAVE_SIZE, r[4];

	if (has_xsave) {
		co_cpuid(0xd, 0, r);
		size = r[2];
	}
	c->fpu_alloc = host_alloc(size + FPU_ALIGN);
	if (!c->fpu_alloc)
		return -CO_ENOMEM;
	c->fpu = (void *)(co_uptr)CO_ALIGN_UP((co_uptr)c->fpu_alloc, FPU_ALIGN);
	return 0;
}

/* ---- what keeps a guest from running ------------------------------------------------------------ */

#define CPUID_HYPERVISOR (1u << 31) /* leaf 1, ECX */
#define CPUID_INVARIANT	 (1u << 8)  /* leaf 0x80000007, EDX */

/* A hypervisor's TSC is what it makes of it; a processor's must not stop. */
static bool tsc_reliable(void)
{
	co_u32 r[4];

	co_cpuid(1, 0, r);
	if (r[2] & CPUID_HYPERVISOR)
		return true;
	co_cpuid(0x80000000, 0, r);
	if (r[0] < 0x80000007)
		return false;
	co_cpuid(0x80000007, 0, r);
	return r[3] & CPUID_INVARIANT;
}

/* FRED, encrypted memory and odd selectors the core sees itself. A kernel whose
 * control registers and code pages a secure kernel guards is one that is locked
 * down. */
co_u64 host_blockers(void)
{
	co_u64 found = 0;

	if (nt_flags_found() & (CO_NT_HVCI | CO_NT_VBS))
		found |= CO_BLOCK_LOCKDOWN;
	if (!tsc_reliable())
		found |= CO_BLOCK_TSC;
	return found;
}

/* ---- life ------------------------------------------------------------------------------------------- */

int nt_cpu_init(void)
{
	co_u32 i;

	has_xsave = co_read_cr4() & CR4_OSXSAVE;
	cpu_max = host_cpu_count();
	if (has_numbers() && nt_optional.KeQueryMaximumProcessorCountEx)
		cpu_max = nt_optional.KeQueryMaximumProcessorCountEx(ALL_GROUPS);
	cpus = host_alloc(cpu_max * sizeof(*cpus));
	if (!cpus)
		return -CO_ENOMEM;
	for (i = 0; i < cpu_max; i++) {
		KeInitializeDpc(&cpus[i].kick, kicked, NULL);
		KeSetImportanceDpc(&cpus[i].kick, DPC_HIGH);
		if (fpu_alloc(&cpus[i]))
			return -CO_ENOMEM;
	}
	apic_find();
	if (nt_optional.HalSendNMI && has_numbers())
		nmi_handle = KeRegisterNmiCallback(nmi_taken, NULL);
	if (!nmi_handle)
		nt_optional.HalSendNMI = NULL;
	return 0;
}

/* After nt_cpu_init(), whatever it returned. */
void nt_cpu_exit(void)
{
	co_u32 i;

	if (nmi_handle)
		KeDeregisterNmiCallback(nmi_handle);
	if (apic)
		MmUnmapIoSpace(apic, CO_PAGE_SIZE);
	KeFlushQueuedDpcs();
	for (i = 0; cpus && i < cpu_max; i++)
		host_free(cpus[i].fpu_alloc);
	host_free(cpus);
	cpus = NULL;
}
