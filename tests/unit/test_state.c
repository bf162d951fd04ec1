// SPDX-License-Identifier: GPL-2.0
/*
 * core/x86/state.c on a processor that is pretended: which MSRs it touches, and
 * that each side finds its own state again. What no emulator here has (SPEC_CTRL
 * and its kin, RDPID alone, counters, processor trace) is only tried here.
 */
#include "processor.h"

/* Under names of its own: sim has functions of these names, too. */
#define co_state_init  state_init
#define co_state_free  state_free
#define co_burst_begin burst_begin
#define co_burst_end   burst_end
#include "../../core/x86/state.c"

struct processor processor;

enum { EAX, EBX, ECX, EDX };

#define INTEL_EBX 0x756e6547
#define AMD_EBX	  0x68747541
#define HYGON_EBX 0x6f677948

/* Which CPUID bit says that there is which MSR. */
static const struct feature {
	const char *name;
	co_u32 leaf, reg, bit, msr;
} features[] = {
	{ "RDTSCP", 0x80000001, EDX, 27, 0xc0000103 },
	{ "RDPID", 7, ECX, 22, 0xc0000103 },
	{ "IBRS and IBPB", 7, EDX, 26, 0x48 },
	{ "STIBP", 7, EDX, 27, 0x48 },
	{ "SSBD", 7, EDX, 31, 0x48 },
	{ "IBRS of AMD", 0x80000008, EBX, 14, 0x48 },
	{ "STIBP of AMD", 0x80000008, EBX, 15, 0x48 },
	{ "SSBD of AMD", 0x80000008, EBX, 24, 0x48 },
	{ "VIRT_SSBD", 0x80000008, EBX, 25, 0xc001011f },
	{ "counters, version 2", 0xa, EAX, 1, 0x38f },
	{ "processor trace", 7, EBX, 25, 0x570 },
};

static const co_u32 always[] = { 0xc0000102, 0xc0000081, 0xc0000082, 0xc0000083,
				 0xc0000084, 0x174, 0x175, 0x176, 0x1d9 };

static void msr_add(co_u32 nr, co_u64 value)
{
	processor.msr[processor.msrs].nr = nr;
	processor.msr[processor.msrs].writes = 0;
	processor.msr[processor.msrs++].value = value;
}

static void cpuid_set(co_u32 leaf, int reg, co_u32 value)
{
	co_u32 i;

	for (i = 0; i < processor.leaves; i++)
		if (processor.cpuid[i].leaf == leaf)
			break;
	if (i == processor.leaves)
		processor.leaves++;
	processor.cpuid[i].leaf = leaf;
	processor.cpuid[i].r[reg] |= value;
}

/* A processor with nothing but what each 64-bit one has. */
static void plain(co_u32 vendor)
{
	size_t i;

	memset(&processor, 0, sizeof(processor));
	cpuid_set(0, EAX, 0xd);
	cpuid_set(0, EBX, vendor);
	cpuid_set(1, EAX, 0xf << 8);
	cpuid_set(0x80000000, EAX, 0x80000008);
	for (i = 0; i < CO_ARRAY_SIZE(always); i++)
		msr_add(always[i], 0x1000 + i);
	processor.dr[7] = DR7_NONE;
}

static struct co_vcpu *vcpu;

static int start(void **state)
{
	if (unit_start_loaded(state))
		return -1;
	vcpu = VCPU;
	plain(INTEL_EBX);
	return 0;
}

/* On a vCPU that sim has made, in place of sim's own state. */
static struct co_cpu_state *begin(void)
{
	state_free(&vcpu->state);
	memset(&vcpu->state, 0, sizeof(vcpu->state));
	assert_int_equal(state_init(&vcpu->state), 0);
	return &vcpu->state;
}

/* What the host does around a burst; between is the guest. */
static void in(void)
{
	host_pin();
	burst_begin(vcpu);
}

static void out(void)
{
	burst_end(vcpu);
	host_unpin();
}

/* ---- which MSRs ------------------------------------------------------------- */

static co_u32 present(void)
{
	return (co_u32)__builtin_popcount(begin()->msr_present);
}

static void plain_touches_the_common_ones(void **state)
{
	(void)state;
	assert_int_equal(present(), CO_ARRAY_SIZE(always));
	in();
	out();
}

static void each_feature_brings_its_msr(void **state)
{
	const struct feature *f;

	(void)state;
	for (f = features; f < features + CO_ARRAY_SIZE(features); f++) {
		plain(INTEL_EBX);
		cpuid_set(f->leaf, (int)f->reg, 1u << f->bit);
		msr_add(f->msr, 0x77);
		if (present() != CO_ARRAY_SIZE(always) + 1)
			fail_msg("%s doesn't bring MSR %#x", f->name, f->msr);
		in();
		out();
	}
}

static void leaves_beyond_the_last_are_not_asked(void **state)
{
	(void)state;
	memset(processor.cpuid, 0, sizeof(processor.cpuid));
	processor.leaves = 0;
	cpuid_set(0, EAX, 6);
	cpuid_set(0, EBX, INTEL_EBX);
	/* Real processors answer with the last leaf's values there. */
	cpuid_set(7, EDX, ~0u);
	cpuid_set(0x80000001, EDX, ~0u);
	assert_int_equal(present(), CO_ARRAY_SIZE(always));
}

static void counters_and_trace_are_intels(void **state)
{
	(void)state;
	plain(AMD_EBX);
	cpuid_set(0xa, EAX, 2);
	cpuid_set(7, EBX, 1u << 25);
	assert_int_equal(present(), CO_ARRAY_SIZE(always));
	plain(INTEL_EBX);
	cpuid_set(0xa, EAX, 1); /* version 1 has no global enable */
	assert_int_equal(present(), CO_ARRAY_SIZE(always));
}

static void tsx_ctrl_by_the_capabilities(void **state)
{
	(void)state;
	cpuid_set(7, EDX, 1u << 29);
	msr_add(0x10a, 0);
	assert_int_equal(present(), CO_ARRAY_SIZE(always));
	processor.msr[processor_msr(0x10a)].value = 1 << 7;
	msr_add(0x122, 3);
	assert_int_equal(present(), CO_ARRAY_SIZE(always) + 1);
}

static void split_lock_by_the_capabilities(void **state)
{
	(void)state;
	cpuid_set(7, EDX, 1u << 30);
	msr_add(0xcf, 0);
	assert_int_equal(present(), CO_ARRAY_SIZE(always));
	processor.msr[processor_msr(0xcf)].value = 1 << 5;
	msr_add(0x33, 1u << 29);
	assert_int_equal(present(), CO_ARRAY_SIZE(always) + 1);
}

static void pebs_where_it_is_not_taken_away(void **state)
{
	(void)state;
	cpuid_set(0xa, EAX, 2);
	cpuid_set(1, EDX, 1u << 21);
	msr_add(0x38f, 0);
	msr_add(0x1a0, 1u << 12);
	assert_int_equal(present(), CO_ARRAY_SIZE(always) + 1);
	processor.msr[processor_msr(0x1a0)].value = 0;
	msr_add(0x3f1, 0);
	assert_int_equal(present(), CO_ARRAY_SIZE(always) + 2);
}

/* `family` as CPUID shows it: base 15 and the rest. */
static co_u32 with_ls_cfg(co_u32 vendor, co_u32 family, co_u32 hypervisor)
{
	plain(vendor);
	cpuid_set(1, EAX, (family - 15) << 20);
	cpuid_set(1, ECX, hypervisor << 31);
	msr_add(0xc0011020, 5);
	return present() - (co_u32)CO_ARRAY_SIZE(always);
}

static void ls_cfg_on_bare_amd(void **state)
{
	(void)state;
	assert_int_equal(with_ls_cfg(AMD_EBX, 0x14, 0), 0);
	assert_int_equal(with_ls_cfg(AMD_EBX, 0x15, 0), 1);
	assert_int_equal(with_ls_cfg(AMD_EBX, 0x17, 0), 1);
	assert_int_equal(with_ls_cfg(HYGON_EBX, 0x18, 0), 1);
	assert_int_equal(with_ls_cfg(AMD_EBX, 0x19, 0), 0);
	assert_int_equal(with_ls_cfg(AMD_EBX, 0x17, 1), 0);
	assert_int_equal(with_ls_cfg(INTEL_EBX, 0x17, 0), 0);
}

/* ---- their values ----------------------------------------------------------- */

static co_u64 *value(co_u32 nr)
{
	return &processor.msr[processor_msr(nr)].value;
}

static void each_side_keeps_its_values(void **state)
{
	size_t i;

	(void)state;
	begin();
	in();
	for (i = 0; i < CO_ARRAY_SIZE(always); i++)
		*value(always[i]) = 0x2000 + i;
	out();
	for (i = 0; i < CO_ARRAY_SIZE(always); i++)
		assert_equal(*value(always[i]), 0x1000 + i);
	in();
	for (i = 0; i < CO_ARRAY_SIZE(always); i++)
		assert_equal(*value(always[i]), 0x2000 + i);
	out();
}

static void mitigations_stay_on_until_the_guest_decides(void **state)
{
	(void)state;
	cpuid_set(7, EDX, 1u << 26 | 1u << 31);
	msr_add(0x48, 5);
	begin();
	in();
	assert_equal(*value(0x48), 5);
	*value(0x48) = 1;
	out();
	assert_equal(*value(0x48), 5);
	/* The host changes its own meanwhile, as it does from task to task. */
	*value(0x48) = 4;
	in();
	assert_equal(*value(0x48), 1);
	out();
	assert_equal(*value(0x48), 4);
}

static void what_is_equal_is_not_written(void **state)
{
	(void)state;
	cpuid_set(7, EDX, 1u << 26);
	cpuid_set(7, ECX, 1u << 22);
	msr_add(0x48, 5);
	msr_add(0xc0000103, 3);
	begin();
	in();
	out();
	assert_int_equal(processor.msr[processor_msr(0x48)].writes, 0);
	assert_int_equal(processor.msr[processor_msr(0xc0000103)].writes, 0);
}

/* Even those that the guest switches on itself. */
static void counters_and_trace_stand_still(void **state)
{
	static const co_u32 nr[] = { 0x38f, 0x570, 0x3f1, 0x33 };
	size_t i, j;

	(void)state;
	cpuid_set(0xa, EAX, 2);
	cpuid_set(7, EBX, 1u << 25);
	cpuid_set(7, EDX, 1u << 30);
	cpuid_set(1, EDX, 1u << 21);
	msr_add(0xcf, 1 << 5);
	msr_add(0x1a0, 0);
	for (i = 0; i < CO_ARRAY_SIZE(nr); i++)
		msr_add(nr[i], 0x10 + i);
	begin();
	for (i = 0; i < 8; i++) {
		in();
		for (j = 0; j < CO_ARRAY_SIZE(nr); j++)
			assert_equal(*value(nr[j]), 0);
		*value(nr[i % CO_ARRAY_SIZE(nr)]) = 1;
		out();
		for (j = 0; j < CO_ARRAY_SIZE(nr); j++)
			assert_equal(*value(nr[j]), 0x10 + j);
	}
}

/* An NMI of theirs would be fatal there; later it is forwarded like any. */
static void amds_counters_are_quiet_in_the_first_steps(void **state)
{
	static const co_u32 quiet[] = { 0xc0010200, 0xc0010202, 0xc0010204,
					0xc0010206, 0xc0010208, 0xc001020a,
					0xc0011030, 0xc0011033 };
	co_u32 began;
	size_t i;

	(void)state;
	plain(AMD_EBX);
	cpuid_set(0x80000000, EAX, 0x80000022);
	cpuid_set(0x80000001, ECX, 1u << 23 | 1u << 10);
	cpuid_set(0x80000022, EAX, 1);
	msr_add(0xc0000301, 0x3f);
	for (i = 0; i < CO_ARRAY_SIZE(quiet); i++)
		msr_add(quiet[i], 0x530076);
	begin();
	for (began = 0; began < 2; began++) {
		vcpu->watch.began = began;
		in();
		assert_equal(*value(0xc0000301), 0);
		for (i = 0; i < CO_ARRAY_SIZE(quiet); i++)
			assert_equal(*value(quiet[i]), began ? 0x530076 : 0);
		/* Whatever becomes of it meanwhile. */
		vcpu->watch.began = 1;
		out();
		assert_equal(*value(0xc0000301), 0x3f);
		for (i = 0; i < CO_ARRAY_SIZE(quiet); i++)
			assert_equal(*value(quiet[i]), 0x530076);
	}
}

/* ---- debug registers -------------------------------------------------------- */

static void breakpoints_of_each_side(void **state)
{
	(void)state;
	begin();
	processor.dr[0] = 0x1111;
	processor.dr[3] = 0x1333;
	processor.dr[6] = 0xffff0ff1;
	processor.dr[7] = 0x401 | 1 << 6;
	in();
	assert_equal(processor.dr[7], DR7_NONE);
	assert_equal(processor.dr[0], 0);
	processor.dr[0] = 0x2111;
	processor.dr[2] = 0x2222;
	processor.dr[6] = 0xffff4ff0;
	out();
	assert_equal(processor.dr[0], 0x1111);
	assert_equal(processor.dr[2], 0);
	assert_equal(processor.dr[3], 0x1333);
	assert_equal(processor.dr[6], 0xffff0ff1);
	assert_equal(processor.dr[7], 0x401 | 1 << 6);
	in();
	assert_equal(processor.dr[0], 0x2111);
	assert_equal(processor.dr[2], 0x2222);
	assert_equal(processor.dr[6], 0xffff4ff0);
	out();
}

/* ---- FPU ---------------------------------------------------------------------- */

/* XSAVES is there and IA32_XSS (0xda0) isn't: whoever asks for it fails. */
static void with_xsave(co_u64 xcr0)
{
	processor.cr4 = CR4_OSXSAVE;
	processor.xcr0 = xcr0;
	cpuid_set(0xd, ECX, IMAGE_SIZE);
	if (xcr0 & XCR0_PKRU)
		processor.cr4 |= CR4_PKE;
}

static void guest_of(co_u64 sse, co_u64 avx, co_u64 zmm)
{
	in();
	assert_equal(processor.sse, sse);
	assert_equal(processor.avx, avx);
	assert_equal(processor.zmm, zmm);
}

static void vector_registers_without_xsave(void **state)
{
	(void)state;
	begin();
	guest_of(0, 0, 0);
	processor.sse = 7;
	out();
	processor.sse = 1;
	guest_of(7, 0, 0);
	out();
}

static void vector_registers_of_all_widths(void **state)
{
	(void)state;
	with_xsave(7 | XCR0_AVX512);
	begin();
	guest_of(0, 0, 0);
	processor.sse = 7;
	processor.avx = 8;
	processor.zmm = 9;
	out();
	processor.sse = processor.avx = processor.zmm = 1;
	guest_of(7, 8, 9);
	out();
}

/* It may take components out, and put them back. */
static void xcr0_of_each_side(void **state)
{
	(void)state;
	with_xsave(7 | XCR0_AVX512);
	begin();
	guest_of(0, 0, 0);
	processor.zmm = 9;
	out();
	guest_of(0, 0, 9);
	processor.xcr0 = 7;
	out();
	assert_equal(processor.xcr0, 7 | XCR0_AVX512);
	in();
	assert_equal(processor.xcr0, 7);
	processor.xcr0 = 7 | XCR0_AVX512;
	out();
	in();
	assert_equal(processor.xcr0, 7 | XCR0_AVX512);
	out();
}

static void pkru_of_each_side(void **state)
{
	(void)state;
	with_xsave(7 | XCR0_PKRU);
	begin();
	processor.pkru = 0x55555554;
	in();
	assert_equal(processor.pkru, 0);
	processor.pkru = 0x30;
	out();
	assert_equal(processor.pkru, 0x55555554);
	/* The next task of the host has its own. */
	processor.pkru = 0xc0;
	in();
	assert_equal(processor.pkru, 0x30);
	out();
	assert_equal(processor.pkru, 0xc0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, unit_end)
	const struct CMUnitTest tests[] = {
		TEST(plain_touches_the_common_ones),
		TEST(each_feature_brings_its_msr),
		TEST(leaves_beyond_the_last_are_not_asked),
		TEST(counters_and_trace_are_intels),
		TEST(tsx_ctrl_by_the_capabilities),
		TEST(split_lock_by_the_capabilities),
		TEST(pebs_where_it_is_not_taken_away),
		TEST(ls_cfg_on_bare_amd),
		TEST(each_side_keeps_its_values),
		TEST(mitigations_stay_on_until_the_guest_decides),
		TEST(what_is_equal_is_not_written),
		TEST(counters_and_trace_stand_still),
		TEST(amds_counters_are_quiet_in_the_first_steps),
		TEST(breakpoints_of_each_side),
		TEST(vector_registers_without_xsave),
		TEST(vector_registers_of_all_widths),
		TEST(xcr0_of_each_side),
		TEST(pkru_of_each_side),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
