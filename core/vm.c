// SPDX-License-Identifier: GPL-2.0
/* The life of a VM, and its verdict. */
#include "x86/x86.h"

int co_format(char *buf, co_size size, const char *format, ...)
{
	__builtin_va_list args;
	int length;

	__builtin_va_start(args, format);
	length = host_vformat(buf, size, format, args);
	__builtin_va_end(args);
	return length;
}

/* ---- life ----------------------------------------------------------------------- */

static int check_create(const struct co_req_vm_create *req)
{
	if (req->driver_abi != CO_DRIVER_ABI_VERSION)
		return -CO_EPROTO;
	if (!req->vcpus || req->vcpus > CO_VCPUS_MAX || !req->online ||
	    req->online > req->vcpus)
		return -CO_EINVAL;
	if (req->memory < CO_MEMORY_MIN || req->memory % CO_LARGE_PAGE ||
	    req->memory_max < req->memory || req->memory_max % CO_LARGE_PAGE)
		return -CO_EINVAL;
	if (req->devices > CO_DEVICES_MAX || req->watchdog > CO_WATCHDOG_MAX)
		return -CO_EINVAL;
	if (req->name[sizeof(req->name) - 1])
		return -CO_EINVAL;
	return 0;
}

co_u64 co_blockers(void)
{
	return co_cpu_blockers() | host_blockers();
}

static struct co_vm *vm_alloc(const struct co_req_vm_create *req)
{
	struct co_vm *vm =
		host_alloc(sizeof(*vm) + req->vcpus * sizeof(vm->vcpu[0]));

	if (!vm)
		return NULL;
	host_mutex_init(&vm->lock);
	host_lock_init(&vm->verdict_lock);
	host_lock_init(&vm->doorbell_lock);
	memcpy(vm->name, req->name, sizeof(vm->name));
	vm->devices = req->devices;
	vm->memory_max = req->memory_max;
	vm->memory_limit = req->memory_max;
	vm->online = req->online;
	vm->watchdog_ns = req->watchdog * 1000000000ULL;
	return vm;
}

/* vm->vcpus counts those that are whole, so that co_vm_destroy() takes down as
 * many as there are. */
static int vcpus_init(struct co_vm *vm, co_u32 count)
{
	int err;

	while (vm->vcpus < count) {
		err = co_vcpu_init(&vm->vcpu[vm->vcpus], vm, vm->vcpus);
		if (err)
			return err;
		vm->vcpus++;
	}
	return 0;
}

static int vm_build(struct co_vm *vm, const struct co_req_vm_create *req)
{
	int err = co_memory_alloc(&vm->memory, req->memory);

	if (err)
		return err;
	return vcpus_init(vm, req->vcpus);
}

int co_vm_create(struct co_file *file, struct co_req_vm_create *req)
{
	struct co_vm *vm;
	int err = check_create(req);

	if (err)
		return err;
	if (file->vm)
		return -CO_EBUSY;
	if (co_blockers())
		return -CO_ENODEV;
	vm = vm_alloc(req);
	if (!vm)
		return -CO_ENOMEM;
	vm->file = file;
	err = vm_build(vm, req);
	if (err) {
		co_vm_destroy(vm);
		return err;
	}
	req->chunks = vm->memory.count;
	req->lowest = vm->memory.lowest;
	req->highest = vm->memory.highest;
	co_store(&file->vm, vm);
	return 0;
}

void co_vm_destroy(struct co_vm *vm)
{
	if (!vm)
		return;
	while (vm->vcpus)
		co_vcpu_destroy(&vm->vcpu[--vm->vcpus]);
	co_doorbell_free(vm);
	co_memory_free(&vm->memory);
	host_free(vm);
}

/* ---- verdict ---------------------------------------------------------------------- */

/* True if this one is the first. The text stands before the code is seen. */
static bool verdict_set(struct co_vm *vm, co_u32 verdict, const char *format,
			__builtin_va_list args)
{
	co_u64 state = host_lock(&vm->verdict_lock);
	bool first = vm->verdict == CO_VERDICT_NONE;

	if (first) {
		host_vformat(vm->text, sizeof(vm->text), format, args);
		co_store(&vm->verdict, verdict);
	}
	host_unlock(&vm->verdict_lock, state);
	return first;
}

static void vcpu_leave(struct co_vcpu *vcpu)
{
	if (co_load(&vcpu->mode) == CO_VCPU_IN_GUEST)
		host_kick(co_load(&vcpu->cpu), false);
	host_wake(&vcpu->wait);
}

void co_vm_stop(struct co_vm *vm, co_u32 verdict, const char *format, ...)
{
	__builtin_va_list args;
	co_u32 i;
	bool first;

	__builtin_va_start(args, format);
	first = verdict_set(vm, verdict, format, args);
	__builtin_va_end(args);
	if (!first)
		return;
	for (i = 0; i < vm->vcpus; i++)
		vcpu_leave(&vm->vcpu[i]);
}

static void info_memory(struct co_vm *vm, struct co_req_vm_info *req)
{
	req->memory = co_load(&vm->memory.size);
	req->memory_max = vm->memory_max;
	req->memory_limit = co_load(&vm->memory_limit);
	req->memory_returned = co_load(&vm->memory.peak) - req->memory;
	req->memory_free = CO_MIN(co_memory_idle(vm), req->memory);
}

void co_vm_info(struct co_vm *vm, struct co_req_vm_info *req)
{
	const struct co_stats *stats = &vm->stats;

	req->verdict = co_load(&vm->verdict);
	req->vcpus = vm->vcpus;
	info_memory(vm, req);
	req->online = co_vcpus_up(vm);
	req->switches = co_load(&stats->switches);
	req->bursts = co_load(&stats->bursts);
	req->forwarded = co_load(&stats->forwarded);
	req->nmis = co_load(&stats->nmis);
	req->nmis_passage = co_load(&stats->nmis_passage);
	req->mces = co_load(&stats->mces);
	req->idles = co_load(&stats->idles);
	req->notifies = co_load(&stats->notifies);
	req->events = co_load(&stats->events);
	req->kicks = co_load(&stats->kicks);
	req->guest_ns = co_load(&stats->guest_ns);
	req->rescues = co_load(&stats->rescues);
	/* Constant from the moment that the verdict is seen. */
	if (req->verdict != CO_VERDICT_NONE)
		memcpy(req->text, vm->text, sizeof(req->text));
	else
		memset(req->text, 0, sizeof(req->text));
}

/* ---- the host's sleep and end ------------------------------------------------ */

/* A wake that the guest hasn't seen is of the sleep before: it'd end this one. */
void co_vm_sleep(struct co_vm *vm)
{
	if (!co_load(&vm->loaded))
		return;
	co_fetch_and(&vm->vcpu[0].area->event.events, ~(co_u64)CO_EVENT_WAKE);
	co_event_set(&vm->vcpu[0], CO_EVENT_SLEEP);
}

/* As abi/guest.h says at CO_EVENT_SLEEP: it waits for that event alone. */
bool co_vm_asleep(struct co_vm *vm)
{
	struct co_vcpu *vcpu = &vm->vcpu[0];

	return !co_load(&vm->loaded) || co_load(&vm->verdict) ||
	       (co_load(&vcpu->wanted) == CO_EVENT_WAKE &&
		co_load(&vcpu->mode) != CO_VCPU_IN_GUEST);
}

/* Deadlines are in the guest's TSC, our timers hang on a clock that stood: those
 * that aren't due are set anew by the guest. */
void co_vm_wake(struct co_vm *vm)
{
	co_u32 i;

	if (!co_load(&vm->loaded))
		return;
	for (i = 1; i < vm->vcpus; i++)
		co_event_set(&vm->vcpu[i], CO_EVENT_TIMER);
	co_event_set(&vm->vcpu[0],
		     CO_EVENT_WAKE | CO_EVENT_CLOCK | CO_EVENT_TIMER);
}

void co_vm_power_off(struct co_vm *vm)
{
	if (!co_load(&vm->loaded))
		return;
	co_store(&vm->vcpu[0].area->event.power, CO_POWER_OFF);
	co_event_set(&vm->vcpu[0], CO_EVENT_POWER);
}
