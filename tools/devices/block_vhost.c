// SPDX-License-Identifier: GPL-2.0
/*
 * The engine on a helper that speaks vhost-user-blk (storage.c), of which we are the
 * driver: vhost_ring.h says why.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "vhost_ring.h"

/* Requests that the helper has at once, each with three descriptors and room for
 * its data; longer ones are done in pieces, more of them wait. */
#define SLOTS	   64
#define SLOT_BYTES (1u << 20)

#define TYPE_IN		  0
#define TYPE_OUT	  1
#define TYPE_FLUSH	  4
#define TYPE_DISCARD	  11
#define TYPE_WRITE_ZEROES 13
#define STATUS_OK	  0
#define STATUS_IOERR	  1
#define STATUS_UNSUPP	  2
#define RANGE_UNMAP	  1
#define FEATURE_DISCARD	  (1ull << 13)
#define FEATURE_ZEROES	  (1ull << 14)

struct header {
	uint32_t type, priority;
	uint64_t sector;
};

struct range {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* What is shared with the helper. */
struct shared {
	struct vhost_ring_area ring;
	struct {
		struct header header;
		struct range range;
		uint8_t status;
	} request[SLOTS] __attribute__((aligned(4096)));
	uint8_t data[SLOTS][SLOT_BYTES] __attribute__((aligned(4096)));
};

struct vhost {
	struct vhost_user vu;
	struct storage *storage;
	struct vhost_memory memory;
	struct shared *shared; /* in there */
	struct vhost_ring ring;
	int wake[2];
	struct block_io *io[SLOTS];
	uint64_t bytes[SLOTS]; /* of data */
	unsigned int free[SLOTS], frees;
	struct block_io *first, **last; /* wait for a slot */
	struct block_io *done;
	bool flushing[SLOTS]; /* the second half of WRITE_DURABLE */
	bool dead;
};

/* ---- the queue -------------------------------------------------------------- */

static void push(struct vhost *v, unsigned int slot, const void *data,
		 uint64_t size, unsigned int flags)
{
	struct shared *s = v->shared;
	unsigned int i = 3 * slot, status = size ? i + 2 : i + 1;

	vhost_ring_describe(&v->ring, i, &s->request[slot].header,
			    sizeof(struct header), VHOST_RING_NEXT);
	if (size)
		vhost_ring_describe(&v->ring, i + 1, data, size,
				    VHOST_RING_NEXT | flags);
	vhost_ring_describe(&v->ring, status, &s->request[slot].status, 1,
			    VHOST_RING_WRITE);
	vhost_ring_push(&v->ring, i);
}

/* ---- one request ------------------------------------------------------------ */

/* Between the guest's buffers and the shared ones; returns the bytes. */
static uint64_t copy(const struct block_io *io, uint8_t *data, bool out)
{
	uint64_t done = 0;
	unsigned int i;

	for (i = 0; i < io->iov_n && done < SLOT_BYTES; i++) {
		const struct iovec *v = &io->iov[i];
		size_t n = v->iov_len < SLOT_BYTES - done ? v->iov_len :
							    SLOT_BYTES - done;

		if (out)
			memcpy(data + done, v->iov_base, n);
		else
			memcpy(v->iov_base, data + done, n);
		done += n;
	}
	return done;
}

static uint64_t bytes_of(const struct block_io *io)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < io->iov_n; i++)
		n += io->iov[i].iov_len;
	return n < SLOT_BYTES ? n : SLOT_BYTES;
}

static void begin_range(struct vhost *v, unsigned int slot, uint32_t type,
			uint32_t flags)
{
	const struct block_io *io = v->io[slot];
	struct range *r = &v->shared->request[slot].range;

	*r = (struct range){ io->offset / SECTOR,
			     (uint32_t)(io->length / SECTOR), flags };
	v->shared->request[slot].header.type = type;
	push(v, slot, r, sizeof(*r), 0);
}

/* A write that must be durable is one and then a flush. */
static void begin(struct vhost *v, unsigned int slot)
{
	struct block_io *io = v->io[slot];
	uint8_t *data = v->shared->data[slot];
	struct header *h = &v->shared->request[slot].header;

	*h = (struct header){ .sector = io->offset / SECTOR };
	v->flushing[slot] = false;
	/* Until the helper says otherwise. */
	v->shared->request[slot].status = STATUS_IOERR;
	switch (io->op) {
	case BLOCK_READ:
		v->bytes[slot] = bytes_of(io);
		h->type = TYPE_IN;
		push(v, slot, data, v->bytes[slot], VHOST_RING_WRITE);
		break;
	case BLOCK_WRITE:
	case BLOCK_WRITE_DURABLE:
		v->bytes[slot] = copy(io, data, true);
		h->type = TYPE_OUT;
		push(v, slot, data, v->bytes[slot], 0);
		break;
	case BLOCK_SYNC:
		*h = (struct header){ .type = TYPE_FLUSH };
		push(v, slot, NULL, 0, 0);
		break;
	case BLOCK_DISCARD:
		h->sector = 0;
		begin_range(v, slot, TYPE_DISCARD, 0);
		break;
	case BLOCK_PUNCH:
	case BLOCK_ZERO:
		h->sector = 0;
		begin_range(v, slot, TYPE_WRITE_ZEROES,
			    io->op == BLOCK_PUNCH ? RANGE_UNMAP : 0);
		break;
	}
}

static void finish(struct vhost *v, struct block_io *io, int64_t result)
{
	io->result = result;
	io->next = v->done;
	v->done = io;
}

static int64_t result_of(struct vhost *v, unsigned int slot)
{
	uint8_t status = v->shared->request[slot].status;

	if (status == STATUS_UNSUPP)
		return -EOPNOTSUPP;
	if (status != STATUS_OK)
		return -EIO;
	if (v->io[slot]->op > BLOCK_WRITE_DURABLE)
		return 0;
	if (v->io[slot]->op == BLOCK_READ)
		copy(v->io[slot], v->shared->data[slot], false);
	return (int64_t)v->bytes[slot];
}

static bool flush_follows(struct vhost *v, unsigned int slot)
{
	struct header *h = &v->shared->request[slot].header;

	if (v->io[slot]->op != BLOCK_WRITE_DURABLE || v->flushing[slot])
		return false;
	v->flushing[slot] = true;
	*h = (struct header){ .type = TYPE_FLUSH };
	v->shared->request[slot].status = STATUS_IOERR;
	push(v, slot, NULL, 0, 0);
	vhost_ring_kick(&v->ring);
	return true;
}

static void end(struct vhost *v, unsigned int slot)
{
	int64_t result = result_of(v, slot);

	if (result >= 0 && flush_follows(v, slot))
		return;
	finish(v, v->io[slot], result);
	v->io[slot] = NULL;
	v->free[v->frees++] = slot;
}

/* ---- the helper's end ------------------------------------------------------- */

/* All that it had, and all that waits, has failed; so does what comes. `why` as in
 * vhost_helper_lost(). */
static void bury(struct vhost *v, const char *why)
{
	struct block_io *io, *next;
	unsigned int i;

	v->dead = true;
	vhost_helper_lost(&v->storage->helper, why);
	for (i = 0; i < SLOTS; i++) {
		if (v->io[i])
			finish(v, v->io[i], -EIO);
		v->io[i] = NULL;
	}
	for (io = v->first; io; io = next) {
		next = io->next;
		finish(v, io, -EIO);
	}
	v->first = NULL;
	v->last = &v->first;
}

static bool slot_known(const struct vhost *v, uint32_t head)
{
	return head % 3 == 0 && head / 3 < SLOTS && v->io[head / 3];
}

static void reap(struct vhost *v)
{
	uint32_t head, written;

	while (!v->dead && vhost_ring_pop(&v->ring, &head, &written)) {
		if (slot_known(v, head))
			end(v, head / 3);
		else
			bury(v, "broke the rules of its queue");
	}
}

/* ---- the engine ------------------------------------------------------------- */

static void vhost_submit(void *state, struct block_io *io)
{
	struct vhost *v = state;

	if (v->dead) {
		finish(v, io, -EIO);
		return;
	}
	io->next = NULL;
	*v->last = io;
	v->last = &io->next;
}

static void start_pending(struct vhost *v)
{
	bool any = false;

	while (v->first && v->frees) {
		unsigned int slot = v->free[--v->frees];

		v->io[slot] = v->first;
		v->first = v->first->next;
		if (!v->first)
			v->last = &v->first;
		begin(v, slot);
		any = true;
	}
	if (any)
		vhost_ring_kick(&v->ring);
}

/* It says nothing on the socket: whatever is there to read is its end. */
static void sleep_until_woken(struct vhost *v, int ms)
{
	struct pollfd fds[4] = {
		{ .fd = v->wake[0], .events = POLLIN },
		{ .fd = v->wake[1], .events = POLLIN },
		{ .fd = v->dead ? -1 : v->ring.call, .events = POLLIN },
		{ .fd = v->dead ? -1 : v->vu.fd, .events = POLLIN },
	};
	unsigned int i;

	if (poll(fds, 4, ms) < 1)
		return;
	for (i = 0; i < 3; i++)
		if (fds[i].revents & POLLIN)
			block_hush(fds[i].fd);
	if (fds[3].revents) {
		reap(v);
		if (!v->dead)
			bury(v, NULL);
	}
}

static struct block_io *vhost_wait(void *state, int ms)
{
	struct vhost *v = state;
	struct block_io *done;

	if (!v->dead)
		start_pending(v);
	sleep_until_woken(v, v->done ? 0 : ms);
	reap(v);
	done = v->done;
	v->done = NULL;
	return done;
}

static void vhost_give_up(void *state)
{
	struct vhost *v = state;

	if (!v->dead)
		bury(v, "didn't answer");
}

static void vhost_close(void *state)
{
	struct vhost *v = state;

	vhost_user_close(&v->vu);
	vhost_ring_close(&v->ring);
	vhost_memory_close(&v->memory);
	free(v);
}

static int make_shared(struct vhost *v)
{
	int rc = vhost_memory_open(&v->memory, "cobd", sizeof(*v->shared));

	if (rc)
		return rc;
	v->shared = v->memory.base;
	return vhost_ring_open(&v->ring, &v->memory, &v->shared->ring);
}

static int connect_helper(struct vhost *v)
{
	int rc = storage_connect(v->storage, &v->vu);

	if (!rc)
		rc = vhost_ring_start(&v->ring, 1, &v->vu);
	vhost_helper_failed(&v->storage->helper, rc);
	return rc;
}

static int vhost_open(void **state, const struct block_image *image,
		      const int wake[2])
{
	struct vhost *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->storage = image->storage;
	v->vu.fd = -1;
	v->wake[0] = wake[0];
	v->wake[1] = wake[1];
	v->last = &v->first;
	while (v->frees < SLOTS) {
		v->free[v->frees] = SLOTS - 1 - v->frees;
		v->frees++;
	}
	rc = make_shared(v);
	if (!rc)
		rc = connect_helper(v);
	if (rc) {
		vhost_close(v);
		return rc;
	}
	*state = v;
	return 0;
}

const struct block_engine block_vhost = {
	.name = "qemu-storage-daemon",
	.open = vhost_open,
	.submit = vhost_submit,
	.wait = vhost_wait,
	.give_up = vhost_give_up,
	.close = vhost_close,
};
