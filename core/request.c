// SPDX-License-Identifier: GPL-2.0
/*
 * The one switch over all requests.
 *
 * Who may reach this code: whoever could open the driver's device, with any
 * bytes in the structure. The size is checked here against the table, so a
 * handler gets its whole structure; what is in it each handler checks.
 */
#include "x86/x86.h"

#ifndef CO_VERSION
#define CO_VERSION "unversioned build"
#endif

union request {
	struct co_req_version version;
	struct co_req_check check;
	struct co_req_vm_create vm_create;
	struct co_req_vm_chunk vm_chunk;
	struct co_req_vm_load vm_load;
	struct co_req_vcpu_run vcpu_run;
	struct co_req_vm_raise vm_raise;
	struct co_req_doorbell doorbell;
	struct co_req_vm_info vm_info;
	struct co_req_vm_stop vm_stop;
	struct co_req_vm_memory vm_memory;
};

/* ---- without a VM --------------------------------------------------------------- */

static int do_version(struct co_req_version *req)
{
	memset(req, 0, sizeof(*req));
	req->driver_abi = CO_DRIVER_ABI_VERSION;
	req->guest_abi = CO_GUEST_ABI_VERSION;
	co_format((char *)req->build, sizeof(req->build), "%s", CO_VERSION);
	return 0;
}

static int do_check(struct co_req_check *req)
{
	memset(req, 0, sizeof(*req));
	co_cpu_report(req);
	req->blockers = co_blockers();
	req->tsc_khz = host_tsc_khz();
	req->cpus = host_cpu_count();
	req->memory_free = co_memory_available();
	req->memory_reserve = co_memory_reserve();
	return 0;
}

/* The owner stands before the VM can be seen, so that no other process slips in
 * between. */
static int do_create(struct co_file *file, struct co_req_vm_create *req,
		     co_u64 owner)
{
	int err;

	host_mutex_lock(&file->lock);
	if (!file->vm)
		co_store(&file->owner, owner);
	err = co_vm_create(file, req);
	host_mutex_unlock(&file->lock);
	return err;
}

/* ---- with a VM -------------------------------------------------------------------- */

static int do_chunk(struct co_vm *vm, union request *req)
{
	const struct co_memory *mem = &vm->memory;

	if (req->vm_chunk.pad || req->vm_chunk.index >= mem->count)
		return -CO_EINVAL;
	req->vm_chunk.chunk = mem->chunk[req->vm_chunk.index];
	return 0;
}

static int do_load(struct co_vm *vm, union request *req)
{
	return co_vm_load(vm, &req->vm_load);
}

static int do_run(struct co_vm *vm, union request *req)
{
	if (req->vcpu_run.pad)
		return -CO_EINVAL;
	return co_vcpu_run(vm, &req->vcpu_run);
}

static int do_raise(struct co_vm *vm, union request *req)
{
	return co_event_raise(vm, &req->vm_raise);
}

static int do_doorbell(struct co_vm *vm, union request *req)
{
	if (req->doorbell.pad)
		return -CO_EINVAL;
	return co_doorbell_set(vm, &req->doorbell);
}

static int do_info(struct co_vm *vm, union request *req)
{
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(req->vm_info.reserved); i++)
		if (req->vm_info.reserved[i])
			return -CO_EINVAL;
	co_vm_info(vm, &req->vm_info);
	return 0;
}

static int do_stop(struct co_vm *vm, union request *req)
{
	struct co_req_vm_stop *stop = &req->vm_stop;

	if (stop->pad || stop->verdict != CO_VERDICT_KILLED ||
	    stop->text[sizeof(stop->text) - 1])
		return -CO_EINVAL;
	co_vm_stop(vm, stop->verdict, "%s", (const char *)stop->text);
	return 0;
}

static int do_memory(struct co_vm *vm, union request *req)
{
	const struct co_req_vm_memory *range = &req->vm_memory;

	if (!range->size)
		return -CO_EINVAL;
	return co_memory_has(&vm->memory, range->address, range->size) ?
		       0 :
		       -CO_EFAULT;
}

/* ---- the table ---------------------------------------------------------------------- */

/* No handler: it needs no VM, co_request() calls it by name. */
static const struct {
	co_size size;
	int (*handler)(struct co_vm *vm, union request *req);
} table[] = {
	[CO_REQ_VERSION] = { sizeof(struct co_req_version), NULL },
	[CO_REQ_CHECK] = { sizeof(struct co_req_check), NULL },
	[CO_REQ_VM_CREATE] = { sizeof(struct co_req_vm_create), NULL },
	[CO_REQ_VM_CHUNK] = { sizeof(struct co_req_vm_chunk), do_chunk },
	[CO_REQ_VM_LOAD] = { sizeof(struct co_req_vm_load), do_load },
	[CO_REQ_VCPU_RUN] = { sizeof(struct co_req_vcpu_run), do_run },
	[CO_REQ_VM_RAISE] = { sizeof(struct co_req_vm_raise), do_raise },
	[CO_REQ_DOORBELL] = { sizeof(struct co_req_doorbell), do_doorbell },
	[CO_REQ_VM_INFO] = { sizeof(struct co_req_vm_info), do_info },
	[CO_REQ_VM_STOP] = { sizeof(struct co_req_vm_stop), do_stop },
	[CO_REQ_VM_MEMORY] = { sizeof(struct co_req_vm_memory), do_memory },
};

co_size co_request_size(co_u32 nr)
{
	return nr < CO_ARRAY_SIZE(table) ? table[nr].size : 0;
}

static int vm_request(struct co_file *file, co_u32 nr, union request *req,
		      co_u64 owner)
{
	struct co_vm *vm = co_load(&file->vm);

	if (!vm)
		return -CO_ENXIO;
	if (co_load(&file->owner) != owner)
		return -CO_EPERM;
	return table[nr].handler(vm, req);
}

int co_request(struct co_file *file, co_u32 nr, void *buf, co_size size,
	       co_u64 owner)
{
	union request *req = buf;

	if (!co_request_size(nr) || co_request_size(nr) != size)
		return -CO_EINVAL;
	switch (nr) {
	case CO_REQ_VERSION:
		return do_version(&req->version);
	case CO_REQ_CHECK:
		return do_check(&req->check);
	case CO_REQ_VM_CREATE:
		return do_create(file, &req->vm_create, owner);
	default:
		return vm_request(file, nr, req, owner);
	}
}

/* ---- files ------------------------------------------------------------------------------ */

void co_file_init(struct co_file *file)
{
	memset(file, 0, sizeof(*file));
	host_mutex_init(&file->lock);
}

void co_file_release(struct co_file *file)
{
	co_vm_destroy(file->vm);
	file->vm = NULL;
}
