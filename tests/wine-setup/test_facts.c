// SPDX-License-Identifier: GPL-2.0
/* What doctor reads and what it makes of it, with a Windows that is made up; then
 * the Windows (or Wine) that runs this. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include "../../tools/os/nt/doctor.h"

/* ---- the made-up Windows ------------------------------------------------------------ */

#define CLASSES 3

static struct {
	struct {
		int class;
		bool known;
		uint32_t word[4]; /* its answer from the second on for class 103 */
	} class[CLASSES];
	uint32_t secure_boot, leaf1_ecx, leaf1_edx, ext_edx, power_edx, sub1_eax;
	char hypervisor[13];
	uint64_t highest, memory, available;
	bool elevated;
	uint32_t driver, major, minor;
} fake;

/* A Windows 11 on which a guest can run. */
static void make_good(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.class[0].class = 103;
	fake.class[1].class = 165;
	fake.class[2].class = 196;
	fake.class[0].known = fake.class[1].known = fake.class[2].known = true;
	fake.class[0].word[1] = 0x3; /* on, test signing */
	fake.leaf1_edx = 0x1000050;
	fake.ext_edx = 0x20100800;
	fake.power_edx = 0x100;
	fake.highest = 0x7ffffffeffff;
	fake.memory = 8ull << 30;
	fake.available = 4ull << 30;
	fake.elevated = true;
	fake.driver = SERVICE_STOPPED;
	fake.major = 10;
}

static long fake_information(int class, void *data, unsigned long size)
{
	int i;

	for (i = 0; i < CLASSES; i++) {
		if (fake.class[i].class != class || !fake.class[i].known)
			continue;
		/* The first word of 103 is the caller's. */
		if (class == 103)
			memcpy((char *)data + 4, fake.class[i].word + 1, size - 4);
		else
			memcpy(data, fake.class[i].word, size);
		return 0;
	}
	return (long)0xc0000003; /* STATUS_INVALID_INFO_CLASS */
}

static bool fake_value(const wchar_t *key, const wchar_t *name, uint32_t *value)
{
	if (!fake.secure_boot ||
	    wcscmp(key, L"SYSTEM\\CurrentControlSet\\Control\\SecureBoot\\State") ||
	    wcscmp(name, L"UEFISecureBootEnabled"))
		return false;
	*value = fake.secure_boot;
	return true;
}

static void fake_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(*out));
	switch (leaf) {
	case 0:
		out[0] = 7;
		break;
	case 1:
		out[2] = fake.leaf1_ecx;
		out[3] = fake.leaf1_edx;
		break;
	case 7:
		out[0] = subleaf ? fake.sub1_eax : 1;
		break;
	case 0x40000000:
		memcpy(out + 1, fake.hypervisor, 12);
		break;
	case 0x80000000:
		out[0] = 0x80000008;
		break;
	case 0x80000001:
		out[3] = fake.ext_edx;
		break;
	case 0x80000007:
		out[3] = fake.power_edx;
		break;
	}
}

static uint64_t fake_highest(void)
{
	return fake.highest;
}

static bool fake_elevated(void)
{
	return fake.elevated;
}

static uint32_t fake_driver(void)
{
	return fake.driver;
}

static void fake_version(uint32_t *major, uint32_t *minor, uint32_t *build)
{
	*major = fake.major;
	*minor = fake.minor;
	*build = 1;
}

static void fake_memory(uint64_t *all, uint64_t *available)
{
	*all = fake.memory;
	*available = fake.available;
}

static const struct sources fake_sources = {
	.information = fake_information,
	.machine_value = fake_value,
	.cpuid = fake_cpuid,
	.highest_address = fake_highest,
	.elevated = fake_elevated,
	.driver_state = fake_driver,
	.version = fake_version,
	.memory = fake_memory,
};

/* ---- findings ------------------------------------------------------------------------ */

static char found[4096];

static void note(void *arg, enum finding_kind kind, const char *name,
		 const char *what, const char *way)
{
	static const char *const words[] = { "ok", "note", "blocker" };
	size_t n = strlen(found);

	(void)arg;
	if (!*what || (kind == FINDING_BLOCKER && (!way || !*way)))
		strcat(found, "SILENT ");
	n = strlen(found);
	snprintf(found + n, sizeof(found) - n, "%s:%s ", words[kind], name);
}

static const char *judged(void)
{
	struct facts f = { 0 };

	found[0] = 0;
	facts_read(&fake_sources, &f);
	doctor_judge(&f, note, NULL);
	return found;
}

/* ---- tests ---------------------------------------------------------------------------- */

static int tests, failed;

static void result(bool good, const char *name)
{
	failed += !good;
	printf("%s %d - facts: %s\n", good ? "ok" : "not ok", ++tests, name);
	if (!good)
		printf("# found: %s\n", found);
}

#define GOOD_BEGIN "ok:windows "
#define GOOD_END   "note:service ok:memory "

static void expect(const char *middle, const char *end, const char *name)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), GOOD_BEGIN "%s%s", middle, end);
	result(!strcmp(judged(), wanted), name);
}

static void test_signing(void)
{
	make_good();
	expect("", GOOD_END, "a good Windows has no blocker");
	fake.class[0].word[1] = 0x1;
	expect("blocker:test-signing ", GOOD_END, "test signing is off");
	fake.secure_boot = 1;
	expect("blocker:secure-boot blocker:test-signing ", GOOD_END,
	       "Secure Boot is on");
	fake.driver = SERVICE_RUNNING;
	expect("", "ok:service ok:memory ", "a driver that runs needs no test signing");
	make_good();
	fake.class[0].word[1] = 0;
	expect("", GOOD_END, "signatures aren't looked at");
	fake.class[0].known = false;
	expect("note:test-signing ", GOOD_END, "whether test signing is on isn't told");
}

static void test_vbs(void)
{
	make_good();
	fake.class[0].word[1] = 0x403;
	expect("blocker:hvci ", GOOD_END, "HVCI, told by code integrity");
	make_good();
	fake.class[1].word[0] = 0x1;
	fake.leaf1_ecx = 1u << 31;
	strcpy(fake.hypervisor, "Microsoft Hv");
	expect("blocker:vbs ", GOOD_END,
	       "VBS, and no second line about its hypervisor");
	fake.class[1].word[0] = 0x3;
	expect("blocker:hvci blocker:vbs ", GOOD_END, "HVCI, told by the secure kernel");
	fake.class[1].word[0] = 0x2;
	expect("note:hypervisor ", GOOD_END, "no secure kernel, no HVCI by it");
	fake.class[1].known = false;
	expect("note:vbs note:hypervisor ", GOOD_END, "whether VBS runs isn't told");
	fake.major = 6;
	fake.minor = 1;
	expect("note:hypervisor ", GOOD_END, "Windows 7 has no VBS");
}

static void test_machine(void)
{
	make_good();
	fake.class[2].word[0] = 0x1;
	expect("note:kva-shadow ", GOOD_END, "KVA shadow");
	make_good();
	fake.sub1_eax = 1u << 17;
	expect("note:fred ", GOOD_END, "FRED");
	make_good();
	fake.highest = 0xfffffffffeffff;
	expect("note:la57 ", GOOD_END, "5-level paging");
	make_good();
	fake.ext_edx &= ~0x100000u;
	expect("blocker:cpu ", GOOD_END, "no NX");
	make_good();
	fake.power_edx = 0;
	expect("note:tsc ", GOOD_END, "no invariant TSC");
	make_good();
	fake.major = 6;
	result(!strncmp(judged(), "blocker:windows ", 16), "Vista");
}

static void test_rest(void)
{
	make_good();
	fake.driver = 0;
	expect("", "blocker:service ok:memory ", "no driver");
	make_good();
	fake.elevated = false;
	expect("", "note:service blocker:rights ok:memory ", "no administrator");
	make_good();
	fake.available = (8ull << 30) / 10 + (31ull << 20);
	expect("", "note:service blocker:memory ", "no memory");
	fake.available += 1ull << 20;
	expect("", GOOD_END, "just enough memory");
}

/* What can be known another way is compared with that. */
static void test_real(void)
{
	struct facts f = { 0 };
	OSVERSIONINFOW v = { .dwOSVersionInfoSize = sizeof(v) };

	facts_read(&windows_sources, &f);
	GetVersionExW(&v);
	snprintf(found, sizeof(found),
		 "%u.%u.%u ci %d test %d hvci %d vbs %d kva %d boot %d la57 %d fred %d hv %d '%s' admin %d driver %u memory %llu %llu",
		 f.major, f.minor, f.build, f.code_checked, f.test_signing, f.hvci,
		 f.vbs, f.kva_shadow, f.secure_boot, f.la57, f.fred, f.hypervisor,
		 f.hypervisor_name, f.elevated, f.driver_state, f.memory,
		 f.memory_available);
	printf("# here: %s\n", found);
	result(f.major == v.dwMajorVersion && f.build == v.dwBuildNumber,
	       "the version here");
	result(f.old_cpu == FACT_NO && f.la57 == FACT_NO, "the processor here");
	result(f.driver_state == 0, "no driver here");
	result(f.memory > f.memory_available && f.memory_available > 1 << 20,
	       "memory here");
	result(f.elevated == FACT_YES, "Wine's user is an administrator");
	result(f.code_checked != FACT_UNKNOWN, "code integrity tells of itself");
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	test_signing();
	test_vbs();
	test_machine();
	test_rest();
	test_real();
	printf("1..%d\n", tests);
	return failed != 0;
}
