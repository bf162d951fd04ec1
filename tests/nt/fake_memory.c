// SPDX-License-Identifier: GPL-2.0
/* The fake machine's memory: a file, whose pages are its frames. */
#define _GNU_SOURCE
#include "fake_inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define START  (16 * MIB)
#define BLOCKS 128
#define BLOCK  (2 * MIB)

static int file = -1;
static co_u8 taken[BLOCKS];
static co_u32 contiguous[BLOCKS]; /* blocks that begin here */

/* Where contiguous memory is: MmGetPhysicalAddress() masks this out. */
#define CONTIGUOUS 0x500000000000

void fake_memory_start(void);
void fake_memory_start(void)
{
	if (file >= 0)
		close(file);
	file = memfd_create("frames", 0);
	if (file < 0 || ftruncate(file, BLOCKS * BLOCK))
		fake_die("no memory for frames");
	memset(taken, 0, sizeof(taken));
	fake.free_blocks = BLOCKS;
}

struct nt_memory_range *MmGetPhysicalMemoryRanges(void)
{
	struct nt_memory_range *r =
		ExAllocatePoolWithTag(POOL_NONPAGED, 2 * sizeof(*r), 1);

	if (r) {
		r[0] = (struct nt_memory_range){ START, BLOCKS * BLOCK };
		r[1] = (struct nt_memory_range){ 0, 0 };
	}
	return r;
}

static bool are_free(co_u32 block, co_u32 count)
{
	co_u32 i;

	for (i = block; i < block + count; i++)
		if (i >= BLOCKS || taken[i])
			return false;
	return true;
}

/* Zeroed, or with something of the last owner's in each block. */
static void fill(co_u32 block, co_u32 count, bool zero)
{
	const co_u64 rest = 0x5a5a5a5a5a5a5a5a;
	co_u32 i;

	if (zero && fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)(block * BLOCK), (off_t)(count * BLOCK)))
		fake_die("frames can't be zeroed");
	for (i = 0; !zero && i < count; i++)
		if (pwrite(file, &rest, sizeof(rest), (off_t)((block + i) * BLOCK)) < 0)
			fake_die("frames can't be written");
}

#define SOMEBODYS 2

void fake_fragment(bool fragmented)
{
	co_u8 from = fragmented ? 0 : SOMEBODYS, to = fragmented ? SOMEBODYS : 0;
	co_u32 i;

	for (i = 0; i < BLOCKS; i += 2) {
		if (taken[i] != from)
			continue;
		taken[i] = to;
		fake.free_blocks += fragmented ? -1ULL : 1;
	}
}

/* From the top down, aligned as machine addresses. */
static int find(co_u64 low, co_u64 high, co_u64 size)
{
	int block;

	for (block = BLOCKS - (int)(size / BLOCK); block >= 0; block--) {
		co_u64 pa = START + (co_u64)block * BLOCK;

		if (pa % size || pa < low || pa + size - 1 > high)
			continue;
		if (are_free((co_u32)block, (co_u32)(size / BLOCK)))
			return block;
	}
	return -1;
}

struct nt_mdl *MmAllocatePagesForMdlEx(co_u64 low, co_u64 high, co_u64 skip,
				       co_u64 size, co_u32 cache, co_u32 flags)
{
	struct nt_mdl *mdl;
	co_u64 i;
	int block;

	if (!nt_may_call())
		fake_die("MmAllocatePagesForMdlEx() in a wrong place");
	if (skip != size || size % BLOCK || size & (size - 1) || cache != MM_CACHED ||
	    !(flags & MM_REQUIRE_CONTIGUOUS_CHUNKS))
		fake_die("MmAllocatePagesForMdlEx(%llu by %llu)", size, skip);
	block = fails() ? -1 : find(low, high, size);
	if (block < 0)
		return NULL;
	mdl = ExAllocatePoolWithTag(POOL_NONPAGED,
				    sizeof(*mdl) + size / CO_PAGE_SIZE * 8, 1);
	if (!mdl)
		return NULL;
	memset(mdl, 0, sizeof(*mdl));
	mdl->flags = MDL_PAGES_LOCKED;
	mdl->count = (co_u32)size;
	for (i = 0; i < size / CO_PAGE_SIZE; i++)
		mdl->pfn[i] = (START + (co_u64)block * BLOCK) / CO_PAGE_SIZE + i;
	memset(taken + block, 1, size / BLOCK);
	fake.free_blocks -= size / BLOCK;
	fill((co_u32)block, (co_u32)(size / BLOCK),
	     !(flags & MM_DONT_ZERO_ALLOCATION));
	alive(1);
	return mdl;
}

void MmFreePagesFromMdl(struct nt_mdl *mdl)
{
	co_u32 block = (co_u32)((mdl->pfn[0] * CO_PAGE_SIZE - START) / BLOCK), i;

	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA)
		fake_die("pages are freed that are mapped");
	for (i = block; i < block + mdl->count / BLOCK; i++) {
		if (!taken[i])
			fake_die("pages are freed twice");
		taken[i] = 0;
	}
	fake.free_blocks += mdl->count / BLOCK;
	alive(-1);
}

void *MmAllocateContiguousMemorySpecifyCache(co_u64 size, co_u64 low, co_u64 high,
					     co_u64 boundary, co_u32 cache)
{
	int block = fails() ? -1 : find(low, high, size);
	void *va;

	(void)cache;
	if (boundary != size)
		fake_die("contiguous memory over a boundary");
	if (block < 0)
		return NULL;
	memset(taken + block, 1, size / BLOCK);
	fake.free_blocks -= size / BLOCK;
	fill((co_u32)block, (co_u32)(size / BLOCK), false);
	contiguous[block] = (co_u32)(size / BLOCK);
	va = mmap((void *)(CONTIGUOUS + START + (co_u64)block * BLOCK), size,
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, file,
		  (off_t)((co_u64)block * BLOCK));
	if (va == MAP_FAILED)
		fake_die("no place for contiguous memory");
	alive(1);
	return va;
}

void MmFreeContiguousMemory(void *va)
{
	co_u32 block = (co_u32)(((co_uptr)va - CONTIGUOUS - START) / BLOCK);
	co_u32 count = contiguous[block];

	if (!count)
		fake_die("contiguous memory is freed that isn't");
	contiguous[block] = 0;
	memset(taken + block, 0, count);
	fake.free_blocks += count;
	munmap(va, count * BLOCK);
	alive(-1);
}

/* ---- mappings ------------------------------------------------------------------ */

struct nt_mdl *IoAllocateMdl(void *va, co_u32 size, co_u8 secondary, co_u8 quota,
			     struct nt_irp *irp)
{
	struct nt_mdl *mdl;

	(void)secondary;
	(void)quota;
	(void)irp;
	mdl = ExAllocatePoolWithTag(POOL_NONPAGED,
				    sizeof(*mdl) + size / CO_PAGE_SIZE * 8, 2);
	if (!mdl)
		return NULL;
	memset(mdl, 0, sizeof(*mdl));
	mdl->count = size;
	mdl->start_va = va;
	return mdl;
}

void IoFreeMdl(struct nt_mdl *mdl)
{
	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA)
		fake_die("an MDL is freed that is mapped");
	ExFreePoolWithTag(mdl, 2);
}

static void *map_at(const struct nt_mdl *mdl, void *base, int flags)
{
	co_u64 pa = mdl->pfn[0] * CO_PAGE_SIZE;

	return mmap(base, mdl->count, PROT_READ | PROT_WRITE, MAP_SHARED | flags, file,
		    (off_t)(pa - START));
}

static void check_priority(co_u32 priority)
{
	if (!(priority & MM_MAPPING_NO_EXECUTE) == (fake.major * 10 + fake.minor >= 62))
		fake_die("an executable mapping, or a flag that is unknown");
}

/* In place of guard.S; the exception itself is for tests/ntshim and Windows. */
void *nt_map_guarded(struct nt_mdl *mdl, void *base, co_u32 priority)
{
	void *va = fails() ? MAP_FAILED : map_at(mdl, base, MAP_FIXED_NOREPLACE);

	check_priority(priority);
	if (va == MAP_FAILED)
		return NULL;
	fake.user_maps++;
	return va;
}

void *MmMapLockedPagesSpecifyCache(struct nt_mdl *mdl, co_u8 mode, co_u32 cache,
				   void *base, co_u32 bug_check, co_u32 priority)
{
	void *va;

	(void)cache;
	(void)base;
	if (bug_check || !(mdl->flags & MDL_PAGES_LOCKED) || !nt_may_call())
		fake_die("a mapping that may end in a bug check");
	check_priority(priority);
	if (mode == USER_MODE)
		fake_die("a user mapping without a guard");
	if (mdl->flags & MDL_MAPPED_TO_SYSTEM_VA)
		fake_die("an MDL is mapped twice");
	va = fails() ? MAP_FAILED : map_at(mdl, NULL, 0);
	if (va == MAP_FAILED)
		return NULL;
	mdl->flags |= MDL_MAPPED_TO_SYSTEM_VA;
	alive(1);
	return va;
}

void MmUnmapLockedPages(void *va, struct nt_mdl *mdl)
{
	/* The tests map there. */
	if ((co_uptr)va >> 40 == 0x20) {
		if (fake_process != fake_first)
			fake_die("unmapped in another process");
		fake.user_maps--;
	} else {
		mdl->flags &= (co_u16)~MDL_MAPPED_TO_SYSTEM_VA;
		alive(-1);
	}
	munmap(va, mdl->count);
}

void *MmMapIoSpace(co_u64 pa, co_u64 size, co_u32 cache)
{
	(void)pa;
	(void)size;
	(void)cache;
	fake_die("this machine has no APIC");
}

void MmUnmapIoSpace(void *va, co_u64 size)
{
	(void)va;
	(void)size;
}
