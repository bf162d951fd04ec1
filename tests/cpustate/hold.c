// SPDX-License-Identifier: GPL-2.0
/*
 * hold SECONDS SEED [umip]: what user space sees of a processor's state beside its
 * vector registers, as far as this processor has it: PKRU, FS and GS base
 * written by user space, TSC_AUX by RDTSCP and RDPID, the vDSO's getcpu, and,
 * if asked, that UMIP keeps the descriptor tables' addresses secret. Goes from processor to
 * processor meanwhile. Status 1 and a line on stderr at the first difference.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#define SPIN   20000
#define YIELDS 3

static int has_pku, has_bases, has_rdtscp, has_rdpid, has_umip;

static void look(int umip)
{
	uint32_t a, b, c, d;

	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		has_pku = c >> 4 & 1; /* OSPKE: the kernel has it on */
		has_rdpid = c >> 22 & 1;
		has_umip = umip && c >> 2 & 1;
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		has_rdtscp = d >> 27 & 1;
	has_bases = getauxval(AT_HWCAP2) >> 1 & 1; /* HWCAP2_FSGSBASE */
}

static int failed(const char *what, uint64_t got, uint64_t wanted)
{
	fprintf(stderr, "hold: %s: %#lx, not %#lx\n", what, got, wanted);
	return 1;
}

static uint32_t read_pkru(void)
{
	uint32_t value, high;

	__asm__ volatile("rdpkru" : "=a"(value), "=d"(high) : "c"(0));
	return value;
}

static void write_pkru(uint32_t value)
{
	__asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

/* Spins, and gives the processor away (sched_yield, 24), without the C library,
 * which couldn't live with the FS base as it is meanwhile. */
static inline void pass_time(void)
{
	long spin = SPIN, yields = YIELDS;

	__asm__ volatile("1: decq %0\n\tjnz 1b\n\t"
			 "2: movl $24, %%eax\n\tsyscall\n\t"
			 "decq %1\n\tjnz 2b"
			 : "+r"(spin), "+r"(yields)
			 : : "rax", "rcx", "r11", "memory", "cc");
}

static void hold_bases(uint64_t *fs, uint64_t *gs)
{
	uint64_t own;

	__asm__ volatile("rdfsbase %0" : "=r"(own));
	__asm__ volatile("wrfsbase %0" : : "r"(*fs) : "memory");
	__asm__ volatile("wrgsbase %0" : : "r"(*gs) : "memory");
	pass_time();
	__asm__ volatile("rdfsbase %0" : "=r"(*fs) : : "memory");
	__asm__ volatile("rdgsbase %0" : "=r"(*gs) : : "memory");
	__asm__ volatile("wrfsbase %0" : : "r"(own) : "memory");
}

static uint64_t random_address(unsigned int *seed)
{
	return ((uint64_t)rand_r(seed) << 16 ^ (uint64_t)rand_r(seed)) &
	       0x7fffffffffffULL; /* the lower half of four levels */
}

static int registers_round(unsigned int *seed)
{
	uint64_t fs = random_address(seed), gs = random_address(seed);
	uint64_t fs_now = fs, gs_now = gs;
	uint32_t pkru = (uint32_t)rand_r(seed) << 2; /* key 0 stays usable */

	if (has_pku)
		write_pkru(pkru);
	if (has_bases)
		hold_bases(&fs_now, &gs_now);
	else
		pass_time();
	if (has_pku && read_pkru() != pkru)
		return failed("PKRU", read_pkru(), pkru);
	if (fs_now != fs)
		return failed("FS base", fs_now, fs);
	if (gs_now != gs)
		return failed("GS base", gs_now, gs);
	return 0;
}

/* TSC_AUX holds the processor's number in its lower 12 bits, its node above. */
static int processor_round(unsigned int cpu)
{
	uint32_t low, high, aux;
	unsigned int now = ~0u;
	uint64_t id;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	pass_time();
	if (getcpu(&now, NULL) || now != cpu)
		return failed("getcpu", now, cpu);
	if (has_rdtscp) {
		__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(aux));
		if ((aux & 0xfff) != cpu)
			return failed("TSC_AUX by RDTSCP", aux, cpu);
	}
	if (has_rdpid) {
		__asm__ volatile("rdpid %0" : "=r"(id));
		if ((id & 0xfff) != cpu)
			return failed("TSC_AUX by RDPID", id, cpu);
	}
	return 0;
}

/* Linux answers for SGDT and SIDT, which fault, with made-up addresses. */
#define UMIP_GDT 0xfffffffffffe0000ULL
#define UMIP_IDT 0xffffffffffff0000ULL

static int umip_round(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt, idt;

	if (!has_umip)
		return 0;
	__asm__ volatile("sgdt %0" : "=m"(gdt));
	__asm__ volatile("sidt %0" : "=m"(idt));
	if (gdt.base != UMIP_GDT)
		return failed("SGDT, which UMIP forbids", gdt.base, UMIP_GDT);
	if (idt.base != UMIP_IDT)
		return failed("SIDT, which UMIP forbids", idt.base, UMIP_IDT);
	return 0;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	unsigned int seed = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	unsigned int cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int rounds = 0;

	look(argc > 3);
	do {
		if (registers_round(&seed) || processor_round(rounds % cpus) ||
		    umip_round())
			return 1;
		rounds++;
	} while (time(NULL) < end);
	printf("hold kept%s%s%s%s%s, %u rounds\n", has_pku ? " pkru" : "",
	       has_bases ? " fsgsbase" : "", has_rdtscp ? " rdtscp" : "",
	       has_rdpid ? " rdpid" : "", has_umip ? " umip" : "", rounds);
	return 0;
}
