// SPDX-License-Identifier: GPL-2.0
#include "../doctor.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../../lib/text.h"

const struct doctor_block doctor_block[CO_BLOCK_COUNT] = {
	{ "cpu", "the processor lacks NX, PAE or SYSCALL, or the host has it off",
	  "turn NX (execute disable) on in the firmware; in a virtual machine choose another CPU model" },
	{ "tsc", "the TSC is unstable or its frequency unknown",
	  "see the host's log for the reason; a virtual machine needs an invariant TSC" },
	{ "fred", "FRED event delivery is on", "boot the host with fred=off" },
	{ "encrypted", "SEV, SME or TDX is active",
	  "boot with mem_encrypt=off, or use a host without memory encryption" },
	{ "xen-pv", "the host runs as a Xen PV guest", "run it as HVM or PVH" },
	{ "async-pf", "KVM asynchronous page faults are on",
	  "boot the host with no-kvmapf" },
	{ "lockdown", "the host kernel is locked down",
	  "turn Secure Boot off in the firmware, or boot without lockdown=" },
	{ "selectors", "the host's segment selectors aren't as expected",
	  "report the host kernel's version: this one isn't supported" },
	{ "xstate", "the processor's XSAVE area is larger than the driver keeps",
	  "boot the host with a smaller set, e.g. clearcpuid=amx_tile" },
};

#define SMALL_FILE (4u << 20)

/* Content of a small file, NULL when there is none. Caller frees. */
static char *content(const char *path)
{
	struct text t = { 0 };

	if (text_file(&t, path, SMALL_FILE)) {
		text_free(&t);
		return NULL;
	}
	return t.data;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);
	const char *at = list;

	while (at && (at = strstr(at, word))) {
		if ((at == list || strchr(" \t\n[", at[-1])) &&
		    (!at[n] || strchr(" \t\n]", at[n])))
			return true;
		at += n;
	}
	return false;
}

static void check_cpu(finding_fn *fn, void *arg)
{
	static const char *const needed[] = { "lm", "fxsr", "pae", "nx", "tsc" };
	char *info = content("/proc/cpuinfo");
	char *flags = info ? strstr(info, "\nflags") : NULL;
	char what[64];
	struct utsname u;
	size_t i;

	if (uname(&u) || strcmp(u.machine, "x86_64"))
		fn(arg, FINDING_BLOCKER, "cpu", "the host kernel isn't x86-64",
		   "a 64-bit host kernel on an x86-64 processor is needed");
	if (flags)
		flags[strcspn(flags + 1, "\n") + 1] = 0;
	for (i = 0; flags && i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (has_word(flags, needed[i]))
			continue;
		snprintf(what, sizeof(what), "the processor has no %s",
			 needed[i]);
		fn(arg, FINDING_BLOCKER, "cpu", what,
		   "in a virtual machine choose another CPU model");
	}
	if (has_word(flags, "fred"))
		fn(arg, FINDING_BLOCKER, "fred", "FRED event delivery is on",
		   "boot the host with fred=off");
	if (has_word(flags, "tdx_guest"))
		fn(arg, FINDING_BLOCKER, "encrypted", "this host is a TDX guest",
		   "use a host without memory encryption");
	free(info);
}

static void check_clock(finding_fn *fn, void *arg)
{
	char *clocks = content(
		"/sys/devices/system/clocksource/clocksource0/available_clocksource");

	if (clocks && !has_word(clocks, "tsc"))
		fn(arg, FINDING_BLOCKER, "tsc",
		   "the host kernel found the processor's TSC unstable",
		   "see the host's log for the reason; a virtual machine needs an invariant TSC");
	free(clocks);
}

static void check_lockdown(finding_fn *fn, void *arg)
{
	char *lockdown = content("/sys/kernel/security/lockdown");

	if (lockdown && (strstr(lockdown, "[integrity]") ||
			 strstr(lockdown, "[confidentiality]")))
		fn(arg, FINDING_BLOCKER, "lockdown",
		   "the host kernel is locked down",
		   "turn Secure Boot off in the firmware, or boot without lockdown=");
	free(lockdown);
}

static bool secure_boot(void)
{
	static const char dir[] = "/sys/firmware/efi/efivars";
	DIR *d = opendir(dir);
	struct dirent *e;
	struct text t = { 0 };
	char *path;
	bool on = false;

	while (d && !on && (e = readdir(d))) {
		if (strncmp(e->d_name, "SecureBoot-", 11))
			continue;
		path = need_format("%s/%s", dir, e->d_name);
		on = !text_file(&t, path, 4096) && t.length == 5 && t.data[4];
		free(path);
		text_free(&t);
	}
	if (d)
		closedir(d);
	return on;
}

static bool module_installed(void)
{
	struct utsname u;
	char *path, *list;
	bool found;

	if (uname(&u))
		return false;
	path = need_format("/lib/modules/%s/modules.dep", u.release);
	list = content(path);
	found = list && strstr(list, "/colinux.ko");
	free(path);
	free(list);
	return found;
}

static void check_module(finding_fn *fn, void *arg)
{
	char *disabled = content("/proc/sys/kernel/modules_disabled");

	if (!access("/sys/module/colinux", F_OK)) {
		fn(arg, FINDING_OK, "module", "colinux is loaded", NULL);
	} else if (disabled && *disabled == '1') {
		fn(arg, FINDING_BLOCKER, "module",
		   "colinux isn't loaded, and this kernel takes no modules any more (kernel.modules_disabled)",
		   "reboot without that setting, or load colinux before it is set");
	} else if (module_installed()) {
		fn(arg, FINDING_BLOCKER, "module",
		   "colinux is installed but not loaded",
		   "run `modprobe colinux` as root");
	} else {
		fn(arg, FINDING_BLOCKER, "module",
		   "colinux isn't loaded and not installed for this kernel",
		   "build it with `make module` and `insmod` it, or install the package colinux-dkms");
	}
	free(disabled);
	if (secure_boot())
		fn(arg, FINDING_NOTE, "secure-boot",
		   "Secure Boot is on: only signed modules load",
		   "sign colinux.ko with an enrolled key (mokutil), or turn it off");
}

static void check_xen(finding_fn *fn, void *arg)
{
	char *type = content("/sys/hypervisor/guest_type");

	if (type && !strncmp(type, "PV\n", 3))
		fn(arg, FINDING_BLOCKER, "xen-pv", "the host runs as a Xen PV guest",
		   "run it as HVM or PVH");
	free(type);
}

static void check_memory(finding_fn *fn, void *arg)
{
	char *info = content("/proc/meminfo");
	const char *line = info ? strstr(info, "MemAvailable:") : NULL;
	const char *all = info ? strstr(info, "MemTotal:") : NULL;
	unsigned long long kb, total, reserve;
	char what[128];

	if (line && all) {
		kb = strtoull(line + 13, NULL, 10);
		total = strtoull(all + 9, NULL, 10);
		reserve = total / 10 > 256 * 1024 ? total / 10 : 256 * 1024;
		snprintf(what, sizeof(what),
			 "%llu MB available, %llu MB of it stay the host's",
			 kb >> 10, reserve >> 10);
		if (kb < reserve + 32 * 1024)
			fn(arg, FINDING_BLOCKER, "memory", what,
			   "end programs, or give the host more memory");
		else
			fn(arg, FINDING_OK, "memory", what, NULL);
	}
	free(info);
}

static void check_rights(finding_fn *fn, void *arg)
{
	char *status = content("/proc/self/status");
	const char *line = status ? strstr(status, "CapEff:") : NULL;

	/* CAP_SYS_MODULE is bit 16. */
	if (line && !(strtoull(line + 7, NULL, 16) >> 16 & 1))
		fn(arg, FINDING_BLOCKER, "rights",
		   "this process lacks CAP_SYS_MODULE",
		   "run as root, outside of a container");
	free(status);
}

void doctor_system(finding_fn *fn, void *arg)
{
	check_cpu(fn, arg);
	check_clock(fn, arg);
	check_xen(fn, arg);
	check_lockdown(fn, arg);
	check_module(fn, arg);
	check_rights(fn, arg);
	check_memory(fn, arg);
}

/* The driver tells all. */
void doctor_beside_driver(finding_fn *fn, void *arg)
{
	(void)fn;
	(void)arg;
}
