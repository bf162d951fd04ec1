/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd's requests: what the guest asks for, which operations of the engine that
 * takes, and what the guest gets to hear. An error is that one request's.
 */
#include <errno.h>
#include <string.h>

#include "block_device.h"

enum {
	TYPE_IN = 0,
	TYPE_OUT = 1,
	TYPE_FLUSH = 4,
	TYPE_GET_ID = 8,
	TYPE_DISCARD = 11,
	TYPE_WRITE_ZEROES = 13,
};

enum status {
	STATUS_OK = 0,
	STATUS_IOERR = 1,
	STATUS_UNSUPP = 2,
	STATUS_LATER
};

#define RANGE_UNMAP 1
#define ID_BYTES    20
/* Zeroes that are written, where the host can't make them otherwise: a request
 * is one vector of this buffer, again and again. */
static uint8_t zeroes[ZERO_BYTES];

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

/* ---- requests: the end ------------------------------------------------------ */

void block_release(struct block *b, struct request *r)
{
	r->next = b->free;
	b->free = r;
}

static void count(struct block *b, const struct request *r, enum status status)
{
	bool done = status == STATUS_OK;

	device_count(&b->dev,
		     done && r->type == TYPE_IN ? r->chain.in_size : 0,
		     done && r->type == TYPE_OUT ? r->chain.out_size : 0);
}

static void finish(struct block *b, struct request *r, enum status status)
{
	count(b, r, status);
	*r->status = (uint8_t)status;
	queue_push(b->dev.queue[0], r->chain.head, r->written + 1);
	block_release(b, r);
}

static void submit(struct block *b, struct request *r)
{
	r->io.iov = r->iov;
	r->io.iov_n = r->iov_n;
	if (!atomic_fetch_add(&b->under_way, 1))
		atomic_store(&b->since, uv_hrtime());
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

static void note_error(struct block *b, int code)
{
	pthread_mutex_lock(&b->dev.why_lock);
	b->errors++;
	b->last_error = code;
	pthread_mutex_unlock(&b->dev.why_lock);
}

/* An operation of the request has ended. */
void block_advance(struct block *b, struct request *r)
{
	enum status status = judge(b, r);

	atomic_fetch_sub(&b->under_way, 1);
	atomic_store(&b->since, uv_hrtime());
	if (status == STATUS_LATER) {
		submit(b, r);
		return;
	}
	if (status == STATUS_IOERR)
		note_error(b, r->io.result < 0 ? (int)-r->io.result : EIO);
	finish(b, r, status);
}

/* ---- requests: the beginning ------------------------------------------------ */

static bool in_image(const struct block *b, uint64_t sector, uint64_t bytes)
{
	uint64_t size = b->image.size;

	return bytes <= size && sector <= (size - bytes) / SECTOR;
}

static enum status start_data(struct block *b, struct request *r,
			      uint64_t sector, uint64_t bytes)
{
	if (bytes % SECTOR || bytes >= UINT32_MAX ||
	    !in_image(b, sector, bytes))
		return STATUS_IOERR;
	r->left = bytes;
	r->io.offset = b->image.start + sector * SECTOR;
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
	r->io.offset = b->image.start + range.sector * SECTOR;
	r->io.length = (uint64_t)range.sectors * SECTOR;
	if (r->io.length > bytes_max ||
	    !in_image(b, range.sector, r->io.length))
		return STATUS_IOERR;
	return r->io.length ? STATUS_LATER : STATUS_OK;
}

static enum status start_discard(struct block *b, struct request *r)
{
	uint32_t flags = 0;
	enum status status = start_range(b, r, DISCARD_MAX, &flags);

	if (flags)
		return STATUS_UNSUPP;
	r->io.op = b->image.host_device || b->image.storage ? BLOCK_DISCARD :
							      BLOCK_PUNCH;
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

/* Bytes that count for bps=: those that are read, written or zeroed. Nothing for what
 * moves none: discarding is one request, whatever its range, as is a flush, and what
 * is refused. */
static uint64_t bytes_to_pay(const struct request *r, enum status status)
{
	if (status != STATUS_LATER)
		return 0;
	if (r->type == TYPE_IN || r->type == TYPE_OUT)
		return r->left;
	return r->type == TYPE_WRITE_ZEROES ? r->io.length : 0;
}

void block_begin(struct block *b, struct request *r)
{
	struct block_header h;
	enum status status;

	if (chain_read(&r->chain, &h, sizeof(h)) != sizeof(h) ||
	    !r->chain.in_size) {
		device_break(&b->dev,
			     "a request without header or status byte");
		block_release(b, r);
		return;
	}
	take_status(r);
	r->type = h.type;
	r->written = 0;
	r->iov = NULL;
	r->iov_n = 0;
	status = start_request(b, r, &h);
	throttle_take(&b->throttle, bytes_to_pay(r, status));
	if (status == STATUS_LATER)
		submit(b, r);
	else
		finish(b, r, status);
}
