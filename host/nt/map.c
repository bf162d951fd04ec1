// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory in the daemon's address space, block by block at the place that
 * belongs to its machine address. A block that the guest takes is mapped while its
 * thread, which is one of the daemon's, is in VCPU_RUN; one that it gives is taken
 * out by whoever gives it.
 */
#include "port.h"

#define USER_GRAIN 0x10000ULL	       /* Windows reserves addresses by 64 KiB */
#define USER_END   0x7fffffff0000ULL /* older systems end sooner, and refuse */

int nt_map_block(struct nt_file *file, co_u64 pa, struct nt_block *block)
{
	void *base = (void *)(co_uptr)(file->base + (pa - file->lowest));
	co_u32 priority = MM_NORMAL_PRIORITY;

	if (!file->process)
		return 0;
	if (nt_is(6, 2))
		priority |= MM_MAPPING_NO_EXECUTE;
	block->user = nt_map_guarded(block->mdl, base, priority);
	if (block->user && block->user != base)
		nt_unmap_block(block);
	return block->user ? 0 : -CO_ENOMEM;
}

void nt_unmap_block(struct nt_block *block)
{
	struct nt_apc_state state;
	void *process;

	if (!block->user)
		return;
	process = block->file->process;
	if (process == IoGetCurrentProcess()) {
		MmUnmapLockedPages(block->user, block->mdl);
	} else {
		KeStackAttachProcess(process, &state);
		MmUnmapLockedPages(block->user, block->mdl);
		KeUnstackDetachProcess(&state);
	}
	block->user = NULL;
}

/* The next block from *pa on that the file's guest has; NULL: none is left. */
static struct nt_block *next_of(struct nt_file *file, co_u64 *pa)
{
	struct nt_block *block;

	for (; *pa < nt_memory_end; *pa += NT_BLOCK) {
		block = nt_block_at(*pa);
		if (block && block->mdl && block->file == file)
			return block;
	}
	return NULL;
}

/* All of them out, and the process is no longer ours. */
static void unmap_all(struct nt_file *file)
{
	struct nt_block *block;
	co_u64 pa;

	if (!file->process)
		return;
	for (pa = 0; (block = next_of(file, &pa)); pa += NT_BLOCK)
		nt_unmap_block(block);
	ObfDereferenceObject(file->process);
	file->process = NULL;
}

static int map_all(struct nt_file *file, co_u64 *mapped)
{
	struct nt_block *block;
	co_u64 pa;

	*mapped = 0;
	for (pa = 0; (block = next_of(file, &pa)); pa += NT_BLOCK) {
		if (nt_map_block(file, pa, block))
			return -CO_ENOMEM;
		*mapped += NT_BLOCK;
	}
	return 0;
}

static int check(struct nt_file *file, const struct co_nt_map *map)
{
	struct co_vm *vm = co_load(&file->core.vm);

	if (!vm)
		return -CO_ENXIO;
	if (co_load(&file->core.owner) != (co_uptr)IoGetCurrentProcess())
		return -CO_EPERM;
	if (!map->base || map->base % USER_GRAIN ||
	    map->lowest != vm->memory.lowest || map->highest != vm->memory.highest ||
	    map->base > USER_END || map->highest - map->lowest > USER_END - map->base)
		return -CO_EINVAL;
	return 0;
}

int nt_map(struct nt_file *file, struct co_nt_map *map)
{
	int err = check(file, map);

	if (err)
		return err;
	host_mutex_lock(&nt_memory_lock);
	if (file->process) {
		err = -CO_EBUSY;
	} else if (co_load(&file->closing)) {
		err = -CO_EINVAL;
	} else {
		file->process = IoGetCurrentProcess();
		ObfReferenceObject(file->process);
		file->base = map->base;
		file->lowest = map->lowest;
		err = map_all(file, &map->mapped);
		if (err)
			unmap_all(file);
	}
	host_mutex_unlock(&nt_memory_lock);
	return err;
}

int nt_unmap(struct nt_file *file, const struct co_nt_map *map)
{
	int err = 0;

	host_mutex_lock(&nt_memory_lock);
	if (!file->process || file->base != map->base)
		err = -CO_EINVAL;
	else if (file->process != IoGetCurrentProcess())
		err = -CO_EPERM;
	else
		unmap_all(file);
	host_mutex_unlock(&nt_memory_lock);
	return err;
}

void nt_map_close(struct nt_file *file)
{
	host_mutex_lock(&nt_memory_lock);
	unmap_all(file);
	host_mutex_unlock(&nt_memory_lock);
}
