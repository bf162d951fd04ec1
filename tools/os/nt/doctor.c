// SPDX-License-Identifier: GPL-2.0
#include "doctor.h"

#include <stdio.h>
#include <windows.h>

#define RESERVE_MIN (256ull << 20) /* bytes that stay Windows' */
#define VM_MIN	    (32ull << 20)

const struct doctor_block doctor_block[CO_BLOCK_COUNT] = {
	{ "cpu", "the processor lacks NX, PAE or SYSCALL, or Windows has it off",
	  "turn NX (execute disable, XD) on in the firmware" },
	{ "tsc", "the TSC is unstable or its frequency unknown",
	  "a virtual machine needs an invariant TSC" },
	{ "fred", "Windows uses FRED event delivery",
	  "turn FRED off in the firmware, if it can" },
	{ "encrypted", "SEV, SME or TDX is active",
	  "use a machine without memory encryption, or turn it off in the firmware" },
	{ "xen-pv", "the host runs as a Xen PV guest", "run it as HVM or PVH" },
	{ "async-pf", "KVM asynchronous page faults are on",
	  "start the virtual machine without them (QEMU: -cpu ...,kvm-asyncpf=off,kvm-asyncpf-int=off)" },
	{ "lockdown", "Memory Integrity (HVCI) or virtualization-based security is on",
	  "see the lines hvci and vbs" },
	{ "selectors", "the segment selectors of Windows aren't as expected",
	  "report the version of Windows: this one isn't supported" },
	{ "xstate", "the processor's XSAVE area is larger than the driver keeps",
	  "`bcdedit /set xsavedisable 1` as administrator and a reboot turn XSAVE off, and AVX with it" },
};

static void judge_version(const struct facts *f, finding_fn *fn, void *arg)
{
	bool old = f->major < 6 || (f->major == 6 && f->minor < 1);
	char what[64];

	snprintf(what, sizeof(what), "Windows %u.%u, build %u", f->major,
		 f->minor, f->build);
	fn(arg, old ? FINDING_BLOCKER : FINDING_OK, "windows", what,
	   old ? "use Windows 7 x64 or later" : NULL);
}

static void judge_processor(const struct facts *f, finding_fn *fn, void *arg)
{
	if (f->old_cpu == FACT_YES)
		fn(arg, FINDING_BLOCKER, "cpu",
		   "the processor lacks NX, PAE, SYSCALL, FXSR or a TSC, or they are off",
		   "turn NX (execute disable, XD) on in the firmware");
	if (f->steady_tsc == FACT_NO)
		fn(arg, FINDING_NOTE, "tsc",
		   "the processor doesn't promise a TSC of constant speed",
		   "in a virtual machine turn the invariant TSC on; else the guest's clock may be wrong");
	if (f->fred == FACT_YES)
		fn(arg, FINDING_NOTE, "fred",
		   "the processor has FRED; where Windows uses it, no guest can run, and the driver says so",
		   "turn FRED off in the firmware, if it can");
	if (f->la57 == FACT_YES)
		fn(arg, FINDING_NOTE, "la57",
		   "Windows uses 5-level paging: the guest's kernel must, too",
		   "a guest kernel that can't is refused with that reason; `bcdedit /set linearaddress57 optout` as administrator and a reboot go back to 4 levels");
}

/* The driver is signed by nobody whom Windows knows. If it runs, that's settled. */
static void judge_signing(const struct facts *f, finding_fn *fn, void *arg)
{
	if (f->driver_state == SERVICE_RUNNING || f->code_checked == FACT_NO ||
	    f->test_signing == FACT_YES)
		return;
	if (f->secure_boot == FACT_YES)
		fn(arg, FINDING_BLOCKER, "secure-boot",
		   "Secure Boot is on: test signing can't be turned on, and colinux.sys doesn't load",
		   "turn Secure Boot off in the firmware (with BitLocker: `manage-bde -protectors -disable C:` before, or have the recovery key at hand)");
	fn(arg, f->test_signing == FACT_NO ? FINDING_BLOCKER : FINDING_NOTE,
	   "test-signing",
	   f->test_signing == FACT_NO ?
		   "test signing is off: Windows loads no driver with colinux's signature" :
		   "this Windows doesn't tell whether test signing is on",
	   "as administrator: `bcdedit /set testsigning on`, then reboot; `bcdedit /set testsigning off` takes it back");
}

static void judge_vbs(const struct facts *f, finding_fn *fn, void *arg)
{
	if (f->hvci == FACT_YES)
		fn(arg, FINDING_BLOCKER, "hvci",
		   "Memory Integrity (HVCI) is on: a guest's kernel could never be executed",
		   "Windows Security > Device security > Core isolation details > Memory integrity: off; then reboot");
	if (f->vbs == FACT_YES)
		fn(arg, FINDING_BLOCKER, "vbs",
		   "virtualization-based security runs: its secure kernel ends Windows when a guest loads its control registers",
		   "turn Memory Integrity and Credential Guard off, then `reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\DeviceGuard /v EnableVirtualizationBasedSecurity /t REG_DWORD /d 0 /f` as administrator, and reboot; msinfo32 shows the state; a policy of your organisation may turn it on again");
	else if (f->vbs == FACT_UNKNOWN)
		fn(arg, FINDING_NOTE, "vbs",
		   "this Windows doesn't tell whether virtualization-based security runs",
		   "msinfo32 does, in its last lines; it must not");
}

static void judge_hypervisor(const struct facts *f, finding_fn *fn, void *arg)
{
	char what[128];

	if (f->hypervisor != FACT_YES || f->vbs == FACT_YES)
		return;
	snprintf(what, sizeof(what),
		 "a hypervisor is below this Windows: '%s'; nobody has tried this yet",
		 f->hypervisor_name);
	fn(arg, FINDING_NOTE, "hypervisor", what,
	   "if it's Windows' own and you can do without WSL 2 and Hyper-V: `bcdedit /set hypervisorlaunchtype off` as administrator, then reboot");
}

static void judge_kva_shadow(const struct facts *f, finding_fn *fn, void *arg)
{
	if (f->kva_shadow == FACT_YES)
		fn(arg, FINDING_NOTE, "kva-shadow",
		   "KVA shadow (the answer to Meltdown) is on; the switch is made for it, but nobody has seen it on a real Windows",
		   NULL);
}

static void judge_driver(const struct facts *f, finding_fn *fn, void *arg)
{
	if (f->driver_state == SERVICE_RUNNING)
		fn(arg, FINDING_OK, "service", "the driver runs", NULL);
	else if (f->driver_state)
		fn(arg, FINDING_NOTE, "service",
		   "the driver is installed and doesn't run",
		   "the first VM starts it; `colinux-daemon --install-driver` as administrator tries now, and says why not");
	else
		fn(arg, FINDING_BLOCKER, "service", "the driver isn't installed",
		   "run `colinux-daemon --install-driver` as administrator");
}

static void judge_rights(const struct facts *f, finding_fn *fn, void *arg)
{
	if (f->elevated != FACT_YES)
		fn(arg, FINDING_BLOCKER, "rights",
		   "this program doesn't run as administrator",
		   "start it from a prompt that was opened by \"Run as administrator\"");
}

static void judge_memory(const struct facts *f, finding_fn *fn, void *arg)
{
	uint64_t reserve = f->memory / 10 > RESERVE_MIN ? f->memory / 10 : RESERVE_MIN;
	bool enough = f->memory_available >= reserve + VM_MIN;
	char what[128];

	snprintf(what, sizeof(what),
		 "%llu MB available, %llu MB of it stay Windows'",
		 (unsigned long long)f->memory_available >> 20,
		 (unsigned long long)reserve >> 20);
	fn(arg, enough ? FINDING_OK : FINDING_BLOCKER, "memory", what,
	   enough ? NULL : "end programs, or give the machine more memory");
}

void doctor_judge(const struct facts *f, finding_fn *fn, void *arg)
{
	judge_version(f, fn, arg);
	judge_processor(f, fn, arg);
	judge_signing(f, fn, arg);
	judge_vbs(f, fn, arg);
	judge_hypervisor(f, fn, arg);
	judge_kva_shadow(f, fn, arg);
	judge_driver(f, fn, arg);
	judge_rights(f, fn, arg);
	judge_memory(f, fn, arg);
}

void doctor_system(finding_fn *fn, void *arg)
{
	struct facts f = { 0 };

	facts_read(&windows_sources, &f);
	doctor_judge(&f, fn, arg);
}

void doctor_beside_driver(finding_fn *fn, void *arg)
{
	struct facts f = { 0 };

	facts_read(&windows_sources, &f);
	judge_version(&f, fn, arg);
	judge_vbs(&f, fn, arg);
	judge_hypervisor(&f, fn, arg);
	judge_kva_shadow(&f, fn, arg);
}
