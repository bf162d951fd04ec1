// SPDX-License-Identifier: GPL-2.0
#include "../host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void host_identity(char *text, size_t room)
{
	FILE *f = fopen("/etc/machine-id", "re");

	if (!f || !fgets(text, (int)room, f))
		*text = 0;
	text[strcspn(text, "\n")] = 0;
	if (f)
		fclose(f);
}

uint64_t host_memory(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) *
	       (uint64_t)sysconf(_SC_PAGESIZE);
}

unsigned int host_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (unsigned int)n;
}
