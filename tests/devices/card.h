/* SPDX-License-Identifier: GPL-2.0 */
/* A conet with a driver like Linux's, over a back end that records and refuses as
 * it's told. */
#ifndef CO_TESTS_CARD_H
#define CO_TESTS_CARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/devices/net.h"
#include "driver.h"

#define RING	 (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define OFFLOADS (NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 | NET_OFFLOAD_TSO6)
#define HEADER	 12
#define PAIRS_MAX 3
/* Where the control queue is for a driver that knows of one pair. */
#define NET_CONTROL 2
#define ALL (NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | \
	     NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_MRG_RXBUF | NET_F_STATUS | \
	     NET_F_CTRL_VQ | NET_F_CTRL_MAC_ADDR | NET_F_CTRL_GUEST_OFFLOADS | NET_F_MAC)

struct fake {
	struct net_backend b;
	struct net_header header; /* of the last frame */
	uint8_t frame[NET_FRAME_MAX];
	size_t bytes;
	unsigned int sent, ready, closed, uses; /* uses: how often it was told */
	bool used;
	uint32_t taken;
	bool refuse;
};

struct card {
	struct rig rig;
	struct fake fake, more[PAIRS_MAX - 1]; /* of the first pair, and the others */
	unsigned int pairs;
	struct device *dev;
	struct gring q[2 * PAIRS_MAX + 1];
	unsigned int control; /* the queue for commands */
	uint64_t out, in, command;
};

int card_setup(void **state);
/* With PAIRS_MAX pairs of queues. */
int card_setup_pairs(void **state);
int card_teardown(void **state);
/* Its driver, with 256 entries in the data queues, 64 in the control queue. */
void start(struct card *c, uint64_t features);
/* Its answer. */
int command(struct card *c, uint8_t class, uint8_t cmd, const void *data, size_t n);
/* Puts header and `n` bytes of a frame into the ring; not kicked. */
void add_frame(struct card *c, const struct net_header *h, size_t n);
void send_frame(struct card *c, const struct net_header *h, size_t n);
void give_buffers(struct card *c, unsigned int n, uint32_t size);
/* A frame from the back end, in two pieces; false: it has to wait. */
bool receive(struct card *c, const struct net_header *h, const void *data,
	     size_t n);
extern const struct net_header plain;
void fill(uint8_t *data, size_t n);

#endif
