/* SPDX-License-Identifier: GPL-2.0 */
/* As much of mmap() as the scripted driver and sim ask for: zeroed memory, shared by none. */
#ifndef CO_TESTS_WINE_MMAN_H
#define CO_TESTS_WINE_MMAN_H

#include <windows.h>

#define PROT_READ     1
#define PROT_WRITE    2
#define MAP_PRIVATE   2
#define MAP_ANONYMOUS 32
#define MAP_NORESERVE 0
#define MAP_FAILED    ((void *)-1)

static inline void *mmap(void *at, size_t size, int protection, int flags,
			 int fd, long long offset)
{
	void *p = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
			       PAGE_READWRITE);

	(void)at;
	(void)protection;
	(void)flags;
	(void)fd;
	(void)offset;
	return p ? p : MAP_FAILED;
}

/* Of a part, too, which Windows can't release: the addresses stay taken. */
static inline int munmap(void *p, size_t size)
{
	return VirtualFree(p, size, MEM_DECOMMIT) ? 0 : -1;
}

#endif
