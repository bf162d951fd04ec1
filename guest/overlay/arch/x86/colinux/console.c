// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel log goes to the host, from the first line to the last: a console
 * for printk only. What users see is virtio-console.
 */
#include <linux/console.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>
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
