// SPDX-License-Identifier: GPL-2.0
/* The host's power button. */
#include <linux/printk.h>
#include <linux/reboot.h>
#include "colinux.h"

/* Hard interrupt context; each of these hands on to a work queue or a signal. */
void colinux_power_event(u64 wish)
{
	switch (wish) {
	case CO_POWER_OFF:
		orderly_poweroff(true);
		break;
	case CO_POWER_REBOOT:
		orderly_reboot();
		break;
	case CO_POWER_CAD:
		ctrl_alt_del();
		break;
	default:
		pr_warn("colinux: the host wishes power state %llu, unknown here\n", wish);
	}
}
