// SPDX-License-Identifier: GPL-2.0
/* Where doctor's facts come from on Windows. */
#include "facts.h"

#include <cpuid.h>
#include <windows.h>
#include <winternl.h>

#include "driver_control.h"
#include "scm.h"

NTSTATUS NTAPI RtlGetVersion(RTL_OSVERSIONINFOW *version); /* ntdll.dll */

static long information(int class, void *data, unsigned long size)
{
	ULONG n;

	return NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)class, data,
					size, &n);
}

static bool machine_value(const wchar_t *key, const wchar_t *name, uint32_t *value)
{
	DWORD n = sizeof(*value);

	return !RegGetValueW(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_DWORD,
			     NULL, value, &n);
}

static void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	__cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
}

static uint64_t highest_address(void)
{
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	return (uint64_t)info.lpMaximumApplicationAddress;
}

static bool elevated(void)
{
	TOKEN_ELEVATION e = { 0 };
	HANDLE token;
	DWORD n;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	GetTokenInformation(token, TokenElevation, &e, sizeof(e), &n);
	CloseHandle(token);
	return e.TokenIsElevated;
}

static uint32_t driver_state(void)
{
	struct error *err = NULL;
	SC_HANDLE service = scm_open(DRIVER_SERVICE, SERVICE_QUERY_STATUS, &err);
	uint32_t state = service ? scm_state(service, &err) : 0;

	if (service)
		CloseServiceHandle(service);
	error_free(&err);
	return state;
}

/* GetVersionEx() tells a program without a manifest of Windows 8. */
static void version(uint32_t *major, uint32_t *minor, uint32_t *build)
{
	RTL_OSVERSIONINFOW v = { .dwOSVersionInfoSize = sizeof(v) };

	RtlGetVersion(&v);
	*major = v.dwMajorVersion;
	*minor = v.dwMinorVersion;
	*build = v.dwBuildNumber;
}

static void memory(uint64_t *all, uint64_t *available)
{
	MEMORYSTATUSEX m = { .dwLength = sizeof(m) };

	GlobalMemoryStatusEx(&m);
	*all = m.ullTotalPhys;
	*available = m.ullAvailPhys;
}

const struct sources windows_sources = {
	.information = information,
	.machine_value = machine_value,
	.cpuid = cpuid,
	.highest_address = highest_address,
	.elevated = elevated,
	.driver_state = driver_state,
	.version = version,
	.memory = memory,
};
