// SPDX-License-Identifier: GPL-2.0
/* Processors: pinning, interrupts, FPU, and what makes a thread leave. */
#include <linux/cpu.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>
#include <linux/vtime.h>
#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/irq_vectors.h>
#include <asm/msr.h>
#include <asm/nmi.h>
#include <asm/tsc.h>
#include "port.h"

co_u32 host_pin(void)
{
	preempt_disable();
	local_irq_disable();
	return smp_processor_id();
}

/* What came while the guest had its interrupts off comes here, before the guest's
 * time has ended: a tick, above all. */
void host_unpin(void)
{
	local_irq_enable();
	if (current->flags & PF_VCPU) {
		local_irq_disable();
		vtime_account_guest_exit();
		local_irq_enable();
	}
	preempt_enable();
}

/* The processor's priority is that of what it has in service, in steps of 16, or
 * the task's, which Linux leaves below all vectors of devices. */
co_u32 host_in_service(void)
{
	u32 class, bits;

	if (!boot_cpu_has(X86_FEATURE_APIC))
		return 0;
	class = apic->read(APIC_PROCPRI) & 0xf0;
	if (class < FIRST_EXTERNAL_VECTOR)
		return 0;
	bits = apic->read(APIC_ISR + class / 32 * 0x10) & 0xffffu << class % 32;
	return bits ? class / 32 * 32 + __fls(bits) : 0;
}

co_u32 host_cpu_count(void)
{
	return num_online_cpus();
}

/* Signals, and work that is done on the way to user space (task work, rseq,
 * cgroup throttling): for both the thread goes there, and RUNs again. */
static bool must_leave(void)
{
	return signal_pending(current) ||
	       test_thread_flag(TIF_NOTIFY_RESUME);
}

bool host_work_pending(void)
{
	return need_resched() || must_leave();
}

int host_work(bool yields)
{
	if (must_leave())
		return -CO_EINTR;
	if (yields)
		yield();
	else
		cond_resched();
	return 0;
}

/* An NMI that hasn't come after so long went to a CPU that was going offline. */
#define NMI_LOST_NS (5 * NSEC_PER_SEC)

/* When the NMI of ours was sent that this CPU hasn't taken yet; 0: there is none. */
static DEFINE_PER_CPU(u64, nmi_sent);

/* It has done its work when it arrives: the guest has left for it. */
static int nmi_taken(unsigned int type, struct pt_regs *regs)
{
	return this_cpu_xchg(nmi_sent, 0) ? NMI_HANDLED : NMI_DONE;
}

/* One at a time: a second one that is sent while the first is being forwarded
 * comes when nobody expects it any more. */
static bool nmi_may_go(unsigned int cpu)
{
	u64 *sent = per_cpu_ptr(&nmi_sent, cpu);
	u64 last = READ_ONCE(*sent), now = ktime_get_ns();

	return (!last || now - last > NMI_LOST_NS) &&
	       cmpxchg64(sent, last, now) == last;
}

int colinux_cpu_init(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_taken, 0, "colinux");
}

void colinux_cpu_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "colinux");
}

/* The handler of a reschedule IPI only looks whether there is work. The CPU may
 * have gone offline since the vCPU was on it, which then has nothing to be told;
 * it can't go while we hold ours. */
void host_kick(co_u32 cpu, bool nmi)
{
	bool online;

	preempt_disable();
	online = cpu_online(cpu);
	if (online && !nmi)
		arch_smp_send_reschedule(cpu);
	else if (online && nmi_may_go(cpu))
		apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	preempt_enable();
}

/* Without any mask bit: saves the task's registers, initialises nothing. The
 * guest's time begins: the tick that interrupts it is replayed before
 * host_unpin(), where it ends. */
void host_fpu_begin(void)
{
	vtime_account_guest_enter();
	kernel_fpu_begin_mask(0);
}

void host_fpu_end(void)
{
	kernel_fpu_end();
}

/* The local APIC's spurious vector: a spurious interrupt needs no EOI, so the
 * guest may take one for an event that isn't there. */
co_u32 host_spare_vector(void)
{
	return SPURIOUS_APIC_VECTOR;
}

#define KVM_CPUID_SIGNATURE_LEAF 0x40000000
#define KVM_SIGNATURE_EBX 0x4b4d564b /* "KVMK" */
#define KVM_MSR_ASYNC_PF  0x4b564d02 /* bit 0: enabled */

/* As a KVM guest: the "page not present" #PF would reach the guest's handler. */
static bool async_page_faults(void)
{
	u64 value;

	return boot_cpu_has(X86_FEATURE_HYPERVISOR) &&
	       cpuid_ebx(KVM_CPUID_SIGNATURE_LEAF) == KVM_SIGNATURE_EBX &&
	       !rdmsrl_safe(KVM_MSR_ASYNC_PF, &value) && (value & 1);
}

co_u64 host_blockers(void)
{
	co_u64 found = 0;

	if (check_tsc_unstable())
		found |= CO_BLOCK_TSC;
	if (boot_cpu_has(X86_FEATURE_XENPV))
		found |= CO_BLOCK_XENPV;
	if (async_page_faults())
		found |= CO_BLOCK_ASYNCPF;
	return found;
}

co_u32 host_tsc_khz(void)
{
	return tsc_khz;
}
