/* SPDX-License-Identifier: GPL-2.0 */
/* In place of core/x86/asm.h: what a process may not do is made up. */
#ifndef CO_CORE_ASM_H
#define CO_CORE_ASM_H

#include "../../abi/guest.h"

extern const char co_passage_text_start[];

/* The local APIC is off. */
static inline co_u64 co_rdmsr(co_u32 msr)
{
	(void)msr;
	return 0;
}

static inline void co_cpuid(co_u32 leaf, co_u32 sub, co_u32 r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
	if (leaf == 1)
		r[2] |= 1u << 31; /* a hypervisor */
}

static inline co_u64 co_read_cr4(void)
{
	return 1 << 18;
}

void fake_fpu(void *image, _Bool save);
#define co_xsave(image) fake_fpu(image, 1)
#define co_xrstor(image) fake_fpu(image, 0)
#define co_fxsave(image) fake_fpu(image, 1)
#define co_fxrstor(image) fake_fpu(image, 0)

#endif
