// SPDX-License-Identifier: GPL-2.0
#include "../bell.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct bell_watch {
	uv_poll_t poll;
	void (*fn)(void *arg, int status);
	void *arg;
};

int bell_open(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void bell_close(int bell)
{
	close(bell);
}

void bell_ring(int bell)
{
	(void)eventfd_write(bell, 1);
}

/* It doesn't block; EAGAIN is "didn't ring", and no other error can come from an
 * eventfd that is open. */
void bell_hush(int bell)
{
	eventfd_t count;

	(void)eventfd_read(bell, &count);
}

/* A failing poll() only makes the caller look once more. */
void bell_wait(const int bells[2], int ms)
{
	struct pollfd fds[2] = {
		{ .fd = bells[0], .events = POLLIN },
		{ .fd = bells[1], .events = POLLIN },
	};

	(void)poll(fds, 2, ms);
}

static void on_ring(uv_poll_t *poll, int status, int events)
{
	struct bell_watch *w = poll->data;

	(void)events;
	w->fn(w->arg, status < 0 ? status : 0);
}

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

struct bell_watch *bell_watch(uv_loop_t *loop, int bell,
			      void (*fn)(void *arg, int status), void *arg)
{
	struct bell_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w) {
		errno = ENOMEM;
		return NULL;
	}
	w->fn = fn;
	w->arg = arg;
	rc = uv_poll_init(loop, &w->poll, bell);
	if (rc) {
		free(w);
		errno = -rc;
		return NULL;
	}
	w->poll.data = w;
	rc = uv_poll_start(&w->poll, UV_READABLE, on_ring);
	if (!rc)
		return w;
	bell_unwatch(w);
	errno = -rc;
	return NULL;
}

void bell_unwatch(struct bell_watch *w)
{
	if (w)
		uv_close((uv_handle_t *)&w->poll, free_watch);
}
