/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rest of arch/x86 needs to know of the cooperative guest: the few
 * places that no x86_init, x86_platform or machine_ops hook reaches.
 */
#ifndef _ASM_X86_COLINUX_H
#define _ASM_X86_COLINUX_H

#include <linux/types.h>

struct pt_regs;
struct topo_scan;

#ifdef CONFIG_COLINUX_GUEST

extern bool colinux_active;

/* This kernel runs beside a host kernel. Constant after the early setup. */
static __always_inline bool colinux_guest(void)
{
	return colinux_active;
}

void colinux_early_setup(void);
void colinux_idle(void);
void colinux_machine_check(void);
void colinux_offline_nmi(void);
bool colinux_topology(struct topo_scan *tscan);
void colinux_take_interrupt(struct pt_regs *regs, u8 vector);
/* Pages that the host would give us on demand. */
unsigned long colinux_memory_spare(void);

/* False: not ours, the caller goes on as on a machine of its own. */
static __always_inline bool colinux_interrupt(struct pt_regs *regs, u8 vector)
{
	if (!colinux_guest())
		return false;
	colinux_take_interrupt(regs, vector);
	return true;
}

#else

static __always_inline bool colinux_guest(void)
{
	return false;
}

static inline void colinux_early_setup(void) { }
static inline void colinux_idle(void) { }
static inline void colinux_machine_check(void) { }
static inline void colinux_offline_nmi(void) { }

static inline unsigned long colinux_memory_spare(void)
{
	return 0;
}

static inline bool colinux_topology(struct topo_scan *tscan)
{
	return false;
}

static __always_inline bool colinux_interrupt(struct pt_regs *regs, u8 vector)
{
	return false;
}

#endif
#endif
