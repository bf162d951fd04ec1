/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet: a virtio network device (virtio 1.2, 5.1) with one pair of queues and a
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
	n->offloads = offloads;
	if (n->backend->ops->take)
		n->backend->ops->take(n->backend, offloads);
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
	bool ready = device_running(&n->dev) && n->dev.queue[NET_RX]->ready &&
		     n->dev.queue[NET_TX]->ready;

	n->reconsider = false;
	if (!n->vhost)
		return;
	if (ready && net_up(n) && !n->watchers)
		net_vhost_start(n->vhost);
	else
		net_vhost_stop(n->vhost);
}

/* Where frames wait, on either side, somebody must look again. */
static void go_on(struct net *n)
{
	queue_ring(n->dev.queue[NET_RX]);
	queue_ring(n->dev.queue[NET_TX]);
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
	struct net *n = container_of(user, struct net, user);
	bool entered = net_enter(n);

	n->connected = up;
	show_link(n);
	net_leave(n, entered);
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

	if (n->vhost)
		net_vhost_stop(n->vhost);
	net_put_back(n);
}

static void net_reset(struct device *dev)
{
	struct net *n = to_net(dev);

	memcpy(n->config.mac, n->mac, MAC_BYTES);
	net_set_offloads(n, 0);
	if (n->vhost)
		net_vhost_reset(n->vhost);
}

static void net_notify(struct device *dev, struct queue *q)
{
	struct net *n = to_net(dev);

	if (q->index == NET_RX)
		net_notify_rx(n);
	else if (q->index == NET_TX)
		net_notify_tx(n);
	else
		net_notify_control(n);
}

static void net_describe(struct device *dev)
{
	struct net *n = to_net(dev);
	bool entered = net_enter(n);
	const uint8_t *mac = n->config.mac;
	char back[120];

	n->backend->ops->describe(n->backend, back, sizeof(back));
	pthread_mutex_lock(&dev->why_lock);
	snprintf(dev->detail, sizeof(dev->detail),
		 "%s, MAC %02x:%02x:%02x:%02x:%02x:%02x, link %s%s%s%s, %llu frames lost",
		 back, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		 net_up(n) ? "up" : "down",
		 n->connected && !n->cable ? " (cable pulled)" : "",
		 n->vhost ? ", " : "",
		 n->vhost ? net_vhost_state(n->vhost) : "",
		 (unsigned long long)(n->lost + n->backend->dropped));
	pthread_mutex_unlock(&dev->why_lock);
	net_leave(n, entered);
}

static void net_free(struct device *dev)
{
	struct net *n = to_net(dev);

	net_vhost_free(n->vhost);
	n->backend->ops->close(n->backend);
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
	n->config.max_pairs = 1;
	n->config.mtu = n->backend->mtu;
	n->dev.config = &n->config;
	n->dev.config_size = sizeof(n->config);
	n->dev.features = NET_F_MAC | NET_F_STATUS | NET_F_MTU |
			  NET_F_MRG_RXBUF | NET_F_CTRL_VQ |
			  NET_F_CTRL_MAC_ADDR |
			  offload_features(n->backend->offloads);
}

static int add_queues(struct net *n, struct error **err)
{
	static const uint16_t size[] = { NET_QUEUE, NET_QUEUE, CONTROL_QUEUE };
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (!device_add_queue(&n->dev, size[i], err))
			return -1;
	if (!n->backend->ops->descriptor)
		return 0;
	n->vhost = net_vhost_open(n, err);
	return n->vhost ? 0 : -1;
}

struct device *net_create(struct machine *m, const char *name,
			  const struct net_options *opt, struct error **err)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n) {
		opt->backend->ops->close(opt->backend);
		error_set(err, ENOMEM, "cannot be made");
		return NULL;
	}
	n->dev.ops = &net_ops;
	n->backend = opt->backend;
	n->connected = n->cable = true;
	n->user.ops = &net_user_ops;
	fill_config(n, opt);
	if (device_add(m, &n->dev, name, err)) {
		net_free(&n->dev);
		return NULL;
	}
	/* From here on the machine frees it, with its devices. */
	if (add_queues(n, err))
		return NULL;
	n->backend->user = &n->user;
	return &n->dev;
}
