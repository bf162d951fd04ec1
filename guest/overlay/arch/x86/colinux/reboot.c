// SPDX-License-Identifier: GPL-2.0
/* The ends of a guest: each tells the host why and doesn't come back. */
#include <linux/init.h>
#include <linux/kdebug.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <asm/page.h>
#include <asm/reboot.h>
#include <asm/special_insns.h>
#include "colinux.h"

/* What went wrong first, in one line; panic() adds only "Fatal exception". */
static char first_fault[160];
static char verdict[512];

void __noreturn colinux_stop(u64 reason, const char *text)
{
	size_t size = strscpy_pad(verdict, text, sizeof(verdict)) < 0 ?
		sizeof(verdict) - 1 : strlen(verdict);

	raw_local_irq_disable();
	for (;;)
		colinux_leave(CO_CALL_STOP, reason, __pa(verdict), size, 0, 0);
}

/* "Oops" is the word for page faults; nothing has faulted since this one. */
static int note_fault(struct notifier_block *nb, unsigned long why, void *data)
{
	struct die_args *args = data;
	void *where = (void *)instruction_pointer(args->regs);

	if (why != DIE_OOPS || first_fault[0])
		return NOTIFY_DONE;
	if (!strcmp(args->str, "Oops"))
		snprintf(first_fault, sizeof(first_fault),
			 "page fault at %pS, address %#lx", where, read_cr2());
	else
		snprintf(first_fault, sizeof(first_fault), "%s at %pS", args->str, where);
	return NOTIFY_DONE;
}

/* After all others, and after the log is out. */
static int report_panic(struct notifier_block *nb, unsigned long why, void *message)
{
	static char cause[sizeof(verdict)];

	snprintf(cause, sizeof(cause), "%s%s%s", (char *)message,
		 first_fault[0] ? ": " : "", first_fault);
	colinux_flush_console();
	colinux_stop(CO_STOP_PANIC, cause);
}

static struct notifier_block die_block = { .notifier_call = note_fault };
static struct notifier_block panic_block = {
	.notifier_call = report_panic,
	.priority = INT_MIN,
};

static void colinux_restart(char *command)
{
	colinux_stop(CO_STOP_REBOOT, command ?: "");
}

static void colinux_emergency_restart(void)
{
	colinux_stop(CO_STOP_REBOOT, "emergency restart");
}

static void colinux_halt(void)
{
	colinux_stop(CO_STOP_HALT, "");
}

static void colinux_power_off(void)
{
	colinux_stop(CO_STOP_POWEROFF, "");
}

static void colinux_shutdown(void)
{
}

void __init colinux_init_reboot(void)
{
	machine_ops.restart = colinux_restart;
	machine_ops.emergency_restart = colinux_emergency_restart;
	machine_ops.halt = colinux_halt;
	machine_ops.power_off = colinux_power_off;
	machine_ops.shutdown = colinux_shutdown;
	/* Without it the kernel turns every power-off into a halt. */
	pm_power_off = colinux_power_off;
	register_die_notifier(&die_block);
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
