// SPDX-License-Identifier: GPL-2.0
/*
 * Segment registers whose descriptors change while they hold them: what a kernel
 * does to its programs, and lets them have for a moment. After a visit to the host a
 * selector that can be loaded is what it was, any other is null, and the bases of FS
 * and GS, and CR2, are what they were in either case.
 */
#include "payload.h"

#define DATA	    0x00cf93000000ffffULL /* SDM vol. 3A, 3.4.5: flat data, ring 0 */
#define ABSENT	    0x00cf13000000ffffULL /* the same, not present */
#define LDT	    0x0000820000000fffULL /* 3.5: LDT of a page, present, base 0 */
#define GDT_DATA    0x20
#define GDT_LDT	    0x28 /* two entries */
#define LDT_DATA    0x04
#define NOT_MAPPED  0x600000000000ULL
#define FAULTED_AT  0x123456789000ULL /* CR2 of some earlier fault */
#define BASE	    0x7654321000ULL
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

static co_u64 gdt[8] = { 0, 0, 0x00af9b000000ffffULL, DATA };
static co_u64 ldt[512] __attribute__((aligned(4096)));

static void load_gdt(void)
{
	struct __attribute__((packed)) {
		co_u16 limit;
		co_u64 base;
	} pointer = { sizeof(gdt) - 1, (co_u64)gdt };

	__asm__ volatile("lgdt %0" : : "m"(pointer));
}

/* SDM vol. 3A, 7.2.3: a system descriptor of 16 bytes. */
static void ldt_at(co_u64 base)
{
	co_u64 *entry = &gdt[GDT_LDT / 8];

	entry[0] = LDT | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
	entry[1] = base >> 32;
}

static void base_set(co_u32 msr)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((co_u32)BASE),
			 "d"((co_u32)(BASE >> 32)));
}

static co_u64 base_get(co_u32 msr)
{
	co_u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (co_u64)high << 32;
}

static void segments_load(co_u32 selector)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs\n\tmov %0, %%gs"
			 : : "r"(selector) : "memory");
	base_set(MSR_FS_BASE);
	base_set(MSR_GS_BASE);
	__asm__ volatile("mov %0, %%cr2" : : "r"(FAULTED_AT));
}

static co_u64 passed;

static void host_and_back(const char *what, co_u64 selector)
{
	co_u64 ds, es, fs, gs, cr2;

	call(CO_CALL_YIELD, 0, 0, 0, 0);
	__asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%fs, %2\n\tmov %%gs, %3\n\tmov %%cr2, %4"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs), "=r"(cr2));
	if (ds != selector || es != selector || fs != selector || gs != selector)
		fail("%s: DS 0x%llx, ES 0x%llx, FS 0x%llx, GS 0x%llx", what, ds,
		     es, fs, gs);
	if (base_get(MSR_FS_BASE) != BASE || base_get(MSR_GS_BASE) != BASE)
		fail("%s: a base was lost", what);
	if (cr2 != FAULTED_AT)
		fail("%s: CR2 is 0x%llx", what, cr2);
	passed++;
}

/* The registers hold `selector` of a good descriptor; `now` takes its place. */
static void change(const char *what, co_u32 selector, co_u64 *entry, co_u64 now)
{
	*entry = DATA;
	segments_load(selector);
	*entry = now;
	host_and_back(what, 0);
}

void program(const char *words)
{
	co_u64 *own = &gdt[GDT_DATA / 8];

	(void)words;
	load_gdt();
	*own = DATA;
	segments_load(GDT_DATA);
	host_and_back("a good descriptor", GDT_DATA);
	change("no descriptor", GDT_DATA, own, 0);
	change("a descriptor that isn't present", GDT_DATA, own, ABSENT);

	ldt_at((co_u64)ldt);
	__asm__ volatile("lldt %w0" : : "r"(GDT_LDT) : "memory");
	change("no descriptor in the LDT", LDT_DATA, ldt, 0);
	*ldt = DATA;
	segments_load(LDT_DATA);
	ldt_at(NOT_MAPPED);
	host_and_back("an LDT that isn't mapped", 0);
	say("segments %llu", passed);
}
