// SPDX-License-Identifier: GPL-2.0
/*
 * The node by which programs of Linux reach the driver: requests become IRPs, and
 * what the driver maps into its requester's process appears where that has mapped
 * the node, at the offset that is the machine address.
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "file.h"

static char *node = "colinux";
module_param(node, charp, 0444);
MODULE_PARM_DESC(node, "name of the node in /dev");

static int error_of(ntstatus status)
{
	switch (status) {
	case NT_ACCESS_DENIED:
		return -EPERM;
	case NT_NO_RESOURCES:
	case 0xc0000017u: /* STATUS_NO_MEMORY */
		return -ENOMEM;
	case NT_CANCELLED:
		return -EINTR;
	case NT_INVALID_REQUEST:
		return -ENOTTY;
	}
	return NT_ERROR(status) ? -EIO : 0;
}

static LIST_HEAD(files);
static DEFINE_MUTEX(files_lock);

/* ---- opening ------------------------------------------------------------------------- */

static int node_open(struct inode *inode, struct file *file)
{
	struct shim_file *f = kzalloc(sizeof(*f), GFP_KERNEL);
	ntstatus status;

	if (!f)
		return -ENOMEM;
	f->nt.type = 5;
	f->nt.size = sizeof(f->nt);
	f->nt.device = nt_device;
	f->mapping = file->f_mapping;
	init_rwsem(&f->faults);
	INIT_LIST_HEAD(&f->list);
	INIT_LIST_HEAD(&f->ranges);
	if (file_init(f)) {
		kfree(f);
		return -ENOMEM;
	}
	status = request_simple(&f->nt, IRP_MJ_CREATE);
	if (NT_ERROR(status)) {
		file_free(f);
		kfree(f);
		return error_of(status);
	}
	mutex_lock(&files_lock);
	list_add(&f->list, &files);
	mutex_unlock(&files_lock);
	file->private_data = f;
	return 0;
}

#define CLEANUP_WAIT_S 10

/* Requests that the driver has pended, and didn't end in CLEANUP. */
static void drain(struct shim_file *f)
{
	int left = CLEANUP_WAIT_S * 100;

	while (requests_of(&f->nt, left < CLEANUP_WAIT_S * 50) && left--)
		msleep(10);
	if (left < CLEANUP_WAIT_S * 50)
		complain(0, "CLEANUP leaves requests pending");
}

static int node_release(struct inode *inode, struct file *file)
{
	struct shim_file *f = file->private_data;

	file_closing(f);
	request_simple(&f->nt, IRP_MJ_CLEANUP);
	drain(f);
	file_closed(f);
	request_simple(&f->nt, IRP_MJ_CLOSE);
	if (!list_empty(&f->ranges))
		complain(0, "CLOSE leaves memory mapped for the requester");
	mutex_lock(&files_lock);
	list_del(&f->list);
	mutex_unlock(&files_lock);
	file_free(f);
	kfree(f);
	return 0;
}

/* ---- memory of the driver's in the requester's process ------------------------------------ */

struct user_range {
	struct list_head list;
	u64 start, size; /* machine addresses */
	void *va;	 /* what the driver gets to see, never used as such */
	struct nt_mdl *mdl;
	struct task_struct *process;
};

static struct user_range *range_at(struct shim_file *f, u64 pa)
{
	struct user_range *r;

	list_for_each_entry(r, &f->ranges, list)
		if (pa >= r->start && pa - r->start < r->size)
			return r;
	return NULL;
}

static bool contiguous(const struct nt_mdl *mdl)
{
	u32 i;

	for (i = 1; i < mdl->count >> PAGE_SHIFT; i++)
		if (mdl->pfn[i] != mdl->pfn[0] + i)
			return false;
	return !mdl->offset;
}

void *device_map_user(struct nt_mdl *mdl, void *base, unsigned long site)
{
	struct nt_file *nt = request_file();
	struct shim_file *f = container_of(nt, struct shim_file, nt);
	struct user_range *r;

	if (!nt || !contiguous(mdl)) {
		complain(site, "maps for a process %s", nt ?
			 "what isn't contiguous" : "outside of its request");
		return NULL;
	}
	if (fails("user mapping", site))
		return NULL;
	r = kmalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	r->start = PFN_PHYS(mdl->pfn[0]);
	r->size = mdl->count;
	r->mdl = mdl;
	r->process = process_current();
	r->va = base ? base : (void *)(USER_BASE + r->start);
	down_write(&f->faults);
	list_add(&r->list, &f->ranges);
	up_write(&f->faults);
	track("user mapping", r->va, r->size, site);
	return r->va;
}

/* Out of the file's list; NULL: it has no such mapping. */
static struct user_range *range_take(struct shim_file *f, const void *va,
				     const struct nt_mdl *mdl)
{
	struct user_range *at, *r = NULL;

	down_write(&f->faults);
	list_for_each_entry(at, &f->ranges, list)
		if (at->va == va && at->mdl == mdl)
			r = at;
	if (r)
		list_del(&r->list);
	up_write(&f->faults);
	return r;
}

/* Windows wants the process that it was mapped for. */
void device_unmap_user(void *va, struct nt_mdl *mdl, unsigned long site)
{
	struct shim_file *f;
	struct user_range *r;

	untrack("user mapping", va, site);
	mutex_lock(&files_lock);
	list_for_each_entry(f, &files, list) {
		r = range_take(f, va, mdl);
		if (!r)
			continue;
		if (r->process != process_current())
			complain(site, "unmaps in another process");
		unmap_mapping_range(f->mapping, r->start, r->size, 1);
		kfree(r);
		break;
	}
	mutex_unlock(&files_lock);
}

static vm_fault_t fault(struct vm_fault *vmf)
{
	struct shim_file *f = vmf->vma->vm_file->private_data;
	vm_fault_t result = VM_FAULT_SIGBUS;

	down_read(&f->faults);
	if (range_at(f, (u64)vmf->pgoff << PAGE_SHIFT))
		result = vmf_insert_page(vmf->vma, vmf->address,
					 pfn_to_page(vmf->pgoff));
	up_read(&f->faults);
	return result;
}

/* A part of an area has become one. */
static void area_open(struct vm_area_struct *vma)
{
	struct shim_file *f = vma->vm_file->private_data;

	atomic_inc(&f->areas);
}

/* A daemon takes its memory out itself, and one that ends has Windows tell the driver
 * before its address space goes. */
static void area_close(struct vm_area_struct *vma)
{
	struct shim_file *f = vma->vm_file->private_data;

	if (!atomic_dec_and_test(&f->areas))
		return;
	if (current->flags & PF_EXITING)
		callback_process_ends();
	else
		file_unmap(f);
}

static const struct vm_operations_struct vm_ops = { .open = area_open,
						    .close = area_close,
						    .fault = fault };

static int node_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = file_map(file->private_data, (u64)vma->vm_pgoff << PAGE_SHIFT,
			   vma->vm_end - vma->vm_start);

	if (err)
		return err;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vma->vm_flags &= ~VM_MAYEXEC;
	vma->vm_flags |= VM_MIXEDMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &vm_ops;
	area_open(vma);
	return 0;
}

/* ---- requests as a program of Windows makes them: DeviceIoControl() ---------------------- */

#define METHOD(code) ((code) & 3)

int file_control(struct shim_file *f, u32 code, void *buffer, u32 in_size,
		 u32 out_size, struct nt_mdl *mdl, ntstatus *status, u64 *length)
{
	struct request *r = request_new(&f->nt, IRP_MJ_DEVICE_CONTROL);

	if (!r)
		return -ENOMEM;
	r->stack.code = code;
	r->stack.in_size = in_size;
	r->stack.out_size = out_size;
	r->irp.buffer = buffer;
	r->irp.mdl = mdl;
	*status = request_run(r);
	*length = r->irp.information;
	if (*length > out_size && !NT_ERROR(*status)) {
		complain(0, "request %x answers %llu bytes in %u", code, *length,
			 out_size);
		*length = out_size;
	}
	request_put(r);
	return 0;
}

static int plain_request(struct shim_file *f, struct plain __user *user)
{
	struct plain p;
	struct nt_mdl *mdl = NULL;
	void *buffer;
	u64 length = 0;
	int err;

	if (copy_from_user(&p, user, sizeof(p)))
		return -EFAULT;
	if (p.in_size > SZ_1M || p.out_size > SZ_1M)
		return -EINVAL;
	buffer = kvzalloc(max3(p.in_size, p.out_size, 1u), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	err = copy_from_user(buffer, u64_to_user_ptr(p.in), p.in_size) ? -EFAULT : 0;
	if (!err && (METHOD(p.code) == 1 || METHOD(p.code) == 2)) {
		mdl = mdl_of_user(p.out, p.out_size, METHOD(p.code) == 2);
		err = mdl ? 0 : -EFAULT;
	}
	if (!err)
		err = file_control(f, p.code, buffer, p.in_size, p.out_size, mdl,
				   &p.status, &length);
	if (mdl)
		mdl_put_user(mdl);
	p.length = length;
	if (!err && !METHOD(p.code) && !NT_ERROR(p.status) &&
	    copy_to_user(u64_to_user_ptr(p.out), buffer, length))
		err = -EFAULT;
	kvfree(buffer);
	if (!err && copy_to_user(user, &p, sizeof(p)))
		err = -EFAULT;
	return err;
}

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd == PLAIN_REQUEST)
		return plain_request(file->private_data, (void __user *)arg);
	return file_request(file->private_data, cmd, (void __user *)arg);
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.unlocked_ioctl = node_ioctl,
	.mmap = node_mmap,
	.llseek = noop_llseek,
};

static struct miscdevice node_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.mode = 0600,
	.fops = &node_fops,
};

int device_init(void)
{
	node_device.name = node;
	return misc_register(&node_device);
}

void device_exit(void)
{
	misc_deregister(&node_device);
}
