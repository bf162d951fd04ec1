// SPDX-License-Identifier: GPL-2.0
/*
 * virtio over hypercalls. Registers are read and written by call, which is slow
 * and rare; per request there is one call to ring a queue's doorbell, and a bit
 * in the event words on the way back.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>
#include "colinux.h"
#include "compat.h"

struct colinux_virtio {
	struct virtio_device vdev;
	u32 number;
	struct work_struct status_work;
};

/* By queue number and by device number: who is told of an event. */
static struct virtqueue __rcu *queues[CO_QUEUES_MAX];
static struct colinux_virtio __rcu *devices[CO_DEVICES_MAX];

static struct colinux_virtio *to_colinux(struct virtio_device *vdev)
{
	return container_of(vdev, struct colinux_virtio, vdev);
}

u64 colinux_device_read(u32 device, u32 reg, u32 index, u32 bytes)
{
	return colinux_call(CO_CALL_DEVICE_READ, device, reg, index, bytes);
}

u64 colinux_device_write(u32 device, u32 reg, u32 index, u32 bytes, u64 value)
{
	return colinux_call(CO_CALL_DEVICE_WRITE, device, reg,
			    index | (u64)bytes << 32, value);
}

void colinux_device_name(u32 device, char name[COLINUX_NAME_MAX])
{
	unsigned int i;
	u64 part;

	for (i = 0; i < COLINUX_NAME_MAX; i += sizeof(part)) {
		part = colinux_device_read(device, CO_DEV_NAME, i, sizeof(part));
		if (colinux_failed(part))
			part = 0;
		memcpy(name + i, &part, sizeof(part));
		if (!name[i + sizeof(part) - 1])
			break;
	}
	name[COLINUX_NAME_MAX - 1] = 0;
}

static u64 reg_read(struct virtio_device *vdev, u32 reg, u32 index)
{
	u64 value = colinux_device_read(to_colinux(vdev)->number, reg, index, 8);

	if (!colinux_failed(value))
		return value;
	dev_err(&vdev->dev, "register %u, index %u can't be read: error %#llx\n",
		reg, index, value & 0xfff);
	return 0;
}

static void reg_write(struct virtio_device *vdev, u32 reg, u32 index, u64 value)
{
	u64 result = colinux_device_write(to_colinux(vdev)->number, reg, index, 8, value);

	if (colinux_failed(result))
		dev_err(&vdev->dev, "register %u, index %u can't be written: error %#llx\n",
			reg, index, result & 0xfff);
}

/* Hard interrupt context. */
void colinux_queue_event(unsigned int queue)
{
	struct virtqueue *vq;

	rcu_read_lock();
	vq = rcu_dereference(queues[queue]);
	if (vq)
		vring_interrupt(0, vq);
	rcu_read_unlock();
}

/* Hard interrupt context. */
void colinux_config_event(unsigned int device)
{
	struct colinux_virtio *co;

	rcu_read_lock();
	co = rcu_dereference(devices[device]);
	if (co) {
		virtio_config_changed(&co->vdev);
		schedule_work(&co->status_work);
	}
	rcu_read_unlock();
}

/* A device that has given up serves no queue any more: its users get errors
 * instead of waiting for ever (virtio 1.2, 2.1.1). */
static void check_status(struct work_struct *work)
{
	struct colinux_virtio *co = container_of(work, struct colinux_virtio, status_work);

	if (!(reg_read(&co->vdev, CO_DEV_STATUS, 0) & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	dev_err(&co->vdev.dev, "the device has given up: see the host's log\n");
	virtio_break_device(&co->vdev);
}

static void config_failed(struct virtio_device *vdev, const char *what,
			  unsigned int offset, u64 result)
{
	dev_err(&vdev->dev, "config space: offset %u can't be %s: error %#llx\n",
		offset, what, result & 0xfff);
}

/* A field of 1, 2, 4 or 8 bytes is one access, anything else goes by bytes. */
static u32 access_size(unsigned int len)
{
	return is_power_of_2(len) && len <= 8 ? len : 1;
}

static void co_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		   unsigned int len)
{
	u32 bytes = access_size(len);
	unsigned int i;
	u64 value;

	for (i = 0; i < len; i += bytes) {
		value = colinux_device_read(to_colinux(vdev)->number, CO_DEV_CONFIG,
					    offset + i, bytes);
		if (colinux_failed(value)) {
			config_failed(vdev, "read", offset + i, value);
			value = 0;
		}
		memcpy(buf + i, &value, bytes);
	}
}

static void co_set(struct virtio_device *vdev, unsigned int offset, const void *buf,
		   unsigned int len)
{
	u32 bytes = access_size(len);
	u64 value, result;
	unsigned int i;

	for (i = 0; i < len; i += bytes) {
		value = 0;
		memcpy(&value, buf + i, bytes);
		result = colinux_device_write(to_colinux(vdev)->number, CO_DEV_CONFIG,
					      offset + i, bytes, value);
		if (colinux_failed(result))
			config_failed(vdev, "written", offset + i, result);
	}
}

static u32 co_generation(struct virtio_device *vdev)
{
	return reg_read(vdev, CO_DEV_GENERATION, 0);
}

static u8 co_get_status(struct virtio_device *vdev)
{
	return reg_read(vdev, CO_DEV_STATUS, 0);
}

static void co_set_status(struct virtio_device *vdev, u8 status)
{
	reg_write(vdev, CO_DEV_STATUS, 0, status);
}

static void co_synchronize_cbs(struct virtio_device *vdev)
{
	synchronize_rcu();
}

/* The device has let go of its queues when the write returns. */
static void co_reset(struct virtio_device *vdev)
{
	reg_write(vdev, CO_DEV_STATUS, 0, 0);
	co_synchronize_cbs(vdev);
}

static u64 co_get_features(struct virtio_device *vdev)
{
	return reg_read(vdev, CO_DEV_FEATURES, 0);
}

static int co_finalize_features(struct virtio_device *vdev)
{
	vring_transport_features(vdev);
	if (!__virtio_test_bit(vdev, VIRTIO_F_VERSION_1)) {
		dev_err(&vdev->dev, "the device doesn't offer virtio 1.0\n");
		return -EINVAL;
	}
	reg_write(vdev, CO_DEV_DRIVER_FEATURES, 0, vdev->features);
	return 0;
}

static const char *co_bus_name(struct virtio_device *vdev)
{
	return dev_name(vdev->dev.parent);
}

/* vq->priv is the queue's number in the VM. */
static bool co_notify(struct virtqueue *vq)
{
	return !colinux_failed(colinux_call(CO_CALL_NOTIFY, (uintptr_t)vq->priv, 0, 0, 0));
}

static void co_del_vq(struct virtqueue *vq)
{
	reg_write(vq->vdev, CO_DEV_QUEUE_READY, vq->index, 0);
	RCU_INIT_POINTER(queues[(uintptr_t)vq->priv], NULL);
	synchronize_rcu();
	vring_del_virtqueue(vq);
}

static void co_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		co_del_vq(vq);
}

static void co_start_vq(struct virtqueue *vq, u64 number)
{
	struct virtio_device *vdev = vq->vdev;

	vq->priv = (void *)(uintptr_t)number;
	reg_write(vdev, CO_DEV_QUEUE_SIZE, vq->index, virtqueue_get_vring_size(vq));
	reg_write(vdev, CO_DEV_QUEUE_DESC, vq->index, virtqueue_get_desc_addr(vq));
	reg_write(vdev, CO_DEV_QUEUE_AVAIL, vq->index, virtqueue_get_avail_addr(vq));
	reg_write(vdev, CO_DEV_QUEUE_USED, vq->index, virtqueue_get_used_addr(vq));
	rcu_assign_pointer(queues[number], vq);
	reg_write(vdev, CO_DEV_QUEUE_READY, vq->index, 1);
}

static struct virtqueue *co_setup_vq(struct virtio_device *vdev, unsigned int index,
				     vq_callback_t *callback, const char *name, bool ctx)
{
	u64 size, number;
	struct virtqueue *vq;

	if (index >= reg_read(vdev, CO_DEV_QUEUES, 0))
		return ERR_PTR(-ENOENT);
	size = reg_read(vdev, CO_DEV_QUEUE_SIZE, index);
	number = reg_read(vdev, CO_DEV_QUEUE_NUMBER, index);
	if (!size || size > 32768 || number >= CO_QUEUES_MAX)
		return ERR_PTR(-ENOENT);
	if (rcu_access_pointer(queues[number]))
		return ERR_PTR(-EBUSY);
	vq = vring_create_virtqueue(index, size, SMP_CACHE_BYTES, vdev, true, true, ctx,
				    co_notify, callback, name);
	if (!vq)
		return ERR_PTR(-ENOMEM);
	co_start_vq(vq, number);
	return vq;
}

int colinux_find_vqs(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		     struct virtqueue_info infos[], struct irq_affinity *desc)
{
	unsigned int i, index = 0;

	for (i = 0; i < nvqs; i++) {
		if (!infos[i].name) {
			vqs[i] = NULL;
			continue;
		}
		vqs[i] = co_setup_vq(vdev, index++, infos[i].callback, infos[i].name,
				     infos[i].ctx);
		if (IS_ERR(vqs[i])) {
			dev_err(&vdev->dev, "queue %u (%s): error %ld\n", index - 1,
				infos[i].name, PTR_ERR(vqs[i]));
			co_del_vqs(vdev);
			return PTR_ERR(vqs[i]);
		}
	}
	return 0;
}

/* An event comes to one vCPU: the first of those that the driver names. NULL: to any. */
static int co_set_vq_affinity(struct virtqueue *vq, const struct cpumask *mask)
{
	unsigned int cpu = mask ? cpumask_first_and(mask, cpu_online_mask) : 0;

	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	reg_write(vq->vdev, CO_DEV_QUEUE_VCPU, vq->index, cpu);
	return 0;
}

static const struct virtio_config_ops co_config_ops = {
	.get = co_get,
	.set = co_set,
	.generation = co_generation,
	.get_status = co_get_status,
	.set_status = co_set_status,
	.reset = co_reset,
	.find_vqs = CO_FIND_VQS,
	.del_vqs = co_del_vqs,
	.set_vq_affinity = co_set_vq_affinity,
	.synchronize_cbs = co_synchronize_cbs,
	.get_features = co_get_features,
	.finalize_features = co_finalize_features,
	.bus_name = co_bus_name,
};

/* What the user called the device: a udev rule makes /dev/cobd0 of it. */
static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *text)
{
	char name[COLINUX_NAME_MAX];

	colinux_device_name(to_platform_device(dev)->id, name);
	return sysfs_emit(text, "%s\n", name);
}
static DEVICE_ATTR_RO(name);

static struct attribute *co_attrs[] = { &dev_attr_name.attr, NULL };
ATTRIBUTE_GROUPS(co);

static void co_release(struct device *dev)
{
	kfree(to_colinux(dev_to_virtio(dev)));
}

static int co_probe(struct platform_device *pdev)
{
	struct colinux_virtio *co = kzalloc(sizeof(*co), GFP_KERNEL);
	int error;

	if (!co)
		return -ENOMEM;
	co->number = pdev->id;
	INIT_WORK(&co->status_work, check_status);
	co->vdev.id.device = colinux_device_read(co->number, CO_DEV_ID, 0, 8);
	co->vdev.id.vendor = VIRTIO_DEV_ANY_ID;
	co->vdev.config = &co_config_ops;
	co->vdev.dev.parent = &pdev->dev;
	co->vdev.dev.release = co_release;
	platform_set_drvdata(pdev, co);
	rcu_assign_pointer(devices[co->number], co);
	error = register_virtio_device(&co->vdev);
	if (error) {
		RCU_INIT_POINTER(devices[co->number], NULL);
		synchronize_rcu();
		cancel_work_sync(&co->status_work);
		put_device(&co->vdev.dev);
	}
	return error;
}

static void co_remove(struct platform_device *pdev)
{
	struct colinux_virtio *co = platform_get_drvdata(pdev);

	RCU_INIT_POINTER(devices[co->number], NULL);
	synchronize_rcu();
	cancel_work_sync(&co->status_work);
	unregister_virtio_device(&co->vdev);
}

static struct platform_driver co_driver = {
	.probe = co_probe,
	.remove_new = co_remove,
	.driver = {
		.name = "colinux-virtio",
		.dev_groups = co_groups,
	},
};

/* In the order of their numbers, so that disks get their letters in it. */
static int __init colinux_init_devices(void)
{
	u32 count = min_t(u32, colinux_boot.devices, CO_DEVICES_MAX);
	struct platform_device *pdev;
	u32 device;
	u64 id;

	for (device = 0; device < count; device++) {
		id = colinux_device_read(device, CO_DEV_ID, 0, 8);
		if (!id || colinux_failed(id))
			continue;
		pdev = platform_device_register_simple("colinux-virtio", device, NULL, 0);
		if (IS_ERR(pdev))
			pr_err("colinux: device %u: error %ld\n", device, PTR_ERR(pdev));
	}
	return 0;
}

static int __init colinux_init_virtio(void)
{
	int error;

	if (!colinux_guest())
		return 0;
	error = platform_driver_register(&co_driver);
	return error ?: colinux_init_devices();
}
device_initcall(colinux_init_virtio);
