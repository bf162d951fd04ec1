/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of conet: the device (net.c), its data queues (net_queues.c), the
 * control queue (net_control.c), and vhost-net in their place (net_vhost.c).
 */
#ifndef CO_TOOLS_NET_H
#define CO_TOOLS_NET_H

#include "net_device.h"
#include "virtio.h"

/* Virtio 1.2, 5.1.3. */
#define NET_F_CSUM		  (1ull << 0)
#define NET_F_GUEST_CSUM	  (1ull << 1)
#define NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define NET_F_MTU		  (1ull << 3)
#define NET_F_MAC		  (1ull << 5)
#define NET_F_GUEST_TSO4	  (1ull << 7)
#define NET_F_GUEST_TSO6	  (1ull << 8)
#define NET_F_HOST_TSO4		  (1ull << 11)
#define NET_F_HOST_TSO6		  (1ull << 12)
#define NET_F_MRG_RXBUF		  (1ull << 15)
#define NET_F_STATUS		  (1ull << 16)
#define NET_F_CTRL_VQ		  (1ull << 17)
#define NET_F_MQ		  (1ull << 22)
#define NET_F_CTRL_MAC_ADDR	  (1ull << 23)

#define NET_STATUS_LINK_UP 1

/* 5.1.2: queues of pair p are 2p and 2p + 1; control is behind all pairs that the
 * driver knows of. */
enum { NET_RX, NET_TX, NET_PER_PAIR };

/* 5.1.4 */
struct net_config {
	uint8_t mac[MAC_BYTES];
	uint16_t status;
	uint16_t max_pairs;
	uint16_t mtu;
};
CO_ASSERT_SIZE(struct net_config, 12);
CO_ASSERT_OFFSET(struct net_config, mtu, 10);
CO_ASSERT_SIZE(struct net_header, 12);

struct net_vhost;

/* Two queues, and the back end that they lead to. */
struct net_pair {
	struct net *n;
	unsigned int index;
	struct net_user user;
	struct net_backend *backend;
	struct net_vhost *vhost; /* NULL: the back end isn't for it */

	/* With the lock held: */
	bool rx_full; /* the back end waits for room */
	bool tx_held; /* the chain below waits for the back end */
	struct net_header tx_header;
	struct chain tx, rx;
};

struct net {
	struct device dev;
	struct net_config config;
	uint8_t mac[MAC_BYTES]; /* as configured */
	struct net_pair *pair;
	unsigned int pairs;
	struct net_watcher *watchers;
	/* The loop's thread alone: it's inside of the lock. The back end may
	 * then call back, and must not take it twice. */
	bool inside;

	/* With the lock held: */
	bool reconsider; /* who serves the queues */
	unsigned int active; /* pairs that the guest uses */
	bool connected; /* the back end is */
	bool cable;
	uint32_t offloads; /* which frames the guest takes */
	struct chain control;
	uint64_t lost; /* frames for the guest without a place */
};

/* NET_RX or NET_TX. */
static inline struct queue *net_queue(const struct net_pair *p, unsigned int which)
{
	return p->n->dev.queue[NET_PER_PAIR * p->index + which];
}

/* True: this call took the lock, and leave() is to be told so. Loop thread. */
bool net_enter(struct net *n);
void net_leave(struct net *n, bool entered);

/* ---- net.c ---------------------------------------------------------------- */

/* Which frames the guest wants by its features. */
uint32_t net_guest_offloads(const struct net *n);
/* Tells the back ends. Lock held, any thread. */
void net_set_offloads(struct net *n, uint32_t offloads);
/* So many pairs are used from now on, 1 to n->pairs; who serves them is reconsidered
 * when the lock is left. Lock held, any thread. */
void net_set_active(struct net *n, unsigned int pairs);
/* Where the control queue is: that depends on what the driver knows. Lock held. */
unsigned int net_control_index(const struct net *n);
bool net_up(const struct net *n);
void net_on_link(struct net_user *user, bool up);

/* ---- net_queues.c --------------------------------------------------------- */

extern const struct net_user_ops net_user_ops;
/* Doorbells. Loop thread. */
void net_notify_rx(struct net_pair *p);
void net_notify_tx(struct net_pair *p);
/* A frame that waits for the back end goes back into the ring, from where whoever
 * serves the queue next takes it: the device starts anew, or vhost-net. Lock held. */
void net_put_back(struct net_pair *p);

/* ---- net_control.c -------------------------------------------------------- */

void net_notify_control(struct net *n, struct queue *q);

/* ---- net_vhost.c ---------------------------------------------------------- */

/* NULL and an error: no memory. Without vhost-net it does nothing. */
struct net_vhost *net_vhost_open(struct net_pair *p, struct error **err);
void net_vhost_free(struct net_vhost *v); /* NULL is allowed */
/* Serve the queues, or no longer; their state comes back. Lock held, any thread. */
void net_vhost_start(struct net_vhost *v);
void net_vhost_stop(struct net_vhost *v);
/* The guest begins anew: errors are forgotten. Lock held, any thread. */
void net_vhost_reset(struct net_vhost *v);
bool net_vhost_active(const struct net_vhost *v);
/* "vhost-net", or why it isn't. */
const char *net_vhost_state(const struct net_vhost *v);

#endif
