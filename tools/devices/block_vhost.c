// SPDX-License-Identifier: GPL-2.0
/*
 * The engine on a helper that speaks vhost-user-blk (storage.c). We are its
 * driver: the queue and all data lie in a piece of memory of their own, which is
 * shared with it, not in the guest's. That costs a copy. It buys that the program
 * which reads a foreign image can't write guest memory, which would be the host's
 * ring 0; and that we know each request that is under way, so that its end is an
 * I/O error and not a guest that waits for ever.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage.h"

/* Requests that the helper has at once, each with three descriptors and room for
 * its data; longer ones are done in pieces, more of them wait. */
#define SLOTS	   64
#define SLOT_BYTES (1u << 20)
#define RING_SIZE  256

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

#define DESC_NEXT      1
#define DESC_WRITE     2
#define USED_NO_NOTIFY 1

struct desc {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};

struct header {
	uint32_t type, priority;
	uint64_t sector;
};

struct range {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* What is shared with the helper, at address 0 of its view. */
struct shared {
	struct desc desc[RING_SIZE];
	struct {
		uint16_t flags, idx, ring[RING_SIZE], event;
	} avail __attribute__((aligned(4096)));
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t head, written;
		} ring[RING_SIZE];
		uint16_t event;
	} used __attribute__((aligned(4096)));
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
	struct shared *shared;
	int fd, kick, call, wake[2];
	uint16_t avail, used; /* next entries */
	struct block_io *io[SLOTS];
	uint64_t bytes[SLOTS]; /* of data */
	unsigned int free[SLOTS], frees;
	struct block_io *first, **last; /* wait for a slot */
	struct block_io *done;
	bool flushing[SLOTS]; /* the second half of WRITE_DURABLE */
	bool dead;
};

/* ---- the queue -------------------------------------------------------------- */

static uint64_t address(const struct vhost *v, const void *p)
{
	return (uint64_t)((const char *)p - (const char *)v->shared);
}

static void set_desc(struct vhost *v, unsigned int i, const void *p,
		     uint64_t size, unsigned int flags)
{
	v->shared->desc[i] = (struct desc){ address(v, p), (uint32_t)size,
					    (uint16_t)flags, (uint16_t)(i + 1) };
}

static void push(struct vhost *v, unsigned int slot, const void *data,
		 uint64_t size, unsigned int flags)
{
	struct shared *s = v->shared;
	unsigned int i = 3 * slot;

	set_desc(v, i, &s->request[slot].header, sizeof(struct header),
		 DESC_NEXT);
	if (size)
		set_desc(v, i + 1, data, size, DESC_NEXT | flags);
	else
		s->desc[i].next = (uint16_t)(i + 2);
	set_desc(v, i + 2, &s->request[slot].status, 1, DESC_WRITE);
	s->avail.ring[v->avail++ % RING_SIZE] = (uint16_t)i;
	__atomic_store_n(&s->avail.idx, v->avail, __ATOMIC_RELEASE);
}

static void kick(struct vhost *v)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(__atomic_load_n(&v->shared->used.flags, __ATOMIC_RELAXED) &
	      USED_NO_NOTIFY))
		(void)eventfd_write(v->kick, 1);
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
		push(v, slot, data, v->bytes[slot], DESC_WRITE);
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
	kick(v);
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
 * storage_lost(). */
static void bury(struct vhost *v, const char *why)
{
	struct block_io *io, *next;
	unsigned int i;

	v->dead = true;
	storage_lost(v->storage, why);
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

/* The helper may write anything: it's another program. */
static bool reap_one(struct vhost *v)
{
	uint32_t head = __atomic_load_n(
		&v->shared->used.ring[v->used % RING_SIZE].head,
		__ATOMIC_RELAXED);

	if (head % 3 || head / 3 >= SLOTS || !v->io[head / 3])
		return false;
	v->used++;
	end(v, head / 3);
	return true;
}

static void reap(struct vhost *v)
{
	while (!v->dead && __atomic_load_n(&v->shared->used.idx,
					   __ATOMIC_ACQUIRE) != v->used)
		if (!reap_one(v))
			bury(v, "broke the rules of its queue");
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
		kick(v);
}

/* It says nothing on the socket: whatever is there to read is its end. */
static void sleep_until_woken(struct vhost *v, int ms)
{
	struct pollfd fds[4] = {
		{ .fd = v->wake[0], .events = POLLIN },
		{ .fd = v->wake[1], .events = POLLIN },
		{ .fd = v->dead ? -1 : v->call, .events = POLLIN },
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
	if (v->shared != MAP_FAILED)
		munmap(v->shared, sizeof(*v->shared));
	if (v->fd >= 0)
		close(v->fd);
	if (v->kick >= 0)
		close(v->kick);
	if (v->call >= 0)
		close(v->call);
	free(v);
}

static int make_shared(struct vhost *v)
{
	v->fd = memfd_create("cobd", MFD_CLOEXEC);
	v->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->fd < 0 || v->kick < 0 || v->call < 0 ||
	    ftruncate(v->fd, sizeof(*v->shared)))
		return -errno;
	v->shared = mmap(NULL, sizeof(*v->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED, v->fd, 0);
	return v->shared == MAP_FAILED ? -errno : 0;
}

/* Is it the helper that failed, and not the host for want of something? */
static bool helpers_fault(int rc)
{
	return rc && rc != -EMFILE && rc != -ENFILE && rc != -ENOMEM;
}

static int connect_helper(struct vhost *v)
{
	struct vhost_user_region region = { .size = sizeof(*v->shared),
					    .fd = v->fd };
	struct vhost_user_queue q = {
		.size = RING_SIZE,
		.desc = address(v, v->shared->desc),
		.avail = address(v, &v->shared->avail),
		.used = address(v, &v->shared->used),
		.kick = v->kick,
		.call = v->call,
	};
	int rc = storage_connect(v->storage, &v->vu);

	if (!rc)
		rc = vhost_user_memory(&v->vu, &region, 1);
	if (!rc)
		rc = vhost_user_start_queue(&v->vu, &q);
	if (helpers_fault(rc))
		storage_lost(v->storage, rc == -ETIMEDOUT || rc == -EAGAIN ?
						 "didn't answer" : NULL);
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
	v->vu.fd = v->fd = v->kick = v->call = -1;
	v->shared = MAP_FAILED;
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
