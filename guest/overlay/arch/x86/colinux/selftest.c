// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/colinux: this kernel fails in the way that is written to
 * `action`, and makes as many empty hypercalls as are written to `hypercalls`.
 */
#include <linux/bug.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/msr.h>
#include "colinux.h"

/* Not a constant: the compiler would see through it. */
static int *nowhere;
static bool fault_in_interrupt;

/* fault.S */
void co_double_fault(void);

static u64 hypercalls, hypercall_ns;
static DEFINE_MUTEX(hypercalls_lock);

static void do_panic(void)
{
	panic("colinux selftest");
}

static void do_bug(void)
{
	BUG();
}

static void do_oops(void)
{
	WRITE_ONCE(*nowhere, 1);
}

/* In the handler of the vCPU's own event vector. */
void colinux_selftest_irq(void)
{
	if (READ_ONCE(fault_in_interrupt))
		do_oops();
}

static void do_oops_irq(void)
{
	WRITE_ONCE(fault_in_interrupt, true);
	co_raise_events();
}

/* Without cpu_relax(): that would give way. */
static void spin_irqs_off(void *unused)
{
	local_irq_disable();
	for (;;)
		barrier();
}

static void do_spin_irqs_off(void)
{
	spin_irqs_off(NULL);
}

static void do_spin_all(void)
{
	on_each_cpu(spin_irqs_off, NULL, 0);
}

/* The processor itself stands still. */
static void do_halt_irqs_off(void)
{
	local_irq_disable();
	for (;;)
		native_halt();
}

#define SLOW_MS 5000

/* Slow, but not lost. */
static void do_slow_irqs_off(void)
{
	u64 end = rdtsc() + (u64)colinux_boot.tsc_khz * SLOW_MS;

	local_irq_disable();
	while (rdtsc() < end)
		barrier();
	local_irq_enable();
}

static int fault_in_panic(struct notifier_block *nb, unsigned long why, void *message)
{
	static bool once;

	if (!once) {
		once = true;
		do_oops();
	}
	return NOTIFY_DONE;
}
static struct notifier_block nested_block = { .notifier_call = fault_in_panic };

/* A fault while the panic is being reported. */
static void do_nested(void)
{
	atomic_notifier_chain_register(&panic_notifier_list, &nested_block);
	panic("colinux selftest, nested");
}

static const struct {
	const char *name;
	void (*run)(void);
} actions[] = {
	{ "panic", do_panic },
	{ "bug", do_bug },
	{ "oops", do_oops },
	{ "oops-irq", do_oops_irq },
	{ "double-fault", co_double_fault },
	{ "spin-irqs-off", do_spin_irqs_off },
	{ "spin-all", do_spin_all },
	{ "halt-irqs-off", do_halt_irqs_off },
	{ "slow-irqs-off", do_slow_irqs_off },
	{ "nested", do_nested },
};

static ssize_t action_write(struct file *file, const char __user *user, size_t n,
			    loff_t *pos)
{
	char word[32] = "";
	unsigned int i;

	if (n >= sizeof(word))
		return -EINVAL;
	if (copy_from_user(word, user, n))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (sysfs_streq(word, actions[i].name)) {
			actions[i].run();
			return n;
		}
	return -EINVAL;
}

static int action_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		seq_printf(m, "%s\n", actions[i].name);
	return 0;
}
static int action_open(struct inode *inode, struct file *file)
{
	return single_open(file, action_show, NULL);
}

static const struct file_operations action_fops = {
	.open = action_open,
	.read = seq_read,
	.write = action_write,
	.release = single_release,
};

static ssize_t hypercalls_write(struct file *file, const char __user *user, size_t n,
				loff_t *pos)
{
	u64 count, i, start;
	int error = kstrtou64_from_user(user, n, 0, &count);

	if (error)
		return error;
	mutex_lock(&hypercalls_lock);
	start = ktime_get_ns();
	for (i = 0; i < count && !signal_pending(current); i++) {
		colinux_call(CO_CALL_NOP, 0, 0, 0, 0);
		cond_resched();
	}
	hypercalls = i;
	hypercall_ns = ktime_get_ns() - start;
	mutex_unlock(&hypercalls_lock);
	return n;
}

static int hypercalls_show(struct seq_file *m, void *unused)
{
	mutex_lock(&hypercalls_lock);
	seq_printf(m, "%llu %llu\n", hypercalls, hypercall_ns);
	mutex_unlock(&hypercalls_lock);
	return 0;
}
static int hypercalls_open(struct inode *inode, struct file *file)
{
	return single_open(file, hypercalls_show, NULL);
}

static const struct file_operations hypercalls_fops = {
	.open = hypercalls_open,
	.read = seq_read,
	.write = hypercalls_write,
	.release = single_release,
};

static int stats_show(struct seq_file *m, void *unused)
{
	struct colinux_stats sum = {}, *cpu;
	int i;

	for_each_online_cpu(i) {
		cpu = per_cpu_ptr(&colinux_stats, i);
		sum.calls += READ_ONCE(cpu->calls);
		sum.forwarded += READ_ONCE(cpu->forwarded);
		sum.nmis += READ_ONCE(cpu->nmis);
		sum.nmis_passage += READ_ONCE(cpu->nmis_passage);
		sum.events += READ_ONCE(cpu->events);
	}
	seq_printf(m, "calls %lu\nforwarded %lu\nnmis %lu\nnmis_passage %lu\nevents %lu\n",
		   sum.calls, sum.forwarded, sum.nmis, sum.nmis_passage, sum.events);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int __init colinux_init_selftest(void)
{
	struct dentry *dir;

	if (!colinux_guest())
		return 0;
	dir = debugfs_create_dir("colinux", NULL);
	debugfs_create_file("action", 0600, dir, NULL, &action_fops);
	debugfs_create_file("hypercalls", 0600, dir, NULL, &hypercalls_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	return 0;
}
late_initcall(colinux_init_selftest);
