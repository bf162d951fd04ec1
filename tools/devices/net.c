/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet: a virtio network device (virtio 1.2, 5.1) with pairs of queues and a
 * control queue.
 *
 * It lives on the loop, as its back end does. Frames go straight between guest
 * memory and a back end that takes I/O vectors; for a tap, vhost-net does that
 * in the kernel as long as nobody watches the frames (`colinux capture`).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

#define VIRTIO_ID_NET 1
#define NET_QUEUE     256
#define CONTROL_QUEUE 64

#define GUEST_FEATURES (NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6)

static struct net *to_net(const struct device *dev)
{
	return container_of((struct device *)dev, struct net, dev);
}

bool net_enter(struct net *n)
{
	if (n->inside)
		return false;
	device_lock(&n->dev);
	n->inside = true;
	return true;
}

static void choose_server(struct net *n);

/* A frame may be in our hands before that. */
void net_leave(struct net *n, bool entered)
{
	if (!entered)
		return;
	if (n->reconsider)
		choose_server(n);
	n->inside = false;
	device_unlock(&n->dev);
}

/* ---- what the guest takes --------------------------------------------------- */

uint32_t net_guest_offloads(const struct net *n)
{
	uint32_t offloads = 0;

	if (!device_has(&n->dev, NET_F_GUEST_CSUM))
		return 0;
	offloads = NET_OFFLOAD_CSUM;
	if (device_has(&n->dev, NET_F_GUEST_TSO4))
		offloads |= NET_OFFLOAD_TSO4;
	if (device_has(&n->dev, NET_F_GUEST_TSO6))
		offloads |= NET_OFFLOAD_TSO6;
	return offloads;
}

void net_set_offloads(struct net *n, uint32_t offloads)
{
	struct net_backend *b = n->pair[0].backend; /* for all of its network */

	n->offloads = offloads;
	if (b->ops->take)
		b->ops->take(b, offloads);
}

/* ---- link ------------------------------------------------------------------- */

bool net_up(const struct net *n)
{
	return n->connected && n->cable;
}

/* vhost-net works when there is all that it needs, and nobody wants to see. Lock
 * held, any thread. */
static void choose_server(struct net *n)
{
	bool may = device_running(&n->dev) && net_up(n) && !n->watchers;
	struct net_pair *p;

	n->reconsider = false;
	for (p = n->pair; p < n->pair + n->pairs; p++) {
		if (!p->vhost)
			continue;
		if (may && p->index < n->active && net_queue(p, NET_RX)->ready &&
		    net_queue(p, NET_TX)->ready)
			net_vhost_start(p->vhost);
		else
			net_vhost_stop(p->vhost);
	}
}

/* Where frames wait, on either side, somebody must look again. */
static void go_on(struct net *n)
{
	unsigned int i;

	for (i = 0; i < NET_PER_PAIR * n->pairs; i++)
		queue_ring(n->dev.queue[i]);
}

static void show_link(struct net *n)
{
	uint16_t status = net_up(n) ? NET_STATUS_LINK_UP : 0;
	bool changed = n->config.status != status;

	n->config.status = status;
	n->reconsider = true;
	if (changed)
		device_config_changed(&n->dev);
	go_on(n);
}

void net_set_cable(struct device *dev, bool in)
{
	struct net *n = to_net(dev);
	bool entered = net_enter(n);

	n->cable = in;
	show_link(n);
	net_leave(n, entered);
}

bool net_link_up(const struct device *dev)
{
	return net_up(to_net(dev));
}

void net_on_link(struct net_user *user, bool up)
{
	struct net *n = container_of(user, struct net_pair, user)->n;
	bool entered = net_enter(n);

	n->connected = up;
	show_link(n);
	net_leave(n, entered);
}

/* ---- pairs of queues --------------------------------------------------------- */

/* The pair's frames are whose serves it next. Lock held. */
static void let_go(struct net_pair *p)
{
	if (p->vhost)
		net_vhost_stop(p->vhost);
	net_put_back(p);
}

void net_set_active(struct net *n, unsigned int pairs)
{
	struct net_pair *p;

	n->active = pairs;
	for (p = n->pair; p < n->pair + n->pairs; p++) {
		if (p->index >= pairs)
			let_go(p);
		if (p->backend->ops->use)
			p->backend->ops->use(p->backend, p->index < pairs);
	}
	n->reconsider = true;
	if (device_running(&n->dev))
		go_on(n);
}

unsigned int net_control_index(const struct net *n)
{
	return NET_PER_PAIR * (device_has(&n->dev, NET_F_MQ) ? n->pairs : 1);
}

/* ---- watchers --------------------------------------------------------------- */

void net_watch(struct device *dev, struct net_watcher *w)
{
	struct net *n = to_net(dev);
	bool entered = net_enter(n);

	w->next = n->watchers;
	n->watchers = w;
	n->reconsider = true;
	go_on(n);
	net_leave(n, entered);
}

void net_unwatch(struct device *dev, struct net_watcher *w)
{
	struct net *n = to_net(dev);
	bool entered = net_enter(n);
	struct net_watcher **at = &n->watchers;

	while (*at && *at != w)
		at = &(*at)->next;
	if (*at)
		*at = w->next;
	n->reconsider = true;
	net_leave(n, entered);
}

/* ---- device ----------------------------------------------------------------- */

static void net_start(struct device *dev)
{
	struct net *n = to_net(dev);

	net_set_offloads(n, net_guest_offloads(n));
	choose_server(n);
}

static void net_stop(struct device *dev)
{
	struct net *n = to_net(dev);
	unsigned int i;

	for (i = 0; i < n->pairs; i++)
		let_go(&n->pair[i]);
}

static void net_reset(struct device *dev)
{
	struct net *n = to_net(dev);
	unsigned int i;

	memcpy(n->config.mac, n->mac, MAC_BYTES);
	net_set_offloads(n, 0);
	net_set_active(n, 1);
	for (i = 0; i < n->pairs; i++)
		if (n->pair[i].vhost)
			net_vhost_reset(n->pair[i].vhost);
}

static void net_notify(struct device *dev, struct queue *q)
{
	struct net *n = to_net(dev);
	bool entered = net_enter(n), control = q->index == net_control_index(n);

	net_leave(n, entered);
	if (control)
		net_notify_control(n, q);
	else if (q->index >= NET_PER_PAIR * n->pairs)
		return;
	else if (q->index % NET_PER_PAIR == NET_RX)
		net_notify_rx(&n->pair[q->index / NET_PER_PAIR]);
	else
		net_notify_tx(&n->pair[q->index / NET_PER_PAIR]);
}

static uint64_t lost(const struct net *n)
{
	uint64_t frames = n->lost;
	unsigned int i;

	for (i = 0; i < n->pairs; i++)
		frames += n->pair[i].backend->dropped;
	return frames;
}

static void pairs_text(const struct net *n, char *text, size_t room)
{
	*text = 0;
	if (n->pairs > 1)
		snprintf(text, room, ", %u of %u pairs of queues", n->active,
			 n->pairs);
}

static void net_describe(struct device *dev)
{
	struct net *n = to_net(dev);
	bool entered = net_enter(n);
	const struct net_vhost *vhost = n->pair[0].vhost;
	const uint8_t *mac = n->config.mac;
	char back[120], pairs[40];

	n->pair[0].backend->ops->describe(n->pair[0].backend, back, sizeof(back));
	pairs_text(n, pairs, sizeof(pairs));
	pthread_mutex_lock(&dev->why_lock);
	snprintf(dev->detail, sizeof(dev->detail),
		 "%s, MAC %02x:%02x:%02x:%02x:%02x:%02x, link %s%s%s%s%s, %llu frames lost",
		 back, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		 net_up(n) ? "up" : "down",
		 n->connected && !n->cable ? " (cable pulled)" : "",
		 vhost ? ", " : "", vhost ? net_vhost_state(vhost) : "", pairs,
		 (unsigned long long)lost(n));
	pthread_mutex_unlock(&dev->why_lock);
	net_leave(n, entered);
}

static void net_free(struct device *dev)
{
	struct net *n = to_net(dev);
	struct net_pair *p;

	for (p = n->pair; p < n->pair + n->pairs; p++) {
		net_vhost_free(p->vhost);
		p->backend->ops->close(p->backend);
	}
	free(n->pair);
	free(n);
}

static const struct device_ops net_ops = {
	.id = VIRTIO_ID_NET,
	.type = "network",
	.start = net_start,
	.stop = net_stop,
	.notify = net_notify,
	.describe = net_describe,
	.reset = net_reset,
	.free = net_free,
};

/* ---- making ----------------------------------------------------------------- */

static uint64_t offload_features(uint32_t offloads)
{
	uint64_t features = 0;

	if (offloads & NET_OFFLOAD_CSUM)
		features |= NET_F_CSUM | NET_F_GUEST_CSUM |
			    NET_F_CTRL_GUEST_OFFLOADS;
	if (offloads & NET_OFFLOAD_TSO4)
		features |= NET_F_HOST_TSO4 | NET_F_GUEST_TSO4;
	if (offloads & NET_OFFLOAD_TSO6)
		features |= NET_F_HOST_TSO6 | NET_F_GUEST_TSO6;
	return features;
}

static void fill_config(struct net *n, const struct net_options *opt)
{
	memcpy(n->mac, opt->mac, MAC_BYTES);
	memcpy(n->config.mac, opt->mac, MAC_BYTES);
	n->config.status = NET_STATUS_LINK_UP;
	n->config.max_pairs = (uint16_t)n->pairs;
	n->config.mtu = n->pair[0].backend->mtu;
	n->dev.config = &n->config;
	n->dev.config_size = sizeof(n->config);
	n->dev.features = NET_F_MAC | NET_F_STATUS | NET_F_MTU |
			  NET_F_MRG_RXBUF | NET_F_CTRL_VQ |
			  NET_F_CTRL_MAC_ADDR | (n->pairs > 1 ? NET_F_MQ : 0) |
			  offload_features(n->pair[0].backend->offloads);
}

static int add_queues(struct net *n, struct error **err)
{
	unsigned int i;

	for (i = 0; i < NET_PER_PAIR * n->pairs; i++)
		if (!device_add_queue(&n->dev, NET_QUEUE, err))
			return -1;
	if (!device_add_queue(&n->dev, CONTROL_QUEUE, err))
		return -1;
	for (i = 0; i < n->pairs; i++) {
		if (!n->pair[i].backend->ops->descriptor)
			continue;
		n->pair[i].vhost = net_vhost_open(&n->pair[i], err);
		if (!n->pair[i].vhost)
			return -1;
	}
	return 0;
}

static struct net *make(const struct net_options *opt)
{
	struct net *n = calloc(1, sizeof(*n));
	unsigned int i;

	if (n)
		n->pair = calloc(opt->pairs, sizeof(*n->pair));
	if (!n || !n->pair) {
		free(n);
		return NULL;
	}
	n->dev.ops = &net_ops;
	n->pairs = opt->pairs;
	n->active = 1;
	n->connected = n->cable = true;
	for (i = 0; i < n->pairs; i++)
		n->pair[i] = (struct net_pair){ .n = n,
						.index = i,
						.user.ops = &net_user_ops,
						.backend = opt->backend[i] };
	fill_config(n, opt);
	return n;
}

struct device *net_create(struct machine *m, const char *name,
			  const struct net_options *opt, struct error **err)
{
	struct net *n = make(opt);
	unsigned int i;

	if (!n) {
		for (i = 0; i < opt->pairs; i++)
			opt->backend[i]->ops->close(opt->backend[i]);
		error_set(err, ENOMEM, "cannot be made");
		return NULL;
	}
	if (device_add(m, &n->dev, name, err)) {
		net_free(&n->dev);
		return NULL;
	}
	/* From here on the machine frees it, with its devices. */
	if (add_queues(n, err))
		return NULL;
	for (i = 0; i < n->pairs; i++)
		n->pair[i].backend->user = &n->pair[i].user;
	net_set_active(n, 1);
	return &n->dev;
}
