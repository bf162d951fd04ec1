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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "block.h"
#include "virtio.h"

#define VIRTIO_ID_BLOCK 2

#define FEATURE_SEG_MAX	     (1ull << 2)
#define FEATURE_RO	     (1ull << 5)
#define FEATURE_BLK_SIZE     (1ull << 6)
#define FEATURE_FLUSH	     (1ull << 9)
#define FEATURE_DISCARD	     (1ull << 13)
#define FEATURE_WRITE_ZEROES (1ull << 14)

enum {
	TYPE_IN = 0,
	TYPE_OUT = 1,
	TYPE_FLUSH = 4,
	TYPE_GET_ID = 8,
	TYPE_DISCARD = 11,
	TYPE_WRITE_ZEROES = 13,
};

enum status { STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPP = 2, STATUS_LATER };

#define RANGE_UNMAP 1
#define ID_BYTES    20
/* Header and status take two descriptors of a chain. */
#define SEG_MAX (QUEUE_SIZE_MAX - 2)

/* Zeroes that are written, where the host can't make them otherwise: a request
 * is one vector of this buffer, again and again. */
#define ZERO_BYTES  65536
#define ZEROES_MAX  ((uint64_t)ZERO_BYTES * QUEUE_SIZE_MAX)
#define DISCARD_MAX (1ull << 30)
static uint8_t zeroes[ZERO_BYTES];

struct block_config {
	uint64_t capacity;
	uint32_t size_max;
	uint32_t seg_max;
	uint32_t geometry;
	uint32_t blk_size;
	uint32_t topology[2];
	uint8_t wce;
	uint8_t unused;
	uint16_t num_queues;
	uint32_t max_discard_sectors;
	uint32_t max_discard_seg;
	uint32_t discard_sector_alignment;
	uint32_t max_write_zeroes_sectors;
	uint32_t max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap;
	uint8_t unused1[3];
	uint32_t reserved;
};
CO_ASSERT_SIZE(struct block_config, 64);
CO_ASSERT_OFFSET(struct block_config, max_discard_sectors, 36);
CO_ASSERT_OFFSET(struct block_config, write_zeroes_may_unmap, 56);

struct block_header {
	uint32_t type;
	uint32_t priority;
	uint64_t sector;
};
CO_ASSERT_SIZE(struct block_header, 16);

/* Of DISCARD and WRITE_ZEROES. */
struct block_range {
	uint64_t sector;
	uint32_t sectors;
	uint32_t flags;
};
CO_ASSERT_SIZE(struct block_range, 16);

struct request {
	struct request *next; /* free ones */
	struct block_io io;
	uint32_t type;
	uint8_t *status; /* in guest memory */
	uint64_t left;	 /* bytes of READ and WRITE still to do */
	uint32_t written; /* bytes of guest memory that were filled */
	struct iovec *iov;
	unsigned int iov_n;
	struct chain chain;
};

struct block {
	struct device dev;
	struct block_config config;
	struct block_image image;
	char *path;
	bool read_only;
	const struct block_engine *engine;
	unsigned int errors; /* since the device was made; thread */
	int last_error;

	/* From start to stop. */
	bool started;
	pthread_t thread;
	void *state; /* of the engine */
	int wake; /* eventfd: look at `stopping` */
	atomic_bool stopping;
	unsigned int under_way;
	struct request *free;
	struct request pool[QUEUE_SIZE_MAX];
};

static struct block *to_block(struct device *dev)
{
	return container_of(dev, struct block, dev);
}

static void describe(struct block *b)
{
	int n;

	pthread_mutex_lock(&b->dev.why_lock);
	n = snprintf(b->dev.detail, sizeof(b->dev.detail), "%.160s, %llu KiB%s, %s",
		     b->path, (unsigned long long)b->image.size / 1024,
		     b->read_only ? ", read-only" : "", b->engine->name);
	if (b->errors)
		snprintf(b->dev.detail + n, sizeof(b->dev.detail) - (size_t)n,
			 ", %u I/O errors, the last: %.40s", b->errors,
			 strerror(b->last_error));
	pthread_mutex_unlock(&b->dev.why_lock);
}

/* ---- requests: the end ------------------------------------------------------ */

static void release(struct block *b, struct request *r)
{
	r->next = b->free;
	b->free = r;
}

static void finish(struct block *b, struct request *r, enum status status)
{
	*r->status = (uint8_t)status;
	queue_push(b->dev.queue[0], r->chain.head, r->written + 1);
	release(b, r);
}

static void submit(struct block *b, struct request *r)
{
	r->io.iov = r->iov;
	r->io.iov_n = r->iov_n;
	b->under_way++;
	b->engine->submit(b->state, &r->io);
}

static bool moves_data(const struct block_io *io)
{
	return io->op == BLOCK_READ || io->op == BLOCK_WRITE ||
	       io->op == BLOCK_WRITE_DURABLE;
}

static enum block_op write_op(const struct block *b)
{
	return device_has(&b->dev, FEATURE_FLUSH) ? BLOCK_WRITE :
						    BLOCK_WRITE_DURABLE;
}

/* Zeroes by writing them. The chain's vector is free by now. */
static void write_zeroes(struct block *b, struct request *r, uint64_t length)
{
	r->io.op = write_op(b);
	r->left = length;
	r->iov = r->chain.iov;
	for (r->iov_n = 0; length; r->iov_n++) {
		uint64_t n = length < ZERO_BYTES ? length : ZERO_BYTES;

		r->iov[r->iov_n].iov_base = zeroes;
		r->iov[r->iov_n].iov_len = n;
		length -= n;
	}
}

/* The host can't do it this way: is there another one? */
static enum status unsupported(struct block *b, struct request *r)
{
	if (r->type == TYPE_DISCARD)
		return STATUS_OK; /* discarding is advice */
	if (r->type != TYPE_WRITE_ZEROES)
		return STATUS_IOERR;
	if (r->io.op == BLOCK_PUNCH)
		r->io.op = BLOCK_ZERO;
	else
		write_zeroes(b, r, r->io.length);
	return STATUS_LATER;
}

static enum status data_moved(struct request *r)
{
	uint64_t n = (uint64_t)r->io.result;

	r->left -= n;
	r->io.offset += n;
	r->iov_n = iov_skip(&r->iov, r->iov_n, n);
	if (!r->left)
		return STATUS_OK;
	/* Nothing, and no error: the file has become shorter. */
	return n ? STATUS_LATER : STATUS_IOERR;
}

static enum status judge(struct block *b, struct request *r)
{
	int64_t result = r->io.result;

	if (result == -EINTR || result == -EAGAIN)
		return STATUS_LATER;
	if (result == -EOPNOTSUPP && !moves_data(&r->io) &&
	    r->io.op != BLOCK_SYNC)
		return unsupported(b, r);
	if (result < 0)
		return STATUS_IOERR;
	return moves_data(&r->io) ? data_moved(r) : STATUS_OK;
}

/* An operation of the request has ended. */
static void advance(struct block *b, struct request *r)
{
	enum status status = judge(b, r);

	b->under_way--;
	if (status == STATUS_LATER) {
		submit(b, r);
		return;
	}
	if (status == STATUS_IOERR) {
		b->errors++;
		b->last_error = r->io.result < 0 ? (int)-r->io.result : EIO;
		describe(b);
	}
	finish(b, r, status);
}

/* ---- requests: the beginning ------------------------------------------------ */

static bool in_image(const struct block *b, uint64_t sector, uint64_t bytes)
{
	return bytes <= b->image.size &&
	       sector <= (b->image.size - bytes) / SECTOR;
}

static enum status start_data(struct block *b, struct request *r,
			      uint64_t sector, uint64_t bytes)
{
	if (bytes % SECTOR || bytes >= UINT32_MAX || !in_image(b, sector, bytes))
		return STATUS_IOERR;
	r->left = bytes;
	r->io.offset = sector * SECTOR;
	return bytes ? STATUS_LATER : STATUS_OK;
}

static enum status start_in(struct block *b, struct request *r, uint64_t sector)
{
	enum status status = start_data(b, r, sector, r->chain.in_size);

	if (status == STATUS_LATER)
		r->written = (uint32_t)r->chain.in_size;
	r->iov = r->chain.in;
	r->iov_n = r->chain.in_n;
	r->io.op = BLOCK_READ;
	return status;
}

static enum status start_out(struct block *b, struct request *r,
			     uint64_t sector)
{
	r->iov = r->chain.out;
	r->iov_n = r->chain.out_n;
	r->io.op = write_op(b);
	if (b->read_only)
		return STATUS_IOERR;
	return start_data(b, r, sector, r->chain.out_size);
}

static enum status start_id(struct block *b, struct request *r)
{
	char id[ID_BYTES] = { 0 };

	memcpy(id, b->dev.name, strnlen(b->dev.name, ID_BYTES));
	r->written = (uint32_t)chain_write(&r->chain, id, ID_BYTES);
	return r->written == ID_BYTES ? STATUS_OK : STATUS_IOERR;
}

/* Reads the range of DISCARD or WRITE_ZEROES; the guest was told: one. */
static enum status start_range(struct block *b, struct request *r,
			       uint64_t bytes_max, uint32_t *flags)
{
	struct block_range range;

	if (b->read_only || r->chain.out_size != sizeof(range))
		return STATUS_IOERR;
	chain_read(&r->chain, &range, sizeof(range));
	if (range.flags & ~(uint32_t)RANGE_UNMAP)
		return STATUS_UNSUPP;
	*flags = range.flags;
	r->io.offset = range.sector * SECTOR;
	r->io.length = (uint64_t)range.sectors * SECTOR;
	if (r->io.length > bytes_max || !in_image(b, range.sector, r->io.length))
		return STATUS_IOERR;
	return r->io.length ? STATUS_LATER : STATUS_OK;
}

static enum status start_discard(struct block *b, struct request *r)
{
	uint32_t flags = 0;
	enum status status = start_range(b, r, DISCARD_MAX, &flags);

	if (flags)
		return STATUS_UNSUPP;
	r->io.op = b->image.host_device ? BLOCK_DISCARD : BLOCK_PUNCH;
	return status;
}

/* Without FLUSH zeroes must be durable, too, and only writing does that. */
static enum status start_zeroes(struct block *b, struct request *r)
{
	uint32_t flags = 0;
	enum status status = start_range(b, r, ZEROES_MAX, &flags);

	if (status != STATUS_LATER)
		return status;
	if (device_has(&b->dev, FEATURE_FLUSH))
		r->io.op = flags & RANGE_UNMAP ? BLOCK_PUNCH : BLOCK_ZERO;
	else
		write_zeroes(b, r, r->io.length);
	return STATUS_LATER;
}

static enum status start_request(struct block *b, struct request *r,
				 const struct block_header *h)
{
	switch (h->type) {
	case TYPE_IN:
		return start_in(b, r, h->sector);
	case TYPE_OUT:
		return start_out(b, r, h->sector);
	case TYPE_FLUSH:
		r->io.op = BLOCK_SYNC;
		return STATUS_LATER;
	case TYPE_GET_ID:
		return start_id(b, r);
	case TYPE_DISCARD:
		return start_discard(b, r);
	case TYPE_WRITE_ZEROES:
		return start_zeroes(b, r);
	default:
		return STATUS_UNSUPP;
	}
}

/* The status byte is the last one that the device may write. */
static void take_status(struct request *r)
{
	struct chain *c = &r->chain;
	struct iovec *last = &c->in[c->in_n - 1];

	last->iov_len--;
	r->status = (uint8_t *)last->iov_base + last->iov_len;
	c->in_size--;
	if (!last->iov_len)
		c->in_n--;
}

static void begin(struct block *b, struct request *r)
{
	struct block_header h;
	enum status status;

	if (chain_read(&r->chain, &h, sizeof(h)) != sizeof(h) ||
	    !r->chain.in_size) {
		device_break(&b->dev, "a request without header or status byte");
		release(b, r);
		return;
	}
	take_status(r);
	r->type = h.type;
	r->written = 0;
	r->iov = NULL;
	r->iov_n = 0;
	status = start_request(b, r, &h);
	if (status == STATUS_LATER)
		submit(b, r);
	else
		finish(b, r, status);
}

/* ---- the thread ------------------------------------------------------------- */

/* There is a free request: the queue lets in no more chains than its size. */
static void take_requests(struct block *b, struct queue *q)
{
	do {
		queue_quiet(q);
		while (queue_pop(q, &b->free->chain)) {
			struct request *r = b->free;

			b->free = r->next;
			begin(b, r);
			if (!b->free)
				return;
		}
	} while (queue_listen(q));
}

static void hush_wake(struct block *b)
{
	eventfd_t count;

	(void)eventfd_read(b->wake, &count);
}

static void *work(void *arg)
{
	struct block *b = arg;
	struct queue *q = b->dev.queue[0];

	for (;;) {
		struct block_io *io, *next;

		hush_wake(b);
		queue_hush(q);
		if (atomic_load(&b->stopping)) {
			if (!b->under_way)
				return NULL;
		} else if (b->free) {
			take_requests(b, q);
		}
		queue_signal(q);
		for (io = b->engine->wait(b->state); io; io = next) {
			next = io->next;
			advance(b, container_of(io, struct request, io));
		}
		queue_signal(q);
	}
}

/* Signals are for the daemon's loop, not for this thread. */
static int create_thread(struct block *b)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&b->thread, NULL, work, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* io_uring may be missing, forbidden, or out of locked memory by now. */
static int open_engine(struct block *b)
{
	int wake[2] = { b->dev.queue[0]->doorbell, b->wake };
	int rc = b->engine->open(&b->state, b->image.fd, wake);

	if (rc && b->engine == &block_uring) {
		b->engine = &block_plain;
		describe(b);
		rc = b->engine->open(&b->state, b->image.fd, wake);
	}
	return rc;
}

static void fill_pool(struct block *b)
{
	unsigned int i;

	b->free = NULL;
	for (i = 0; i < QUEUE_SIZE_MAX; i++)
		release(b, &b->pool[i]);
	b->under_way = 0;
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
		device_break(dev, "the host cannot start I/O: %s", strerror(rc));
		return;
	}
	rc = create_thread(b);
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
	atomic_store(&b->stopping, true);
	(void)eventfd_write(b->wake, 1);
	pthread_join(b->thread, NULL);
	b->engine->close(b->state);
	b->started = false;
}

/* ---- making ----------------------------------------------------------------- */

static void block_free(struct device *dev)
{
	struct block *b = to_block(dev);

	if (b->image.fd >= 0)
		block_image_close(&b->image);
	if (b->wake >= 0)
		close(b->wake);
	free(b->path);
	free(b);
}

static const struct device_ops block_ops = {
	.id = VIRTIO_ID_BLOCK,
	.type = "block",
	.start = block_start,
	.stop = block_stop,
	.free = block_free,
};

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

/* Tries io_uring, so that `colinux info` tells the truth before the start. */
static const struct block_engine *choose_engine(const struct block *b)
{
	int wake[2] = { b->wake, b->wake };
	void *state;

	if (block_uring.open(&state, b->image.fd, wake))
		return &block_plain;
	block_uring.close(state);
	return &block_uring;
}

static int open_all(struct block *b, const struct block_options *opt,
		    struct error **err)
{
	b->read_only = opt->read_only;
	b->path = strdup(opt->path);
	b->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!b->path || b->wake < 0)
		return error_set(err, errno, "cannot be made");
	return block_image_open(&b->image, opt->path, opt->read_only, err);
}

struct device *block_create(struct machine *m, const char *name,
			    const struct block_options *opt, struct error **err)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b) {
		error_set(err, ENOMEM, "%s: cannot be made", name);
		return NULL;
	}
	b->dev.ops = &block_ops;
	b->image.fd = b->wake = -1;
	if (open_all(b, opt, err)) {
		error_wrap(err, "%s", name);
		goto free_block;
	}
	b->engine = choose_engine(b);
	fill_config(b);
	if (device_add(m, &b->dev, name, err))
		goto free_block;
	describe(b);
	/* From here on the machine frees it, with its devices. */
	if (!device_add_queue(&b->dev, QUEUE_SIZE_MAX, err))
		return NULL;
	return &b->dev;
free_block:
	block_free(&b->dev);
	return NULL;
}

void block_use_engine(struct device *dev, const struct block_engine *engine)
{
	to_block(dev)->engine = engine;
}
