/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet over a back end that reads all it gets, refuses now and then, and sends
 * frames of all sizes.
 */
#include <stdlib.h>
#include <string.h>

#include "../../tools/devices/net_device.h"
#include "fuzz.h"

#define PAIRS 2 /* of queues, in one of the variants */

static struct net_backend back[PAIRS];
static unsigned int pairs;
static struct device *dev;
static struct net_watcher watcher;
static bool refuse, watched;
static uint64_t bytes;
static uint8_t frame[NET_FRAME_MAX];

static void read_all(const struct iovec *iov, unsigned int n)
{
	const uint8_t *p;
	size_t k;

	for (; n; n--, iov++)
		for (k = 0, p = iov->iov_base; k < iov->iov_len; k++)
			bytes += p[k];
}

static bool fake_send(struct net_backend *b, const struct net_header *header,
		      const struct iovec *iov, unsigned int n)
{
	(void)b;
	/* What the device promises of a header. */
	if (header->flags & ~NET_NEEDS_CSUM || header->num_buffers)
		abort();
	if (refuse)
		return false;
	read_all(iov, n);
	return true;
}

static void fake_ready(struct net_backend *b)
{
	(void)b;
	bytes++;
}

static void fake_take(struct net_backend *b, uint32_t offloads)
{
	if (offloads & ~b->offloads)
		abort();
}

static void fake_describe(const struct net_backend *b, char *text, size_t room)
{
	(void)b;
	strncpy(text, "fake", room);
}

static void fake_close(struct net_backend *b)
{
	(void)b;
}

static const struct net_backend_ops ops = {
	.send = fake_send,
	.ready = fake_ready,
	.take = fake_take,
	.describe = fake_describe,
	.close = fake_close,
};

static void on_frame(struct net_watcher *w, const struct iovec *iov,
		     unsigned int n, size_t size)
{
	(void)w;
	(void)size;
	read_all(iov, n);
}

void target_make(struct rig *rig, uint8_t variant)
{
	struct net_options opt = { { 2, 0, 0, 0, 0, 1 }, 1, { &back[0], &back[1] } };
	struct error *err = NULL;
	unsigned int i;

	memset(back, 0, sizeof(back));
	opt.pairs = pairs = variant == 2 ? PAIRS : 1;
	for (i = 0; i < pairs; i++) {
		back[i].ops = &ops;
		back[i].mtu = 1500;
		if (variant != 3)
			back[i].offloads = NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 |
					   NET_OFFLOAD_TSO6;
	}
	refuse = watched = false;
	watcher.frame = on_frame;
	dev = net_create(rig->m, "eth0", &opt, &err);
	if (!dev)
		abort();
}

void target_work(struct rig *rig)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		uv_run(&rig->loop, UV_RUN_NOWAIT);
}

static void receive(uint8_t what)
{
	static const struct net_header header;
	struct iovec iov = { frame, NET_FRAME_MIN + (size_t)what * what };

	struct net_user *u = back[what % pairs].user;

	u->ops->receive(u, &header, &iov, 1);
	u->ops->flush(u);
}

static void toggle_watch(void)
{
	if (watched)
		net_unwatch(dev, &watcher);
	else
		net_watch(dev, &watcher);
	watched = !watched;
}

void target_host(struct rig *rig, uint8_t what)
{
	struct net_user *u = back[what % pairs].user;

	switch (what >> 5) {
	case 0:
		refuse = what & 1;
		break;
	case 1:
		u->ops->writable(u);
		break;
	case 2:
		if (what & 2)
			u->ops->link(u, what & 1);
		else
			net_set_cable(dev, what & 1);
		bytes += net_link_up(dev);
		break;
	case 3:
		toggle_watch();
		break;
	case 4:
		machine_reset(rig->m);
		break;
	default:
		receive(what);
		break;
	}
}

void target_end(void)
{
}

static void control_head(struct head *h, struct dice *dice)
{
	static const uint8_t class[] = { 1, 4, 5 }; /* MAC, pairs, offloads */

	h->data[0] = class[dice_roll(dice, 3)];
	h->data[1] = (uint8_t)dice_roll(dice, 2);
	if (h->data[0] == 4) {
		h->data[1] = 0;
		h->n = 2 + 2;
		h->data[2] = (uint8_t)dice_roll(dice, PAIRS + 2);
	} else if (h->data[0] == 5) {
		h->n = 2 + 8;
		h->data[2] = (uint8_t)(dice_roll(dice, 2) * 2 +
				       dice_roll(dice, 2) * 128);
	} else {
		h->n = 2 + 6;
		h->data[7] = (uint8_t)dice_roll(dice, 256);
	}
	h->room = 1;
}

/* A frame behind its header, a buffer for one, or a command. */
void target_head(struct head *h, struct dice *dice)
{
	/* The third one is for commands, or the second pair's: see net_control_index(). */
	h->queue = (uint8_t)dice_roll(dice, 2 * PAIRS + 1);
	if (h->queue == 2 * PAIRS || (h->queue == 2 && dice_roll(dice, 2))) {
		control_head(h, dice);
		return;
	}
	if (h->queue % 2 == 0) {
		h->room = (uint8_t)(dice_roll(dice, 2) ?
					    dice_roll(dice, 64) :
					    0xf0 + dice_roll(dice, 14));
		return;
	}
	h->n = sizeof(struct net_header);
	h->more = (uint8_t)(14 + dice_roll(dice, 200));
	if (dice_roll(dice, 2))
		return;
	h->data[0] = 1; /* a checksum, and segments */
	h->data[1] = (uint8_t)(dice_roll(dice, 2) ? 1 : 4);
	h->data[4] = (uint8_t)dice_roll(dice, 64); /* gso_size */
	h->data[6] = (uint8_t)dice_roll(dice, 32); /* csum_start */
	h->data[8] = (uint8_t)dice_roll(dice, 32);
}
