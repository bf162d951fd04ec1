// SPDX-License-Identifier: GPL-2.0
/* The longer half of compat.h: what looks different in different kernels. */
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/mpspec.h>
#include <asm/x86_init.h>
#include "colinux.h"
#include "compat.h"

#if CO_BEFORE(6, 12)

/* ---- before the hotplug core did the waiting --------------------------------------- */

static int (*kick_cpu)(unsigned int cpu, struct task_struct *idle);
static void (*bury_cpu)(unsigned int cpu);

static int cpu_up_and_wait(unsigned int cpu, struct task_struct *idle)
{
	int error = cpu_check_up_prepare(cpu);

	if (error && error != -EBUSY)
		return error;
	cpumask_clear_cpu(cpu, cpu_initialized_mask);
	/* Nothing to wait for: the processor is the one that we run on. */
	cpumask_set_cpu(cpu, cpu_callout_mask);
	error = kick_cpu(cpu, idle);
	if (error) {
		cpumask_clear_cpu(cpu, cpu_callout_mask);
		return error;
	}
	while (!cpu_online(cpu))
		cpu_relax();
	return 0;
}

static void wait_and_bury(unsigned int cpu)
{
	if (!common_cpu_die(cpu))
		bury_cpu(cpu);
}

void __init colinux_hook_hotplug(int (*kick)(unsigned int cpu, struct task_struct *idle),
				 void (*bury)(unsigned int cpu))
{
	kick_cpu = kick;
	bury_cpu = bury;
	smp_ops.cpu_up = cpu_up_and_wait;
	smp_ops.cpu_die = wait_and_bury;
}

void colinux_init_cpu(unsigned int cpu)
{
	cpu_init_secondary();
	rcu_cpu_starting(cpu);
}

void colinux_cpu_came(unsigned int cpu)
{
	cpumask_set_cpu(cpu, cpu_callin_mask);
	cpu_set_state_online(cpu);
}

/* ---- before the topology had maps of its own ----------------------------------------- */

static void __init find_cpus(unsigned int early)
{
	unsigned int cpu;

	if (early)
		return;
	num_processors = min_t(unsigned int, colinux_boot.vcpus, nr_cpu_ids);
	for (cpu = 0; cpu < num_processors; cpu++) {
		set_cpu_possible(cpu, true);
		set_cpu_present(cpu, true);
	}
}

void __init colinux_hook_firmware(void)
{
	x86_init.mpparse.find_smp_config = x86_init_noop;
	x86_init.mpparse.get_smp_config = find_cpus;
}

void colinux_set_topology(struct cpuinfo_x86 *c, unsigned int cpu)
{
	c->apicid = c->initial_apicid = cpu;
	c->phys_proc_id = c->logical_proc_id = 0;
	c->cpu_die_id = c->logical_die_id = 0;
	c->cpu_core_id = cpu;
	c->x86_max_cores = colinux_boot.vcpus;
	smp_num_siblings = 1;
	per_cpu(cpu_llc_id, cpu) = 0;
	per_cpu(cpu_l2c_id, cpu) = cpu;
}

void __init colinux_count_packages(void)
{
	calculate_max_logical_packages();
}

/* CPUID shows the id of the processor that we happen to be on. */
static int present_to_apicid(int cpu)
{
	return cpu_data(cpu).apicid;
}

void __init colinux_install_apic(struct apic *driver)
{
	driver->cpu_present_to_apicid = present_to_apicid;
	apic = driver;
}

/* ---- before virtqueue_info ------------------------------------------------------------ */

int colinux_find_vqs_by_lists(struct virtio_device *vdev, unsigned int nvqs,
			      struct virtqueue *vqs[], vq_callback_t *callbacks[],
			      const char *const names[], const bool *ctx,
			      struct irq_affinity *desc)
{
	struct virtqueue_info *infos = kcalloc(nvqs, sizeof(*infos), GFP_KERNEL);
	unsigned int i;
	int error;

	if (!infos)
		return -ENOMEM;
	for (i = 0; i < nvqs; i++)
		infos[i] = (struct virtqueue_info){ names[i], callbacks[i], ctx && ctx[i] };
	error = colinux_find_vqs(vdev, nvqs, vqs, infos, desc);
	kfree(infos);
	return error;
}

#else

#include "../kernel/cpu/cpu.h"
#include "../kernel/cpu/topology.h"

/* The other one may be waiting for this very processor. */
static void poll_sync_state(void)
{
	colinux_call(CO_CALL_YIELD, 0, 0, 0, 0);
}

void __init colinux_hook_hotplug(int (*kick)(unsigned int cpu, struct task_struct *idle),
				 void (*bury)(unsigned int cpu))
{
	x86_cpuinit.parallel_bringup = false;
	smp_ops.kick_ap_alive = kick;
	smp_ops.cleanup_dead_cpu = bury;
	smp_ops.poll_sync_state = poll_sync_state;
}

void colinux_init_cpu(unsigned int cpu)
{
	cpu_init_exception_handling(false);
	cpuhp_ap_sync_alive();
	cpu_init();
	fpu__init_cpu();
	rcutree_report_cpu_starting(cpu);
}

void colinux_cpu_came(unsigned int cpu)
{
}

static void __init register_cpus(void)
{
	unsigned int cpus = min_t(unsigned int, colinux_boot.vcpus, nr_cpu_ids);
	unsigned int cpu;

	topology_register_boot_apic(0);
	for (cpu = 0; cpu < cpus; cpu++)
		topology_register_apic(cpu, CPU_ACPIID_INVALID, true);
	/* Without it the kernel looks for an APIC, and stays alone. */
	smp_found_config = 1;
}

void __init colinux_hook_firmware(void)
{
	x86_init.mpparse.find_mptable = x86_init_noop;
	x86_init.mpparse.early_parse_smp_cfg = x86_init_noop;
	x86_init.mpparse.parse_smp_cfg = register_cpus;
}

/* In place of CPUID's words, on the boot processor and on each that starts. */
bool colinux_topology(struct topo_scan *tscan)
{
	if (!colinux_guest())
		return false;
	topology_set_dom(tscan, TOPO_CORE_DOMAIN, get_count_order(colinux_boot.vcpus),
			 colinux_boot.vcpus);
	tscan->c->topo.apicid = tscan->c->topo.initial_apicid = raw_smp_processor_id();
	return true;
}

void __init colinux_count_packages(void)
{
}

void colinux_set_topology(struct cpuinfo_x86 *c, unsigned int cpu)
{
	c->topo.llc_id = 0;
	c->topo.l2c_id = cpu;
}

void __init colinux_install_apic(struct apic *driver)
{
	apic_install_driver(driver);
}

#endif
