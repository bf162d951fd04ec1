// SPDX-License-Identifier: GPL-2.0
/*
 * vectors SECONDS SEED: holds a pattern in all vector registers (the widest that
 * this processor and kernel have: XMM, YMM, or ZMM and their masks), in MXCSR and
 * on the x87 stack, while it spins and while it gives the processor away, and looks whether
 * it is still there. Status 1 and a line on stderr at the first difference.
 */
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGISTERS 32 /* of the widest; the others have 16 */
#define WIDEST	  64

static uint8_t pattern[REGISTERS][WIDEST] __attribute__((aligned(64)));
static uint8_t seen[REGISTERS][WIDEST] __attribute__((aligned(64)));

static uint16_t masks[8], masks_seen[8];

#define EACH(op, set)                                                         \
	op(set, 0) op(set, 1) op(set, 2) op(set, 3) op(set, 4) op(set, 5)     \
	op(set, 6) op(set, 7) op(set, 8) op(set, 9) op(set, 10) op(set, 11)   \
	op(set, 12) op(set, 13) op(set, 14) op(set, 15)
#define EACH32(op, set)                                                       \
	EACH(op, set)                                                         \
	op(set, 16) op(set, 17) op(set, 18) op(set, 19) op(set, 20)           \
	op(set, 21) op(set, 22) op(set, 23) op(set, 24) op(set, 25)           \
	op(set, 26) op(set, 27) op(set, 28) op(set, 29) op(set, 30)           \
	op(set, 31)
#define LOAD(set, n)  set##_MOVE " 64*" #n "(%2), %%" set##_REG #n "\n\t"
#define STORE(set, n) set##_MOVE " %%" set##_REG #n ", 64*" #n "(%3)\n\t"
#define XMM_MOVE "movdqa"
#define XMM_REG	 "xmm"
#define YMM_MOVE "vmovdqa"
#define YMM_REG	 "ymm"
#define ZMM_MOVE "vmovdqa64"
#define ZMM_REG	 "zmm"

/* Spins; then system calls (sched_yield, 24). */
#define PASS_TIME                                                             \
	"1: decq %0\n\tjnz 1b\n\t"                                            \
	"2: movl $24, %%eax\n\tsyscall\n\t"                                   \
	"decq %1\n\tjnz 2b\n\t"
#define CLOBBERS                                                              \
	"rax", "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3",  \
		"xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",      \
		"xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* %0: loops to spin; %1: system calls after it. */
#define HOLD(set)                                                             \
	static void hold_##set(long spin, long yields)                        \
	{                                                                     \
		__asm__ volatile(EACH(LOAD, set) PASS_TIME EACH(STORE, set)   \
				 : "+r"(spin), "+r"(yields)                   \
				 : "r"(pattern), "r"(seen)                    \
				 : CLOBBERS);                                 \
	}
HOLD(XMM)
__attribute__((target("avx"))) HOLD(YMM)

#define EACH_MASK(op) op(1) op(2) op(3) op(4) op(5) op(6) op(7)
#define LOAD_MASK(n)  "kmovw 2*" #n "(%4), %%k" #n "\n\t"
#define STORE_MASK(n) "kmovw %%k" #n ", 2*" #n "(%5)\n\t"

__attribute__((target("avx512f"))) static void hold_ZMM(long spin, long yields)
{
	__asm__ volatile(EACH32(LOAD, ZMM) EACH_MASK(LOAD_MASK) PASS_TIME
				 EACH32(STORE, ZMM) EACH_MASK(STORE_MASK)
			 : "+r"(spin), "+r"(yields)
			 : "r"(pattern), "r"(seen), "r"(masks), "r"(masks_seen)
			 : CLOBBERS, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",
			   "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
			   "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1",
			   "k2", "k3", "k4", "k5", "k6", "k7");
}

static int width(void)
{
	uint32_t a, b, c, d, low = 0, high;

	__cpuid(1, a, b, c, d);
	if (!(c & bit_OSXSAVE) || !(c & bit_AVX))
		return 16;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if ((low & 6) != 6)
		return 16;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_AVX512F &&
	    (low & 0xe6) == 0xe6)
		return 64;
	return 32;
}

static void make_pattern(unsigned int *seed)
{
	int i, j;

	for (i = 0; i < REGISTERS; i++)
		for (j = 0; j < WIDEST; j++)
			pattern[i][j] = (uint8_t)rand_r(seed);
	for (i = 1; i < 8; i++)
		masks[i] = (uint16_t)rand_r(seed);
}

static void hold(int bytes)
{
	if (bytes == 64)
		hold_ZMM(20000, 3);
	else if (bytes == 32)
		hold_YMM(20000, 3);
	else
		hold_XMM(20000, 3);
}

/* 0, or 1 and more: what is lost. */
static int round_once(int bytes, unsigned int *seed)
{
	uint32_t mxcsr = 0x1f80 | (rand_r(seed) & 3) << 13, now;
	double top = rand_r(seed), kept;
	int i;

	make_pattern(seed);
	__asm__ volatile("ldmxcsr %0\n\tfldl %1" : : "m"(mxcsr), "m"(top));
	hold(bytes);
	__asm__ volatile("stmxcsr %0\n\tfstpl %1" : "=m"(now), "=m"(kept));
	if ((now & 0xffc0) != mxcsr || memcmp(&top, &kept, sizeof(top)))
		return 1;
	if (bytes == 64 && memcmp(masks, masks_seen, sizeof(masks)))
		return 2;
	for (i = 0; i < (bytes == 64 ? REGISTERS : 16); i++)
		if (memcmp(pattern[i], seen[i], (size_t)bytes))
			return 3 + i;
	return 0;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	unsigned int seed = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	int bytes = width(), bad;
	long rounds = 0;

	while (time(NULL) < end) {
		bad = round_once(bytes, &seed);
		if (bad) {
			fprintf(stderr, "vectors: round %ld: %s %d lost\n", rounds,
				bad == 1 ? "MXCSR or x87" :
				bad == 2 ? "mask" : "register", bad - 3);
			return 1;
		}
		rounds++;
	}
	printf("vectors: %d bytes, %ld rounds\n", bytes, rounds);
	return 0;
}
