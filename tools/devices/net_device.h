/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet: a virtio network device, as the daemon sees it. All functions: loop
 * thread.
 */
#ifndef CO_TOOLS_NET_DEVICE_H
#define CO_TOOLS_NET_DEVICE_H

#include "../net/backend.h"
#include "device.h"

#define NET_PAIRS_MAX 16

struct net_options {
	uint8_t mac[MAC_BYTES];
	unsigned int pairs; /* of queues: 1 to NET_PAIRS_MAX */
	/* One for each pair, to the same network; the device's from then on, errors
	 * included. */
	struct net_backend *backend[NET_PAIRS_MAX];
};

struct device *net_create(struct machine *m, const char *name,
			  const struct net_options *opt, struct error **err);

/* The cable: pulled or put in. The link is up if the back end's is, too. */
void net_set_cable(struct device *dev, bool in);
bool net_link_up(const struct device *dev);

/* Sees each frame that goes either way, before it goes. */
struct net_watcher {
	void (*frame)(struct net_watcher *w, const struct iovec *iov,
		      unsigned int n, size_t bytes);
	struct net_watcher *next; /* the device's */
};
void net_watch(struct device *dev, struct net_watcher *w);
void net_unwatch(struct device *dev, struct net_watcher *w);

#endif
