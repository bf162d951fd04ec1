/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd: a virtio block device on a raw image or a host block device.
 *
 * One thread, alive from DRIVER_OK to reset, takes requests from the queue,
 * hands operations to an engine, and gives requests back in the order in which
 * they end. Data goes straight between the image and guest memory, through the
 * host's page cache; the guest sees a write-back cache that FLUSH empties. A
 * driver that doesn't know FLUSH gets writes that are durable when they end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/bell.h"
#include "../os/disk_engine.h"
#include "block_device.h"

#define VIRTIO_ID_BLOCK 2

/* Header and status take two descriptors of a chain. */
#define SEG_MAX (QUEUE_SIZE_MAX - 2)

#define MS_NS UINT64_C(1000000)
/* How long nothing may end, before `colinux info` tells of it; and before a device
 * that stops waits no more. */
#define TELL_WAITING_MS 2000
#define GIVE_UP_MS	5000

static struct block *to_block(struct device *dev)
{
	return container_of(dev, struct block, dev);
}

static void append(struct device *dev, const char *format, ...)
{
	size_t n = strlen(dev->detail);
	va_list args;

	va_start(args, format);
	vsnprintf(dev->detail + n, sizeof(dev->detail) - n, format, args);
	va_end(args);
}

/* A host that doesn't answer is seen from outside alone: the thread sleeps. */
static void append_waiting(struct block *b)
{
	unsigned int n = atomic_load(&b->under_way);
	uint64_t since = atomic_load(&b->since), now = uv_hrtime();

	if (n && now > since && now - since >= TELL_WAITING_MS * MS_NS)
		append(&b->dev, ", %u requests wait for %llu s", n,
		       (unsigned long long)((now - since) / MS_NS / 1000));
}

static void block_describe(struct device *dev)
{
	struct block *b = to_block(dev);
	const char *trouble = block_image_trouble(&b->image);

	pthread_mutex_lock(&dev->why_lock);
	dev->detail[0] = 0;
	append(dev, "%.100s", b->path);
	if (b->part)
		append(dev, " part=%u", b->part);
	append(dev, ", %llu KiB%s, %s",
	       (unsigned long long)b->image.size / 1024,
	       b->read_only ? ", read-only" : "", b->engine->name);
	if (b->image.direct_fd >= 0)
		append(dev, ", cache=none");
	if (*trouble)
		append(dev, " %.80s", trouble);
	append_waiting(b);
	if (b->errors)
		append(dev, ", %u I/O errors, the last: %.40s", b->errors,
		       strerror(b->last_error));
	pthread_mutex_unlock(&dev->why_lock);
}

/* ---- the thread ------------------------------------------------------------- */

/*
 * There is a free request: the queue lets in no more chains than its size.
 * Returns for how many milliseconds those that are left must wait; -1: none is.
 */
static int take_requests(struct block *b, struct queue *q)
{
	int ms;

	do {
		queue_quiet(q);
		while (!(ms = throttle_wait(&b->throttle)) &&
		       queue_pop(q, &b->free->chain)) {
			struct request *r = b->free;

			b->free = r->next;
			block_begin(b, r);
			if (!b->free)
				return -1;
		}
		if (ms)
			return ms;
	} while (queue_listen(q));
	return -1;
}

/* While the device stops: how many ms what is under way may still take. */
static int wait_or_give_up(struct block *b)
{
	uint64_t ms = (uv_hrtime() - atomic_load(&b->since)) / MS_NS;

	if (!b->engine->give_up)
		return -1;
	if (ms < GIVE_UP_MS)
		return (int)(GIVE_UP_MS - ms);
	b->engine->give_up(b->state);
	return 0;
}

static void *work(void *arg)
{
	struct block *b = arg;
	struct queue *q = b->dev.queue[0];

	for (;;) {
		struct block_io *io, *next;
		int ms = -1;

		if (atomic_load(&b->stopping)) {
			if (!atomic_load(&b->under_way))
				return NULL;
			ms = wait_or_give_up(b);
		} else if (b->free) {
			ms = take_requests(b, q);
		}
		queue_signal(q);
		for (io = b->engine->wait(b->state, ms); io; io = next) {
			next = io->next;
			block_advance(b, container_of(io, struct request, io));
		}
		queue_signal(q);
	}
}

static void use_engine(struct block *b, const struct block_engine *engine)
{
	pthread_mutex_lock(&b->dev.why_lock);
	b->engine = engine;
	pthread_mutex_unlock(&b->dev.why_lock);
}

/* The best one may be missing, forbidden, or out of locked memory by now. */
static int open_engine(struct block *b)
{
	int wake[2] = { b->dev.queue[0]->doorbell, b->wake };
	int rc = b->engine->open(&b->state, &b->image, wake);
	const struct block_engine *other = rc ? block_fallback(b->engine) : NULL;

	if (other) {
		use_engine(b, other);
		rc = b->engine->open(&b->state, &b->image, wake);
	}
	return rc;
}

static void fill_pool(struct block *b)
{
	unsigned int i;

	b->free = NULL;
	for (i = 0; i < QUEUE_SIZE_MAX; i++)
		block_release(b, &b->pool[i]);
	atomic_store(&b->under_way, 0);
}

static void block_start(struct device *dev)
{
	struct block *b = to_block(dev);
	int rc;

	if (b->started || !dev->queue[0]->ready)
		return;
	fill_pool(b);
	atomic_store(&b->stopping, false);
	rc = -open_engine(b);
	if (rc) {
		device_break(dev, "the host cannot start I/O: %s",
			     strerror(rc));
		return;
	}
	rc = device_thread(&b->thread, work, b);
	if (rc) {
		b->engine->close(b->state);
		device_break(dev, "the host cannot start a thread: %s",
			     strerror(rc));
		return;
	}
	b->started = true;
}

static void block_stop(struct device *dev)
{
	struct block *b = to_block(dev);

	if (!b->started)
		return;
	atomic_store(&b->since, uv_hrtime());
	atomic_store(&b->stopping, true);
	bell_ring(b->wake);
	pthread_join(b->thread, NULL);
	b->engine->close(b->state);
	b->started = false;
}

/* ---- making ----------------------------------------------------------------- */

static void block_free(struct device *dev)
{
	struct block *b = to_block(dev);

	block_image_close(&b->image);
	if (b->wake >= 0)
		bell_close(b->wake);
	free(b->path);
	free(b);
}

static const struct device_ops block_ops = {
	.id = VIRTIO_ID_BLOCK,
	.type = "block",
	.start = block_start,
	.stop = block_stop,
	.describe = block_describe,
	.free = block_free,
};

struct block *block_of(struct device *dev)
{
	return dev->ops == &block_ops ? to_block(dev) : NULL;
}

static void fill_config(struct block *b)
{
	struct block_config *c = &b->config;

	c->capacity = b->image.size / SECTOR;
	c->seg_max = SEG_MAX;
	c->blk_size = b->image.block_size;
	b->dev.features = FEATURE_SEG_MAX | FEATURE_BLK_SIZE | FEATURE_FLUSH;
	if (b->read_only) {
		b->dev.features |= FEATURE_RO;
	} else {
		b->dev.features |= FEATURE_DISCARD | FEATURE_WRITE_ZEROES;
		c->max_discard_sectors = DISCARD_MAX / SECTOR;
		c->max_discard_seg = 1;
		c->discard_sector_alignment =
			b->image.host_device ? c->blk_size / SECTOR : 8;
		c->max_write_zeroes_sectors = ZEROES_MAX / SECTOR;
		c->max_write_zeroes_seg = 1;
		c->write_zeroes_may_unmap = 1;
	}
	b->dev.config = c;
	b->dev.config_size = sizeof(*c);
}

static int open_all(struct block *b, const struct block_options *opt,
		    struct error **err)
{
	b->read_only = opt->read_only;
	b->part = opt->part;
	throttle_init(&b->throttle, opt->iops, opt->bps);
	b->path = strdup(opt->path);
	b->wake = bell_open();
	if (!b->path || b->wake < 0)
		return error_set(err, errno, "cannot be made");
	return block_image_open(&b->image, opt, err);
}

struct device *block_create(struct machine *m, const char *name,
			    const struct block_options *opt, struct error **err)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b) {
		error_set(err, ENOMEM, "cannot be made");
		return NULL;
	}
	b->dev.ops = &block_ops;
	b->image.fd = b->image.direct_fd = b->wake = -1;
	if (open_all(b, opt, err))
		goto free_block;
	b->engine = block_choose(&b->image, b->wake);
	fill_config(b);
	if (device_add(m, &b->dev, name, err))
		goto free_block;
	/* From here on the machine frees it, with its devices. */
	if (!device_add_queue(&b->dev, QUEUE_SIZE_MAX, err))
		return NULL;
	return &b->dev;
free_block:
	block_free(&b->dev);
	return NULL;
}

static void keep(struct device *dev, void *arg)
{
	struct block *b = block_of(dev);

	(void)arg;
	if (b)
		block_image_keep(&b->image);
}

void block_keep(struct machine *m)
{
	machine_each(m, keep, NULL);
}

void block_use_engine(struct device *dev, const struct block_engine *engine)
{
	use_engine(to_block(dev), engine);
}
