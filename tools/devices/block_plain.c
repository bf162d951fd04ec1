/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine for hosts where io_uring is missing or forbidden: one operation
 * after the other, by plain calls in the device's thread.
 */
#define _GNU_SOURCE /* fallocate(), pwritev2() */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "block.h"

struct plain {
	const struct block_image *image;
	int wake[2];
	struct block_io *first, **last; /* done */
};

static int discard_device(int fd, const struct block_io *io)
{
	uint64_t range[2] = { io->offset, io->length };

	return ioctl(fd, BLKDISCARD, range);
}

static int64_t call(int fd, const struct block_io *io)
{
	int n = (int)io->iov_n;
	off_t at = (off_t)io->offset, length = (off_t)io->length;

	switch (io->op) {
	case BLOCK_READ:
		return preadv(fd, io->iov, n, at);
	case BLOCK_WRITE:
		return pwritev(fd, io->iov, n, at);
	case BLOCK_WRITE_DURABLE:
		return pwritev2(fd, io->iov, n, at, RWF_DSYNC);
	case BLOCK_SYNC:
		return fdatasync(fd);
	case BLOCK_PUNCH:
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 at, length);
	case BLOCK_ZERO:
		return fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				 at, length);
	case BLOCK_DISCARD:
		return discard_device(fd, io);
	}
	errno = EOPNOTSUPP;
	return -1;
}

/* They don't block; EAGAIN is "nobody wrote". */
void block_hush(int fd)
{
	eventfd_t count;

	(void)eventfd_read(fd, &count);
}

void block_io_now(int fd, struct block_io *io)
{
	do {
		io->result = call(fd, io);
	} while (io->result < 0 && errno == EINTR);
	if (io->result < 0)
		io->result = -errno;
}

static int plain_open(void **state, const struct block_image *image,
		      const int wake[2])
{
	struct plain *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->image = image;
	p->wake[0] = wake[0];
	p->wake[1] = wake[1];
	p->last = &p->first;
	*state = p;
	return 0;
}

static void plain_submit(void *state, struct block_io *io)
{
	struct plain *p = state;

	block_io_now(block_fd_for(p->image, io), io);
	io->next = NULL;
	*p->last = io;
	p->last = &io->next;
}

/* A failing poll() only makes the caller look at its queue once more. */
static void sleep_until_woken(struct plain *p, int ms)
{
	struct pollfd fds[2] = {
		{ .fd = p->wake[0], .events = POLLIN },
		{ .fd = p->wake[1], .events = POLLIN },
	};
	unsigned int i;

	if (poll(fds, 2, ms) < 1)
		return;
	for (i = 0; i < 2; i++)
		if (fds[i].revents & POLLIN)
			block_hush(fds[i].fd);
}

static struct block_io *plain_wait(void *state, int ms)
{
	struct plain *p = state;
	struct block_io *done = p->first;

	sleep_until_woken(p, done ? 0 : ms);
	p->first = NULL;
	p->last = &p->first;
	return done;
}

static void plain_close(void *state)
{
	free(state);
}

const struct block_engine block_plain = {
	.name = "pread/pwrite",
	.open = plain_open,
	.submit = plain_submit,
	.wait = plain_wait,
	.close = plain_close,
};
