// SPDX-License-Identifier: GPL-2.0
/*
 * libuv's loop, as far as the devices need it: timers, descriptors, wake-ups and
 * closings in libuv's order, by a clock that stands still until a script moves it.
 */
#include "fast.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "fuzz.h"

#define HANDLES 1100

struct entry {
	uv_handle_t *handle;
	bool active, closing, sent;
	int fd, events;
	uint64_t due, repeat;
	union {
		uv_poll_cb poll;
		uv_async_cb async;
		uv_timer_cb timer;
	} call;
	uv_close_cb closed;
};

static struct entry entries[HANDLES];
static unsigned int used; /* so many of the table's first may be in use */
static uint64_t now;

static struct entry *enter(uv_loop_t *loop, uv_handle_t *handle,
			   uv_handle_type type)
{
	struct entry *e = entries;

	while (e < entries + used && e->handle)
		e++;
	fake_must(e < entries + HANDLES, "too many handles");
	if (e == entries + used)
		used++;
	memset(e, 0, sizeof(*e));
	e->handle = handle;
	handle->loop = loop;
	handle->type = type;
	handle->u.reserved[0] = e;
	return e;
}

static struct entry *entry_of(void *handle)
{
	uv_handle_t *h = handle;
	struct entry *e = h->u.reserved[0];

	fake_must(e >= entries && e < entries + used && e->handle == h,
		  "a handle that isn't the loop's");
	return e;
}

static struct entry *open_entry(void *handle)
{
	struct entry *e = entry_of(handle);

	fake_must(!e->closing, "a handle is used that was closed");
	return e;
}

void fuzz_time_pass(uint64_t ms)
{
	now += ms;
}

/* ---- one turn --------------------------------------------------------------- */

static void run_timers(void)
{
	struct entry *e;

	for (e = entries; e < entries + used; e++) {
		if (!e->handle || !e->active || e->closing ||
		    e->handle->type != UV_TIMER || e->due > now)
			continue;
		e->active = e->repeat;
		e->due = now + e->repeat;
		e->call.timer((uv_timer_t *)e->handle);
	}
}

static int wanted(const struct entry *e)
{
	short events = fake_events(fake_find(e->fd));
	int n = (events & POLLIN ? UV_READABLE : 0) |
		(events & POLLOUT ? UV_WRITABLE : 0);

	if (events & POLLERR)
		return -1;
	if (events & POLLHUP)
		n |= UV_READABLE | UV_WRITABLE;
	return n & e->events;
}

/* Who comes later finds what those before him did, as with epoll. */
static void run_poll(struct entry *e)
{
	int events = wanted(e);

	if (events > 0)
		e->call.poll((uv_poll_t *)e->handle, 0, events);
	if (events >= 0)
		return;
	e->active = false;
	e->call.poll((uv_poll_t *)e->handle, UV_EBADF, 0);
}

static void run_events(void)
{
	unsigned int n = used, i;

	for (i = 0; i < n; i++) {
		struct entry *e = &entries[i];

		if (!e->handle || !e->active || e->closing)
			continue;
		if (e->handle->type == UV_POLL)
			run_poll(e);
		if (e->handle && e->handle->type == UV_ASYNC && e->sent) {
			e->sent = false;
			e->call.async((uv_async_t *)e->handle);
		}
	}
}

static void run_closings(void)
{
	struct entry *e;

	for (e = entries; e < entries + used; e++) {
		uv_handle_t *handle = e->handle;

		if (!handle || !e->closing)
			continue;
		e->handle = NULL;
		if (e->closed)
			e->closed(handle);
	}
	while (used && !entries[used - 1].handle)
		used--;
}

/* ---- instead of libuv's ----------------------------------------------------- */

int __wrap_uv_loop_init(uv_loop_t *loop);
int __wrap_uv_loop_close(uv_loop_t *loop);
int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode);
uint64_t __wrap_uv_now(const uv_loop_t *loop);
void __wrap_uv_close(uv_handle_t *handle, uv_close_cb closed);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call);
int __wrap_uv_poll_stop(uv_poll_t *poll);
int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb call);
int __wrap_uv_async_send(uv_async_t *async);
int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout,
			  uint64_t repeat);

int __wrap_clock_gettime(clockid_t id, struct timespec *t);

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
	(void)id;
	*t = (struct timespec){ (time_t)(now / 1000), (long)(now % 1000) * 1000000 };
	return 0;
}

int __wrap_uv_loop_init(uv_loop_t *loop)
{
	(void)loop;
	now = 1000;
	return 0;
}

int __wrap_uv_loop_close(uv_loop_t *loop)
{
	(void)loop;
	return used ? UV_EBUSY : 0;
}

int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode)
{
	(void)loop;
	(void)mode;
	run_timers();
	run_events();
	run_closings();
	return used;
}

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return now;
}

void __wrap_uv_close(uv_handle_t *handle, uv_close_cb closed)
{
	struct entry *e = open_entry(handle);

	e->closing = true;
	e->closed = closed;
}

int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *poll, int fd)
{
	struct entry *e;

	for (e = entries; e < entries + used; e++)
		fake_must(!e->handle || e->closing || e->fd != fd ||
				  e->handle->type != UV_POLL,
			  "a descriptor is watched twice");
	fake_must(fake_find(fd), "a descriptor of the kernel");
	enter(loop, (uv_handle_t *)poll, UV_POLL)->fd = fd;
	return 0;
}

int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call)
{
	struct entry *e = open_entry(poll);

	e->active = events;
	e->events = events;
	e->call.poll = call;
	return 0;
}

int __wrap_uv_poll_stop(uv_poll_t *poll)
{
	open_entry(poll)->active = false;
	return 0;
}

int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb call)
{
	struct entry *e = enter(loop, (uv_handle_t *)async, UV_ASYNC);

	e->active = true;
	e->call.async = call;
	return 0;
}

int __wrap_uv_async_send(uv_async_t *async)
{
	open_entry(async)->sent = true;
	return 0;
}

int __wrap_uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
	enter(loop, (uv_handle_t *)timer, UV_TIMER);
	return 0;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout,
			  uint64_t repeat)
{
	struct entry *e = open_entry(timer);

	e->active = true;
	e->call.timer = call;
	e->due = now + timeout;
	e->repeat = repeat;
	return 0;
}
