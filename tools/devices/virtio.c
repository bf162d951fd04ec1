/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a device: made, started, stopped, broken, reset, freed; and its
 * queues with their doorbells. What the guest asks for comes from registers.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/bell.h"
#include "virtio.h"

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

void device_count(struct device *dev, uint64_t read, uint64_t written)
{
	atomic_fetch_add_explicit(&dev->requests, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&dev->read, read, memory_order_relaxed);
	atomic_fetch_add_explicit(&dev->written, written, memory_order_relaxed);
}

/* ---- towards the guest ------------------------------------------------------ */

static void set_why(struct device *dev, const char *format, va_list ap)
{
	pthread_mutex_lock(&dev->why_lock);
	vsnprintf(dev->why, sizeof(dev->why), format, ap);
	pthread_mutex_unlock(&dev->why_lock);
}

static int tell_guest(struct device *dev, uint32_t vcpu, uint32_t events,
		      uint64_t value)
{
	const struct machine_driver *driver = machine_driver_of(dev->machine);

	return driver->raise(driver->context, vcpu, events, value);
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
		(void)tell_guest(dev, 0, CO_EVENT_CONFIG, dev->number);
}

static void raise_or_break(struct device *dev, uint32_t vcpu, uint32_t events,
			   uint64_t value)
{
	int rc = tell_guest(dev, vcpu, events, value);

	if (rc)
		device_break(dev, "the host could not raise an event: %s",
			     strerror(-rc));
}

void device_raise_queue(struct queue *q)
{
	raise_or_break(q->dev, atomic_load(&q->vcpu), CO_EVENT_QUEUE, q->number);
}

void device_config_changed(struct device *dev)
{
	atomic_fetch_add(&dev->generation, 1);
	if (device_running(dev))
		raise_or_break(dev, 0, CO_EVENT_CONFIG, dev->number);
}

/* ---- life of a queue -------------------------------------------------------- */

/* Tells the driver which doorbell a notify rings; -1: none. */
static int connect_doorbell(struct queue *q, int fd)
{
	const struct machine_driver *driver =
		machine_driver_of(q->dev->machine);

	return driver->doorbell(driver->context, q->number, fd);
}

int device_redirect_doorbell(struct queue *q, int fd)
{
	return connect_doorbell(q, fd < 0 ? q->doorbell : fd);
}

void device_stop(struct device *dev)
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
void device_start(struct device *dev)
{
	if (!device_running(dev))
		return;
	if (dev->ops->start)
		dev->ops->start(dev);
	ring_ready_queues(dev);
}

/* The driver forgets a VM that has ended, doorbells and all: no error to tell. */
void device_close_queue(struct queue *q)
{
	if (q->ready)
		(void)connect_doorbell(q, -1);
	queue_reset(q);
	queue_hush(q);
}

bool device_open_queue(struct queue *q)
{
	int rc;

	if (!(atomic_load(&q->dev->status) & STATUS_FEATURES_OK)) {
		device_break(q->dev, "queue %u: ready before FEATURES_OK",
			     q->index);
		return false;
	}
	if (!queue_start(q))
		return false;
	rc = connect_doorbell(q, q->doorbell);
	if (rc) {
		queue_reset(q);
		device_break(q->dev,
			     "queue %u: the host refused its doorbell: %s",
			     q->index, strerror(-rc));
		return false;
	}
	device_start(q->dev);
	return true;
}

void device_reset(struct device *dev)
{
	unsigned int i;

	device_lock(dev);
	device_stop(dev);
	for (i = 0; i < dev->queues; i++)
		device_close_queue(dev->queue[i]);
	dev->driver_features = 0;
	atomic_store(&dev->status, 0);
	if (dev->ops->reset)
		dev->ops->reset(dev);
	device_unlock(dev);
}

/* ---- making and freeing ----------------------------------------------------- */

int device_add(struct machine *m, struct device *dev, const char *name,
	       struct error **err)
{
	if (!*name || strlen(name) >= sizeof(dev->name))
		return error_set(
			err, 0,
			"device name '%s' must have 1 to %zu characters", name,
			sizeof(dev->name) - 1);
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

static void on_doorbell(void *arg, int status)
{
	struct queue *q = arg;

	if (status < 0) {
		device_break(q->dev, "queue %u: the host lost its doorbell: %s",
			     q->index, uv_strerror(status));
		return;
	}
	queue_hush(q);
	q->dev->ops->notify(q->dev, q);
}

static int watch_doorbell(struct queue *q, struct error **err)
{
	q->watch = bell_watch(device_loop(q->dev), q->doorbell, on_doorbell, q);
	return q->watch ? 0 : error_set(err, errno, "cannot watch a doorbell");
}

static void free_queue(struct queue *q)
{
	bell_unwatch(q->watch);
	if (q->doorbell >= 0)
		bell_close(q->doorbell);
	free(q);
}

static int init_queue(struct queue *q, struct device *dev, uint16_t size_max,
		      struct error **err)
{
	q->dev = dev;
	q->index = dev->queues;
	q->size_max = size_max;
	q->doorbell = bell_open();
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
		error_set(err, 0, "more than %d queues", DEVICE_QUEUES_MAX);
		return NULL;
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		error_set(err, ENOMEM, "cannot make a queue");
		return NULL;
	}
	if (init_queue(q, dev, size_max, err)) {
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
		.io = { atomic_load(&dev->requests), atomic_load(&dev->read),
			atomic_load(&dev->written) },
	};

	if (dev->ops->describe)
		dev->ops->describe(dev);
	pthread_mutex_lock(&dev->why_lock);
	memcpy(why, dev->why, sizeof(why));
	memcpy(detail, dev->detail, sizeof(detail));
	pthread_mutex_unlock(&dev->why_lock);
	fn(arg, &info);
}
