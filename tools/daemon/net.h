/* SPDX-License-Identifier: GPL-2.0 */
/* The daemon's network devices: made from the configuration, changed by verbs. */
#ifndef CO_TOOLS_DAEMON_NET_H
#define CO_TOOLS_DAEMON_NET_H

#include "../devices/net_device.h"
#include "../lib/config_net.h"

struct daemon;

struct net_card {
	struct device *device; /* NULL: there is none */
	struct net_backend *backend;
	enum config_net_kind kind;
};

/* All ethN of the configuration; they are the machine's then. */
int nets_add(struct daemon *d, struct error **err);
/* Forgets them; the machine frees the devices. */
void nets_free(struct daemon *d);
/* "eth0"; NULL and an error if the VM has no such device. */
struct net_card *net_find(struct daemon *d, const char *name, struct error **err);
/* The first of that kind, or NULL. */
struct net_card *net_first(struct daemon *d, enum config_net_kind kind);

#endif
