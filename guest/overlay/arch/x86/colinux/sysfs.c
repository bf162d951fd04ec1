// SPDX-License-Identifier: GPL-2.0
/* /sys/hypervisor: tells programs what they run on. */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "colinux.h"

static ssize_t type_show(struct kobject *kobj, struct kobj_attribute *attr, char *text)
{
	return sysfs_emit(text, "colinux\n");
}
static struct kobj_attribute type_attr = __ATTR_RO(type);

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *text)
{
	return sysfs_emit(text, "%d\n", CO_GUEST_ABI_VERSION);
}
static struct kobj_attribute abi_attr = __ATTR_RO(abi);

static ssize_t name_show(struct kobject *kobj, struct kobj_attribute *attr, char *text)
{
	return sysfs_emit(text, "%.64s\n", colinux_boot.name);
}
static struct kobj_attribute name_attr = __ATTR_RO(name);

static const struct attribute *attrs[] = {
	&type_attr.attr, &abi_attr.attr, &name_attr.attr, NULL,
};

static int __init colinux_init_sysfs(void)
{
	return colinux_guest() ? sysfs_create_files(hypervisor_kobj, attrs) : 0;
}
device_initcall(colinux_init_sysfs);
