// SPDX-License-Identifier: GPL-2.0
/* Nothing to do: sleep on the host until there is an event. */
#include <linux/cpu.h>
#include <linux/irqflags.h>
#include "colinux.h"
#include "compat.h"

/* Called with interrupts off; they are on for a moment at its end. */
void __cpuidle colinux_idle(void)
{
	struct co_event_page *page = colinux_events();

	if (!READ_ONCE(page->events))
		colinux_leave(CO_CALL_IDLE, 0, 0, 0, 0, CO_CALL_IRQS_ON);
	raw_local_irq_enable();
	if (READ_ONCE(page->events))
		co_raise_events();
	colinux_idle_end();
}
