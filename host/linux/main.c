// SPDX-License-Identifier: GPL-2.0
/*
 * The device: /dev/colinux, one open file = one control handle. Requests are
 * marshalled here and decided in core/request.c.
 *
 * Who may open it: what is loaded through it runs in ring 0, so exactly those who
 * may load kernel modules (CAP_SYS_MODULE in the initial namespace), whatever
 * the node's mode says.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/uaccess.h>
#include "port.h"

/* The largest request structure, in words for its alignment. */
#define REQUEST_WORDS_MAX (sizeof(struct co_req_vcpu_run) / sizeof(u64))

LIST_HEAD(colinux_files);
DEFINE_SPINLOCK(colinux_files_lock);

static int colinux_open(struct inode *inode, struct file *file)
{
	struct linux_file *lf;

	if (!capable(CAP_SYS_MODULE))
		return -EPERM;
	lf = kzalloc(sizeof(*lf), GFP_KERNEL_ACCOUNT);
	if (!lf)
		return -ENOMEM;
	co_file_init(&lf->core);
	lf->mapping = file->f_mapping;
	init_rwsem(&lf->faults);
	file->private_data = &lf->core;
	spin_lock_irq(&colinux_files_lock);
	list_add(&lf->list, &colinux_files);
	spin_unlock_irq(&colinux_files_lock);
	return 0;
}

/* The last reference, mappings and requests in flight included, is gone. */
static int colinux_release(struct inode *inode, struct file *file)
{
	struct linux_file *lf = to_linux(file->private_data);

	spin_lock_irq(&colinux_files_lock);
	list_del(&lf->list);
	spin_unlock_irq(&colinux_files_lock);
	co_file_release(&lf->core);
	kfree(lf);
	return 0;
}

static long colinux_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	void __user *user = (void __user *)arg;
	size_t size = _IOC_SIZE(cmd);
	u64 buf[REQUEST_WORDS_MAX];
	int err;

	if (_IOC_TYPE(cmd) != CO_IOC_MAGIC ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	if (!size || size > sizeof(buf) ||
	    size != co_request_size(_IOC_NR(cmd)))
		return -EINVAL;
	if (copy_from_user(buf, user, size))
		return -EFAULT;
	err = co_request(file->private_data, _IOC_NR(cmd), buf, size,
			 task_tgid_nr(current));
	/* A refusal may carry its reason in the structure (VM_LOAD). */
	if (copy_to_user(user, buf, size))
		return -EFAULT;
	return err;
}

static const struct file_operations colinux_fops = {
	.owner = THIS_MODULE,
	.open = colinux_open,
	.release = colinux_release,
	.unlocked_ioctl = colinux_ioctl,
	.mmap = colinux_mmap,
	.llseek = noop_llseek,
};

static struct miscdevice colinux_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "colinux",
	.mode = 0600,
	.fops = &colinux_fops,
};

static int __init colinux_init(void)
{
	int err = colinux_cpu_init();

	if (err)
		return err;
	err = colinux_life_init();
	if (err)
		goto cpu_exit;
	err = colinux_clock_init();
	if (err)
		goto life_exit;
	err = colinux_pressure_init();
	if (err)
		goto clock_exit;
	err = misc_register(&colinux_device);
	if (err)
		goto pressure_exit;
	return 0;

pressure_exit:
	colinux_pressure_exit();
clock_exit:
	colinux_clock_exit();
life_exit:
	colinux_life_exit();
cpu_exit:
	colinux_cpu_exit();
	return err;
}

static void __exit colinux_exit(void)
{
	misc_deregister(&colinux_device);
	colinux_pressure_exit();
	colinux_clock_exit();
	colinux_life_exit();
	colinux_cpu_exit();
}

module_init(colinux_init);
module_exit(colinux_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Cooperative Linux: a second kernel beside this one");
MODULE_VERSION(CO_VERSION);
