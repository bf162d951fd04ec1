// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: what ioctl.h says, checked and handed to the core.
 *
 * Who may reach this code: whoever could open the device, with any bytes and sizes.
 * Buffered requests are in the system's memory, which no requester changes any more.
 */
#include "port.h"

/* ---- which thread is in which request ------------------------------------------ */

/* Found by the thread itself only, so that no lock is needed: its own entry stands
 * as long as it looks. Threads in requests at one time, of all VMs. */
#define CALLS_MAX 1024

static struct nt_call calls[CALLS_MAX];

static co_u32 first_of(const void *thread)
{
	/* Objects are 16-byte aligned, and larger than 1 KiB. */
	return (co_u32)((co_uptr)thread >> 7) % CALLS_MAX;
}

struct nt_call *nt_call_now(void)
{
	void *thread = KeGetCurrentThread();
	co_u32 i, at = first_of(thread);

	for (i = 0; i < CALLS_MAX; i++, at = (at + 1) % CALLS_MAX)
		if (co_load(&calls[at].thread) == thread)
			return &calls[at];
	return NULL;
}

static struct nt_call *call_begin(struct nt_file *file, struct nt_irp *irp)
{
	void *thread = KeGetCurrentThread();
	co_u32 i, at = first_of(thread);

	for (i = 0; i < CALLS_MAX; i++, at = (at + 1) % CALLS_MAX) {
		struct nt_call *call = &calls[at];

		if (!co_compare_exchange(&call->thread, NULL, thread))
			continue;
		call->file = file;
		call->irp = irp;
		call->interrupted = call->cpu = call->bound = 0;
		call->wait = NULL;
		call->data = NULL;
		call->size = 0;
		return call;
	}
	return NULL;
}

static void call_end(struct nt_call *call)
{
	co_store(&call->thread, NULL);
}

bool nt_call_ends(struct nt_call *call)
{
	return co_load(&call->interrupted) || co_load(&call->file->closing) ||
	       (nt_optional.PsIsThreadTerminating &&
		nt_optional.PsIsThreadTerminating(call->thread));
}

/* ---- cancelling a run --------------------------------------------------------------- */

/* First it's marked, then pulled out of where it is: a guest, or a sleep. */
static void interrupt(struct nt_call *call)
{
	co_u32 cpu;
	struct host_wait *wait;

	co_store(&call->interrupted, 1);
	cpu = co_load(&call->cpu);
	if (cpu)
		host_kick(cpu - 1, false);
	wait = co_load(&call->wait);
	if (wait)
		host_wake(wait);
}

/* All that is the call's is touched under the system's cancel lock. */
static void run_cancel(struct nt_device *device, struct nt_irp *irp)
{
	interrupt(irp->driver_context[0]);
	IoReleaseCancelSpinLock(irp->cancel_irql);
}

static void cancellable(struct nt_call *call)
{
	struct nt_irp *irp = call->irp;

	irp->driver_context[0] = call;
	co_store(&irp->cancel_fn, run_cancel);
	/* Cancelled before: nobody calls the routine. */
	if (co_load(&irp->cancel) && co_exchange(&irp->cancel_fn, NULL))
		call->interrupted = 1;
}

/* Afterwards the routine neither runs nor will. */
static void not_cancellable(struct nt_call *call)
{
	co_u8 level;

	if (co_exchange(&call->irp->cancel_fn, NULL))
		return;
	IoAcquireCancelSpinLock(&level);
	IoReleaseCancelSpinLock(level);
}

static int run(struct nt_call *call, void *buf, co_size size)
{
	int err;

	nt_cpu_bind(call);
	cancellable(call);
	err = co_request(&call->file->core, CO_REQ_VCPU_RUN, buf, size,
			 (co_uptr)IoGetCurrentProcess());
	not_cancellable(call);
	nt_cpu_unbind(call);
	return err;
}

/* ---- the core's requests ------------------------------------------------------------------ */

static ntstatus refuse(struct nt_irp *irp, ntstatus status)
{
	nt_complete(irp, status, 0);
	return status;
}

static void result_set(void *to, int err)
{
	struct co_nt_result result = { (co_u32)-err, 0 };

	memcpy(to, &result, sizeof(result));
}

static ntstatus request(struct nt_file *file, struct nt_irp *irp, co_u32 nr)
{
	co_size size = co_request_size(nr);
	struct nt_call *call;
	int err;

	if (!size || nr == CO_REQ_VM_LOAD)
		return refuse(irp, STATUS_INVALID_DEVICE_REQUEST);
	if (irp->stack->in_size != size ||
	    irp->stack->out_size != size + sizeof(struct co_nt_result))
		return refuse(irp, STATUS_INVALID_PARAMETER);
	call = call_begin(file, irp);
	if (!call)
		return refuse(irp, STATUS_INSUFFICIENT_RESOURCES);
	nt_time_refresh();
	if (nr == CO_REQ_VCPU_RUN)
		err = run(call, irp->buffer, size);
	else
		err = co_request(&file->core, nr, irp->buffer, size,
				 (co_uptr)IoGetCurrentProcess());
	call_end(call);
	result_set((co_u8 *)irp->buffer + size, err);
	nt_complete(irp, STATUS_SUCCESS, size + sizeof(struct co_nt_result));
	return STATUS_SUCCESS;
}

/* ---- loading ---------------------------------------------------------------------------------- */

/* The system's mapping of a buffer that it has locked. */
static void *mapped(struct nt_mdl *mdl)
{
	if (mdl->flags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
		return mdl->system_va;
	return nt_map_kernel(mdl);
}

static int load_with(struct nt_call *call, struct co_req_vm_load *req)
{
	struct co_vm *vm = co_load(&call->file->core.vm);
	co_u64 owner = (co_uptr)IoGetCurrentProcess();

	if (vm && co_load(&call->file->core.owner) == owner && nt_memory_main(vm))
		return -CO_ENOMEM;
	return co_request(&call->file->core, CO_REQ_VM_LOAD, req, sizeof(*req), owner);
}

/* The requester can change its buffer meanwhile: the header is read once, and the
 * core reads each byte of the image as if it were anyone's. */
static ntstatus load(struct nt_file *file, struct nt_irp *irp)
{
	co_u32 size = irp->stack->out_size;
	struct co_nt_load header;
	struct nt_call *call;
	co_u8 *data;

	if (irp->stack->in_size || size < sizeof(header) || !irp->mdl)
		return refuse(irp, STATUS_INVALID_PARAMETER);
	data = mapped(irp->mdl);
	call = data ? call_begin(file, irp) : NULL;
	if (!call)
		return refuse(irp, STATUS_INSUFFICIENT_RESOURCES);
	call->data = data;
	call->size = size;
	memcpy(&header, data, sizeof(header));
	result_set(&header.result, load_with(call, &header.load));
	memcpy(data, &header, sizeof(header));
	call_end(call);
	nt_complete(irp, STATUS_SUCCESS, sizeof(header));
	return STATUS_SUCCESS;
}

/* ---- the port's own ----------------------------------------------------------------------------- */

static ntstatus map(struct nt_file *file, struct nt_irp *irp)
{
	struct co_nt_map *req = irp->buffer;

	result_set(&req->result, nt_map(file, req));
	nt_complete(irp, STATUS_SUCCESS, sizeof(*req));
	return STATUS_SUCCESS;
}

static ntstatus unmap(struct nt_file *file, struct nt_irp *irp)
{
	struct co_nt_map *req = irp->buffer;

	result_set(&req->result, nt_unmap(file, req));
	nt_complete(irp, STATUS_SUCCESS, sizeof(*req));
	return STATUS_SUCCESS;
}

static ntstatus facts(struct nt_file *file, struct nt_irp *irp)
{
	struct co_nt_facts *answer = irp->buffer;

	memset(answer, 0, sizeof(*answer));
	answer->major = nt_version.major;
	answer->minor = nt_version.minor;
	answer->build = nt_version.build;
	answer->flags = nt_flags_found();
	answer->pool_bytes = nt_pool_bytes(NULL);
	nt_complete(irp, STATUS_SUCCESS, sizeof(*answer));
	return STATUS_SUCCESS;
}

static const struct {
	co_u32 code, in, out;
	ntstatus (*serve)(struct nt_file *file, struct nt_irp *irp);
} table[] = {
	{ CO_NT_MAP, sizeof(struct co_nt_map), sizeof(struct co_nt_map), map },
	{ CO_NT_UNMAP, sizeof(struct co_nt_map), sizeof(struct co_nt_map), unmap },
	{ CO_NT_BELLS, sizeof(struct co_nt_bells), sizeof(struct co_nt_bells),
	  nt_bells_wait },
	{ CO_NT_FACTS, 0, sizeof(struct co_nt_facts), facts },
};

static ntstatus own(struct nt_file *file, struct nt_irp *irp)
{
	const struct nt_stack *stack = irp->stack;
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(table); i++) {
		if (table[i].code != stack->code)
			continue;
		if (stack->in_size != table[i].in || stack->out_size != table[i].out)
			return refuse(irp, STATUS_INVALID_PARAMETER);
		return table[i].serve(file, irp);
	}
	return refuse(irp, STATUS_INVALID_DEVICE_REQUEST);
}

ntstatus nt_device_control(struct nt_device *device, struct nt_irp *irp)
{
	struct nt_file *file = irp->stack->file->context;
	co_u32 code = irp->stack->code;

	if (code == CO_NT_LOAD)
		return load(file, irp);
	if (code >= CO_NT_REQUEST(0) && code < CO_NT_MAP &&
	    (code & 3) == CO_NT_BUFFERED)
		return request(file, irp, (code - CO_NT_REQUEST(0)) >> 2);
	return own(file, irp);
}
