// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs come and go. A vCPU is started with a state that we write for it, as if
 * it had left for the host from the top of its idle task's stack.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/pgtable.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <asm/cpu.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/mpspec.h>
#include <asm/processor.h>
#include <asm/spec-ctrl.h>
#include <asm/smp.h>
#include <asm/topology.h>
#include "colinux.h"
#include "compat.h"

/* What co_arrive pops, and where it returns to. */
struct arrival {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 flags;
	u64 entry;
	u64 end; /* where a caller would stand: none */
};

/* ---- topology ----------------------------------------------------------------- */

static void __init prepare_boot_cpu(void)
{
	native_smp_prepare_boot_cpu();
	colinux_init_spinlocks();
}

static void __init prepare_cpus(unsigned int max_cpus)
{
	colinux_init_apic();
	/* One package of cores that share their last cache: CPUID would tell of the
	 * processor that a vCPU happens to be on, and of another one the next time. */
	colinux_set_topology(&boot_cpu_data, 0);
	colinux_set_topology(&cpu_data(0), 0);
	smp_prepare_cpus_common();
	/* The others stay present, for whoever raises the number later. */
	setup_max_cpus = min(setup_max_cpus, colinux_boot.online);
}

static void __init cpus_done(unsigned int max_cpus)
{
	colinux_count_packages();
}

/* ---- up ----------------------------------------------------------------------- */

static u64 start_stack(struct task_struct *idle)
{
	struct arrival *frame = (void *)task_pt_regs(idle);

	frame--;
	*frame = (struct arrival){
		.flags = X86_EFLAGS_FIXED,
		.entry = (u64)co_secondary_entry,
	};
	return (u64)frame;
}

static void set_table(struct co_table_ptr *to, const struct desc_ptr *from)
{
	to->limit = from->size;
	to->base = from->address;
}

/* The vCPU is OFF: nobody else looks at its page. */
static void write_start_state(int cpu, struct task_struct *idle)
{
	struct co_cpu_save *save = &colinux_areas[cpu].passage.save;
	const struct desc_ptr gdt = {
		.size = GDT_SIZE - 1,
		.address = (unsigned long)get_cpu_gdt_rw(cpu),
	};
	struct desc_ptr idt;

	store_idt(&idt);
	memset(save, 0, sizeof(*save));
	save->rsp = start_stack(idle);
	save->cr0 = read_cr0();
	save->cr3 = __sme_pa(swapper_pg_dir);
	save->cr4 = __read_cr4() & ~X86_CR4_PCIDE; /* cr4_init() sets it */
	save->gs_base = cpu_kernelmode_gs_base(cpu);
	set_table(&save->gdt, &gdt);
	set_table(&save->idt, &idt);
	save->ss = __KERNEL_DS;
}

static bool is_off(int cpu)
{
	return READ_ONCE(colinux_areas[cpu].event.state) & CO_VCPU_STATE_OFF;
}

static int colinux_kick_cpu(unsigned int cpu, struct task_struct *idle)
{
	int error;
	u64 result;

	per_cpu(fpu_fpregs_owner_ctx, cpu) = NULL;
	error = common_cpu_up(cpu, idle);
	if (error)
		return error;
	write_start_state(cpu, idle);
	result = colinux_call(CO_CALL_VCPU_UP, cpu, 0, 0, 0);
	if (!colinux_failed(result))
		return 0;
	pr_err("colinux: the host doesn't start vCPU %u: error %#llx\n", cpu, result & 0xfff);
	return result == CO_ERROR_STATE ? -EPERM : -EIO;
}

/* From start.S, on the idle task's stack, interrupts off. */
asmlinkage __visible void notrace colinux_start_secondary(void)
{
	unsigned int cpu = raw_smp_processor_id();

	cr4_init();
	colinux_init_cpu(cpu);
	smp_store_cpu_info(cpu);
	colinux_set_topology(&cpu_data(cpu), cpu);
	set_cpu_sibling_map(cpu);
	cpu_data(cpu).loops_per_jiffy = loops_per_jiffy;
	speculative_store_bypass_ht_init();
	colinux_start_timer();
	notify_cpu_starting(cpu);
	set_cpu_online(cpu, true);
	colinux_cpu_came(cpu);
	local_irq_enable();
	cpu_startup_entry(CPUHP_AP_ONLINE_IDLE);
}

/* ---- down --------------------------------------------------------------------- */

static void __noreturn go_down(void)
{
	raw_local_irq_disable();
	/* Who starts us again has written another state to arrive with. */
	colinux_leave(CO_CALL_VCPU_DOWN, 0, 0, 0, 0, 0);
	BUG();
}

static int colinux_cpu_disable(void)
{
	cpu_disable_common();
	return 0;
}

static void colinux_play_dead(void)
{
	play_dead_common();
	go_down();
}

/* OFF is seen when its last state is saved, and so may be overwritten. */
static void colinux_bury_cpu(unsigned int cpu)
{
	while (!is_off(cpu))
		schedule_timeout_uninterruptible(1);
}

/* Hard interrupt context. */
void colinux_stop_this_cpu(void)
{
	set_cpu_online(smp_processor_id(), false);
	go_down();
}

/* The others have a second to come to a point with interrupts on. */
static void colinux_stop_other_cpus(int wait)
{
	unsigned long timeout = USEC_PER_SEC;

	colinux_send_stop();
	while (num_online_cpus() > 1 && --timeout)
		udelay(1);
	if (!timeout)
		pr_warn("colinux: %u vCPUs didn't stop\n", num_online_cpus() - 1);
}

static void colinux_crash_stop_other_cpus(void)
{
	colinux_stop_other_cpus(0);
}

/* ---- as many as the host says ----------------------------------------------------- */

static void follow_one(unsigned int cpu, bool wanted)
{
	int error;

	if (cpu_online(cpu) == wanted)
		return;
	error = wanted ? add_cpu(cpu) : remove_cpu(cpu);
	if (error)
		pr_warn("colinux: vCPU %u can't go %s: error %d\n", cpu,
			wanted ? "online" : "offline", error);
}

static void follow_cpus(struct work_struct *unused)
{
	u64 wanted = READ_ONCE(colinux_areas[0].event.cpus);
	unsigned int cpu;

	for_each_present_cpu(cpu)
		if (cpu)
			follow_one(cpu, cpu < wanted);
}
static DECLARE_WORK(cpus_work, follow_cpus);

/* Hard interrupt context. */
void colinux_cpus_event(void)
{
	schedule_work(&cpus_work);
}

void __init colinux_init_smp(void)
{
	colinux_hook_firmware();
	colinux_hook_hotplug(colinux_kick_cpu, colinux_bury_cpu);
	smp_ops.smp_prepare_boot_cpu = prepare_boot_cpu;
	smp_ops.smp_prepare_cpus = prepare_cpus;
	smp_ops.smp_cpus_done = cpus_done;
	smp_ops.cpu_disable = colinux_cpu_disable;
	smp_ops.play_dead = colinux_play_dead;
	smp_ops.stop_other_cpus = colinux_stop_other_cpus;
	smp_ops.crash_stop_other_cpus = colinux_crash_stop_other_cpus;
}
