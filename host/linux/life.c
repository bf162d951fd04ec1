// SPDX-License-Identifier: GPL-2.0
/*
 * The host sleeps, hibernates, goes down, loses a CPU: what the VMs are told, and
 * how long they are waited for. Their threads need no care of ours: a frozen process
 * leaves the guest as by a signal, and processes are frozen last and thawed first.
 */
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include "port.h"

/* A guest stops its clocks within milliseconds, or it hangs. */
#define SLEEP_WAIT_S 5
#define POLL_MS	     10

static unsigned int shutdown_wait = 30;
module_param(shutdown_wait, uint, 0644);
MODULE_PARM_DESC(shutdown_wait,
		 "seconds that guests get to power off when the host goes down");

static void tell_all(void (*tell)(struct co_vm *vm))
{
	struct linux_file *file;
	struct co_vm *vm;

	spin_lock_irq(&colinux_files_lock);
	for_each_vm(file, vm)
		tell(vm);
	spin_unlock_irq(&colinux_files_lock);
}

static bool all(bool (*is)(struct co_vm *vm))
{
	struct linux_file *file;
	struct co_vm *vm;
	bool yes = true;

	spin_lock_irq(&colinux_files_lock);
	for_each_vm(file, vm)
		yes &= is(vm);
	spin_unlock_irq(&colinux_files_lock);
	return yes;
}

/* Their threads and daemons run meanwhile. */
static bool wait_for_all(bool (*is)(struct co_vm *vm), unsigned int seconds)
{
	unsigned long end = jiffies + seconds * HZ;

	while (!all(is)) {
		if (time_after(jiffies, end))
			return false;
		msleep(POLL_MS);
	}
	return true;
}

static int power_event(struct notifier_block *nb, unsigned long event,
		       void *unused)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		tell_all(co_vm_sleep);
		if (!wait_for_all(co_vm_asleep, SLEEP_WAIT_S))
			pr_warn("colinux: a guest doesn't stop its clocks, they may be wrong after the sleep\n");
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		tell_all(co_vm_wake);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block power_block = { .notifier_call = power_event };

static bool has_ended(struct co_vm *vm)
{
	return co_load(&vm->verdict) != CO_VERDICT_NONE || !co_load(&vm->loaded);
}

static void end_now(struct co_vm *vm)
{
	co_vm_stop(vm, CO_VERDICT_HOST, "the host went down");
}

/* An init system has stopped the daemons long before; this is for a host that
 * restarts without one. */
static int reboot_event(struct notifier_block *nb, unsigned long event,
			void *unused)
{
	if (all(has_ended))
		return NOTIFY_DONE;
	pr_info("colinux: guests power off, for %u s at most\n", shutdown_wait);
	tell_all(co_vm_power_off);
	if (!wait_for_all(has_ended, shutdown_wait))
		pr_warn("colinux: a guest didn't power off in time\n");
	tell_all(end_now);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = { .notifier_call = reboot_event };

/* The CPU is dead, and its timers are on others, maybe on those that they watch. */
static int cpu_gone(unsigned int cpu)
{
	tell_all(co_watch_moved);
	return 0;
}

static int cpu_state;

static int watch_cpus(void)
{
	cpu_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
					      "colinux:prepare", NULL, cpu_gone);
	return cpu_state < 0 ? cpu_state : 0;
}

int colinux_life_init(void)
{
	int err = register_pm_notifier(&power_block);

	if (err)
		return err;
	err = register_reboot_notifier(&reboot_block);
	if (err)
		goto power;
	err = watch_cpus();
	if (err)
		goto reboot;
	return 0;

reboot:
	unregister_reboot_notifier(&reboot_block);
power:
	unregister_pm_notifier(&power_block);
	return err;
}

void colinux_life_exit(void)
{
	cpuhp_remove_state_nocalls(cpu_state);
	unregister_reboot_notifier(&reboot_block);
	unregister_pm_notifier(&power_block);
}
