// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks that come and go while the guest runs. Both calls are served by the run
 * loop between two bursts, since they sleep; one at a time in a VM.
 *
 * Giving back, in this order, so that no frame ever has two owners:
 *  1. the guest has taken the block out of its page tables, on all vCPUs;
 *  2. here its bit goes: no address in it is taken for the guest's any more, and
 *     who copies from it (under mem->lock) has finished;
 *  3. host_chunk_free(): no user mapping shows it, nor will; frames that
 *     somebody else holds (I/O in flight) become free when he lets go.
 * What enters a guest is zeroed before.
 */
#include "vm.h"

/* A range of whole blocks that may be named in a call. */
static bool range_ok(const struct co_memory *mem, co_u64 pa, co_u64 size)
{
	return size && size <= CO_MEMORY_MOVE && !(size % CO_MEMORY_BLOCK) &&
	       !(pa % CO_MEMORY_BLOCK) && pa < mem->highest &&
	       size <= mem->highest - pa;
}

static bool overlaps(co_u64 pa, co_u64 size, co_u64 start, co_u64 end)
{
	return pa < end && start < pa + size;
}

/* What the core itself looks at, or the guest can't run without. */
static bool range_kept(const struct co_vm *vm, co_u64 pa, co_u64 size)
{
	const struct co_image *image = &vm->image;

	return overlaps(pa, size, image->start, image->end) ||
	       overlaps(pa, size, image->reserved_start, image->reserved_end);
}

static co_u64 give(struct co_vm *vm, co_u64 pa, co_u64 size)
{
	struct co_memory *mem = &vm->memory;

	if (!range_ok(mem, pa, size) || range_kept(vm, pa, size) ||
	    !co_memory_has(mem, pa, size))
		return CO_ERROR_ARG;
	co_map_set(mem, pa, size, false);
	host_chunk_free(vm->file, pa, size);
	return 0;
}

/* The limit is the guest's to keep; what the host keeps for itself is ours. */
static bool may_grow(const struct co_vm *vm, co_u64 size)
{
	co_u64 most = CO_MIN(vm->memory_max, co_load(&vm->memory_limit));
	co_u64 now = vm->memory.size;

	return now < most && size <= most - now &&
	       size <= co_memory_available();
}

/* The wished frames, else others if any will do. */
static int frames(co_u64 wish, co_u64 size, co_u64 *pa)
{
	*pa = wish;
	if (wish && !host_chunk_alloc(size, CO_MEMORY_BLOCK, pa))
		return 0;
	if (wish && size > CO_MEMORY_BLOCK)
		return -CO_ENOMEM;
	*pa = 0;
	return host_chunk_alloc(size, CO_MEMORY_BLOCK, pa);
}

static co_u64 take(struct co_vm *vm, co_u64 wish, co_u64 size)
{
	struct co_memory *mem = &vm->memory;
	co_u64 pa;

	if (!range_ok(mem, wish, size) ||
	    (wish && co_memory_has_any(mem, wish, size)))
		return CO_ERROR_ARG;
	if (!may_grow(vm, size) || frames(wish, size, &pa))
		return CO_ERROR_MEMORY;
	/* Beyond what the daemon has mapped lies memory that the host got
	 * after the VM was made. */
	if (pa + size > mem->highest || co_map_prepare(mem, pa, size)) {
		host_chunk_free(NULL, pa, size);
		return CO_ERROR_MEMORY;
	}
	co_map_set(mem, pa, size, true);
	return pa;
}

void co_memory_move(struct co_vcpu *vcpu, const struct co_call *call)
{
	struct co_vm *vm = vcpu->vm;
	co_u64 result;

	host_mutex_lock(&vm->memory.moves);
	if (call->nr == CO_CALL_MEMORY_GIVE)
		result = give(vm, call->arg[0], call->arg[1]);
	else
		result = take(vm, call->arg[0], call->arg[1]);
	host_mutex_unlock(&vm->memory.moves);
	vcpu->area->passage.result = result;
}

/* The guest's own words are taken for what they can be. */
co_u64 co_memory_idle(struct co_vm *vm)
{
	if (!co_load(&vm->loaded))
		return 0;
	return CO_MIN(co_load(&vm->vcpu[0].area->event.memory_free),
		      co_load(&vm->memory.size));
}

void co_memory_ask(struct co_vm *vm, co_u64 bytes)
{
	struct co_vcpu *vcpu = &vm->vcpu[0];

	if (!co_load(&vm->loaded))
		return;
	co_store(&vcpu->area->event.memory_ask, bytes);
	co_event_set(vcpu, CO_EVENT_MEMORY);
}
