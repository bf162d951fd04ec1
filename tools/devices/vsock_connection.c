/* SPDX-License-Identifier: GPL-2.0 */
/*
 * covsock: connections. A guest that connects to port P of the host reaches the
 * socket PATH_P. A program of the host that connects to PATH and says "CONNECT P\n"
 * reaches the guest's port P, and reads "OK <its own port>\n" first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../os/line.h"
#include "../os/local_socket.h"
#include "vsock.h"

/* For a client to say where to, and for the guest to answer. */
#define PATIENCE_MS 10000
#define LOOK_MS	    1000

static void on_socket(uv_poll_t *poll, int status, int events);

/* ---- life of a connection --------------------------------------------------- */

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void close_socket(struct vsock_connection *c)
{
	if (c->poll)
		uv_close((uv_handle_t *)c->poll, free_handle);
	c->poll = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->readable = false;
	free(c->buffer);
	c->buffer = NULL;
	c->used = 0;
}

void vsock_drop(struct vsock_connection *c)
{
	close_socket(c);
	if (c->state != VSOCK_FREE)
		c->vs->connections--;
	c->state = VSOCK_FREE;
}

void vsock_drop_all(struct vsock *vs)
{
	unsigned int i;

	for (i = 0; i < VSOCK_CONNECTIONS; i++)
		if (vs->connection[i].state != VSOCK_FREE)
			vsock_drop(&vs->connection[i]);
}

/* Gone for the host; the guest, if it hasn't left, is told when it has a buffer for
 * that. */
static void reset(struct vsock_connection *c)
{
	if (c->state == VSOCK_LEFT) {
		vsock_drop(c);
		return;
	}
	close_socket(c);
	c->owes = VSOCK_OWES_RST;
}

static struct vsock_connection *free_slot(struct vsock *vs)
{
	unsigned int i;

	for (i = 0; i < VSOCK_CONNECTIONS; i++)
		if (vs->connection[i].state == VSOCK_FREE)
			return &vs->connection[i];
	return NULL;
}

/* Takes over fd in any case. NULL: no room. */
static struct vsock_connection *connection_new(struct vsock *vs, int fd,
					       enum vsock_state state)
{
	struct vsock_connection *c = free_slot(vs);
	uint8_t *buffer = malloc(VSOCK_BUFFER);
	uv_poll_t *poll = malloc(sizeof(*poll));

	if (!c || !buffer || !poll ||
	    uv_poll_init(device_loop(&vs->dev), poll, fd)) {
		free(buffer);
		free(poll);
		close(fd);
		return NULL;
	}
	*c = (struct vsock_connection){
		.vs = vs, .state = state, .fd = fd, .poll = poll,
		.buffer = buffer,
		.deadline = uv_now(device_loop(&vs->dev)) + PATIENCE_MS,
	};
	poll->data = c;
	vs->connections++;
	return c;
}

/* Asks the loop for what the connection waits for. */
static void watch(struct vsock_connection *c)
{
	bool reads = !c->readable && !c->host_ended &&
		     !(c->guest_ended & VSOCK_NO_RECEIVE);
	int events = (reads && c->state != VSOCK_ASKED ? UV_READABLE : 0) |
		     (c->used ? UV_WRITABLE : 0);

	if (!c->poll)
		return;
	if (events)
		uv_poll_start(c->poll, events, on_socket);
	else
		uv_poll_stop(c->poll);
}

struct vsock_connection *vsock_find(struct vsock *vs, uint32_t guest_port,
				    uint32_t host_port)
{
	unsigned int i;

	for (i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *c = &vs->connection[i];

		if (c->state >= VSOCK_ASKED && c->guest_port == guest_port &&
		    c->host_port == host_port)
			return c;
	}
	return NULL;
}

/* ---- bytes from the guest --------------------------------------------------- */

/* All that the guest sent is out: what it announced can be done. */
static void finish(struct vsock_connection *c)
{
	if (c->used || c->fd < 0)
		return;
	if (c->state == VSOCK_LEFT ||
	    c->guest_ended == (VSOCK_NO_RECEIVE | VSOCK_NO_SEND) ||
	    ((c->guest_ended & VSOCK_NO_SEND) && c->host_ended &&
	     !(c->owes & VSOCK_OWES_SHUTDOWN)))
		reset(c);
	else if (c->guest_ended & VSOCK_NO_SEND)
		shutdown(c->fd, SHUT_WR);
}

/* A quarter taken is worth a word: the guest shall never stand still for want of
 * it. */
static void count_taken(struct vsock_connection *c, size_t n)
{
	c->start = (c->start + n) % VSOCK_BUFFER;
	c->used -= n;
	c->taken += (uint32_t)n;
	if (c->taken - c->told >= VSOCK_BUFFER / 4)
		c->owes |= VSOCK_OWES_CREDIT;
}

static void flush(struct vsock_connection *c)
{
	while (c->used) {
		size_t n = VSOCK_BUFFER - c->start;
		ssize_t done;

		n = n < c->used ? n : c->used;
		done = send(c->fd, c->buffer + c->start, n, MSG_NOSIGNAL);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno != EAGAIN)
			reset(c);
		if (done < 0)
			return;
		count_taken(c, (size_t)done);
	}
	finish(c);
}

static void take_bytes(struct vsock_connection *c, size_t n)
{
	struct chain *out = &c->vs->out;

	if (c->state != VSOCK_OPEN || (c->guest_ended & VSOCK_NO_SEND) ||
	    n > VSOCK_BUFFER - c->used) {
		reset(c);
		return;
	}
	while (n) {
		size_t end = (c->start + c->used) % VSOCK_BUFFER;
		size_t part = VSOCK_BUFFER - end;

		part = chain_read(out, c->buffer + end, part < n ? part : n);
		c->used += part;
		n -= part;
	}
	flush(c);
}

/* ---- packets from the guest ------------------------------------------------- */

/* The guest has accepted. */
static void opened(struct vsock_connection *c)
{
	char line[32];
	int n;

	if (c->state != VSOCK_ASKED) {
		reset(c);
		return;
	}
	c->state = VSOCK_OPEN;
	n = snprintf(line, sizeof(line), "OK %" PRIu32 "\n", c->host_port);
	/* The first bytes of a new socket: they have room, or he is gone. */
	if (send(c->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		reset(c);
}

static void shut_down(struct vsock_connection *c, uint32_t flags)
{
	c->guest_ended |= flags & (VSOCK_NO_RECEIVE | VSOCK_NO_SEND);
	if (c->guest_ended & VSOCK_NO_RECEIVE)
		c->readable = false;
	finish(c);
}

/* What it sent before it left still arrives: Linux's guests wait 8 s for our RST, a
 * program of the host may take longer to read. */
static void leave(struct vsock_connection *c)
{
	if (!c->used) {
		vsock_drop(c);
		return;
	}
	c->state = VSOCK_LEFT;
	c->owes = 0;
	c->guest_ended = VSOCK_NO_RECEIVE | VSOCK_NO_SEND;
	c->readable = false;
}

void vsock_packet(struct vsock_connection *c, const struct vsock_header *h)
{
	if (c->fd < 0 && h->op != VSOCK_RST)
		return; /* its end is on its way */
	c->guest_buffer = h->buf_alloc;
	c->guest_taken = h->fwd_cnt;
	switch (h->op) {
	case VSOCK_RESPONSE:
		opened(c);
		break;
	case VSOCK_RST:
		leave(c);
		break;
	case VSOCK_SHUTDOWN:
		shut_down(c, h->flags);
		break;
	case VSOCK_RW:
		take_bytes(c, h->len);
		break;
	case VSOCK_CREDIT_UPDATE:
		break;
	case VSOCK_CREDIT_REQUEST:
		c->owes |= VSOCK_OWES_CREDIT;
		break;
	default:
		reset(c);
		break;
	}
	watch(c);
}

bool vsock_guest_connects(struct vsock *vs, const struct vsock_header *h)
{
	struct vsock_connection *c;
	char path[128];
	int fd = -ENAMETOOLONG;

	if ((size_t)snprintf(path, sizeof(path), "%s_%" PRIu32, vs->path,
			     h->dst_port) < sizeof(path))
		fd = local_connect(path);
	if (fd < 0)
		return false;
	c = connection_new(vs, fd, VSOCK_OPEN);
	if (!c)
		return false;
	c->guest_port = h->src_port;
	c->host_port = h->dst_port;
	c->guest_buffer = h->buf_alloc;
	c->guest_taken = h->fwd_cnt;
	c->owes = VSOCK_OWES_RESPONSE;
	watch(c);
	return true;
}

/* ---- packets to the guest --------------------------------------------------- */

static void fill_header(struct vsock_connection *c, struct vsock_header *h,
			enum vsock_op op)
{
	*h = (struct vsock_header){
		.src_cid = VSOCK_HOST_CID,
		.dst_cid = c->vs->config.guest_cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VSOCK_STREAM,
		.op = op,
		.buf_alloc = VSOCK_BUFFER,
		.fwd_cnt = c->taken,
	};
	c->told = c->taken;
	c->owes &= ~(unsigned int)VSOCK_OWES_CREDIT;
}

/* What the guest still has room for; 0 if it tells nonsense. */
static size_t credit(const struct vsock_connection *c)
{
	uint32_t under_way = c->sent - c->guest_taken;

	return under_way < c->guest_buffer ? c->guest_buffer - under_way : 0;
}

/* He sends nothing more, and perhaps he is gone altogether. */
static void host_end(struct vsock_connection *c)
{
	c->readable = false;
	c->host_ended = true;
	if (line_hung_up(c->fd))
		reset(c);
	else
		c->owes |= VSOCK_OWES_SHUTDOWN;
	watch(c);
}

static ssize_t read_some(struct vsock_connection *c, uint8_t *payload,
			 size_t room)
{
	size_t n = credit(c);
	ssize_t done;

	n = n < room ? n : room;
	if (!c->readable || c->state != VSOCK_OPEN || !n)
		return 0;
	done = recv(c->fd, payload, n, 0);
	if (done > 0)
		return done;
	if (done < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = false;
		watch(c);
	} else if (done < 0) {
		reset(c);
	} else {
		host_end(c);
	}
	return 0;
}

static bool next_owed(struct vsock_connection *c, struct vsock_header *h)
{
	static const enum vsock_op op[] = { VSOCK_REQUEST, VSOCK_RESPONSE,
					    VSOCK_CREDIT_UPDATE, VSOCK_SHUTDOWN,
					    VSOCK_RST };
	unsigned int i;

	for (i = 0; i < 5 && !(c->owes & 1u << i); i++)
		;
	if (i == 5)
		return false;
	fill_header(c, h, op[i]);
	c->owes &= ~(1u << i);
	if (op[i] == VSOCK_SHUTDOWN) {
		h->flags = VSOCK_NO_SEND;
		finish(c);
	}
	if (op[i] == VSOCK_RST)
		vsock_drop(c);
	return true;
}

bool vsock_next(struct vsock_connection *c, struct vsock_header *h,
		uint8_t *payload, size_t room)
{
	ssize_t n;

	if (c->state == VSOCK_LEFT)
		return false;
	if (next_owed(c, h))
		return true;
	n = read_some(c, payload, room);
	if (n <= 0)
		return next_owed(c, h); /* an end was found */
	fill_header(c, h, VSOCK_RW);
	h->len = (uint32_t)n;
	c->sent += (uint32_t)n;
	return true;
}

/* ---- the host's side -------------------------------------------------------- */

/* Byte by byte: what is behind the line is the guest's. 1: it's whole, 0: not yet,
 * -1: it's none. */
static int read_hello(struct vsock_connection *c)
{
	char *at;

	while (c->hello_length < VSOCK_HELLO_MAX) {
		ssize_t n;

		at = &c->hello[c->hello_length];
		n = recv(c->fd, at, 1, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return -1;
		if (*at == '\n') {
			*at = 0;
			return 1;
		}
		c->hello_length++;
	}
	return -1;
}

static bool parse_hello(const char *line, uint32_t *port)
{
	unsigned long long n;
	char *end;

	if (strncmp(line, "CONNECT ", 8) || line[8] < '0' || line[8] > '9')
		return false;
	errno = 0;
	n = strtoull(line + 8, &end, 10);
	*port = (uint32_t)n;
	return !errno && !*end && n <= UINT32_MAX;
}

static uint32_t new_port(struct vsock *vs, uint32_t guest_port)
{
	do
		vs->next_port = (vs->next_port + 1) | 1u << 30;
	while (vsock_find(vs, guest_port, vs->next_port));
	return vs->next_port;
}

static void hello(struct vsock_connection *c)
{
	int rc = read_hello(c);

	if (!rc)
		return;
	if (rc < 0 || !parse_hello(c->hello, &c->guest_port) ||
	    !device_running(&c->vs->dev)) {
		vsock_drop(c);
		return;
	}
	c->host_port = new_port(c->vs, c->guest_port);
	c->state = VSOCK_ASKED;
	c->owes = VSOCK_OWES_REQUEST;
}

static void serve(struct vsock_connection *c, int status, int events)
{
	if (status < 0) {
		reset(c);
		return;
	}
	if (c->state == VSOCK_HELLO) {
		hello(c);
		return;
	}
	if (events & UV_WRITABLE)
		flush(c);
	if (c->fd >= 0 && (events & UV_READABLE))
		c->readable = true;
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct vsock_connection *c = poll->data;
	struct vsock *vs = c->vs;

	device_lock(&vs->dev);
	vsock_see_resets(vs);
	if (c->poll == poll) {
		serve(c, status, events);
		watch(c);
		vsock_push(vs);
	}
	device_unlock(&vs->dev);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct vsock *vs = poll->data;
	struct vsock_connection *c;
	int fd = local_accept(vs->listener);

	(void)status;
	(void)events;
	if (fd < 0) { /* out of descriptors, perhaps: on_timer() tries again */
		uv_poll_stop(poll);
		return;
	}
	device_lock(&vs->dev);
	vsock_see_resets(vs);
	c = connection_new(vs, fd, VSOCK_HELLO);
	if (c)
		watch(c);
	device_unlock(&vs->dev);
}

/* Clients that say nothing, guests that don't answer, and programs that closed
 * their socket after they had ended only one direction. */
static void look_after(struct vsock_connection *c, uint64_t now)
{
	if (c->state == VSOCK_HELLO && now > c->deadline)
		vsock_drop(c);
	else if (c->state == VSOCK_ASKED && now > c->deadline)
		reset(c);
	else if (c->state == VSOCK_OPEN && c->fd >= 0 &&
		 (c->host_ended || (c->guest_ended & VSOCK_NO_RECEIVE)) &&
		 line_hung_up(c->fd))
		reset(c);
}

static void on_timer(uv_timer_t *timer)
{
	struct vsock *vs = timer->data;
	unsigned int i;

	device_lock(&vs->dev);
	vsock_see_resets(vs);
	for (i = 0; vs->connections && i < VSOCK_CONNECTIONS; i++)
		look_after(&vs->connection[i], uv_now(timer->loop));
	vsock_push(vs);
	device_unlock(&vs->dev);
	uv_poll_start(vs->listening, UV_READABLE, on_client);
}

int vsock_listen(struct vsock *vs, struct error **err)
{
	uv_loop_t *loop = device_loop(&vs->dev);

	vs->listener = local_listen(vs->path, err);
	if (vs->listener < 0)
		return -1;
	vs->timer = calloc(1, sizeof(*vs->timer));
	if (!vs->timer)
		return error_set(err, ENOMEM, "cannot be made");
	uv_timer_init(loop, vs->timer);
	vs->timer->data = vs;
	uv_timer_start(vs->timer, on_timer, LOOK_MS, LOOK_MS);
	vs->listening = calloc(1, sizeof(*vs->listening));
	if (!vs->listening ||
	    uv_poll_init(loop, vs->listening, vs->listener)) {
		free(vs->listening);
		vs->listening = NULL;
		return error_set(err, 0, "cannot wait for clients");
	}
	vs->listening->data = vs;
	uv_poll_start(vs->listening, UV_READABLE, on_client);
	return 0;
}

void vsock_close(struct vsock *vs)
{
	if (vs->listening)
		uv_close((uv_handle_t *)vs->listening, free_handle);
	if (vs->timer)
		uv_close((uv_handle_t *)vs->timer, free_handle);
	if (vs->listener < 0)
		return;
	close(vs->listener);
	unlink(vs->path);
}
