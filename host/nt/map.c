// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory in the daemon's address space, block by block at the place that
 * belongs to its machine address. A block that the guest takes is mapped while its
 * thread, which is one of the daemon's, is in VCPU_RUN; one that it gives is taken
 * out by whoever gives it.
 *
 * Nothing may be left there when the address space goes, and the handle may outlive
 * it: another process can have a duplicate. So the end of each process is heard of.
 */
#include "port.h"

static struct nt_list mapped; /* files; under nt_memory_lock */

#define USER_GRAIN 0x10000ULL	       /* Windows reserves addresses by 64 KiB */
#define USER_END   0x7fffffff0000ULL /* older systems end sooner, and refuse */

int nt_map_block(struct nt_file *file, co_u64 pa, struct nt_block *block)
{
	void *base = (void *)(co_uptr)(file->base + (pa - file->lowest));

	if (!file->process)
		return 0;
	block->user = nt_map_guarded(block->mdl, base, nt_map_priority());
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
	nt_list_remove(&file->mapped);
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
		nt_list_add(&mapped, &file->mapped);
		file->base = map->base;
		file->lowest = map->lowest;
		err = map_all(file, &map->mapped);
		if (err)
			unmap_all(file);
		else
			file->drained = false;
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
	file->drained |= !err;
	host_mutex_unlock(&nt_memory_lock);
	return err;
}

void nt_map_close(struct nt_file *file)
{
	host_mutex_lock(&nt_memory_lock);
	unmap_all(file);
	host_mutex_unlock(&nt_memory_lock);
}

/* ---- the end of a process --------------------------------------------------------- */

/* Files whose VM this process made have no owner from now on: another process' may
 * get its address. Their VMs run no more. Were there any? */
static bool disown(const void *process)
{
	co_u64 state = host_lock(&nt_files_lock);
	struct nt_file *file;
	struct co_vm *vm;
	bool any = false;

	nt_for_each_file(file) {
		/* Before the owner: of a file with a VM that one stays. */
		vm = co_load(&file->core.vm);
		if (!co_compare_exchange(&file->core.owner, (co_u64)(co_uptr)process, 0))
			continue;
		any = true;
		if (vm)
			co_vm_stop(vm, CO_VERDICT_KILLED, "its daemon has ended");
	}
	host_unlock(&nt_files_lock, state);
	return any;
}

/* Of any process of the system's, so most have to be over soon. */
static void process_changed(void *parent_id, void *id, co_u8 created)
{
	void *process = IoGetCurrentProcess();
	struct nt_list *at, *next;
	struct nt_file *file;

	if (created || (co_uptr)id != PsGetCurrentProcessId() || !disown(process))
		return;
	host_mutex_lock(&nt_memory_lock);
	for (at = mapped.next; at != &mapped; at = next) {
		next = at->next;
		file = co_container_of(at, struct nt_file, mapped);
		if (file->process == process)
			unmap_all(file);
	}
	host_mutex_unlock(&nt_memory_lock);
}

int nt_map_init(void)
{
	nt_list_init(&mapped);
	if (!NT_ERROR(PsSetCreateProcessNotifyRoutine(process_changed, 0)))
		return 0;
	nt_log("not started: the system can't tell one more driver of processes' ends");
	return -CO_ENOMEM;
}

void nt_map_exit(void)
{
	PsSetCreateProcessNotifyRoutine(process_changed, 1);
}
