/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet's data queues: frames out of the guest, frames into it.
 *
 * What can't be delivered waits where it is, on either side: a guest without
 * buffers makes the back end wait, a back end without room leaves chains in the
 * ring. Only a guest that isn't there, or has its cable pulled, loses frames.
 */
#include <string.h>

#include "net.h"

/* Frames in one turn of the loop: others have their needs, too. */
#define NET_TURN 128
/* A frame is in so many buffers at most: Linux gives 1.5 KiB and more each. */
#define BUFFERS_MAX 64

static void show_watchers(struct net *n, const struct iovec *iov,
			  unsigned int entries, size_t bytes)
{
	struct net_watcher *w, *next;

	for (w = n->watchers; w; w = next) {
		next = w->next;
		w->frame(w, iov, entries, bytes);
	}
}

/* ---- out of the guest ------------------------------------------------------- */

/* NULL, or the rule that the header breaks (5.1.6.2). */
static const char *check_gso(const struct net *n, const struct net_header *h)
{
	uint64_t feature;

	if (h->gso_type == NET_GSO_NONE)
		return NULL;
	if (h->gso_type == NET_GSO_TCP4)
		feature = NET_F_HOST_TSO4;
	else if (h->gso_type == NET_GSO_TCP6)
		feature = NET_F_HOST_TSO6;
	else
		return "a segmentation that wasn't offered";
	if (!device_has(&n->dev, feature))
		return "segmentation without the feature";
	if (!(h->flags & NET_NEEDS_CSUM))
		return "segmentation without a checksum to make";
	return h->gso_size ? NULL : "segments of no size";
}

static const char *check_header(const struct net *n,
				const struct net_header *h, uint64_t bytes)
{
	if (bytes < NET_FRAME_MIN)
		return "a frame that is too short";
	if (bytes > NET_FRAME_MAX)
		return "a frame that is too long";
	if (h->flags & NET_NEEDS_CSUM) {
		if (!device_has(&n->dev, NET_F_CSUM))
			return "a checksum to make without the feature";
		if ((uint64_t)h->csum_start + h->csum_offset + 2 > bytes)
			return "a checksum outside its frame";
	}
	return check_gso(n, h);
}

/* What the back end gets to see: nothing that wasn't checked. */
static void clean_header(struct net_header *h, uint64_t bytes)
{
	h->flags &= NET_NEEDS_CSUM;
	if (!h->flags)
		h->csum_start = h->csum_offset = 0;
	if (h->gso_type == NET_GSO_NONE)
		h->gso_size = 0;
	if (h->hdr_len > bytes)
		h->hdr_len = (uint16_t)bytes;
	h->num_buffers = 0;
}

static void sent(struct net_pair *p, uint64_t bytes)
{
	device_count(&p->n->dev, 0, bytes);
	queue_push(net_queue(p, NET_TX), p->tx.head, 0);
}

/* The frame in p->tx. False: the back end wants it later. */
static bool send_frame(struct net_pair *p)
{
	struct net_backend *b = p->backend;

	if (net_up(p->n) && !b->ops->send(b, &p->tx_header, p->tx.out, p->tx.out_n)) {
		p->tx_held = true;
		return false;
	}
	if (!net_up(p->n))
		b->dropped++;
	sent(p, p->tx.out_size);
	return true;
}

/* False: no frame there, or it has to wait. */
static bool take_frame(struct net_pair *p)
{
	const char *rule = "a header that is too short";

	if (!queue_pop(net_queue(p, NET_TX), &p->tx))
		return false;
	if (chain_read(&p->tx, &p->tx_header, sizeof(p->tx_header)) ==
	    sizeof(p->tx_header))
		rule = check_header(p->n, &p->tx_header, p->tx.out_size);
	if (rule) {
		device_break(&p->n->dev, "%s: %llu bytes", rule,
			     (unsigned long long)p->tx.out_size);
		return false;
	}
	clean_header(&p->tx_header, p->tx.out_size);
	show_watchers(p->n, p->tx.out, p->tx.out_n, p->tx.out_size);
	return send_frame(p);
}

void net_put_back(struct net_pair *p)
{
	if (!p->tx_held)
		return;
	p->tx_held = false;
	queue_unpop(net_queue(p, NET_TX), 1);
}

static bool served_elsewhere(const struct net_pair *p)
{
	return p->vhost && net_vhost_active(p->vhost);
}

void net_notify_tx(struct net_pair *p)
{
	struct queue *q = net_queue(p, NET_TX);
	bool entered = net_enter(p->n), more = false;
	unsigned int left = NET_TURN;

	if (!served_elsewhere(p) && !p->tx_held) {
		queue_quiet(q);
		while (left && take_frame(p))
			left--;
		queue_signal(q);
		more = !left || (!p->tx_held && queue_listen(q));
	}
	net_leave(p->n, entered);
	if (more)
		queue_ring(q);
}

/* A reset may have taken the frame away meanwhile. */
static void on_writable(struct net_user *user)
{
	struct net_pair *p = container_of(user, struct net_pair, user);
	struct queue *q = net_queue(p, NET_TX);
	bool entered = net_enter(p->n);

	if (p->tx_held) {
		p->tx_held = false;
		if (send_frame(p)) {
			queue_signal(q);
			queue_ring(q);
		}
	}
	net_leave(p->n, entered);
}

/* ---- into the guest --------------------------------------------------------- */

/* The i-th byte of what the chain's device-writable part begins with. */
static uint8_t *byte_at(const struct chain *c, size_t i)
{
	unsigned int k;

	for (k = 0; k < c->in_n; k++) {
		if (i < c->in[k].iov_len)
			return (uint8_t *)c->in[k].iov_base + i;
		i -= c->in[k].iov_len;
	}
	return NULL;
}

/* A frame on its way into chains. */
struct filling {
	const struct iovec *iov;
	unsigned int n;
	size_t at;     /* in *iov */
	size_t left;   /* bytes of the frame */
	uint8_t *num_buffers[2];
	struct chain_done done[BUFFERS_MAX];
	unsigned int chains;
};

static size_t fill_chain(struct filling *f, struct chain *c)
{
	size_t done = 0;

	while (f->left && c->in_size) {
		const char *from = (const char *)f->iov->iov_base + f->at;
		size_t some = chain_write(c, from, f->iov->iov_len - f->at);

		f->at += some;
		f->left -= some;
		done += some;
		if (f->at == f->iov->iov_len) {
			f->iov++;
			f->at = 0;
		}
	}
	return done;
}

/* The first chain begins with the header, whose last field is known at the end. */
static bool begin_chain(struct net_pair *p, struct filling *f,
			const struct net_header *h)
{
	struct net_header header = *h;

	header.num_buffers = 1;
	f->num_buffers[0] = byte_at(&p->rx, offsetof(struct net_header, num_buffers));
	f->num_buffers[1] = byte_at(&p->rx, offsetof(struct net_header, num_buffers) + 1);
	if (chain_write(&p->rx, &header, sizeof(header)) == sizeof(header))
		return true;
	device_break(&p->n->dev, "a buffer that has no room for a header");
	return false;
}

enum filled { FILLED, NO_ROOM, NO_USE };

/* Takes chains until the frame is in them. */
static enum filled fill(struct net_pair *p, struct filling *f,
			const struct net_header *h)
{
	struct device *dev = &p->n->dev;
	unsigned int max = device_has(dev, NET_F_MRG_RXBUF) ? BUFFERS_MAX : 1;
	size_t bytes;

	while (f->left && f->chains < max) {
		if (!queue_pop(net_queue(p, NET_RX), &p->rx))
			return NO_ROOM;
		f->done[f->chains++].head = p->rx.head;
		if (f->chains == 1 && !begin_chain(p, f, h))
			return NO_USE;
		if (f->chains > 1 && !p->rx.in_size) {
			device_break(dev, "a buffer of no size");
			return NO_USE;
		}
		bytes = fill_chain(f, &p->rx) + (f->chains == 1 ? sizeof(*h) : 0);
		f->done[f->chains - 1].written = (uint32_t)bytes;
	}
	return f->left ? NO_USE : FILLED;
}

static void publish(struct net_pair *p, struct filling *f)
{
	*f->num_buffers[0] = (uint8_t)f->chains;
	*f->num_buffers[1] = (uint8_t)(f->chains >> 8);
	queue_push_all(net_queue(p, NET_RX), f->done, f->chains);
}

static size_t size_of(const struct iovec *iov, unsigned int n)
{
	size_t bytes = 0;

	while (n)
		bytes += iov[--n].iov_len;
	return bytes;
}

/* Tries until there really is no room. The guest may add buffers meanwhile. */
static enum filled deliver(struct net_pair *p, const struct net_header *h,
			   const struct iovec *frame, unsigned int entries,
			   size_t bytes)
{
	struct queue *q = net_queue(p, NET_RX);
	struct filling f;
	enum filled how;
	bool again;

	queue_quiet(q);
	do {
		f = (struct filling){ .iov = frame, .n = entries, .left = bytes };
		how = fill(p, &f, h);
		/* Before the chains go back: what comes behind them counts. */
		again = how == NO_ROOM && queue_listen(q);
		if (how != FILLED)
			queue_unpop(q, f.chains);
	} while (again);
	if (how == FILLED)
		publish(p, &f);
	return how;
}

static bool on_receive(struct net_user *user, const struct net_header *h,
		       const struct iovec *frame, unsigned int entries)
{
	struct net_pair *p = container_of(user, struct net_pair, user);
	struct net *n = p->n;
	size_t bytes = size_of(frame, entries);
	bool entered = net_enter(n);
	enum filled how = NO_USE;

	/* A pair that the guest doesn't use gets no frames, but all that it sends goes:
	 * Linux says that it uses fewer before it stops to fill their queues. */
	if (net_up(n) && device_running(&n->dev) && net_queue(p, NET_RX)->ready &&
	    p->index < n->active && !served_elsewhere(p))
		how = deliver(p, h, frame, entries, bytes);
	if (how == FILLED) {
		show_watchers(n, frame, entries, bytes);
		device_count(&n->dev, bytes, 0);
	}
	n->lost += how == NO_USE;
	/* A device that has just been broken takes no frames any more. */
	p->rx_full = how == NO_ROOM && device_running(&n->dev);
	how = p->rx_full ? NO_ROOM : FILLED;
	net_leave(n, entered);
	return how != NO_ROOM;
}

static void on_flush(struct net_user *user)
{
	struct net_pair *p = container_of(user, struct net_pair, user);
	bool entered = net_enter(p->n);

	if (!served_elsewhere(p))
		queue_signal(net_queue(p, NET_RX));
	net_leave(p->n, entered);
}

void net_notify_rx(struct net_pair *p)
{
	bool entered = net_enter(p->n), was_full = p->rx_full;

	p->rx_full = false;
	net_leave(p->n, entered);
	if (was_full)
		p->backend->ops->ready(p->backend);
}

const struct net_user_ops net_user_ops = {
	.receive = on_receive,
	.flush = on_flush,
	.writable = on_writable,
	.link = net_on_link,
};
