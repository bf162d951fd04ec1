/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine on io_uring: operations run side by side and end in any order.
 * Doorbells are polled through the same ring, so that one system call both
 * submits and waits.
 */
#define _GNU_SOURCE /* FALLOC_FL_* */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "block.h"
#include "queue.h"

/* Each operation and the two polls at once. */
#define RING_ENTRIES (2 * QUEUE_SIZE_MAX)

struct uring {
	struct io_uring ring;
	const struct block_image *image;
	int wake[2];
	bool polled[2];	      /* a poll is under way */
	bool once;	      /* an old kernel: each poll tells one write */
	struct block_io *now; /* done without the ring */
};

static int uring_open(void **state, const struct block_image *image,
		      const int wake[2])
{
	struct uring *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	rc = io_uring_queue_init(RING_ENTRIES, &u->ring, 0);
	if (rc) {
		free(u);
		return rc;
	}
	u->image = image;
	u->wake[0] = wake[0];
	u->wake[1] = wake[1];
	*state = u;
	return 0;
}

/* The submission queue has room for all that may be under way; submitting
 * empties it if it holds leftovers of a call that the kernel had no memory for. */
static struct io_uring_sqe *get_sqe(struct uring *u)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

	while (!sqe) {
		if (io_uring_submit(&u->ring) <= 0)
			usleep(1000);
		sqe = io_uring_get_sqe(&u->ring);
	}
	return sqe;
}

static void prepare(struct uring *u, struct io_uring_sqe *sqe,
		    struct block_io *io)
{
	int fd = block_fd_for(u->image, io);

	switch (io->op) {
	case BLOCK_READ:
		io_uring_prep_readv(sqe, fd, io->iov, io->iov_n, io->offset);
		break;
	case BLOCK_WRITE:
		io_uring_prep_writev(sqe, fd, io->iov, io->iov_n,
				     io->offset);
		break;
	case BLOCK_WRITE_DURABLE:
		io_uring_prep_writev2(sqe, fd, io->iov, io->iov_n,
				      io->offset, RWF_DSYNC);
		break;
	case BLOCK_PUNCH:
		io_uring_prep_fallocate(
			sqe, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)io->offset, (off_t)io->length);
		break;
	case BLOCK_ZERO:
		io_uring_prep_fallocate(
			sqe, fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			(off_t)io->offset, (off_t)io->length);
		break;
	default:
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
		break;
	}
}

/* Discarding a host device is an ioctl, and the ring has none: done here. */
static void uring_submit(void *state, struct block_io *io)
{
	struct uring *u = state;
	struct io_uring_sqe *sqe;

	if (io->op == BLOCK_DISCARD) {
		block_io_now(u->image->fd, io);
		io->next = u->now;
		u->now = io;
		return;
	}
	sqe = get_sqe(u);
	prepare(u, sqe, io);
	io_uring_sqe_set_data(sqe, io);
}

/*
 * A poll of a wake descriptor is marked by the address of its flag. It stays and
 * tells each write, so that nobody need read the descriptor, nor poll it again:
 * two system calls less for each request that comes alone.
 */
static void poll_wakes(struct uring *u)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct io_uring_sqe *sqe;

		if (u->polled[i])
			continue;
		sqe = get_sqe(u);
		if (u->once)
			io_uring_prep_poll_add(sqe, u->wake[i], POLLIN);
		else
			io_uring_prep_poll_multishot(sqe, u->wake[i], POLLIN);
		io_uring_sqe_set_data(sqe, &u->polled[i]);
		u->polled[i] = true;
	}
}

/* A poll has told a write, or ended. */
static void woken(struct uring *u, unsigned int i, const struct io_uring_cqe *cqe)
{
	if (!(cqe->flags & IORING_CQE_F_MORE))
		u->polled[i] = false;
	if (cqe->res == -EINVAL)
		u->once = true;
	if (u->once)
		block_hush(u->wake[i]);
}

static struct block_io *reap(struct uring *u)
{
	struct block_io *done = u->now;
	struct io_uring_cqe *cqe;

	u->now = NULL;
	while (!io_uring_peek_cqe(&u->ring, &cqe)) {
		void *data = io_uring_cqe_get_data(cqe);

		if (data == &u->polled[0] || data == &u->polled[1]) {
			woken(u, data == &u->polled[1], cqe);
		} else {
			struct block_io *io = data;

			io->result = cqe->res;
			io->next = done;
			done = io;
		}
		io_uring_cqe_seen(&u->ring, cqe);
	}
	return done;
}

/* An error of the wait (EINTR, EAGAIN, EBUSY) leaves everything in the rings:
 * what is done is reaped, the rest goes with the next call. */
static struct block_io *uring_wait(void *state, int ms)
{
	struct __kernel_timespec limit = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000LL,
	};
	struct uring *u = state;
	struct io_uring_cqe *cqe;
	int rc;

	poll_wakes(u);
	if (u->now)
		rc = io_uring_submit(&u->ring);
	else if (ms < 0)
		rc = io_uring_submit_and_wait(&u->ring, 1);
	else
		rc = io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, &limit,
						      NULL);
	if (rc < 0 && rc != -EINTR && rc != -ETIME)
		usleep(1000);
	return reap(u);
}

static void uring_close(void *state)
{
	struct uring *u = state;

	io_uring_queue_exit(&u->ring);
	free(u);
}

const struct block_engine block_uring = {
	.name = "io_uring",
	.open = uring_open,
	.submit = uring_submit,
	.wait = uring_wait,
	.close = uring_close,
};
