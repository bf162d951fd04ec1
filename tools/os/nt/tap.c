// SPDX-License-Identifier: GPL-2.0
/*
 * A TAP adapter of Windows: one read in flight, and one write. Its frames have no
 * virtio header, so that all checksums are made in the guest.
 *
 * Who disables the adapter while it's used pulls the guest's cable, until it can be
 * read again: Windows does so itself when it sleeps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "../bell.h"
#include "tap_adapter.h"

#include <iphlpapi.h>

/* Frames in one turn of the loop: others have their needs, too. */
#define TAP_TURN 128
#define RETRY_MS 1000

struct operation {
	OVERLAPPED o; /* its event is a bell */
	struct bell_watch *watch;
	bool running;
	uint8_t frame[NET_FRAME_MAX];
};

struct tap {
	struct net_backend b;
	char *name;
	HANDLE h;
	ULONG address; /* what DeleteIPAddress() wants, or 0 */
	struct operation in, out;
	uv_timer_t retry;
	size_t held;	    /* bytes of a frame in `in` that has no room yet */
	bool full, blocked; /* waits for the guest; for the adapter */
	bool gone;
};

static struct tap *to_tap(const struct net_backend *b)
{
	return (struct tap *)((char *)b - offsetof(struct tap, b));
}

static int bell_of(const struct operation *op)
{
	return (int)(intptr_t)op->o.hEvent;
}

/* 1: over, with *n bytes; 0: not yet; -1: it failed. */
static int outcome(struct tap *t, struct operation *op, DWORD *n)
{
	if (GetOverlappedResult(t->h, &op->o, n, FALSE)) {
		op->running = false;
		return 1;
	}
	if (GetLastError() == ERROR_IO_INCOMPLETE)
		return 0;
	op->running = false;
	return -1;
}

/* ---- to the guest ------------------------------------------------------------ */

static void again(uv_timer_t *timer);

static void tap_lost(struct tap *t)
{
	t->gone = true;
	t->held = 0;
	uv_timer_start(&t->retry, again, RETRY_MS, RETRY_MS);
	if (t->b.user)
		t->b.user->ops->link(t->b.user, false);
}

static bool give(struct tap *t)
{
	static const struct net_header header;
	struct iovec iov = { t->in.frame, t->held };

	if (!t->b.user->ops->receive(t->b.user, &header, &iov, 1))
		return false;
	t->held = 0;
	return true;
}

/* Also when it's over at once there is a result to fetch. */
static bool start_read(struct tap *t)
{
	if (ReadFile(t->h, t->in.frame, sizeof(t->in.frame), NULL, &t->in.o) ||
	    GetLastError() == ERROR_IO_PENDING)
		t->in.running = true;
	return t->in.running;
}

/* False: none there. What is too short for a frame is none. */
static bool read_frame(struct tap *t)
{
	DWORD n = 0;
	int over;

	while (!t->held) {
		over = t->in.running || start_read(t) ? outcome(t, &t->in, &n) : -1;
		if (over < 0)
			tap_lost(t);
		if (over <= 0)
			return false;
		t->held = n >= NET_FRAME_MIN ? n : 0;
	}
	return true;
}

static void take_frames(struct tap *t)
{
	unsigned int left = TAP_TURN;

	t->full = false;
	while (left && !t->full && !t->gone && read_frame(t)) {
		t->full = !give(t);
		left--;
	}
	t->b.user->ops->flush(t->b.user);
	if (!left)
		bell_ring(bell_of(&t->in));
}

static void on_read(void *arg, int status)
{
	struct tap *t = arg;

	bell_hush(bell_of(&t->in));
	if (status)
		tap_lost(t);
	else if (!t->full && !t->gone)
		take_frames(t);
}

static void again(uv_timer_t *timer)
{
	struct tap *t = timer->data;

	/* One may be in flight still: it was another bell that failed. */
	if (!t->in.running && !start_read(t))
		return;
	uv_timer_stop(timer);
	t->gone = false;
	t->b.user->ops->link(t->b.user, true);
	take_frames(t);
}

static void tap_ready(struct net_backend *b)
{
	if (!to_tap(b)->gone)
		take_frames(to_tap(b));
}

/* ---- from the guest ---------------------------------------------------------- */

/* False: the one before is on its way still. */
static bool written(struct tap *t)
{
	DWORD n;
	int over = t->out.running ? outcome(t, &t->out, &n) : 1;

	t->b.dropped += over < 0;
	return over;
}

static void on_written(void *arg, int status)
{
	struct tap *t = arg;

	bell_hush(bell_of(&t->out));
	if (status)
		tap_lost(t); /* and what waits is dropped, one by one */
	if ((!written(t) && !status) || !t->blocked)
		return;
	t->blocked = false;
	t->b.user->ops->writable(t->b.user);
}

static DWORD gather(struct operation *op, const struct iovec *frame, unsigned int n)
{
	size_t bytes = 0;

	for (; n; n--, frame++) {
		memcpy(op->frame + bytes, frame->iov_base, frame->iov_len);
		bytes += frame->iov_len;
	}
	return (DWORD)bytes;
}

static bool tap_send(struct net_backend *b, const struct net_header *header,
		     const struct iovec *frame, unsigned int n)
{
	struct tap *t = to_tap(b);
	DWORD bytes;

	(void)header; /* nothing was offered that it could ask for */
	if (!written(t)) {
		t->blocked = true;
		return false;
	}
	bytes = gather(&t->out, frame, n);
	if (WriteFile(t->h, t->out.frame, bytes, NULL, &t->out.o) ||
	    GetLastError() == ERROR_IO_PENDING)
		t->out.running = true;
	else
		b->dropped++; /* the adapter is disabled, or gone */
	return true;
}

/* ---- life -------------------------------------------------------------------- */

static void tap_describe(const struct net_backend *b, char *text, size_t room)
{
	const struct tap *t = to_tap(b);

	snprintf(text, room, "tap %s%s", t->name, t->gone ? ", which is disabled or was removed" : "");
}

/* The system writes into our memory no more when it is over. */
static void end(struct tap *t, struct operation *op)
{
	DWORD n;

	bell_unwatch(op->watch);
	if (op->running)
		GetOverlappedResult(t->h, &op->o, &n, TRUE);
	if (op->o.hEvent)
		CloseHandle(op->o.hEvent);
}

static void free_tap(uv_handle_t *handle)
{
	free(handle->data);
}

static void tap_close(struct net_backend *b)
{
	struct tap *t = to_tap(b);

	CancelIoEx(t->h, NULL);
	end(t, &t->in);
	end(t, &t->out);
	if (t->address)
		DeleteIPAddress(t->address);
	CloseHandle(t->h);
	free(t->name);
	uv_close((uv_handle_t *)&t->retry, free_tap);
}

static const struct net_backend_ops tap_ops = {
	.send = tap_send,
	.ready = tap_ready,
	.describe = tap_describe,
	.close = tap_close,
};

static bool watch(struct tap *t, struct operation *op, uv_loop_t *loop,
		  void (*fn)(void *arg, int status))
{
	int bell = bell_open();

	if (bell < 0)
		return false;
	op->o.hEvent = (HANDLE)(intptr_t)bell;
	op->watch = bell_watch(loop, bell, fn, t);
	return op->watch;
}

struct net_backend *tap_frames(uv_loop_t *loop, HANDLE handle, const char *name,
			       ULONG context, struct error **err)
{
	struct tap *t = need(sizeof(*t));

	t->b.ops = &tap_ops;
	t->b.mtu = NET_MTU;
	t->name = need_copy(name, strlen(name));
	t->h = handle;
	t->address = context;
	uv_timer_init(loop, &t->retry);
	t->retry.data = t;
	if (watch(t, &t->in, loop, on_read) && watch(t, &t->out, loop, on_written)) {
		bell_ring(bell_of(&t->in)); /* the first read */
		return &t->b;
	}
	error_set(err, errno, "tap %s can't be watched", name);
	tap_close(&t->b);
	return NULL;
}

/* ---- opening ----------------------------------------------------------------- */

/* Without a name the first one that can be opened. NULL: the error is that of the
 * last one which can't. */
static HANDLE open_any(const char *name, struct tap_adapter *a, uint16_t *mtu,
		       struct error **err)
{
	struct error *none = NULL;
	unsigned int n = 0;
	HANDLE h;

	while (!tap_adapter_find(name, n++, a, &none)) {
		error_free(err);
		h = tap_adapter_open(a, mtu, err);
		if (h)
			return h;
		free(a->name);
		if (name)
			return NULL;
	}
	if (*err)
		error_free(&none);
	else
		*err = none;
	return NULL;
}

int tap_open(uv_loop_t *loop, const struct tap_options *opt,
	     struct net_backend **queue, struct error **err)
{
	ULONG context = 0;
	struct tap_adapter a;
	uint16_t mtu = NET_MTU;
	HANDLE h = open_any(opt->name, &a, &mtu, err);

	if (!h)
		return -1;
	if (opt->address && tap_adapter_address(&a, opt->address, &context, err)) {
		CloseHandle(h);
		free(a.name);
		return -1;
	}
	*queue = tap_frames(loop, h, a.name, context, err);
	free(a.name);
	if (!*queue)
		return -1;
	(*queue)->mtu = mtu;
	return 0;
}
