/* SPDX-License-Identifier: GPL-2.0 */
/*
 * covsock: packets between the guest and its connections (virtio 1.2, 5.10.6).
 *
 * A guest that breaks the rules of queues or packets breaks the device; one that
 * breaks those of a connection loses that connection.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsock.h"

#define VIRTIO_ID_VSOCK 19
/* Packets in one turn of the loop: others have their needs, too. */
#define VSOCK_TURN 64

static struct vsock *to_vsock(struct device *dev)
{
	return container_of(dev, struct vsock, dev);
}

/* ---- to the guest ----------------------------------------------------------- */

static bool take_reply(struct vsock *vs, struct vsock_header *h)
{
	if (!vs->replies)
		return false;
	*h = vs->reply[0];
	vs->replies--;
	memmove(vs->reply, vs->reply + 1, vs->replies * sizeof(*h));
	return true;
}

/* Round robin: a connection that has much doesn't keep others waiting. */
static bool take_turn(struct vsock *vs, struct vsock_header *h, size_t room)
{
	unsigned int i;

	for (i = 0; vs->connections && i < VSOCK_CONNECTIONS; i++) {
		struct vsock_connection *c = &vs->connection[vs->cursor];

		vs->cursor = (vs->cursor + 1) % VSOCK_CONNECTIONS;
		if (c->state != VSOCK_FREE && vsock_next(c, h, vs->payload, room))
			return true;
	}
	return false;
}

static bool get_buffer(struct vsock *vs)
{
	if (vs->have_in)
		return true;
	if (!queue_pop(vs->rx, &vs->in) &&
	    (!queue_listen(vs->rx) || !queue_pop(vs->rx, &vs->in)))
		return false;
	if (vs->in.in_size < sizeof(struct vsock_header)) {
		device_break(&vs->dev, "a receive buffer of %llu bytes, a header has 44",
			     (unsigned long long)vs->in.in_size);
		return false;
	}
	vs->have_in = true;
	return true;
}

/* False: no buffer, or nothing for it. */
static bool push_one(struct vsock *vs)
{
	struct vsock_header h;
	size_t room;

	if (!get_buffer(vs))
		return false;
	room = vs->in.in_size - sizeof(h);
	room = room < VSOCK_PAYLOAD ? room : VSOCK_PAYLOAD;
	if (!take_reply(vs, &h) && !take_turn(vs, &h, room))
		return false;
	vs->have_in = false;
	chain_write(&vs->in, &h, sizeof(h));
	chain_write(&vs->in, vs->payload, h.len);
	device_count(&vs->dev, h.len, 0);
	queue_push(vs->rx, vs->in.head, (uint32_t)(sizeof(h) + h.len));
	return true;
}

void vsock_push(struct vsock *vs)
{
	unsigned int left = VSOCK_TURN;
	bool full = vs->replies == VSOCK_REPLIES;

	if (!device_running(&vs->dev) || !vs->rx->ready)
		return;
	while (left && push_one(vs))
		left--;
	queue_signal(vs->rx);
	if (!left)
		queue_ring(vs->rx);
	if (full && vs->replies < VSOCK_REPLIES)
		queue_ring(vs->tx);
}

/* ---- from the guest --------------------------------------------------------- */

/* "There is no such connection." Never in answer to the same. */
static void reply_rst(struct vsock *vs, const struct vsock_header *h)
{
	if (h->op == VSOCK_RST)
		return;
	vs->reply[vs->replies++] = (struct vsock_header){
		.src_cid = h->dst_cid,
		.dst_cid = h->src_cid,
		.src_port = h->dst_port,
		.dst_port = h->src_port,
		.type = h->type,
		.op = VSOCK_RST,
	};
}

static void handle(struct vsock *vs, const struct vsock_header *h)
{
	struct vsock_connection *c;

	if (h->src_cid != vs->config.guest_cid)
		return; /* whoever that is, he isn't there to get an answer */
	if (h->dst_cid != VSOCK_HOST_CID || h->type != VSOCK_STREAM) {
		reply_rst(vs, h);
		return;
	}
	c = vsock_find(vs, h->src_port, h->dst_port);
	if (h->op == VSOCK_REQUEST && c) {
		vsock_drop(c);
		reply_rst(vs, h);
	} else if (h->op == VSOCK_REQUEST) {
		if (!vsock_guest_connects(vs, h))
			reply_rst(vs, h);
	} else if (c) {
		vsock_packet(c, h);
	} else {
		reply_rst(vs, h);
	}
}

static bool check_packet(struct vsock *vs, const struct vsock_header *h,
			 size_t n)
{
	if (n < sizeof(*h)) {
		device_break(&vs->dev, "a packet of %zu bytes, a header has 44",
			     n);
		return false;
	}
	if (h->len > VSOCK_PAYLOAD || h->len > vs->out.out_size) {
		device_break(&vs->dev,
			     "a packet says it has %u bytes, %llu are there",
			     h->len, (unsigned long long)vs->out.out_size);
		return false;
	}
	return true;
}

static bool take_packet(struct vsock *vs)
{
	struct vsock_header h;

	if (vs->replies == VSOCK_REPLIES || !queue_pop(vs->tx, &vs->out))
		return false;
	if (!check_packet(vs, &h, chain_read(&vs->out, &h, sizeof(h))))
		return false;
	handle(vs, &h);
	device_count(&vs->dev, 0, h.op == VSOCK_RW ? h.len : 0);
	queue_push(vs->tx, vs->out.head, 0);
	return true;
}

static void notify_tx(struct vsock *vs)
{
	unsigned int left = VSOCK_TURN;
	bool waits;

	queue_quiet(vs->tx);
	while (left && take_packet(vs))
		left--;
	queue_signal(vs->tx);
	waits = vs->replies == VSOCK_REPLIES;
	vsock_push(vs);
	/* Full of replies: the guest's next buffer for them goes on here. */
	if (!waits && (!left || queue_listen(vs->tx)))
		queue_ring(vs->tx);
}

/* ---- device ----------------------------------------------------------------- */

void vsock_see_resets(struct vsock *vs)
{
	unsigned int now = atomic_load(&vs->resets);

	if (now == vs->resets_seen)
		return;
	vs->resets_seen = now;
	vs->replies = 0;
	vsock_drop_all(vs);
}

static void vsock_notify(struct device *dev, struct queue *q)
{
	struct vsock *vs = to_vsock(dev);

	device_lock(dev);
	vsock_see_resets(vs);
	if (device_running(dev) && q == vs->tx)
		notify_tx(vs);
	else if (device_running(dev) && q == vs->rx)
		vsock_push(vs);
	device_unlock(dev);
}

static void on_wake(uv_async_t *wake)
{
	struct vsock *vs = wake->data;

	device_lock(&vs->dev);
	vsock_see_resets(vs);
	device_unlock(&vs->dev);
}

/* The buffer comes again, unless it's its own queue that goes. */
static void vsock_stop(struct device *dev)
{
	struct vsock *vs = to_vsock(dev);

	if (vs->have_in)
		queue_unpop(vs->rx, 1);
	vs->have_in = false;
}

static void vsock_reset(struct device *dev)
{
	struct vsock *vs = to_vsock(dev);

	atomic_fetch_add(&vs->resets, 1);
	uv_async_send(vs->wake);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void vsock_free(struct device *dev)
{
	struct vsock *vs = to_vsock(dev);

	vsock_drop_all(vs);
	vsock_close(vs);
	if (vs->wake)
		uv_close((uv_handle_t *)vs->wake, free_handle);
	free(vs->path);
	free(vs);
}

static const struct device_ops vsock_ops = {
	.id = VIRTIO_ID_VSOCK,
	.type = "vsock",
	.stop = vsock_stop,
	.notify = vsock_notify,
	.reset = vsock_reset,
	.free = vsock_free,
};

static int make_wake(struct vsock *vs, uv_loop_t *loop, struct error **err)
{
	uv_async_t *wake = malloc(sizeof(*wake));
	int rc = wake ? uv_async_init(loop, wake, on_wake) : UV_ENOMEM;

	if (rc) {
		free(wake);
		return error_set(err, -rc, "cannot be made");
	}
	wake->data = vs;
	vs->wake = wake;
	return 0;
}

static int add_queues(struct vsock *vs, struct error **err)
{
	vs->rx = device_add_queue(&vs->dev, VSOCK_QUEUE, err);
	vs->tx = vs->rx ? device_add_queue(&vs->dev, VSOCK_QUEUE, err) : NULL;
	vs->event = vs->tx ? device_add_queue(&vs->dev, VSOCK_QUEUE, err) : NULL;
	return vs->event ? 0 : -1;
}

static int init(struct machine *m, struct vsock *vs, const char *name,
		const struct vsock_options *opt, struct error **err)
{
	vs->dev.ops = &vsock_ops;
	vs->dev.config = &vs->config;
	vs->dev.config_size = sizeof(vs->config);
	vs->config.guest_cid = opt->cid;
	vs->listener = -1;
	vs->next_port = 1u << 30; /* far from what a service would choose */
	snprintf(vs->dev.detail, sizeof(vs->dev.detail), "CID %u, %.200s",
		 opt->cid, opt->path);
	vs->path = strdup(opt->path);
	if (!vs->path || make_wake(vs, machine_loop(m), err) ||
	    device_add(m, &vs->dev, name, err)) {
		vsock_free(&vs->dev);
		return -1;
	}
	/* From here on the machine frees it, with its devices. */
	return add_queues(vs, err) || vsock_listen(vs, err) ? -1 : 0;
}

struct device *vsock_create(struct machine *m, const char *name,
			    const struct vsock_options *opt,
			    struct error **err)
{
	struct vsock *vs = calloc(1, sizeof(*vs));

	if (!vs)
		error_set(err, ENOMEM, "cannot be made");
	if (vs && !init(m, vs, name, opt, err))
		return &vs->dev;
	error_wrap(err, "%s", name);
	return NULL;
}
