/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a device: made, started, stopped, broken, reset, freed; and its
 * queues with their doorbells. What the guest asks for comes from registers.c.
 */
#include <errno.h>
#include <signal.h>
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

int device_thread(pthread_t *thread, void *(*work)(void *arg), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(thread, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}
