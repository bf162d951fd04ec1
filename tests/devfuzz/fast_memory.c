// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is kept from script to script: the guest's, cleared where somebody
 * could have written, and the devices' own large structures, which nobody may
 * touch in between.
 */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fast.h"
#include "fuzz.h"

#define PAGE  4096ull
#define PAGES 4096

static uint8_t *guest;
static size_t guest_size;
static bool dirty[PAGES];
static uint16_t dirty_list[PAGES];
static unsigned int dirty_n;

static void mark(uint64_t offset, uint64_t size)
{
	uint64_t page = offset / PAGE, end;

	if (offset >= guest_size || !size)
		return;
	size = size < guest_size - offset ? size : guest_size - offset;
	for (end = (offset + size - 1) / PAGE; page <= end; page++) {
		if (dirty[page])
			continue;
		dirty[page] = true;
		dirty_list[dirty_n++] = (uint16_t)page;
	}
}

static void clear(void)
{
	while (dirty_n) {
		uint16_t page = dirty_list[--dirty_n];

		dirty[page] = false;
		memset(guest + page * PAGE, 0, PAGE);
	}
}

void fuzz_clear(void *p, size_t size)
{
	size_t page = (size_t)((uint8_t *)p - guest) / PAGE;

	for (; size; size -= PAGE, page++)
		if (dirty[page])
			memset(guest + page * PAGE, 0, PAGE);
}

/* ---- the guest's: instead of the C library's and the devices' --------------- */

void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o);
int __real_munmap(void *at, size_t size);
int __real_mprotect(void *at, size_t size, int prot);
void *__real_guest_at(const struct guest_memory *mem, uint64_t pa,
		      uint64_t size);
void *__real_rig_at(struct rig *rig, uint64_t pa);

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o);
int __wrap_munmap(void *at, size_t size);
int __wrap_mprotect(void *at, size_t size, int prot);
void *__wrap_guest_at(const struct guest_memory *mem, uint64_t pa,
		      uint64_t size);
void *__wrap_rig_at(struct rig *rig, uint64_t pa);

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t o)
{
	if (!(flags & MAP_NORESERVE))
		return __real_mmap(at, size, prot, flags, fd, o);
	if (!guest) {
		guest = __real_mmap(at, size, prot, flags, fd, o);
		guest_size = size;
		fake_must(guest != MAP_FAILED && size <= PAGES * PAGE,
			  "no memory for the guest");
		__real_mprotect(guest + RIG_MEMORY, RIG_HOLE, PROT_NONE);
	}
	return guest;
}

int __wrap_munmap(void *at, size_t size)
{
	if (at != guest)
		return __real_munmap(at, size);
	clear();
	return 0;
}

int __wrap_mprotect(void *at, size_t size, int prot)
{
	if (guest && at == guest + RIG_MEMORY)
		return 0;
	return __real_mprotect(at, size, prot);
}

/* All that a device writes to it has asked for here. */
void *__wrap_guest_at(const struct guest_memory *mem, uint64_t pa,
		      uint64_t size)
{
	void *p = __real_guest_at(mem, pa, size);

	if (p)
		mark(pa - mem->lowest, size);
	fuzz_meanwhile();
	return p;
}

/* The script writes a page behind it at most. */
void *__wrap_rig_at(struct rig *rig, uint64_t pa)
{
	mark(pa - RIG_LOWEST, PAGE);
	return __real_rig_at(rig, pa);
}

/* ---- the devices' ----------------------------------------------------------- */

#define LARGE 65536
#define KEPT  24

static struct {
	char *p;
	size_t size;
	bool in_use;
} kept[KEPT];

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void __real_free(void *p);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void __wrap_free(void *p);

void *__wrap_malloc(size_t size)
{
	unsigned int i;

	if (size < LARGE)
		return __real_malloc(size);
	for (i = 0; i < KEPT; i++) {
		if (kept[i].in_use || (kept[i].p && kept[i].size != size))
			continue;
		if (kept[i].p)
			ASAN_UNPOISON_MEMORY_REGION(kept[i].p, size);
		else
			kept[i].p = __real_malloc(size);
		fake_must(kept[i].p, "no memory");
		kept[i].size = size;
		kept[i].in_use = true;
		return kept[i].p;
	}
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	void *p;

	size *= n;
	if (size < LARGE)
		return __real_calloc(1, size);
	p = __wrap_malloc(size);
	return p ? memset(p, 0, size) : NULL;
}

void __wrap_free(void *p)
{
	unsigned int i;

	for (i = 0; p && i < KEPT && kept[i].p; i++) {
		if (kept[i].p != p)
			continue;
		fake_must(kept[i].in_use, "freed twice");
		kept[i].in_use = false;
		ASAN_POISON_MEMORY_REGION(p, kept[i].size);
		return;
	}
	__real_free(p);
}
