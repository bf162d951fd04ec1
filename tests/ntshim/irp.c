// SPDX-License-Identifier: GPL-2.0
/*
 * I/O requests. On Windows a thread's requests are cancelled when it ends, or by
 * CancelSynchronousIo(); here a signal does it.
 */
#include <linux/completion.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "shim.h"

#define LOOK_MS	      10
#define CANCEL_WAIT_S 20

static LIST_HEAD(in_flight);
static DEFINE_SPINLOCK(lock); /* of the list; interrupts off */
static u64 cancel_lock;	      /* Windows' own */

struct request *request_new(struct nt_file *file, u8 major)
{
	struct request *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	r->file = file;
	refcount_set(&r->references, 1);
	INIT_LIST_HEAD(&r->list);
	r->irp.type = 6;
	r->irp.size = sizeof(r->irp) + sizeof(r->stack);
	r->irp.stack_count = r->irp.location = 1;
	r->irp.mode = 1;
	r->irp.stack = &r->stack;
	r->irp.original_file = file;
	INIT_LIST_HEAD(&r->irp.thread_list);
	r->stack.major = major;
	r->stack.device = nt_device;
	r->stack.file = file;
	return r;
}

void request_put(struct request *r)
{
	if (refcount_dec_and_test(&r->references))
		kfree(r);
}

static void leave_list(struct request *r)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	list_del_init(&r->list);
	spin_unlock_irqrestore(&lock, flags);
}

struct nt_file *request_file(void)
{
	struct nt_file *file = NULL;
	unsigned long flags;
	struct request *r;

	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(r, &in_flight, list)
		if (r->irp.thread == current)
			file = r->file;
	spin_unlock_irqrestore(&lock, flags);
	return file;
}

ntstatus request_start(struct request *r)
{
	nt_dispatch_fn *fn = nt_driver.major[r->stack.major];
	unsigned long flags;
	ntstatus status;
	bool marked;

	r->irp.thread = current;
	refcount_inc(&r->references); /* until it is completed */
	refcount_inc(&r->references); /* here */
	spin_lock_irqsave(&lock, flags);
	list_add_tail(&r->list, &in_flight);
	spin_unlock_irqrestore(&lock, flags);
	status = call_driver("a request", fn, nt_device, &r->irp, NULL, NULL);
	thread_check_affinity();
	marked = r->stack.control & SL_PENDING_RETURNED;
	if (marked != (status == NT_PENDING))
		complain((unsigned long)fn,
			 "request %u/%x returns %x, marked as pending: %d",
			 r->stack.major, r->stack.code, status, marked);
	if (status != NT_PENDING && !r->completed)
		complain((unsigned long)fn, "request %u/%x returns %x and isn't completed",
			 r->stack.major, r->stack.code, status);
	request_put(r);
	return status;
}

static void wake(struct request *r)
{
	complete(r->context);
}

/* The driver has it, and the thread has a signal. */
static void wait_cancelled(struct request *r, struct completion *end)
{
	request_cancel(r);
	while (!wait_for_completion_timeout(end, CANCEL_WAIT_S * HZ))
		complain(0, "request %u/%x was cancelled, and isn't completed after %d s",
			 r->stack.major, r->stack.code, CANCEL_WAIT_S);
}

ntstatus request_run(struct request *r)
{
	DECLARE_COMPLETION_ONSTACK(end);
	ntstatus status;

	r->done = wake;
	r->context = &end;
	r->task = current;
	status = request_start(r);
	if (status == NT_PENDING && wait_for_completion_interruptible(&end))
		wait_cancelled(r, &end);
	return r->completed ? r->irp.status : status;
}

ntstatus request_simple(struct nt_file *file, u8 major)
{
	struct request *r = request_new(file, major);
	ntstatus status;

	if (!r)
		return NT_NO_RESOURCES;
	status = request_run(r);
	request_put(r);
	return status;
}

/* ---- cancelling ---------------------------------------------------------------------- */

static u64 take_cancel_lock(void)
{
	u8 old = irql_raise(DISPATCH_LEVEL);

	while (cmpxchg64(&cancel_lock, 0, 1))
		cpu_relax();
	return old;
}

static void release_cancel_lock(u8 level)
{
	xchg(&cancel_lock, 0);
	irql_lower(level);
}

/* Its routine has the lock, and lets it go. */
void request_cancel(struct request *r)
{
	u8 old = take_cancel_lock();
	nt_cancel_fn *fn;

	r->cancelled = true;
	r->irp.cancel = 1;
	fn = xchg(&r->irp.cancel_fn, NULL);
	if (!fn) {
		release_cancel_lock(old);
		return;
	}
	r->irp.cancel_irql = old;
	nt_call(fn, nt_device, &r->irp, NULL, NULL);
	if (irql_now() != old)
		complain((unsigned long)fn, "a cancel routine leaves IRQL %u",
			 irql_now());
}

/* One that wants to be cancelled, with a reference. */
static struct request *next_to_cancel(struct nt_file *file)
{
	struct request *r, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(r, &in_flight, list) {
		if (r->cancelled || r->completed)
			continue;
		if (file ? r->file == file : r->task && signal_pending(r->task)) {
			refcount_inc(&r->references);
			r->cancelled = true;
			found = r;
			break;
		}
	}
	spin_unlock_irqrestore(&lock, flags);
	return found;
}

static void cancel_all(struct nt_file *file)
{
	struct request *r;

	while ((r = next_to_cancel(file))) {
		request_cancel(r);
		request_put(r);
	}
}

unsigned int requests_of(struct nt_file *file, bool cancel)
{
	unsigned long flags;
	unsigned int n = 0;
	struct request *r;

	if (cancel)
		cancel_all(file);
	spin_lock_irqsave(&lock, flags);
	list_for_each_entry(r, &in_flight, list)
		n += r->file == file;
	spin_unlock_irqrestore(&lock, flags);
	return n;
}

/* A thread that is in the driver for long doesn't come to look for its signals. */
static void look(struct work_struct *work)
{
	cancel_all(NULL);
	schedule_delayed_work(to_delayed_work(work), msecs_to_jiffies(LOOK_MS));
}
static DECLARE_DELAYED_WORK(look_work, look);

/* ---- the driver's side ------------------------------------------------------------------ */

void request_complete(struct request *r, unsigned long site)
{
	if (xchg(&r->completed, true)) {
		complain(site, "completes a request twice");
		return;
	}
	if (r->irp.cancel_fn)
		complain(site, "completes a request that has a cancel routine");
	if (r->irp.status == NT_PENDING)
		complain(site, "completes a request with STATUS_PENDING");
	leave_list(r);
	r->done(r);
	request_put(r);
}

static NT void IofCompleteRequest(struct nt_irp *irp, s8 boost)
{
	irql_at_most(DISPATCH_LEVEL);
	request_complete(container_of(irp, struct request, irp), CALLER);
}

static NT void IoAcquireCancelSpinLock(u8 *level)
{
	irql_at_most(DISPATCH_LEVEL);
	*level = take_cancel_lock();
}

static NT void IoReleaseCancelSpinLock(u8 level)
{
	if (!cancel_lock)
		complain(CALLER, "releases the cancel lock that nobody has");
	release_cancel_lock(level);
}

static NT u8 IoCancelIrp(struct nt_irp *irp)
{
	struct request *r = container_of(irp, struct request, irp);
	bool had = irp->cancel_fn;

	request_cancel(r);
	return had;
}

static NT void *IoGetRequestorProcess(struct nt_irp *irp)
{
	return ((struct task_struct *)irp->thread)->group_leader;
}

static NT u32 IoGetRequestorProcessId(struct nt_irp *irp)
{
	return task_tgid_nr(irp->thread);
}

static NT u32 IoIs32bitProcess(struct nt_irp *irp)
{
	return 0;
}

void irp_init(void)
{
	schedule_delayed_work(&look_work, 0);
}

void irp_exit(void)
{
	cancel_delayed_work_sync(&look_work);
}

const struct nt_export irp_exports[] = {
	EXPORT(IofCompleteRequest, NT_2003),
	EXPORT(IoAcquireCancelSpinLock, NT_2003),
	EXPORT(IoReleaseCancelSpinLock, NT_2003),
	EXPORT(IoCancelIrp, NT_2003),
	EXPORT(IoGetRequestorProcess, NT_2003),
	EXPORT(IoGetRequestorProcessId, NT_2003),
	EXPORT(IoIs32bitProcess, NT_2003),
	EXPORTS_END
};
