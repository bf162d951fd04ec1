/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network in user space: libslirp answers the guest's ARP, DHCP, DNS, and turns
 * its connections into sockets of this process.
 *
 * The guest's link takes packets of 64 KiB, so that neither side has to cut: TCP
 * ends here, the world outside never sees that size. That makes segmentation
 * offload needless (libslirp has none).
 *
 * libslirp tells before each sleep of the loop which descriptors it waits for.
 * What the guest has no room for waits in a queue with a bound.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/forward.h"
#include "backend.h"
#include "slirp_ports.h"

/* What may wait for the guest: more than TCP's windows of some connections. */
#define WAITING_MAX (8u << 20)
#define MS_NS	    1000000

struct frame {
	struct frame *next;
	size_t bytes;
	uint8_t data[];
};

/* A descriptor of libslirp's. */
struct watched {
	uv_poll_t poll;
	struct slirp *s;
	int fd;
	int wanted, watching; /* UV_* */
	int came;	      /* SLIRP_POLL_* */
};

struct slirp_timer {
	uv_timer_t timer;
	struct slirp *s;
	SlirpTimerCb cb;
	void *opaque;
};

struct slirp {
	struct net_backend b;
	uv_loop_t *loop;
	Slirp *stack;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_timer_t timeout;
	unsigned int handles; /* that aren't closed yet */
	bool closing, filled;
	bool came; /* something that libslirp wasn't told yet */
	bool late; /* libslirp's clock stands where it was before the loop slept */
	struct watched **watched; /* by descriptor */
	size_t watched_room;
	struct frame *first, **last;
	size_t waiting; /* bytes */
	struct ports ports;
	uint8_t out[NET_FRAME_MAX];
};

static struct slirp *to_slirp(const struct net_backend *b)
{
	return (struct slirp *)((char *)b - offsetof(struct slirp, b));
}

/* ---- to the guest ----------------------------------------------------------- */

static bool give(struct slirp *s, const void *data, size_t n)
{
	static const struct net_header header;
	struct iovec iov = { (void *)(uintptr_t)data, n };

	return s->b.user->ops->receive(s->b.user, &header, &iov, 1);
}

static void keep(struct slirp *s, const void *data, size_t n)
{
	struct frame *f = s->waiting + n > WAITING_MAX ? NULL :
							 malloc(sizeof(*f) + n);

	if (!f) {
		s->b.dropped++;
		return;
	}
	f->next = NULL;
	f->bytes = n;
	memcpy(f->data, data, n);
	*s->last = f;
	s->last = &f->next;
	s->waiting += n;
}

static void drop_first(struct slirp *s)
{
	struct frame *f = s->first;

	s->first = f->next;
	if (!s->first)
		s->last = &s->first;
	s->waiting -= f->bytes;
	free(f);
}

static ssize_t send_packet(const void *data, size_t n, void *opaque)
{
	struct slirp *s = opaque;

	if (!s->b.user)
		return (ssize_t)n; /* it greets before the guest is there */
	if (s->first || !give(s, data, n))
		keep(s, data, n);
	return (ssize_t)n;
}

static void slirp_ready(struct net_backend *b)
{
	struct slirp *s = to_slirp(b);

	while (s->first && give(s, s->first->data, s->first->bytes))
		drop_first(s);
	b->user->ops->flush(b->user);
}

/* ---- from the guest --------------------------------------------------------- */

/* libslirp reads its clock only when it is told of sockets, here of none. What a guest
 * begins after a long silence would otherwise be too old at once: a question to a name
 * server after 10 s, any datagram's way back after 4 minutes. */
static void catch_up(struct slirp *s)
{
	if (s->late)
		slirp_pollfds_poll(s->stack, 1, NULL, NULL);
	s->late = false;
}

/* libslirp looks at a frame more than once: it gets a copy. */
static bool slirp_send(struct net_backend *b, const struct net_header *header,
		       const struct iovec *frame, unsigned int n)
{
	struct slirp *s = to_slirp(b);
	size_t at = 0;
	unsigned int i;

	(void)header; /* without offloads there's nothing in it */
	for (i = 0; i < n && at + frame[i].iov_len <= sizeof(s->out); i++) {
		memcpy(s->out + at, frame[i].iov_base, frame[i].iov_len);
		at += frame[i].iov_len;
	}
	catch_up(s);
	slirp_input(s->stack, s->out, (int)at);
	return true; /* its answers are flushed when the loop has turned */
}

/* ---- what libslirp asks of us ----------------------------------------------- */

static void guest_error(const char *msg, void *opaque)
{
	(void)msg;
	((struct slirp *)opaque)->b.dropped++;
}

static int64_t clock_ns(void *opaque)
{
	(void)opaque;
	return (int64_t)uv_hrtime();
}

static void closed(uv_handle_t *handle);

static void timer_due(uv_timer_t *timer)
{
	struct slirp_timer *t = timer->data;

	t->cb(t->opaque);
}

static void timer_closed(uv_handle_t *handle)
{
	struct slirp_timer *t = handle->data;

	handle->data = t->s;
	closed(handle);
	free(t);
}

static void *timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
	struct slirp *s = opaque;
	struct slirp_timer *t = calloc(1, sizeof(*t));

	if (!t)
		abort(); /* as libslirp itself does without memory */
	t->s = s;
	t->cb = cb;
	t->opaque = cb_opaque;
	uv_timer_init(s->loop, &t->timer);
	t->timer.data = t;
	s->handles++;
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct slirp_timer *t = timer;

	(void)opaque;
	uv_close((uv_handle_t *)&t->timer, timer_closed);
}

static void timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	struct slirp_timer *t = timer;
	int64_t now = clock_ns(opaque) / MS_NS;

	uv_timer_start(&t->timer, timer_due,
		       expire_ms > now ? (uint64_t)(expire_ms - now) : 0, 0);
}

static void watched_closed(uv_handle_t *handle)
{
	struct watched *w = handle->data;

	handle->data = w->s;
	closed(handle);
	free(w);
}

static void forget(int fd, void *opaque)
{
	struct slirp *s = opaque;
	struct watched *w;

	if (fd < 0 || (size_t)fd >= s->watched_room || !s->watched[fd])
		return;
	w = s->watched[fd];
	s->watched[fd] = NULL;
	uv_close((uv_handle_t *)&w->poll, watched_closed);
}

static void register_fd(int fd, void *opaque)
{
	(void)fd; /* watched from the first add_poll() on */
	(void)opaque;
}

/* The loop's thread is where we are: it will look before it sleeps. */
static void notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = register_fd,
	.unregister_poll_fd = forget,
	.notify = notify,
};

/* ---- the loop --------------------------------------------------------------- */

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct watched *w = poll->data;

	w->s->came = true;
	/* libuv's word for POLLERR; it has stopped watching, too. */
	if (status < 0) {
		w->watching = 0;
		w->came = SLIRP_POLL_ERR | SLIRP_POLL_HUP | SLIRP_POLL_IN |
			  SLIRP_POLL_OUT;
		return;
	}
	w->came = (events & UV_READABLE ? SLIRP_POLL_IN : 0) |
		  (events & UV_WRITABLE ? SLIRP_POLL_OUT : 0) |
		  (events & UV_PRIORITIZED ? SLIRP_POLL_PRI : 0) |
		  (events & UV_DISCONNECT ? SLIRP_POLL_HUP : 0);
}

static struct watched *watched_new(struct slirp *s, int fd)
{
	size_t room = s->watched_room, i;
	struct watched *w;

	if ((size_t)fd >= room) {
		room = (size_t)fd * 2 + 16;
		s->watched = realloc(s->watched, room * sizeof(*s->watched));
		if (!s->watched)
			abort();
		for (i = s->watched_room; i < room; i++)
			s->watched[i] = NULL;
		s->watched_room = room;
	}
	if (s->watched[fd])
		return s->watched[fd];
	w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	if (uv_poll_init_socket(s->loop, &w->poll, fd)) {
		free(w);
		return NULL;
	}
	w->s = s;
	w->fd = fd;
	w->poll.data = w;
	s->handles++;
	s->watched[fd] = w;
	return w;
}

static int add_poll(int fd, int events, void *opaque)
{
	struct slirp *s = opaque;
	struct watched *w = watched_new(s, fd);

	if (!w)
		return -1;
	w->wanted = (events & SLIRP_POLL_IN ? UV_READABLE : 0) |
		    (events & SLIRP_POLL_OUT ? UV_WRITABLE : 0) |
		    (events & SLIRP_POLL_PRI ? UV_PRIORITIZED : 0) |
		    (events & SLIRP_POLL_HUP ? UV_DISCONNECT : 0);
	return fd;
}

/* Watches what was asked for since the last turn, and nothing else. */
static void rearm(struct slirp *s)
{
	struct watched *w;
	size_t i;

	for (i = 0; i < s->watched_room; i++) {
		w = s->watched[i];
		if (!w || w->wanted == w->watching)
			continue;
		if (!w->wanted)
			uv_poll_stop(&w->poll);
		else if (uv_poll_start(&w->poll, w->wanted, on_event))
			w->wanted = 0;
		w->watching = w->wanted;
	}
}

static void timed_out(uv_timer_t *timer)
{
	(void)timer; /* its end is what was wanted */
}

static int came(int index, void *opaque)
{
	struct slirp *s = opaque;

	if (index < 0 || (size_t)index >= s->watched_room || !s->watched[index])
		return 0;
	return s->watched[index]->came;
}

static void tell_events(struct slirp *s)
{
	s->filled = s->came = s->late = false;
	slirp_pollfds_poll(s->stack, 0, came, s);
	if (s->b.user)
		s->b.user->ops->flush(s->b.user);
}

/* What came while the loop slept is told behind its sleep; on Windows libuv tells it
 * only when the loop turns anew. */
static void before_sleep(uv_prepare_t *prepare)
{
	struct slirp *s = prepare->data;
	uint32_t timeout = UINT32_MAX;
	size_t i;

	if (s->came)
		tell_events(s);
	for (i = 0; i < s->watched_room; i++)
		if (s->watched[i])
			s->watched[i]->wanted = s->watched[i]->came = 0;
	slirp_pollfds_fill(s->stack, &timeout, add_poll, s);
	s->filled = s->late = true;
	rearm(s);
	if (timeout == UINT32_MAX)
		uv_timer_stop(&s->timeout);
	else
		uv_timer_start(&s->timeout, timed_out, timeout, 0);
}

static void after_sleep(uv_check_t *check)
{
	struct slirp *s = check->data;

	if (s->filled)
		tell_events(s);
}

/* ---- forwards --------------------------------------------------------------- */

int slirp_forward(struct net_backend *b, const struct forward *f,
		  struct error **err)
{
	return ports_add(&to_slirp(b)->ports, to_slirp(b)->stack, f, err);
}

int slirp_unforward(struct net_backend *b, const struct forward *f,
		    struct error **err)
{
	return ports_remove(&to_slirp(b)->ports, to_slirp(b)->stack, f, err);
}

const struct forward *slirp_forwards(const struct net_backend *b, size_t *n)
{
	*n = to_slirp(b)->ports.n;
	return to_slirp(b)->ports.list;
}

/* ---- opening and closing ---------------------------------------------------- */

static void slirp_describe(const struct net_backend *b, char *text, size_t room)
{
	const struct slirp *s = to_slirp(b);

	snprintf(text, room, "slirp 10.0.2.0/24, %zu forward%s", s->ports.n,
		 s->ports.n == 1 ? "" : "s");
}

static void closed(uv_handle_t *handle)
{
	struct slirp *s = handle->data;

	if (--s->handles || !s->closing)
		return;
	free(s->watched);
	free(s);
}

static void slirp_close(struct net_backend *b)
{
	struct slirp *s = to_slirp(b);
	size_t i;

	b->user = NULL;
	slirp_cleanup(s->stack);
	for (i = 0; i < s->watched_room; i++)
		forget((int)i, s);
	while (s->first)
		drop_first(s);
	free(s->ports.list);
	s->closing = true;
	uv_close((uv_handle_t *)&s->prepare, closed);
	uv_close((uv_handle_t *)&s->check, closed);
	uv_close((uv_handle_t *)&s->timeout, closed);
}

static const struct net_backend_ops slirp_ops = {
	.send = slirp_send,
	.ready = slirp_ready,
	.describe = slirp_describe,
	.close = slirp_close,
};

static Slirp *new_stack(struct slirp *s, const char *name)
{
	SlirpConfig config = {
		.version = 4,
		.in_enabled = true,
		.in6_enabled = true,
		.vprefix_len = 64,
		.vhostname = name,
		.if_mtu = NET_MTU_LOCAL,
		.if_mru = NET_MTU_LOCAL,
	};

	inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &config.vhost);
	inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
	inet_pton(AF_INET, SLIRP_GUEST, &config.vdhcp_start);
	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	return slirp_new(&config, &callbacks, s);
}

static void begin(struct slirp *s)
{
	uv_prepare_init(s->loop, &s->prepare);
	uv_check_init(s->loop, &s->check);
	uv_timer_init(s->loop, &s->timeout);
	s->handles += 3;
	s->prepare.data = s->check.data = s->timeout.data = s;
	uv_prepare_start(&s->prepare, before_sleep);
	uv_check_start(&s->check, after_sleep);
}

struct net_backend *slirp_open(uv_loop_t *loop, const char *name,
			       struct error **err)
{
	struct slirp *s = calloc(1, sizeof(*s));

	if (!s) {
		error_set(err, ENOMEM, "slirp");
		return NULL;
	}
	s->b.ops = &slirp_ops;
	s->b.mtu = NET_MTU_LOCAL;
	s->loop = loop;
	s->late = true;
	s->last = &s->first;
	s->stack = new_stack(s, name);
	if (!s->stack) {
		free(s);
		error_set(err, 0, "libslirp can't make a network");
		return NULL;
	}
	begin(s);
	return &s->b;
}
