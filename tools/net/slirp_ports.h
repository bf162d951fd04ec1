/* SPDX-License-Identifier: GPL-2.0 */
/* Forwards of a network in user space (slirp.c), on the daemon's loop. */
#ifndef CO_TOOLS_NET_SLIRP_PORTS_H
#define CO_TOOLS_NET_SLIRP_PORTS_H

#include <slirp/libslirp.h>

#include "../lib/error.h"
#include "../lib/forward.h"

#define SLIRP_GUEST "10.0.2.15" /* its address, by DHCP */

/* `list` is its user's to free. */
struct ports {
	struct forward *list;
	size_t n;
};

/* All ports of a forward, or none; -1 and an error. */
int ports_add(struct ports *ports, Slirp *stack, const struct forward *f,
	      struct error **err);
/* The one with that beginning; connections stay. -1 and an error. */
int ports_remove(struct ports *ports, Slirp *stack, const struct forward *f,
		 struct error **err);

#endif
