/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this folder share. */
#ifndef _COLINUX_H
#define _COLINUX_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/colinux.h>
#include "abi/guest.h"
#include "abi/image.h"

/* setup.c: a copy of what the host wrote, and the areas in direct-map terms. */
extern struct co_boot_info colinux_boot;
extern struct co_vcpu_area *colinux_areas;

struct co_event_page *colinux_events(void);

/* features.c */
void colinux_set_features(void);

/* cmdline.c */
void colinux_filter_command_line(void);

/* switch.S; interrupts off. */
asmlinkage u64 co_leave(struct co_passage_page *page, const struct co_call *call);

/* call.c; any context, NMI included. */
u64 colinux_call(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3);
u64 colinux_leave(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 flags);

/* Counts since the start, for whoever looks. */
struct colinux_stats {
	unsigned long calls;
	unsigned long forwarded;
	unsigned long nmis; /* those of the passage included */
	unsigned long nmis_passage;
	unsigned long events; /* looks at the event words that found some */
};
DECLARE_PER_CPU(struct colinux_stats, colinux_stats);

static inline bool colinux_failed(u64 result)
{
	return result >= CO_ERROR_MIN;
}

/* raise.S: the vCPU interrupts itself with its event vector. */
void co_raise_events(void);
extern u8 co_raise_int[2];

/* irq.c */
void colinux_init_irq(void);
int colinux_register_nmi(void);

/* apic.c */
void colinux_init_apic(void);
void colinux_send_stop(void);
void colinux_send_kick(int cpu);
u64 colinux_kick_event(void);
void colinux_own_events(u64 events); /* hard interrupt context */

/* smp.c */
void colinux_init_smp(void);
void colinux_cpus_event(void);	   /* hard interrupt context */
void colinux_stop_this_cpu(void);  /* hard interrupt context; no return */
asmlinkage void colinux_start_secondary(void);
void co_secondary_entry(void); /* start.S */

/* spinlock.c */
void colinux_init_spinlocks(void);

/* time.c */
void colinux_init_time(void);
void colinux_start_timer(void);
void colinux_timer_event(bool told);

/* clock.c */
void colinux_clock_event(void); /* hard interrupt context */
/* The host's wall clock in ns since 1970 was `wall` when the TSC was `tsc`. */
struct colinux_clock {
	u64 tsc;
	u64 wall;
	s64 rate; /* by which the host makes it run faster than the TSC, 2^-32 */
};
void colinux_read_clock(struct colinux_clock *host); /* any context but NMI */

/* suspend.c; hard interrupt context */
void colinux_sleep_event(u64 events);

/* console.c */
void colinux_init_console(void);
void colinux_flush_console(void);

/* reboot.c */
void colinux_init_reboot(void);
void __noreturn colinux_stop(u64 reason, const char *text);

/* power.c; hard interrupt context */
void colinux_power_event(u64 wish);

/* memory.c; hard interrupt context */
void colinux_memory_event(void);

/* virtio_colinux.c; hard interrupt context */
void colinux_queue_event(unsigned int queue);
void colinux_config_event(unsigned int device);

/* Register access, also before there are devices. */
u64 colinux_device_read(u32 device, u32 reg, u32 index, u32 bytes);
u64 colinux_device_write(u32 device, u32 reg, u32 index, u32 bytes, u64 value);
#define COLINUX_NAME_MAX 64
void colinux_device_name(u32 device, char name[COLINUX_NAME_MAX]);

#ifdef CONFIG_COLINUX_SELFTEST
void colinux_selftest_irq(void);
#else
static inline void colinux_selftest_irq(void) { }
#endif

#endif
