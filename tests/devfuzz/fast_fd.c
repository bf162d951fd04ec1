// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors: eventfds, and what is done with any.
 */
#include "fast.h"
#include "descriptors.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#define FIRST 0x100000
#define FAKES 1024

static struct fake fakes[FAKES];
static unsigned int cursor, highest; /* so many of them were in use */

int __real_close(int fd);
int __real_poll(struct pollfd *fds, nfds_t n, int ms);

void fake_must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

int fake_open(enum fake_kind kind, struct fake **f)
{
	unsigned int tries = FAKES;

	while (tries-- && fakes[cursor].kind != FAKE_CLOSED)
		cursor = (cursor + 1) % FAKES;
	*f = &fakes[cursor];
	fake_must((*f)->kind == FAKE_CLOSED, "too many descriptors");
	**f = (struct fake){ .kind = kind };
	if (cursor >= highest)
		highest = cursor + 1;
	cursor = (cursor + 1) % FAKES;
	return (int)(FIRST + (*f - fakes));
}

struct fake *fake_find(int fd)
{
	if (fd < FIRST || fd >= FIRST + FAKES)
		return NULL;
	fake_must(fakes[fd - FIRST].kind != FAKE_CLOSED,
		  "a descriptor is used that was closed");
	return &fakes[fd - FIRST];
}

struct fake *fake_listener(const char *path)
{
	unsigned int i;

	for (i = 0; i < highest; i++)
		if (fakes[i].kind == FAKE_LISTENER &&
		    !strcmp(fakes[i].path, path))
			return &fakes[i];
	return NULL;
}

/* What a target keeps for all scripts is a listener. */
void fuzz_end(void)
{
	unsigned int i;

	for (i = 0; i < highest; i++)
		fake_must(fakes[i].kind == FAKE_CLOSED ||
				  fakes[i].kind == FAKE_LISTENER,
			  "a descriptor was left open");
	cursor = 0;
	fuzz_check_descriptors();
}

/* ---- instead of the C library's --------------------------------------------- */

int __wrap_eventfd(unsigned int count, int flags);
int __wrap_eventfd_write(int fd, eventfd_t n);
int __wrap_eventfd_read(int fd, eventfd_t *n);
int __wrap_close(int fd);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);

int __wrap_eventfd(unsigned int count, int flags)
{
	struct fake *f;
	int fd = fake_open(FAKE_EVENT, &f);

	fake_must(flags & EFD_NONBLOCK, "an eventfd that blocks");
	f->count = count;
	return fd;
}

static struct fake *event_of(int fd)
{
	struct fake *f = fake_find(fd);

	fake_must(f && f->kind == FAKE_EVENT, "not an eventfd");
	return f;
}

int __wrap_eventfd_write(int fd, eventfd_t n)
{
	event_of(fd)->count += n;
	return 0;
}

int __wrap_eventfd_read(int fd, eventfd_t *n)
{
	struct fake *f = event_of(fd);

	if (!f->count) {
		errno = EAGAIN;
		return -1;
	}
	*n = f->count;
	f->count = 0;
	return 0;
}

int __wrap_close(int fd)
{
	struct fake *f = fake_find(fd);

	if (!f) {
		fake_must(!__real_close(fd), "a descriptor that isn't open is closed");
		return 0;
	}
	if (f->kind == FAKE_SOCKET)
		fake_socket_close(f);
	while (f->waiters)
		__wrap_close(f->waiting[--f->waiters]);
	f->kind = FAKE_CLOSED;
	return 0;
}

static int look(struct pollfd *fds, nfds_t n)
{
	int ready = 0;
	nfds_t i;

	for (i = 0; i < n; i++) {
		fds[i].revents = fake_events(fake_find(fds[i].fd)) &
				 (fds[i].events | POLLHUP | POLLERR);
		ready += !!fds[i].revents;
	}
	return ready;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	int ready;

	if (!fake_find(fds[0].fd))
		return __real_poll(fds, n, ms);
	while (!(ready = look(fds, n)) && ms) {
		fake_must(fake_in_thread(), "sleeps, and nobody can wake it");
		fake_yield();
		if (ms > 0)
			return look(fds, n);
	}
	return ready;
}
