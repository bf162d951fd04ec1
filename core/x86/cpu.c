// SPDX-License-Identifier: GPL-2.0
/* What the processor must be, what it is, and the round trip itself. */
#include "x86.h"
#include "asm.h"

#define CR4_PAE	     (1ULL << 5)
#define CR4_PGE	     (1ULL << 7)
#define CR4_LA57     (1ULL << 12)
#define CR4_OSXSAVE  (1ULL << 18)
#define CR4_FRED     (1ULL << 32)
#define MSR_EFER     0xc0000080
#define EFER_WANTED  0xd01 /* SCE, LME, LMA, NXE: what a Linux guest sets, too */
#define MSR_AMD_SYSCFG 0xc0010010 /* APM vol. 2, 15.34.3: bit 23 = memory encryption */
#define MSR_AMD_SEV    0xc0010131 /* 15.34.10: bit 0 = we are a SEV guest */

#define REPLAY_STRIDE 8 /* bytes of an entry in co_replay_table */

static bool cpuid_has(co_u32 leaf)
{
	co_u32 r[4];

	co_cpuid(leaf & 0x80000000, 0, r);
	return r[0] >= leaf;
}

/* SME or SEV: the C-bit would be missing in page tables that the guest makes. */
static bool memory_encrypted(void)
{
	co_u32 r[4];

	if (!cpuid_has(0x8000001f))
		return false;
	co_cpuid(0x8000001f, 0, r);
	if (!(r[0] & 3))
		return false;
	/* SYSCFG is the bare machine's: a hypervisor answers 0 there. */
	return (co_rdmsr(MSR_AMD_SEV) & 1) ||
	       (co_rdmsr(MSR_AMD_SYSCFG) & 1 << 23);
}

/* CPUID 0x21 names TDX. */
static bool trust_domain(void)
{
	co_u32 r[4];

	if (!cpuid_has(0x21))
		return false;
	co_cpuid(0x21, 0, r);
	return r[1] == 0x65746e49; /* "Inte" of "IntelTDX    " */
}

/* The scratch GDT has the kernel's code and stack at these selectors, and room
 * for a task descriptor below 0x78. */
static bool selectors_fit(void)
{
	co_u16 cs, tr;

	__asm__ volatile("mov %%cs, %0\n\tstr %1" : "=r"(cs), "=r"(tr));
	return cs == 0x10 && (tr & ~7) && tr < 0x78 && !(tr & 4);
}

co_u64 co_cpu_blockers(void)
{
	co_u64 found = 0, cr4 = co_read_cr4();
	co_u32 r[4];

	if ((co_rdmsr(MSR_EFER) & EFER_WANTED) != EFER_WANTED ||
	    !(cr4 & CR4_PAE))
		found |= CO_BLOCK_VENDOR;
	if (cr4 & CR4_FRED)
		found |= CO_BLOCK_FRED;
	if (memory_encrypted() || trust_domain())
		found |= CO_BLOCK_ENCRYPTED;
	if (!selectors_fit())
		found |= CO_BLOCK_SELECTORS;
	if (!host_tsc_khz())
		found |= CO_BLOCK_TSC;
	if (cr4 & CR4_OSXSAVE) {
		co_cpuid(0xd, 0, r);
		if (r[2] > CO_XSTATE_MAX)
			found |= CO_BLOCK_XSTATE;
	}
	return found;
}

void co_cpu_report(struct co_req_check *req)
{
	req->cr0 = co_read_cr0();
	req->cr4 = co_read_cr4();
	req->xcr0 = req->cr4 & CR4_OSXSAVE ? co_xgetbv() : 0;
	req->efer = co_rdmsr(MSR_EFER);
}

bool co_cpu_la57(void)
{
	return co_read_cr4() & CR4_LA57;
}

co_u64 co_rdtsc(void)
{
	co_u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (co_u64)high << 32;
}

void co_switch(struct co_vcpu *vcpu)
{
	co_world_switch(vcpu->passage.host);
	if (!vcpu->entered) {
		vcpu->entered = true;
		co_passage_redirect(vcpu);
	}
}

void co_replay(co_u32 vector)
{
	co_replay_call((co_uptr)co_replay_table + vector * REPLAY_STRIDE);
}

bool co_may_forward(co_u64 vector)
{
	co_u64 map[4];

	if (vector == CO_VECTOR_NMI || vector == CO_VECTOR_MCE)
		return true;
	co_forward_map(map);
	return vector < 256 && map[vector / 64] >> vector % 64 & 1;
}

/* Has this vector a gate for programs (SDM vol. 3A, figure 6-8: DPL in bits 45, 46)?
 * Then no device has it. */
static bool is_for_programs(co_u32 vector)
{
	struct __attribute__((packed)) {
		co_u16 limit;
		co_u64 base;
	} idt;

	__asm__ volatile("sidt %0" : "=m"(idt));
	return (((const co_u64 *)(co_uptr)idt.base)[2 * vector] >> 45 & 3) == 3;
}

void co_forward_map(co_u64 map[4])
{
	co_u32 own = host_spare_vector();

	map[0] = ~0ULL << 32; /* 0..31 are the guest's own exceptions */
	map[1] = map[2] = map[3] = ~0ULL;
	/* The guest's 32-bit system calls, unless it's a device's here: Windows, and
	 * Linux without 32-bit programs, have no system calls at it. */
	if (is_for_programs(0x80))
		map[2] &= ~1ULL;
	map[own / 64] &= ~(1ULL << own % 64);
}
