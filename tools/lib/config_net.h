/* SPDX-License-Identifier: GPL-2.0 */
/* Network devices in the configuration: ethN=. */
#ifndef CO_TOOLS_CONFIG_NET_H
#define CO_TOOLS_CONFIG_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "forward.h"

#define CONFIG_NETS 16
#define CONFIG_NET_QUEUES 16

enum config_net_kind { NET_NONE, NET_SLIRP, NET_TAP, NET_BRIDGE, NET_SWITCH };

struct config_net {
	enum config_net_kind kind; /* NET_NONE: not there */
	char *name;		   /* of tap, bridge, switch; may be NULL for a tap */
	char *address;		   /* of the host's end of a tap, or NULL */
	unsigned int queues;	   /* of a tap or bridge; 0: one */
	bool has_mac;
	uint8_t mac[6];
	struct forward *forward; /* of slirp */
	unsigned int forwards;
};

struct config;

void config_net_free(struct config_net *net);
/* The word's value as it could be written. */
void config_net_text(const struct config_net *net, struct text *out);
/* What only all devices together can have wrong. */
void config_net_finish(struct config *c);
/*
 * Whether there are network devices, and each leads to a tap. That one takes
 * frames as fast as the guest can make them and queues or drops by itself, so a
 * guest needn't hear of each one that was sent to keep its own queue short: in the
 * lab half the notifications and twice the speed. Before slirp, under a flood of
 * UDP, it would keep others waiting behind a full ring.
 */
bool config_net_taps_only(const struct config *c);
void mac_text(const uint8_t mac[6], char text[18]);

#endif
