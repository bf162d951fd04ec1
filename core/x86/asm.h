/* SPDX-License-Identifier: GPL-2.0 */
/* switch.S and single instructions, for the C files beside it. */
#ifndef CO_CORE_ASM_H
#define CO_CORE_ASM_H

#include "../../abi/guest.h"

/* switch.S knows one calling convention; on Linux this is the default one. */
#define CO_SYSV __attribute__((sysv_abi))

extern const char co_passage_text_start[], co_passage_text_end[];
extern const char co_replay_table[];
extern const char co_host_arrive[], co_host_nmi_stub[], co_host_mce_stub[];
extern const char co_host_fault_stub[];

CO_SYSV void co_world_switch(struct co_passage_page *page);
CO_SYSV void co_replay_call(co_u64 target);

static inline co_u64 co_rdmsr(co_u32 msr)
{
	co_u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (co_u64)high << 32;
}

static inline void co_wrmsr(co_u32 msr, co_u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((co_u32)value),
			 "d"((co_u32)(value >> 32)) : "memory");
}

static inline void co_cpuid(co_u32 leaf, co_u32 sub, co_u32 r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

static inline co_u64 co_read_cr0(void)
{
	co_u64 v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline co_u64 co_read_cr4(void)
{
	co_u64 v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline co_u64 co_xgetbv(void)
{
	co_u32 low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (co_u64)high << 32;
}

static inline void co_xsetbv(co_u64 value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((co_u32)value),
			 "d"((co_u32)(value >> 32)));
}

static inline co_u32 co_rdpkru(void)
{
	co_u32 value, high;

	__asm__ volatile("rdpkru" : "=a"(value), "=d"(high) : "c"(0));
	return value;
}

static inline void co_wrpkru(co_u32 value)
{
	__asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0));
}

/* FPU images, 64-byte aligned; the XSAVE pair takes all that is in XCR0. */
static inline void co_fxsave(void *image)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(image) : "memory");
}

static inline void co_fxrstor(const void *image)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(image) : "memory");
}

static inline void co_xsave(void *image)
{
	__asm__ volatile("xsave64 (%0)" : : "r"(image), "a"(~0u), "d"(~0u)
			 : "memory");
}

static inline void co_xrstor(const void *image)
{
	__asm__ volatile("xrstor64 (%0)" : : "r"(image), "a"(~0u), "d"(~0u)
			 : "memory");
}

#define CO_READ_DR(n) ({                                            \
	co_u64 co_v_;                                               \
	__asm__ volatile("mov %%dr" #n ", %0" : "=r"(co_v_));       \
	co_v_;                                                      \
})
#define CO_WRITE_DR(n, v) \
	__asm__ volatile("mov %0, %%dr" #n : : "r"((co_u64)(v)))

#endif
