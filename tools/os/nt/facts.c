// SPDX-License-Identifier: GPL-2.0
#include "facts.h"

#include <string.h>

/* Classes of NtQuerySystemInformation(). The first is in Microsoft's documents, the
 * others in no header of theirs, but have stayed since they came. */
#define CLASS_CODE_INTEGRITY 103
#define CLASS_SECURE_KERNEL  165
#define CLASS_KVA_SHADOW     196

/* SYSTEM_CODEINTEGRITY_INFORMATION.CodeIntegrityOptions */
#define CI_ENABLED	0x1
#define CI_TEST_SIGNING 0x2
#define CI_HVCI		0x400

/* The first byte of class 165. */
#define SECURE_KERNEL_RUNS 0x1
#define SECURE_KERNEL_HVCI 0x2

static enum fact known(bool yes)
{
	return yes ? FACT_YES : FACT_NO;
}

static void read_code_integrity(const struct sources *s, struct facts *f)
{
	struct {
		uint32_t length, options;
	} info = { sizeof(info), 0 };

	f->code_checked = f->test_signing = f->hvci = FACT_UNKNOWN;
	if (s->information(CLASS_CODE_INTEGRITY, &info, sizeof(info)))
		return;
	f->code_checked = known(info.options & CI_ENABLED);
	f->test_signing = known(info.options & CI_TEST_SIGNING);
	f->hvci = known(info.options & CI_HVCI);
}

/* Windows before 10 doesn't know the class, nor what it tells of. */
static void read_secure_kernel(const struct sources *s, struct facts *f)
{
	uint8_t info[16] = { 0 };

	f->vbs = FACT_UNKNOWN;
	if (f->major < 10)
		f->vbs = FACT_NO;
	else if (!s->information(CLASS_SECURE_KERNEL, info, sizeof(info)))
		f->vbs = known(info[0] & SECURE_KERNEL_RUNS);
	if (f->vbs == FACT_YES && info[0] & SECURE_KERNEL_HVCI)
		f->hvci = FACT_YES;
}

static void read_kva_shadow(const struct sources *s, struct facts *f)
{
	uint32_t flags = 0;

	f->kva_shadow = FACT_UNKNOWN;
	if (!s->information(CLASS_KVA_SHADOW, &flags, sizeof(flags)))
		f->kva_shadow = known(flags & 1);
}

/* A machine without UEFI has no such key. */
static void read_secure_boot(const struct sources *s, struct facts *f)
{
	uint32_t on = 0;

	s->machine_value(L"SYSTEM\\CurrentControlSet\\Control\\SecureBoot\\State",
			 L"UEFISecureBootEnabled", &on);
	f->secure_boot = known(on);
}

/* Intel's and AMD's manuals, CPUID; FRED: Intel's specification of it, chapter 3. */
static void read_processor(const struct sources *s, struct facts *f)
{
	uint32_t basic[4], leaf7[4] = { 0 }, sub1[4] = { 0 }, ext[4], power[4] = { 0 };

	s->cpuid(1, 0, basic);
	s->cpuid(0x80000000, 0, ext);
	if (ext[0] >= 0x80000007)
		s->cpuid(0x80000007, 0, power);
	s->cpuid(0x80000001, 0, ext);
	/* FXSR, PAE, TSC; long mode, NX, SYSCALL. */
	f->old_cpu = known((basic[3] & 0x1000050) != 0x1000050 ||
			   (ext[3] & 0x20100800) != 0x20100800);
	f->steady_tsc = known(power[3] >> 8 & 1);
	s->cpuid(0, 0, basic);
	if (basic[0] >= 7)
		s->cpuid(7, 0, leaf7);
	if (leaf7[0] >= 1)
		s->cpuid(7, 1, sub1);
	f->fred = known(sub1[0] >> 17 & 1);
}

/* With 4 levels programs have 128 TiB. */
static void read_levels(const struct sources *s, struct facts *f)
{
	f->la57 = known(s->highest_address() >> 47);
}

static void read_hypervisor(const struct sources *s, struct facts *f)
{
	uint32_t r[4];

	s->cpuid(1, 0, r);
	f->hypervisor = known(r[2] >> 31);
	memset(f->hypervisor_name, 0, sizeof(f->hypervisor_name));
	if (f->hypervisor != FACT_YES)
		return;
	s->cpuid(0x40000000, 0, r);
	memcpy(f->hypervisor_name, r + 1, 12);
}

void facts_read(const struct sources *s, struct facts *f)
{
	s->version(&f->major, &f->minor, &f->build);
	read_code_integrity(s, f);
	read_secure_kernel(s, f);
	read_kva_shadow(s, f);
	read_secure_boot(s, f);
	read_processor(s, f);
	read_levels(s, f);
	read_hypervisor(s, f);
	f->elevated = known(s->elevated());
	f->driver_state = s->driver_state();
	s->memory(&f->memory, &f->memory_available);
}
