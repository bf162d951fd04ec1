// SPDX-License-Identifier: GPL-2.0
#include "../devices/rig_os.h"

#include <stddef.h>
#include <windows.h>

uint8_t *rig_memory_map(uint64_t size, uint64_t hole, uint64_t hole_size)
{
	uint8_t *base = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
				     PAGE_READWRITE);
	DWORD before;

	if (!base || !VirtualProtect(base + hole, hole_size, PAGE_NOACCESS, &before))
		return NULL;
	return base;
}

void rig_memory_unmap(uint8_t *base, uint64_t size)
{
	(void)size;
	VirtualFree(base, 0, MEM_RELEASE);
}

bool rig_bell_rang(int bell)
{
	return WaitForSingleObject((HANDLE)(intptr_t)bell, 0) == WAIT_OBJECT_0;
}
