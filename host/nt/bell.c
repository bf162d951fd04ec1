// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells: requests that wait until one rings.
 *
 * A ring comes in a burst, with interrupts off, where no request can be completed:
 * it sets a bit and queues a DPC, which looks for who wants it. A request that waits
 * belongs to the one who takes its cancel routine away: that DPC, the routine
 * itself, or the file's end.
 */
#include "port.h"

static bool wants(const struct nt_irp *irp, const struct nt_file *file)
{
	const struct co_nt_bells *req = irp->buffer;
	bool any = false;
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(req->wanted); i++)
		any |= (req->wanted[i] & co_load(&file->rung[i])) != 0;
	return any;
}

/* Under the lock: nobody else takes. */
static void take(struct nt_irp *irp, struct nt_file *file)
{
	struct co_nt_bells *req = irp->buffer;
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(req->wanted); i++)
		req->rung[i] = co_fetch_and(&file->rung[i], ~req->wanted[i]) &
			       req->wanted[i];
}

static void leave(struct nt_irp *irp, struct nt_file *file)
{
	nt_list_remove(&irp->list);
	co_store(&file->waiters, file->waiters - 1);
}

static struct nt_irp *irp_of(struct nt_list *entry)
{
	return co_container_of(entry, struct nt_irp, list);
}

/* The oldest that has rung and isn't being cancelled, off the list, served; or
 * NULL. */
static struct nt_irp *next_served(struct nt_file *file)
{
	co_u64 state = host_lock(&file->bells_lock);
	struct nt_irp *irp, *found = NULL;
	struct nt_list *at;

	for (at = file->waiting.next; at != &file->waiting && !found; at = at->next) {
		irp = irp_of(at);
		if (wants(irp, file) && co_exchange(&irp->cancel_fn, NULL))
			found = irp;
	}
	if (found) {
		take(found, file);
		leave(found, file);
	}
	host_unlock(&file->bells_lock, state);
	return found;
}

static void bells_serve(struct nt_dpc *dpc, void *context, void *a, void *b)
{
	struct nt_irp *irp;

	while ((irp = next_served(context)))
		nt_complete(irp, STATUS_SUCCESS, sizeof(struct co_nt_bells));
}

/* The system's cancel lock is held, at DISPATCH_LEVEL. */
static void bells_cancel(struct nt_device *device, struct nt_irp *irp)
{
	struct nt_file *file = irp->stack->file->context;
	co_u64 state;

	IoReleaseCancelSpinLock(irp->cancel_irql);
	state = host_lock(&file->bells_lock);
	leave(irp, file);
	host_unlock(&file->bells_lock, state);
	nt_complete(irp, STATUS_CANCELLED, 0);
}

enum outcome { SERVED, KEPT, CANCELLED };

/*
 * In this order: it counts as a waiter, then looks whether one has rung; a ring sets
 * its bit, then looks for waiters. One of the two sees the other.
 */
static enum outcome wait_begin(struct nt_file *file, struct nt_irp *irp)
{
	co_u64 state = host_lock(&file->bells_lock);
	enum outcome outcome = KEPT;

	nt_list_add(&file->waiting, &irp->list);
	co_store(&file->waiters, file->waiters + 1);
	if (co_load(&file->closing)) {
		outcome = CANCELLED;
	} else if (wants(irp, file)) {
		take(irp, file);
		outcome = SERVED;
	} else {
		irp->stack->control |= SL_PENDING_RETURNED;
		co_store(&irp->cancel_fn, bells_cancel);
		/* Cancelled before it could be: without a routine nobody told us. */
		if (co_load(&irp->cancel) && co_exchange(&irp->cancel_fn, NULL)) {
			irp->stack->control &= ~SL_PENDING_RETURNED;
			outcome = CANCELLED;
		}
	}
	if (outcome != KEPT)
		leave(irp, file);
	host_unlock(&file->bells_lock, state);
	return outcome;
}

static bool nothing_wanted(const struct co_nt_bells *req)
{
	co_u64 any = 0;
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(req->wanted); i++)
		any |= req->wanted[i];
	return !any;
}

ntstatus nt_bells_wait(struct nt_file *file, struct nt_irp *irp)
{
	if (nothing_wanted(irp->buffer)) {
		nt_complete(irp, STATUS_INVALID_PARAMETER, 0);
		return STATUS_INVALID_PARAMETER;
	}
	switch (wait_begin(file, irp)) {
	case SERVED:
		nt_complete(irp, STATUS_SUCCESS, sizeof(struct co_nt_bells));
		return STATUS_SUCCESS;
	case CANCELLED:
		nt_complete(irp, STATUS_CANCELLED, 0);
		return STATUS_CANCELLED;
	default:
		/* It may be gone by now. */
		return STATUS_PENDING;
	}
}

void nt_bells_init(struct nt_file *file)
{
	co_u32 i;

	host_lock_init(&file->bells_lock);
	nt_list_init(&file->waiting);
	KeInitializeDpc(&file->bells_dpc, bells_serve, file);
	for (i = 0; i < CO_NT_BELLS_MAX; i++) {
		file->bell[i].file = file;
		file->bell[i].number = i;
	}
}

static struct nt_irp *next_cancelled(struct nt_file *file)
{
	co_u64 state = host_lock(&file->bells_lock);
	struct nt_irp *found = NULL;
	struct nt_list *at;

	for (at = file->waiting.next; at != &file->waiting && !found; at = at->next)
		if (co_exchange(&irp_of(at)->cancel_fn, NULL))
			found = irp_of(at);
	if (found)
		leave(found, file);
	host_unlock(&file->bells_lock, state);
	return found;
}

/* file->closing is set. Those whose routine runs complete by themselves, before the
 * file can go. */
void nt_bells_close(struct nt_file *file)
{
	struct nt_irp *irp;

	while ((irp = next_cancelled(file)))
		nt_complete(irp, STATUS_CANCELLED, 0);
}

/* ---- the core's side ---------------------------------------------------------- */

int host_doorbell_get(co_s64 handle, void **doorbell)
{
	struct nt_call *call = nt_call_now();

	if (!call || handle < 0 || handle >= CO_NT_BELLS_MAX)
		return -CO_EINVAL;
	*doorbell = &call->file->bell[handle];
	return 0;
}

void host_doorbell_ring(void *doorbell)
{
	struct nt_bell *bell = doorbell;
	struct nt_file *file = bell->file;

	co_fetch_or(&file->rung[bell->number / 64], 1ULL << bell->number % 64);
	if (co_load(&file->waiters))
		nt_queue_dpc(&file->bells_dpc);
}

/* It is the file's, which outlives the VM. */
void host_doorbell_put(void *doorbell)
{
}
