/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between a network device (tools/devices/net.c) and what it's connected to: a
 * network in user space (slirp.c), a tap (tap.c), a switch (switch.c). Neither
 * side knows the other one.
 *
 * Threads: all of both sides runs on the daemon's loop, but where it says "any
 * thread". A back end may call its user out of `send`, and the user may call
 * `ready` out of nothing but the loop.
 */
#ifndef CO_TOOLS_NET_BACKEND_H
#define CO_TOOLS_NET_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <uv.h>

#include "../lib/error.h"

#define MAC_BYTES 6
/* Ethernet's header; and the least that is a frame here. */
#define NET_FRAME_MIN 14
/* The longest IP packet, behind an Ethernet header with a VLAN tag. */
#define NET_FRAME_MAX (65535 + 18)
#define NET_MTU	      1500
/* Of networks that never leave this machine: the longest IP packet, rounded down
 * to a multiple of 8, as fragments are. */
#define NET_MTU_LOCAL 65520

/* What stands before each frame (virtio 1.2, 5.1.6), little-endian. */
struct net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers; /* the device's own: 0 for a back end */
};

#define NET_NEEDS_CSUM 1
#define NET_GSO_NONE   0
#define NET_GSO_TCP4   1
#define NET_GSO_TCP6   4

/* Work that may be left to the other side. */
#define NET_OFFLOAD_CSUM 1 /* frames whose checksum isn't complete */
#define NET_OFFLOAD_TSO4 2 /* TCP segments that are larger than the MTU */
#define NET_OFFLOAD_TSO6 4

struct net_user;

struct net_user_ops {
	/* A frame for the guest; it's the caller's again on return. False: no
	 * room now; the back end keeps it, and `ready` is called later. */
	bool (*receive)(struct net_user *user, const struct net_header *header,
			const struct iovec *frame, unsigned int n);
	/* The last of some frames was received: tell the guest. */
	void (*flush)(struct net_user *user);
	/* A `send` that was refused may be tried again. */
	void (*writable)(struct net_user *user);
	/* Whether there is a connection; it begins as up. */
	void (*link)(struct net_user *user, bool up);
};

struct net_user {
	const struct net_user_ops *ops;
};

struct net_backend;

struct net_backend_ops {
	/* A frame from the guest, in guest memory: what of it is looked at must
	 * be copied first. False: not now; `writable` follows. What can't be
	 * sent at all is dropped and counted, and that is true, too. */
	bool (*send)(struct net_backend *b, const struct net_header *header,
		     const struct iovec *frame, unsigned int n);
	/* The user has room again. */
	void (*ready)(struct net_backend *b);
	/* Which frames the guest takes (NET_OFFLOAD_*), some of `offloads`; said to
	 * the first of several to the same network. Any thread. NULL for a back end without. */
	void (*take)(struct net_backend *b, uint32_t offloads);
	/* A descriptor that vhost-net can work on, and whether it does: then
	 * the back end keeps its hands off. Any thread. NULL: none. */
	int (*descriptor)(struct net_backend *b);
	void (*hands_off)(struct net_backend *b, bool off);
	/* Of several to the same network: does the guest use this one? Else it
	 * takes frames, but gives none. It begins as used. Any thread. NULL: there
	 * is one only. */
	void (*use)(struct net_backend *b, bool used);
	/* Words for `colinux info`. */
	void (*describe)(const struct net_backend *b, char *text, size_t room);
	/* Frees it; the loop must turn once more. */
	void (*close)(struct net_backend *b);
};

struct net_backend {
	const struct net_backend_ops *ops;
	struct net_user *user; /* set before the loop turns */
	uint32_t offloads;     /* what it can take and give */
	uint16_t mtu;
	uint64_t dropped; /* frames that could not be sent */
};

/* ---- the back ends -------------------------------------------------------- */

struct forward; /* lib/forward.h */

/* A network of its own, 10.0.2.0/24 and fec0::/64, behind which is the host.
 * `name` is what the guest is told to be called. NULL and an error. */
struct net_backend *slirp_open(uv_loop_t *loop, const char *name,
			       struct error **err);
/* All ports of it, or none and an error. */
int slirp_forward(struct net_backend *b, const struct forward *f,
		  struct error **err);
int slirp_unforward(struct net_backend *b, const struct forward *f,
		    struct error **err);
/* Those there are, in the order in which they came. */
const struct forward *slirp_forwards(const struct net_backend *b, size_t *n);

struct tap_options {
	const char *name;    /* NULL: the kernel chooses */
	const char *address; /* of the host's end, ADDRESS[/BITS], or NULL */
	const char *bridge;  /* to put it into, or NULL */
	unsigned int queues;
};
/* Fills in a back end for each queue. 0, or -1, an error and none of them. */
int tap_open(uv_loop_t *loop, const struct tap_options *opt,
	     struct net_backend **queue, struct error **err);

/* Member of the switch whose members' sockets are in `folder`; `member` is
 * unique there. */
struct net_backend *switch_open(uv_loop_t *loop, const char *folder,
				const char *member, struct error **err);

#endif
