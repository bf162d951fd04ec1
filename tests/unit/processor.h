/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A processor to pretend, in place of core/x86/asm.h: include it first, then the
 * file under test. What it lacks must not be touched: an MSR that isn't there
 * fails the test, as #GP would the machine.
 */
#ifndef CO_CORE_ASM_H
#define CO_CORE_ASM_H

#include "unit.h"

#define MSRS_MOST   32
#define LEAVES_MOST 16

struct processor {
	struct {
		co_u32 leaf, r[4];
	} cpuid[LEAVES_MOST];
	struct {
		co_u32 nr, writes;
		co_u64 value;
	} msr[MSRS_MOST];
	co_u32 leaves, msrs;
	co_u64 cr4, xcr0, dr[8];
	co_u32 pkru;
	co_u64 sse, avx, zmm; /* one value each stands for all registers of a kind */
};

extern struct processor processor;

static inline void co_cpuid(co_u32 leaf, co_u32 sub, co_u32 r[4])
{
	co_u32 i;

	(void)sub;
	memset(r, 0, 4 * sizeof(*r));
	for (i = 0; i < processor.leaves; i++)
		if (processor.cpuid[i].leaf == leaf)
			memcpy(r, processor.cpuid[i].r, 4 * sizeof(*r));
}

static inline co_u32 processor_msr(co_u32 nr)
{
	co_u32 i;

	for (i = 0; i < processor.msrs; i++)
		if (processor.msr[i].nr == nr)
			return i;
	fail_msg("MSR %#x: this processor has none", nr);
	return 0;
}

static inline co_u64 co_rdmsr(co_u32 nr)
{
	return processor.msr[processor_msr(nr)].value;
}

static inline void co_wrmsr(co_u32 nr, co_u64 value)
{
	co_u32 i = processor_msr(nr);

	processor.msr[i].value = value;
	processor.msr[i].writes++;
}

static inline co_u64 co_read_cr4(void)
{
	return processor.cr4;
}

static inline co_u64 co_xgetbv(void)
{
	return processor.xcr0;
}

static inline void co_xsetbv(co_u64 value)
{
	processor.xcr0 = value;
}

static inline co_u32 co_rdpkru(void)
{
	return processor.pkru;
}

static inline void co_wrpkru(co_u32 value)
{
	processor.pkru = value;
}

/* Byte offsets in an image: XMM0, the header's XSTATE_BV (SDM vol. 1, 10.5.1 and
 * 13.4), the upper half of YMM0, opmasks, PKRU as Intel's processors have them. */
#define IMAGE_SSE    160
#define IMAGE_BV     512
#define IMAGE_AVX    576
#define IMAGE_ZMM    1088
#define IMAGE_PKRU   2688
#define IMAGE_SIZE   2752
#define XCR0_SSE     (1ULL << 1)
#define XCR0_AVX     (1ULL << 2)
#define XCR0_AVX512  (7ULL << 5)
#define XCR0_PKRU    (1ULL << 9)

static inline void co_fxsave(void *image)
{
	memcpy((char *)image + IMAGE_SSE, &processor.sse, 8);
}

static inline void co_fxrstor(const void *image)
{
	memcpy(&processor.sse, (const char *)image + IMAGE_SSE, 8);
}

static inline void co_xsave(void *image)
{
	co_u64 bv;

	memcpy(&bv, (char *)image + IMAGE_BV, 8);
	bv |= processor.xcr0;
	memcpy((char *)image + IMAGE_BV, &bv, 8);
	co_fxsave(image);
	if (processor.xcr0 & XCR0_AVX)
		memcpy((char *)image + IMAGE_AVX, &processor.avx, 8);
	if (processor.xcr0 & XCR0_AVX512)
		memcpy((char *)image + IMAGE_ZMM, &processor.zmm, 8);
	if (processor.xcr0 & XCR0_PKRU)
		memcpy((char *)image + IMAGE_PKRU, &processor.pkru, 4);
}

static inline void processor_component(const void *image, co_u64 bits, int at,
				       void *value, size_t size)
{
	co_u64 bv;

	memcpy(&bv, (const char *)image + IMAGE_BV, 8);
	if (!(processor.xcr0 & bits))
		return;
	memset(value, 0, size);
	if (bv & bits)
		memcpy(value, (const char *)image + at, size);
}

static inline void co_xrstor(const void *image)
{
	co_u64 bv;

	memcpy(&bv, (const char *)image + IMAGE_BV, 8);
	if (bv & ~processor.xcr0)
		fail_msg("XRSTOR of %#llx under XCR0 %#llx is #GP", bv,
			 processor.xcr0);
	processor_component(image, XCR0_SSE, IMAGE_SSE, &processor.sse, 8);
	processor_component(image, XCR0_AVX, IMAGE_AVX, &processor.avx, 8);
	processor_component(image, XCR0_AVX512, IMAGE_ZMM, &processor.zmm, 8);
	processor_component(image, XCR0_PKRU, IMAGE_PKRU, &processor.pkru, 4);
}

#define CO_READ_DR(n)	  (processor.dr[n])
#define CO_WRITE_DR(n, v) ((void)(processor.dr[n] = (v)))

#endif
