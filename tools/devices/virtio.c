/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transport: registers of abi/guest.h towards the guest, struct device_ops
 * towards the device.
 *
 * A wrong argument of a call is that call's error; a broken rule of virtio puts
 * the device into DEVICE_NEEDS_RESET with a text, and the VM goes on.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "virtio.h"

/* A doorbell on the loop. Freed by the loop, which may be after its queue. */
struct queue_watch {
	uv_poll_t poll;
	struct queue *queue;
};

void device_lock(struct device *dev)
{
	pthread_mutex_lock(&dev->lock);
}

void device_unlock(struct device *dev)
{
	pthread_mutex_unlock(&dev->lock);
}

bool device_running(const struct device *dev)
{
	unsigned int status = atomic_load(&dev->status);

	return (status & STATUS_DRIVER_OK) && !(status & STATUS_NEEDS_RESET);
}

bool device_has(const struct device *dev, uint64_t feature)
{
	return dev->driver_features & feature;
}

const struct guest_memory *device_memory(const struct device *dev)
{
	return machine_memory(dev->machine);
}

uv_loop_t *device_loop(const struct device *dev)
{
	return machine_loop(dev->machine);
}

/* ---- towards the guest ------------------------------------------------------ */

static void set_why(struct device *dev, const char *format, va_list ap)
{
	pthread_mutex_lock(&dev->why_lock);
	vsnprintf(dev->why, sizeof(dev->why), format, ap);
	pthread_mutex_unlock(&dev->why_lock);
}

static int tell_guest(struct device *dev, uint32_t events, uint64_t value)
{
	const struct machine_driver *driver = machine_driver_of(dev->machine);

	return driver->raise(driver->context, events, value);
}

/* The first rule that was broken is the one to tell. */
void device_break(struct device *dev, const char *format, ...)
{
	unsigned int before = atomic_fetch_or(&dev->status, STATUS_NEEDS_RESET);
	va_list ap;

	if (before & STATUS_NEEDS_RESET)
		return;
	va_start(ap, format);
	set_why(dev, format, ap);
	va_end(ap);
	/* A driver that can't be told finds the status bit by itself. */
	if (before & STATUS_DRIVER_OK)
		(void)tell_guest(dev, CO_EVENT_CONFIG, dev->number);
}

void device_raise(struct device *dev, uint32_t events, uint64_t value)
{
	int rc = tell_guest(dev, events, value);

	if (rc)
		device_break(dev, "the host could not raise an event: %s",
			     strerror(-rc));
}

void device_config_changed(struct device *dev)
{
	atomic_fetch_add(&dev->generation, 1);
	if (device_running(dev))
		device_raise(dev, CO_EVENT_CONFIG, dev->number);
}

/* ---- life of a queue -------------------------------------------------------- */

/* Tells the driver which doorbell a notify rings; -1: none. */
static int connect_doorbell(struct queue *q, int fd)
{
	const struct machine_driver *driver =
		machine_driver_of(q->dev->machine);

	return driver->doorbell(driver->context, q->number, fd);
}

static void stop_device(struct device *dev)
{
	if (dev->ops->stop)
		dev->ops->stop(dev);
}

static void ring_ready_queues(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->queues; i++)
		if (dev->queue[i]->ready)
			queue_ring(dev->queue[i]);
}

/* What the guest put into the queues before DRIVER_OK has no one rung for. */
static void start_device(struct device *dev)
{
	if (!device_running(dev))
		return;
	if (dev->ops->start)
		dev->ops->start(dev);
	ring_ready_queues(dev);
}

/* The driver forgets a VM that has ended, doorbells and all: no error to tell. */
static void close_queue(struct queue *q)
{
	if (q->ready)
		(void)connect_doorbell(q, -1);
	queue_reset(q);
	queue_hush(q);
}

static uint64_t open_queue(struct queue *q)
{
	int rc;

	if (!(atomic_load(&q->dev->status) & STATUS_FEATURES_OK)) {
		device_break(q->dev, "queue %u: ready before FEATURES_OK",
			     q->index);
		return CO_ERROR_ARG;
	}
	if (!queue_start(q))
		return CO_ERROR_ARG;
	rc = connect_doorbell(q, q->doorbell);
	if (rc) {
		queue_reset(q);
		device_break(q->dev, "queue %u: the host refused its doorbell: %s",
			     q->index, strerror(-rc));
		return CO_ERROR_ARG;
	}
	start_device(q->dev);
	return 0;
}

void device_reset(struct device *dev)
{
	unsigned int i;

	device_lock(dev);
	stop_device(dev);
	for (i = 0; i < dev->queues; i++)
		close_queue(dev->queue[i]);
	dev->driver_features = 0;
	atomic_store(&dev->status, 0);
	if (dev->ops->reset)
		dev->ops->reset(dev);
	device_unlock(dev);
}

/* ---- registers -------------------------------------------------------------- */

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
		start_device(dev);
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
		return open_queue(a->q);
	stop_device(dev);
	close_queue(a->q);
	start_device(dev);
	return 0;
}

static uint64_t read_queue_number(struct device *dev, const struct access *a)
{
	(void)dev;
	return a->q->number;
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
	[CO_DEV_QUEUE_SIZE] = { INDEX_QUEUE, read_queue_size, write_queue_size },
	[CO_DEV_QUEUE_DESC] = { INDEX_QUEUE, NULL, write_queue_desc },
	[CO_DEV_QUEUE_AVAIL] = { INDEX_QUEUE, NULL, write_queue_avail },
	[CO_DEV_QUEUE_USED] = { INDEX_QUEUE, NULL, write_queue_used },
	[CO_DEV_QUEUE_READY] = { INDEX_QUEUE, read_queue_ready, write_queue_ready },
	[CO_DEV_QUEUE_NUMBER] = { INDEX_QUEUE, read_queue_number, NULL },
	[CO_DEV_NAME] = { INDEX_BYTE, read_name, NULL },
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
	uint64_t (*fn)(struct device *dev, const struct access *a);
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

/* ---- making and freeing ----------------------------------------------------- */

int device_add(struct machine *m, struct device *dev, const char *name,
	       struct error **err)
{
	if (!*name || strlen(name) >= sizeof(dev->name))
		return error_set(err, 0,
				 "device name '%s' must have 1 to %zu characters",
				 name, sizeof(dev->name) - 1);
	strcpy(dev->name, name);
	dev->machine = m;
	dev->features |= FEATURES_COMMON;
	pthread_mutex_init(&dev->lock, NULL);
	pthread_mutex_init(&dev->why_lock, NULL);
	if (!machine_enter(m, dev, err))
		return 0;
	pthread_mutex_destroy(&dev->why_lock);
	pthread_mutex_destroy(&dev->lock);
	return -1;
}

static void on_doorbell(uv_poll_t *poll, int status, int events)
{
	struct queue_watch *w = container_of(poll, struct queue_watch, poll);
	struct queue *q = w->queue;

	(void)events;
	if (status < 0) {
		device_break(q->dev, "queue %u: the host lost its doorbell: %s",
			     q->index, uv_strerror(status));
		return;
	}
	queue_hush(q);
	q->dev->ops->notify(q->dev, q);
}

static void free_watch(uv_handle_t *handle)
{
	free(container_of((uv_poll_t *)handle, struct queue_watch, poll));
}

static int watch_doorbell(struct queue *q, struct error **err)
{
	struct queue_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return error_set(err, ENOMEM, "cannot watch a doorbell");
	w->queue = q;
	rc = uv_poll_init(device_loop(q->dev), &w->poll, q->doorbell);
	if (rc) {
		free(w);
		return error_set(err, -rc, "cannot watch a doorbell");
	}
	q->watch = w;
	rc = uv_poll_start(&w->poll, UV_READABLE, on_doorbell);
	if (rc)
		return error_set(err, -rc, "cannot watch a doorbell");
	return 0;
}

static void free_queue(struct queue *q)
{
	if (q->watch)
		uv_close((uv_handle_t *)&q->watch->poll, free_watch);
	if (q->doorbell >= 0)
		close(q->doorbell);
	free(q);
}

static int init_queue(struct queue *q, struct device *dev, uint16_t size_max,
		      struct error **err)
{
	q->dev = dev;
	q->index = dev->queues;
	q->size_max = size_max;
	q->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->doorbell < 0)
		return error_set(err, errno, "cannot make a doorbell");
	if (machine_take_queue_number(dev->machine, &q->number, err))
		return -1;
	return dev->ops->notify ? watch_doorbell(q, err) : 0;
}

struct queue *device_add_queue(struct device *dev, uint16_t size_max,
			       struct error **err)
{
	struct queue *q;

	if (dev->queues == DEVICE_QUEUES_MAX) {
		error_set(err, 0, "%s: more than %d queues", dev->name,
			  DEVICE_QUEUES_MAX);
		return NULL;
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		error_set(err, ENOMEM, "%s: cannot make a queue", dev->name);
		return NULL;
	}
	if (init_queue(q, dev, size_max, err)) {
		error_wrap(err, "%s", dev->name);
		free_queue(q);
		return NULL;
	}
	device_lock(dev);
	dev->queue[dev->queues++] = q;
	device_unlock(dev);
	return q;
}

void device_free(struct device *dev)
{
	unsigned int i;

	device_reset(dev);
	for (i = 0; i < dev->queues; i++)
		free_queue(dev->queue[i]);
	pthread_mutex_destroy(&dev->why_lock);
	pthread_mutex_destroy(&dev->lock);
	dev->ops->free(dev);
}

void device_describe(struct device *dev,
		     void (*fn)(void *arg, const struct device_info *info),
		     void *arg)
{
	unsigned int status = atomic_load(&dev->status);
	bool broken = status & STATUS_NEEDS_RESET;
	char why[sizeof(dev->why)], detail[sizeof(dev->detail)];
	struct device_info info = {
		.number = dev->number,
		.name = dev->name,
		.type = dev->ops->type,
		.running = status & STATUS_DRIVER_OK,
		.needs_reset = broken,
		.why = broken ? why : NULL,
		.detail = detail,
	};

	pthread_mutex_lock(&dev->why_lock);
	memcpy(why, dev->why, sizeof(why));
	memcpy(detail, dev->detail, sizeof(detail));
	pthread_mutex_unlock(&dev->why_lock);
	fn(arg, &info);
}
