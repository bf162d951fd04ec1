// SPDX-License-Identifier: GPL-2.0
/*
 * From colinux' requests as its programs make them on Linux (abi/driver.h) to those
 * that they make on Windows (host/nt/ioctl.h): the daemon finds the device it knows.
 */
#include <linux/bitmap.h>
#include <linux/eventfd.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include "host/nt/ioctl.h"
#include "file.h"

struct colinux {
	struct shim_file *file;
	struct mutex lock; /* of all that is here */
	u64 lowest, highest; /* of its VM; 0: it has none */
	bool mapped;
	/* Each queue has the bell of its own number. */
	spinlock_t bells; /* of `bell`; interrupts off */
	struct eventfd_ctx *bell[CO_NT_BELLS_MAX];
	struct request *waits; /* for bells; NULL: none of its requests is out */
	struct co_nt_bells buffer;
	struct work_struct wait_again;
	bool closing;
};

/* ---- doorbells ----------------------------------------------------------------------- */

/* DISPATCH_LEVEL at most. */
static void rang(struct request *r)
{
	struct colinux *c = r->context;
	unsigned long flags;
	unsigned int i;

	if (r->irp.status != NT_OK) {
		if (r->irp.status != NT_CANCELLED)
			complain(0, "the wait for bells ends with %x", r->irp.status);
		return;
	}
	spin_lock_irqsave(&c->bells, flags);
	for (i = 0; i < CO_NT_BELLS_MAX; i++)
		if (c->buffer.rung[i / 64] >> i % 64 & 1 && c->bell[i])
			eventfd_signal(c->bell[i], 1);
	spin_unlock_irqrestore(&c->bells, flags);
	if (!READ_ONCE(c->closing))
		schedule_work(&c->wait_again);
}

/* In a worker: whoever asked for the bell may be gone by the time it rings. */
static void wait_for_bells(struct work_struct *work)
{
	struct colinux *c = container_of(work, struct colinux, wait_again);
	struct request *r = request_new(&c->file->nt, IRP_MJ_DEVICE_CONTROL);

	if (!r) {
		complain(0, "the shim has no memory to wait for bells");
		return;
	}
	if (c->waits)
		request_put(c->waits);
	c->waits = r;
	memset(&c->buffer, 0, sizeof(c->buffer));
	memset(c->buffer.wanted, 0xff, sizeof(c->buffer.wanted));
	r->stack.code = CO_NT_BELLS;
	r->stack.in_size = r->stack.out_size = sizeof(c->buffer);
	r->irp.buffer = &c->buffer;
	r->done = rang;
	r->context = c;
	request_start(r);
}

/* ---- requests -------------------------------------------------------------------------- */

struct call {
	u32 code;
	void *buffer;
	u32 in_size, out_size;
	struct nt_mdl *mdl; /* of its output buffer, of which it answers the header */
};

/* 0 or -errno, of the way or of the core's. */
static int ask(struct shim_file *f, const struct call *call,
	       const struct co_nt_result *result)
{
	struct co_nt_result answer;
	ntstatus status;
	u64 length, wanted = call->mdl ? sizeof(struct co_nt_load) : call->out_size;
	int err = file_control(f, call->code, call->buffer, call->in_size,
			       call->out_size, call->mdl, &status, &length);

	if (err)
		return err;
	if (status != NT_OK) {
		pr_info("ntshim: request %x: status %x\n", call->code, status);
		return status == NT_NO_RESOURCES ? -ENOMEM : -EIO;
	}
	if (length != wanted) {
		complain(0, "request %x answers %llu bytes of %llu", call->code, length,
			 wanted);
		return -EIO;
	}
	memcpy(&answer, result, sizeof(answer));
	return -(int)answer.error;
}

static int ask_core(struct shim_file *f, u32 nr, void *buffer, u32 size)
{
	struct call call = { CO_NT_REQUEST(nr), buffer, size,
			     size + sizeof(struct co_nt_result) };

	return ask(f, &call, buffer + size);
}

/* ---- VM_LOAD: what was addresses becomes offsets -------------------------------------------- */

static int part_in(u8 *to, u64 *at, u64 *address, u64 size)
{
	if (!*address)
		return 0;
	if (copy_from_user(to + *at, u64_to_user_ptr(*address), size))
		return -EFAULT;
	*address = *at;
	*at += size;
	return 0;
}

static int parts_in(u8 *to, struct co_req_vm_load *load)
{
	u64 at = sizeof(struct co_nt_load);
	int err = part_in(to, &at, &load->kernel, load->kernel_size);

	if (!err)
		err = part_in(to, &at, &load->initrd, load->initrd_size);
	if (!err)
		err = part_in(to, &at, &load->command_line, load->command_line_size);
	return err;
}

static int load(struct shim_file *f, struct co_req_vm_load *request)
{
	u64 size = sizeof(struct co_nt_load) + request->kernel_size +
		   request->initrd_size + request->command_line_size;
	struct co_nt_load *buffer;
	struct call call = { CO_NT_LOAD };
	int err = -ENOMEM;

	if (request->kernel_size > SZ_512M || request->initrd_size > SZ_512M ||
	    request->command_line_size > SZ_1M)
		return -EFAULT;
	buffer = vzalloc(size);
	if (!buffer)
		return -ENOMEM;
	call.mdl = mdl_of_kernel(buffer, size);
	call.out_size = size;
	if (!call.mdl)
		goto free;
	buffer->load = *request;
	err = parts_in((u8 *)buffer, &buffer->load);
	if (err)
		goto put;
	err = ask(f, &call, &buffer->result);
	request->error = buffer->load.error;
	request->detail = buffer->load.detail;
put:
	mdl_put_kernel(call.mdl);
free:
	vfree(buffer);
	return err;
}

/* ---- DOORBELL: what was an eventfd becomes a number -------------------------------------- */

static void bell_set(struct colinux *c, u32 queue, struct eventfd_ctx *bell)
{
	struct eventfd_ctx *old;
	unsigned long flags;

	spin_lock_irqsave(&c->bells, flags);
	old = c->bell[queue];
	c->bell[queue] = bell;
	spin_unlock_irqrestore(&c->bells, flags);
	if (old)
		eventfd_ctx_put(old);
}

static int doorbell(struct shim_file *f, struct co_req_doorbell *request)
{
	struct { struct co_req_doorbell doorbell; struct co_nt_result result; }
		buffer = { *request };
	struct colinux *c = f->colinux;
	struct eventfd_ctx *bell = NULL;
	int err;

	if (request->queue >= CO_NT_BELLS_MAX)
		return ask_core(f, CO_REQ_DOORBELL, &buffer, sizeof(*request));
	if (request->handle != -1) {
		bell = eventfd_ctx_fdget(request->handle);
		if (IS_ERR(bell))
			return -EINVAL;
		buffer.doorbell.handle = request->queue;
	}
	mutex_lock(&c->lock);
	if (bell && !c->waits)
		wait_for_bells(&c->wait_again);
	err = ask_core(f, CO_REQ_DOORBELL, &buffer, sizeof(*request));
	if (!err)
		bell_set(c, request->queue, bell);
	else if (bell)
		eventfd_ctx_put(bell);
	mutex_unlock(&c->lock);
	return err;
}

/* ---- by number -------------------------------------------------------------------------------- */

#define REQUEST_MAX sizeof(struct co_req_vcpu_run)

static int dispatch(struct shim_file *f, u32 nr, void *buffer, u32 size)
{
	struct co_req_vm_create *create = buffer;
	int err;

	if (nr == CO_REQ_VM_LOAD && size == sizeof(struct co_req_vm_load))
		return load(f, buffer);
	if (nr == CO_REQ_DOORBELL && size == sizeof(struct co_req_doorbell))
		return doorbell(f, buffer);
	err = ask_core(f, nr, buffer, size);
	if (!err && nr == CO_REQ_VM_CREATE) {
		f->colinux->lowest = create->lowest;
		f->colinux->highest = create->highest;
	}
	return err;
}

long file_request(struct shim_file *f, unsigned int cmd, void __user *user)
{
	u8 buffer[REQUEST_MAX + sizeof(struct co_nt_result)] __aligned(8);
	u32 size = _IOC_SIZE(cmd);
	int err;

	if (_IOC_TYPE(cmd) != CO_IOC_MAGIC || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	if (!size || size > REQUEST_MAX)
		return -EINVAL;
	memset(buffer, 0, sizeof(buffer));
	if (copy_from_user(buffer, user, size))
		return -EFAULT;
	err = dispatch(f, _IOC_NR(cmd), buffer, size);
	if (copy_to_user(user, buffer, size))
		return -EFAULT;
	return err;
}

/* ---- memory -------------------------------------------------------------------------------------- */

/* The first mapping has the driver map all that the VM has. */
int file_map(struct shim_file *f, u64 start, u64 size)
{
	struct colinux *c = f->colinux;
	struct co_nt_map map = { .base = USER_BASE + c->lowest, .lowest = c->lowest,
				 .highest = c->highest };
	struct call call = { CO_NT_MAP, &map, sizeof(map), sizeof(map) };
	int err = 0;

	if (!c->highest)
		return 0; /* the test's own driver */
	if (start < c->lowest || start + size > c->highest)
		return -EINVAL;
	mutex_lock(&c->lock);
	if (!c->mapped)
		err = ask(f, &call, &map.result);
	if (!err)
		c->mapped = true;
	mutex_unlock(&c->lock);
	return err;
}

void file_unmap(struct shim_file *f)
{
	struct colinux *c = f->colinux;
	struct co_nt_map map = { .base = USER_BASE + c->lowest, .lowest = c->lowest,
				 .highest = c->highest };
	struct call call = { CO_NT_UNMAP, &map, sizeof(map), sizeof(map) };

	mutex_lock(&c->lock);
	if (c->mapped && ask(f, &call, &map.result))
		complain(0, "UNMAP fails: %u", map.result.error);
	c->mapped = false;
	mutex_unlock(&c->lock);
}

/* ---- coming and going ------------------------------------------------------------------------------ */

int file_init(struct shim_file *f)
{
	struct colinux *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	c->file = f;
	mutex_init(&c->lock);
	spin_lock_init(&c->bells);
	INIT_WORK(&c->wait_again, wait_for_bells);
	f->colinux = c;
	return 0;
}

void file_closing(struct shim_file *f)
{
	WRITE_ONCE(f->colinux->closing, true);
	flush_work(&f->colinux->wait_again);
}

void file_closed(struct shim_file *f)
{
	struct colinux *c = f->colinux;
	u32 i;

	cancel_work_sync(&c->wait_again);
	for (i = 0; i < CO_NT_BELLS_MAX; i++)
		bell_set(c, i, NULL);
}

void file_free(struct shim_file *f)
{
	if (f->colinux->waits)
		request_put(f->colinux->waits);
	kfree(f->colinux);
}
