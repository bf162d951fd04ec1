// SPDX-License-Identifier: GPL-2.0
#include "../host.h"

#include <stdio.h>
#include <windows.h>

/* What Windows' setup made for this installation; clones share it, as they do
 * Linux's machine-id unless somebody sees to it. */
void host_identity(char *text, size_t room)
{
	DWORD n = (DWORD)room;

	if (RegGetValueA(HKEY_LOCAL_MACHINE,
			 "SOFTWARE\\Microsoft\\Cryptography", "MachineGuid",
			 RRF_RT_REG_SZ, NULL, text, &n))
		*text = 0;
}

uint64_t host_memory(void)
{
	MEMORYSTATUSEX m = { .dwLength = sizeof(m) };

	return GlobalMemoryStatusEx(&m) ? m.ullTotalPhys : 0;
}

unsigned int host_cpus(void)
{
	DWORD n = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);

	return n ? n : 1;
}
