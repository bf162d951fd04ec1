/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet's control queue (virtio 1.2, 5.1.6.5): the guest's own MAC address, how many
 * pairs of queues it uses, and which frames it takes at the moment. What wasn't offered is answered with an
 * error, as are values that can't be.
 */
#include <string.h>

#include "net.h"

/* Commands in one turn of the loop. */
#define CONTROL_TURN 32

enum { CLASS_MAC = 1, CLASS_MQ = 4, CLASS_GUEST_OFFLOADS = 5 };
enum { MAC_ADDR_SET = 1 };
enum { MQ_PAIRS_SET = 0 };
enum { GUEST_OFFLOADS_SET = 0 };
enum { ACK_OK = 0, ACK_ERROR = 1 };

struct control_header {
	uint8_t class;
	uint8_t command;
};

static bool take_exactly(struct chain *c, void *data, size_t n)
{
	return c->out_size == n && chain_read(c, data, n) == n;
}

static bool set_mac(struct net *n, struct chain *c)
{
	uint8_t mac[MAC_BYTES];

	if (!take_exactly(c, mac, sizeof(mac)) || (mac[0] & 1))
		return false;
	memcpy(n->config.mac, mac, sizeof(mac));
	return true;
}

static bool set_pairs(struct net *n, struct chain *c)
{
	uint16_t pairs;

	if (!device_has(&n->dev, NET_F_MQ) ||
	    !take_exactly(c, &pairs, sizeof(pairs)) || !pairs || pairs > n->pairs)
		return false;
	net_set_active(n, pairs);
	return true;
}

/* Bits are those of the features. */
static bool set_guest_offloads(struct net *n, struct chain *c)
{
	uint64_t bits, known = NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 |
			       NET_F_GUEST_TSO6;
	uint32_t offloads = 0;

	if (!device_has(&n->dev, NET_F_CTRL_GUEST_OFFLOADS) ||
	    !take_exactly(c, &bits, sizeof(bits)) || (bits & ~known))
		return false;
	if (bits & NET_F_GUEST_CSUM)
		offloads |= NET_OFFLOAD_CSUM;
	if (bits & NET_F_GUEST_TSO4)
		offloads |= NET_OFFLOAD_TSO4;
	if (bits & NET_F_GUEST_TSO6)
		offloads |= NET_OFFLOAD_TSO6;
	if (offloads & ~net_guest_offloads(n))
		return false;
	net_set_offloads(n, offloads);
	return true;
}

static bool obey(struct net *n, struct chain *c)
{
	struct control_header h = { 0 };

	if (chain_read(c, &h, sizeof(h)) != sizeof(h))
		return false;
	if (h.class == CLASS_MAC && h.command == MAC_ADDR_SET)
		return set_mac(n, c);
	if (h.class == CLASS_MQ && h.command == MQ_PAIRS_SET)
		return set_pairs(n, c);
	if (h.class == CLASS_GUEST_OFFLOADS && h.command == GUEST_OFFLOADS_SET)
		return set_guest_offloads(n, c);
	return false;
}

static bool take_command(struct net *n, struct queue *q)
{
	struct chain *c = &n->control;
	uint8_t ack;

	if (!queue_pop(q, c))
		return false;
	ack = obey(n, c) ? ACK_OK : ACK_ERROR;
	if (chain_write(c, &ack, sizeof(ack)) != sizeof(ack)) {
		device_break(&n->dev, "a command with no room for an answer");
		return false;
	}
	queue_push(q, c->head, sizeof(ack));
	return true;
}

/* Another number of pairs is dear for the host: no more than one in a turn. */
void net_notify_control(struct net *n, struct queue *q)
{
	unsigned int left = CONTROL_TURN;
	bool entered = net_enter(n), more;

	queue_quiet(q);
	while (left && !n->reconsider && take_command(n, q))
		left--;
	queue_signal(q);
	more = !left || n->reconsider || queue_listen(q);
	net_leave(n, entered);
	if (more)
		queue_ring(q);
}
