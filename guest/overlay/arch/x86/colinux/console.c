// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel log goes to the host, from the first line to the last: a console
 * for printk only. What users see is virtio-console.
 */
#include <linux/console.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/virtio_ids.h>
#include <asm/setup.h>
#include <asm/page.h>
#include "colinux.h"

/* The console lock guards it; who broke that lock in a panic has the machine
 * for himself. In the image, so that it is contiguous in physical memory. */
static char text[CO_TEXT_MAX];

static void colinux_console_write(struct console *console, const char *s, unsigned int n)
{
	while (n) {
		unsigned int part = min_t(unsigned int, n, sizeof(text));

		memcpy(text, s, part);
		colinux_call(CO_CALL_CONSOLE, __pa(text), part, 0, 0);
		s += part;
		n -= part;
	}
}

/* ENABLED: without being named by console=, and without taking /dev/console. */
static struct console colinux_console = {
	.name = "colinux",
	.write = colinux_console_write,
	.flags = CON_PRINTBUFFER | CON_ANYTIME | CON_ENABLED,
	.index = -1,
};

void __init colinux_init_console(void)
{
	register_console(&colinux_console);
}

void colinux_flush_console(void)
{
	console_flush_on_panic(CONSOLE_FLUSH_PENDING);
}

static bool __init has_console_device(void)
{
	unsigned int i;

	for (i = 0; i < colinux_boot.devices; i++)
		if (colinux_device_read(i, CO_DEV_ID, 0, 8) == VIRTIO_ID_CONSOLE)
			return true;
	return false;
}

/* Milliseconds; the daemon answers at once, but its host may be busy. */
#define CONSOLE_WAIT 10000
#define CONSOLE_STEP 5

/*
 * hvc0 comes when the daemon has announced the port, which is after the
 * device's probe: the first process would start without a console, and what it
 * says would be lost.
 */
static int __init wait_for_console(void)
{
	unsigned int waited;
	int index;

	if (!colinux_guest() || !strstr(boot_command_line, "console=hvc") ||
	    !has_console_device())
		return 0;
	for (waited = 0; waited < CONSOLE_WAIT && !console_device(&index);
	     waited += CONSOLE_STEP)
		msleep(CONSOLE_STEP);
	return 0;
}
late_initcall_sync(wait_for_console);
