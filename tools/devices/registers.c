/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transport's registers (abi/guest.h, "devices"): one function per register
 * and direction, one table.
 *
 * A wrong argument of a call is that call's error; a broken rule of virtio puts
 * the device into DEVICE_NEEDS_RESET with a text, and the VM goes on.
 */
#include <string.h>

#include "virtio.h"

/* One access; the device's lock is held. */
struct access {
	uint32_t index, bytes;
	uint64_t value;
	struct queue *q; /* for registers of a queue */
};

static uint64_t read_id(struct device *dev, const struct access *a)
{
	(void)a;
	return dev->ops->id;
}

static uint64_t read_features(struct device *dev, const struct access *a)
{
	(void)a;
	return dev->features;
}

static uint64_t write_features(struct device *dev, const struct access *a)
{
	if (atomic_load(&dev->status) & STATUS_FEATURES_OK)
		return CO_ERROR_ARG;
	dev->driver_features = a->value;
	return 0;
}

static uint64_t read_status(struct device *dev, const struct access *a)
{
	(void)a;
	return atomic_load(&dev->status);
}

static bool features_acceptable(const struct device *dev)
{
	return !(dev->driver_features & ~dev->features) &&
	       device_has(dev, FEATURE_VERSION_1);
}

/* The guest sets more bits. A FEATURES_OK that isn't taken just stays off. */
static uint64_t advance_status(struct device *dev, unsigned int old,
			       unsigned int wish)
{
	unsigned int added = wish & ~old & ~STATUS_NEEDS_RESET;

	if (old & ~wish & ~STATUS_NEEDS_RESET) {
		device_break(dev, "status bits 0x%x were cleared",
			     old & ~wish & ~STATUS_NEEDS_RESET);
		return CO_ERROR_ARG;
	}
	if ((added & STATUS_FEATURES_OK) && !features_acceptable(dev))
		added &= ~STATUS_FEATURES_OK;
	if ((added & STATUS_DRIVER_OK) &&
	    !((old | added) & STATUS_FEATURES_OK)) {
		device_break(dev, "DRIVER_OK without FEATURES_OK");
		return CO_ERROR_ARG;
	}
	atomic_fetch_or(&dev->status, added);
	if (added & STATUS_DRIVER_OK)
		device_start(dev);
	return 0;
}

static uint64_t write_status(struct device *dev, const struct access *a)
{
	if (a->value > 0xff)
		return CO_ERROR_ARG;
	return advance_status(dev, atomic_load(&dev->status),
			      (unsigned int)a->value);
}

static uint64_t read_generation(struct device *dev, const struct access *a)
{
	(void)a;
	return atomic_load(&dev->generation);
}

static uint64_t read_queues(struct device *dev, const struct access *a)
{
	(void)a;
	return dev->queues;
}

static uint64_t read_config(struct device *dev, const struct access *a)
{
	uint64_t value = 0;

	if (a->index > dev->config_size ||
	    a->bytes > dev->config_size - a->index)
		return CO_ERROR_ARG;
	memcpy(&value, (char *)dev->config + a->index, a->bytes);
	return value;
}

static uint64_t write_config(struct device *dev, const struct access *a)
{
	if (!dev->ops->config_write ||
	    !dev->ops->config_write(dev, a->index, a->value, a->bytes))
		return CO_ERROR_ARG;
	return 0;
}

static uint64_t read_name(struct device *dev, const struct access *a)
{
	char text[8] = { 0 };
	size_t length = strlen(dev->name);
	uint64_t value;

	if (a->index < length)
		memcpy(text, dev->name + a->index,
		       length - a->index < 8 ? length - a->index : 8);
	memcpy(&value, text, sizeof(value));
	return value;
}

static uint64_t read_queue_size(struct device *dev, const struct access *a)
{
	(void)dev;
	return a->q->size_max;
}

static uint64_t write_queue_size(struct device *dev, const struct access *a)
{
	uint64_t n = a->value;

	(void)dev;
	if (a->q->ready || !n || n > a->q->size_max || (n & (n - 1)))
		return CO_ERROR_ARG;
	a->q->size = (uint16_t)n;
	return 0;
}

static uint64_t set_area(const struct access *a, uint64_t *address)
{
	if (a->q->ready)
		return CO_ERROR_ARG;
	*address = a->value;
	return 0;
}

static uint64_t write_queue_desc(struct device *dev, const struct access *a)
{
	(void)dev;
	return set_area(a, &a->q->desc_address);
}

static uint64_t write_queue_avail(struct device *dev, const struct access *a)
{
	(void)dev;
	return set_area(a, &a->q->avail_address);
}

static uint64_t write_queue_used(struct device *dev, const struct access *a)
{
	(void)dev;
	return set_area(a, &a->q->used_address);
}

static uint64_t read_queue_ready(struct device *dev, const struct access *a)
{
	(void)dev;
	return a->q->ready;
}

static uint64_t write_queue_ready(struct device *dev, const struct access *a)
{
	if (a->value > 1)
		return CO_ERROR_ARG;
	if (a->value == a->q->ready)
		return 0;
	if (a->value)
		return device_open_queue(a->q) ? 0 : CO_ERROR_ARG;
	device_stop(dev);
	device_close_queue(a->q);
	device_start(dev);
	return 0;
}

static uint64_t read_queue_number(struct device *dev, const struct access *a)
{
	(void)dev;
	return a->q->number;
}

/* While it's at work, too: who serves it looks each time. */
static uint64_t write_queue_vcpu(struct device *dev, const struct access *a)
{
	if (a->value >= machine_driver_of(dev->machine)->vcpus)
		return CO_ERROR_ARG;
	atomic_store(&a->q->vcpu, (unsigned int)a->value);
	return 0;
}

/* What `index` stands for. */
enum index_kind { INDEX_NONE, INDEX_BYTE, INDEX_QUEUE };

struct device_register {
	enum index_kind index;
	uint64_t (*read)(struct device *dev, const struct access *a);
	uint64_t (*write)(struct device *dev, const struct access *a);
};

static const struct device_register registers[CO_DEV_REGISTERS] = {
	[CO_DEV_ID] = { INDEX_NONE, read_id, NULL },
	[CO_DEV_FEATURES] = { INDEX_NONE, read_features, NULL },
	[CO_DEV_DRIVER_FEATURES] = { INDEX_NONE, NULL, write_features },
	[CO_DEV_STATUS] = { INDEX_NONE, read_status, write_status },
	[CO_DEV_GENERATION] = { INDEX_NONE, read_generation, NULL },
	[CO_DEV_QUEUES] = { INDEX_NONE, read_queues, NULL },
	[CO_DEV_CONFIG] = { INDEX_BYTE, read_config, write_config },
	[CO_DEV_QUEUE_SIZE] = { INDEX_QUEUE, read_queue_size,
				write_queue_size },
	[CO_DEV_QUEUE_DESC] = { INDEX_QUEUE, NULL, write_queue_desc },
	[CO_DEV_QUEUE_AVAIL] = { INDEX_QUEUE, NULL, write_queue_avail },
	[CO_DEV_QUEUE_USED] = { INDEX_QUEUE, NULL, write_queue_used },
	[CO_DEV_QUEUE_READY] = { INDEX_QUEUE, read_queue_ready,
				 write_queue_ready },
	[CO_DEV_QUEUE_NUMBER] = { INDEX_QUEUE, read_queue_number, NULL },
	[CO_DEV_NAME] = { INDEX_BYTE, read_name, NULL },
	[CO_DEV_QUEUE_VCPU] = { INDEX_QUEUE, NULL, write_queue_vcpu },
};

static bool bytes_allowed(uint64_t reg, uint32_t bytes)
{
	if (reg == CO_DEV_CONFIG)
		return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
	return bytes == 8;
}

/* Takes the call's arguments apart; false: out of range. */
static bool decode(struct device *dev, bool write, const uint64_t arg[4],
		   struct access *a)
{
	uint64_t index = write ? arg[2] & 0xffffffff : arg[2];
	uint64_t bytes = write ? arg[2] >> 32 : arg[3];

	if (index > UINT32_MAX || bytes > 8 ||
	    !bytes_allowed(arg[1], (uint32_t)bytes))
		return false;
	a->index = (uint32_t)index;
	a->bytes = (uint32_t)bytes;
	a->value = write ? arg[3] : 0;
	a->q = NULL;
	switch (registers[arg[1]].index) {
	case INDEX_NONE:
		return !index;
	case INDEX_QUEUE:
		if (index >= dev->queues)
			return false;
		a->q = dev->queue[index];
		return true;
	case INDEX_BYTE:
		break;
	}
	return true;
}

uint64_t device_access(struct device *dev, bool write, const uint64_t arg[4])
{
	const struct device_register *r;
	uint64_t (*fn)(struct device * dev, const struct access *a);
	uint64_t answer = CO_ERROR_ARG;
	struct access a;

	if (arg[1] >= CO_DEV_REGISTERS)
		return CO_ERROR_DEVICE;
	r = &registers[arg[1]];
	fn = write ? r->write : r->read;
	if (!fn)
		return CO_ERROR_DEVICE;
	if (write && arg[1] == CO_DEV_STATUS && !arg[3] &&
	    decode(dev, write, arg, &a)) {
		device_reset(dev);
		return 0;
	}
	device_lock(dev);
	if (decode(dev, write, arg, &a))
		answer = fn(dev, &a);
	device_unlock(dev);
	return answer;
}
