// SPDX-License-Identifier: GPL-2.0
/*
 * Loading: insmod loads the driver, runs its DriverEntry and makes the nodes; rmmod
 * unloads it and says what it has left. /dev/ntshim is the test's: commands are
 * written to it, and what has happened is read.
 */
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/miscdevice.h>
#include <linux/moduleparam.h>
#include <linux/uaccess.h>
#include "shim.h"

static char *driver = "/lib/colinux.sys";
module_param(driver, charp, 0444);
MODULE_PARM_DESC(driver, "the driver's file");

unsigned int nt_version = NT_10;
module_param_named(nt, nt_version, uint, 0444);
MODULE_PARM_DESC(nt, "the Windows that is played: major * 0x100 + minor");

static char *fail;
module_param(fail, charp, 0444);
MODULE_PARM_DESC(fail, "which allocations fail from the start: nth,N or random,SEED,ONE_IN");

/* ---- Linux' own ---------------------------------------------------------------------- */

void *linux_function(const char *name)
{
	static unsigned long (*lookup)(const char *name);
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };

	if (!lookup) {
		if (register_kprobe(&probe))
			return NULL;
		lookup = (void *)probe.addr;
		unregister_kprobe(&probe);
	}
	return (void *)lookup(name);
}

u64 call_driver(const char *what, void *fn, const void *a, const void *b,
		const void *c, const void *d)
{
	unsigned long site = (unsigned long)fn;
	int preempt = preempt_count();
	bool off = irqs_disabled();
	u8 level = irql_now();
	u64 result = nt_call(fn, a, b, c, d);

	if (irql_now() != level) {
		complain(site, "%s ends at IRQL %u instead of %u", what,
			 irql_now(), level);
		irql_lower(level);
	}
	if (irqs_disabled() != off)
		complain(site, "%s ends with interrupts %s", what,
			 off ? "on" : "off");
	if (preempt_count() != preempt)
		complain(site, "%s ends with preemption count %x instead of %x",
			 what, preempt_count(), preempt);
	return result;
}

/* ---- the test's node -------------------------------------------------------------------- */

static ssize_t control_write(struct file *file, const char __user *user,
			     size_t size, loff_t *at)
{
	char text[64];
	int err;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, size))
		return -EFAULT;
	text[size] = 0;
	if (!strncmp(text, "fail ", 5))
		err = fail_command(text + 5);
	else
		err = callback_command(text);
	return err ? err : size;
}

static ssize_t control_read(struct file *file, char __user *user, size_t size,
			    loff_t *at)
{
	char text[256];
	int n = track_status(text, sizeof(text));

	n += callback_status(text + n, sizeof(text) - n);
	return simple_read_from_buffer(user, size, at, text, n);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.read = control_read,
	.write = control_write,
	.llseek = default_llseek,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ntshim",
	.mode = 0600,
	.fops = &control_fops,
};

/* ---- loading ------------------------------------------------------------------------------ */

static u16 registry_text[] = u"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\colinux";

/* What Windows answers where the driver has no function. */
static NT ntstatus no_function(struct nt_device *device, struct nt_irp *irp)
{
	irp->status = NT_INVALID_REQUEST;
	request_complete(container_of(irp, struct request, irp), 0);
	return NT_INVALID_REQUEST;
}

static ntstatus driver_entry(void *entry)
{
	struct nt_string registry = { sizeof(registry_text) - 2,
				      sizeof(registry_text), registry_text };
	int i;

	nt_driver.type = 4;
	nt_driver.size = sizeof(nt_driver);
	nt_driver.start = pe_base();
	nt_driver.image_size = pe_size();
	nt_driver.init = entry;
	for (i = 0; i < ARRAY_SIZE(nt_driver.major); i++)
		nt_driver.major[i] = no_function;
	return call_driver("DriverEntry", entry, &nt_driver, &registry, NULL, NULL);
}

/* Nothing of the driver's runs any more. */
static void clean_up(void)
{
	thread_exit();
	timer_exit();
	dpc_exit();
	object_exit();
	irp_exit();
	callback_exit();
	track_report();
	pe_unload();
}

static int start(void)
{
	void *entry = pe_load(driver);
	ntstatus status;

	if (IS_ERR(entry)) {
		pr_err("ntshim: %s can't be loaded: %ld\n", driver, PTR_ERR(entry));
		return PTR_ERR(entry);
	}
	dpc_init();
	timer_init();
	thread_init();
	irp_init();
	callback_init();
	status = driver_entry(entry);
	pr_info("ntshim: DriverEntry returns %08x\n", status);
	if (!NT_ERROR(status) && !nt_device)
		complain((unsigned long)entry, "DriverEntry makes no device");
	if (!NT_ERROR(status) && nt_device && !pe_discard() && !device_init())
		return 0;
	if (!NT_ERROR(status) && nt_driver.unload)
		call_driver("DriverUnload", nt_driver.unload, &nt_driver, NULL, NULL, NULL);
	clean_up();
	return -ENODEV;
}

static int __init ntshim_init(void)
{
	int err = fail ? fail_command(fail) : 0;

	if (err)
		return err;
	err = start();
	if (err)
		return err;
	err = misc_register(&control);
	if (err)
		pr_err("ntshim: no /dev/ntshim: %d\n", err);
	return 0;
}

/* Windows unloads a driver when the last file is closed; so does Linux. */
static void __exit ntshim_exit(void)
{
	misc_deregister(&control);
	device_exit();
	if (nt_driver.unload)
		call_driver("DriverUnload", nt_driver.unload, &nt_driver, NULL, NULL, NULL);
	else
		complain(0, "the driver has no DriverUnload");
	clean_up();
}

module_init(ntshim_init);
module_exit(ntshim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Loads colinux.sys, for tests");
