/* SPDX-License-Identifier: GPL-2.0 */
#include "rig_os.h"

#include <poll.h>
#include <stddef.h>
#include <sys/mman.h>

uint8_t *rig_memory_map(uint64_t size, uint64_t hole, uint64_t hole_size)
{
	uint8_t *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED || mprotect(base + hole, hole_size, PROT_NONE))
		return NULL;
	return base;
}

void rig_memory_unmap(uint8_t *base, uint64_t size)
{
	munmap(base, size);
}

bool rig_bell_rang(int bell)
{
	struct pollfd p = { bell, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}
