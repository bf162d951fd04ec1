/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet as Linux's virtio_net drives it, over a back end that records and refuses
 * as it's told: frames both ways, buffers that are merged, headers, back-pressure,
 * link, the control queue, guests that lie.
 */
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

/* ---- a back end ------------------------------------------------------------- */

struct fake {
	struct net_backend b;
	struct net_header header; /* of the last frame */
	uint8_t frame[NET_FRAME_MAX];
	size_t bytes;
	unsigned int sent, ready, closed;
	uint32_t taken;
	bool refuse;
};

static struct fake *to_fake(const struct net_backend *b)
{
	return (struct fake *)b;
}

static bool fake_send(struct net_backend *b, const struct net_header *header,
		      const struct iovec *frame, unsigned int n)
{
	struct fake *f = to_fake(b);
	unsigned int i;

	if (f->refuse)
		return false;
	f->header = *header;
	for (i = 0, f->bytes = 0; i < n; i++) {
		assert_true(f->bytes + frame[i].iov_len <= sizeof(f->frame));
		memcpy(f->frame + f->bytes, frame[i].iov_base, frame[i].iov_len);
		f->bytes += frame[i].iov_len;
	}
	f->sent++;
	return true;
}

static void fake_ready(struct net_backend *b)
{
	to_fake(b)->ready++;
}

static void fake_take(struct net_backend *b, uint32_t offloads)
{
	to_fake(b)->taken = offloads;
}

static void fake_describe(const struct net_backend *b, char *text, size_t room)
{
	(void)b;
	snprintf(text, room, "a fake");
}

static void fake_close(struct net_backend *b)
{
	to_fake(b)->closed++;
}

static const struct net_backend_ops fake_ops = {
	.send = fake_send,
	.ready = fake_ready,
	.take = fake_take,
	.describe = fake_describe,
	.close = fake_close,
};

/* ---- a card ----------------------------------------------------------------- */

struct card {
	struct rig rig;
	struct fake fake;
	struct device *dev;
	struct gring q[3];
	uint64_t out, in, command;
};

static int setup(void **state)
{
	struct card *c = calloc(1, sizeof(*c));
	struct net_options opt = { { 2, 0, 0, 0, 0, 7 }, &c->fake.b };
	struct error *err = NULL;

	rig_init(&c->rig);
	c->fake.b.ops = &fake_ops;
	c->fake.b.offloads = OFFLOADS;
	c->fake.b.mtu = 1500;
	c->dev = net_create(c->rig.m, "eth0", &opt, &err);
	assert_non_null(c->dev);
	c->out = rig_alloc(&c->rig, 1 << 20, 4096);
	c->in = rig_alloc(&c->rig, 1 << 20, 4096);
	c->command = rig_alloc(&c->rig, 4096, 4096);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct card *c = *state;

	rig_free(&c->rig);
	assert_int_equal(c->fake.closed, 1);
	free(c);
	return 0;
}

static void start(struct card *c, uint64_t features)
{
	unsigned int i;

	negotiate(&c->rig, 0, features | RING);
	for (i = 0; i < 3; i++)
		gring_init(&c->q[i], &c->rig, 0, i, i < 2 ? 256 : 64,
			   features | RING);
	driver_ok(&c->rig, 0);
	rig_settle(&c->rig);
}

#define ALL (NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | \
	     NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_MRG_RXBUF | NET_F_STATUS | \
	     NET_F_CTRL_VQ | NET_F_CTRL_MAC_ADDR | NET_F_CTRL_GUEST_OFFLOADS | NET_F_MAC)

/* Puts header and `n` bytes of a frame into the ring; not kicked. */
static void add_frame(struct card *c, const struct net_header *h, size_t n)
{
	struct buffer b[2] = { { c->out, HEADER, false },
			       { c->out + 64, (uint32_t)n, false } };
	uint8_t *data = rig_at(&c->rig, c->out + 64);
	size_t i;

	memcpy(rig_at(&c->rig, c->out), h, HEADER);
	for (i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 7);
	assert_true(gring_add(&c->q[NET_TX], b, 2) >= 0);
}

static void send_frame(struct card *c, const struct net_header *h, size_t n)
{
	add_frame(c, h, n);
	gring_kick(&c->q[NET_TX]);
	rig_settle(&c->rig);
}

static void give_buffers(struct card *c, unsigned int n, uint32_t size)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buffer b = { c->in + i * size, size, true };

		assert_true(gring_add(&c->q[NET_RX], &b, 1) >= 0);
	}
	gring_kick(&c->q[NET_RX]);
	rig_settle(&c->rig);
}

static bool receive(struct card *c, const struct net_header *h, const void *data,
		    size_t n)
{
	struct net_user *u = c->fake.b.user;
	struct iovec iov[2] = { { (void *)(uintptr_t)data, n / 2 },
				{ (char *)(uintptr_t)data + n / 2, n - n / 2 } };
	bool taken = u->ops->receive(u, h, iov, 2);

	u->ops->flush(u);
	return taken;
}

static const struct net_header plain;

static void fill(uint8_t *data, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 13 + i / 256);
}

/* ---- what is offered -------------------------------------------------------- */

static void test_config(void **state)
{
	struct card *c = *state;
	uint64_t f = reg_read(&c->rig, 0, CO_DEV_FEATURES, 0);

	assert_int_equal(reg_read(&c->rig, 0, CO_DEV_ID, 0), 1);
	assert_int_equal(reg_read(&c->rig, 0, CO_DEV_QUEUES, 0), 3);
	assert_int_equal(f & (ALL | NET_F_MTU), ALL | NET_F_MTU);
	assert_int_equal(config_read(&c->rig, 0, 0, 1), 2);
	assert_int_equal(config_read(&c->rig, 0, 5, 1), 7);
	assert_int_equal(config_read(&c->rig, 0, 6, 2), 1);
	assert_int_equal(config_read(&c->rig, 0, 10, 2), 1500);
	start(c, ALL);
	assert_int_equal(c->fake.taken, OFFLOADS);
	assert_string_equal(detail(&c->rig, 0),
			    "a fake, MAC 02:00:00:00:00:07, link up, 0 frames lost");
}

/* What the guest doesn't take the back end must not give. */
static void test_no_offloads(void **state)
{
	struct card *c = *state;

	start(c, NET_F_GUEST_TSO4 | NET_F_MRG_RXBUF);
	assert_int_equal(c->fake.taken, 0);
	start(c, NET_F_GUEST_CSUM | NET_F_GUEST_TSO6 | NET_F_MRG_RXBUF);
	assert_int_equal(c->fake.taken, NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO6);
}

/* ---- out of the guest ------------------------------------------------------- */

static void test_send(void **state)
{
	struct card *c = *state;
	uint32_t written;

	start(c, ALL);
	send_frame(c, &plain, 60);
	assert_int_equal(c->fake.sent, 1);
	assert_int_equal(c->fake.bytes, 60);
	assert_memory_equal(c->fake.frame, rig_at(&c->rig, c->out + 64), 60);
	assert_true(gring_get(&c->q[NET_TX], &written) >= 0);
	assert_int_equal(io_of(&c->rig, 0).written, 60);
}

static void test_send_header(void **state)
{
	struct card *c = *state;
	struct net_header h = { 0xff, NET_GSO_TCP4, 60000, 1448, 34, 16, 99 };

	start(c, ALL);
	send_frame(c, &h, 9000);
	assert_null(why(&c->rig, 0));
	assert_int_equal(c->fake.bytes, 9000);
	assert_int_equal(c->fake.header.flags, NET_NEEDS_CSUM);
	assert_int_equal(c->fake.header.gso_type, NET_GSO_TCP4);
	assert_int_equal(c->fake.header.gso_size, 1448);
	assert_int_equal(c->fake.header.csum_start, 34);
	assert_int_equal(c->fake.header.hdr_len, 9000); /* not more than there is */
	assert_int_equal(c->fake.header.num_buffers, 0);
}

/* All of a full ring goes, in more than one turn. */
static void test_send_many(void **state)
{
	struct card *c = *state;
	unsigned int i;

	start(c, ALL);
	for (i = 0; i < 256; i++)
		add_frame(c, &plain, 100);
	gring_kick(&c->q[NET_TX]);
	for (i = 0; i < 10; i++)
		rig_settle(&c->rig);
	assert_int_equal(c->fake.sent, 256);
}

static void test_send_refused(void **state)
{
	struct card *c = *state;
	struct net_user *u = c->fake.b.user;
	uint32_t written;

	start(c, ALL);
	c->fake.refuse = true;
	add_frame(c, &plain, 60);
	send_frame(c, &plain, 60);
	assert_true(gring_get(&c->q[NET_TX], &written) < 0);
	u->ops->writable(u); /* not really */
	assert_true(gring_get(&c->q[NET_TX], &written) < 0);
	c->fake.refuse = false;
	u->ops->writable(u);
	rig_settle(&c->rig);
	assert_int_equal(c->fake.sent, 2);
	assert_true(gring_get(&c->q[NET_TX], &written) >= 0);
	assert_true(gring_get(&c->q[NET_TX], &written) >= 0);
}

/* A frame that waits is gone with a reset, and nothing is touched by its ghost. */
static void test_reset_while_held(void **state)
{
	struct card *c = *state;
	struct net_user *u = c->fake.b.user;

	start(c, ALL);
	c->fake.refuse = true;
	send_frame(c, &plain, 60);
	reg_write(&c->rig, 0, CO_DEV_STATUS, 0, 0);
	assert_int_equal(c->fake.taken, 0);
	c->fake.refuse = false;
	u->ops->writable(u);
	rig_settle(&c->rig);
	assert_int_equal(c->fake.sent, 0);
	assert_true(receive(c, &plain, "no one is there to take it", 26));
	start(c, ALL);
	send_frame(c, &plain, 60);
	assert_int_equal(c->fake.sent, 1);
}

/* It isn't when only another queue goes. */
static void test_queue_goes_while_held(void **state)
{
	struct card *c = *state;
	struct net_user *u = c->fake.b.user;
	uint32_t written;

	start(c, ALL);
	c->fake.refuse = true;
	send_frame(c, &plain, 60);
	reg_write(&c->rig, 0, CO_DEV_QUEUE_READY, NET_CONTROL, 0);
	assert_int_equal(gring_get(&c->q[NET_TX], &written), -1);
	c->fake.refuse = false;
	u->ops->writable(u);
	rig_settle(&c->rig);
	assert_int_equal(c->fake.sent, 1);
	assert_true(gring_get(&c->q[NET_TX], &written) >= 0);
	send_frame(c, &plain, 60);
	assert_int_equal(c->fake.sent, 2);
}

/* ---- into the guest --------------------------------------------------------- */

static void test_receive(void **state)
{
	struct card *c = *state;
	struct net_header h = { NET_NEEDS_CSUM, NET_GSO_NONE, 0, 0, 34, 16, 0 };
	struct net_header *got = rig_at(&c->rig, c->in);
	uint8_t data[1000];
	uint32_t written;

	fill(data, sizeof(data));
	start(c, ALL);
	give_buffers(c, 4, 1536);
	assert_true(receive(c, &h, data, sizeof(data)));
	assert_int_equal(gring_get(&c->q[NET_RX], &written), 0);
	assert_int_equal(written, HEADER + 1000);
	assert_int_equal(got->flags, NET_NEEDS_CSUM);
	assert_int_equal(got->csum_start, 34);
	assert_int_equal(got->num_buffers, 1);
	assert_memory_equal((uint8_t *)got + HEADER, data, sizeof(data));
	assert_int_equal(atomic_load(&c->rig.raised[c->q[NET_RX].number]), 1);
	assert_int_equal(io_of(&c->rig, 0).read, 1000);
}

/* A large frame over several buffers, all published at once. */
static void test_merge(void **state)
{
	struct card *c = *state;
	static uint8_t data[60000], got[60000];
	struct net_header *h = rig_at(&c->rig, c->in);
	unsigned int i, n = (HEADER + sizeof(data) + 1535) / 1536;
	size_t at = 0;
	uint32_t written;

	fill(data, sizeof(data));
	start(c, ALL);
	give_buffers(c, 64, 1536);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_int_equal(h->num_buffers, n);
	for (i = 0; i < n; i++) {
		size_t skip = i ? 0 : HEADER;
		uint8_t *from = rig_at(&c->rig, c->in + i * 1536);

		assert_int_equal(gring_get(&c->q[NET_RX], &written), i);
		memcpy(got + at, from + skip, written - skip);
		at += written - skip;
	}
	assert_int_equal(at, sizeof(data));
	assert_memory_equal(got, data, sizeof(data));
	assert_true(gring_get(&c->q[NET_RX], &written) < 0);
}

/* Too few buffers: nothing is taken, and the back end hears when there are more. */
static void test_merge_waits(void **state)
{
	struct card *c = *state;
	static uint8_t data[5000];
	uint32_t written;

	start(c, ALL);
	give_buffers(c, 2, 1536);
	assert_false(receive(c, &plain, data, sizeof(data)));
	assert_true(gring_get(&c->q[NET_RX], &written) < 0);
	assert_int_equal(c->fake.ready, 0);
	give_buffers(c, 1, 1536);
	assert_int_equal(c->fake.ready, 1);
	assert_false(receive(c, &plain, data, sizeof(data)));
	give_buffers(c, 1, 1536);
	assert_int_equal(c->fake.ready, 2);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_int_equal(gring_get(&c->q[NET_RX], &written), 0);
	assert_int_equal(written, 1536);
	assert_null(why(&c->rig, 0));
	assert_string_equal(detail(&c->rig, 0),
			    "a fake, MAC 02:00:00:00:00:07, link up, 0 frames lost");
}

/* Header and num_buffers may lie across descriptors. */
static void test_split_header(void **state)
{
	struct card *c = *state;
	struct buffer b[4] = { { c->in, 5, true },
			       { c->in + 100, 6, true },
			       { c->in + 200, 1, true },
			       { c->in + 300, 500, true } };
	uint8_t data[64];
	uint32_t written;

	fill(data, sizeof(data));
	start(c, ALL);
	assert_true(gring_add(&c->q[NET_RX], b, 4) >= 0);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_true(gring_get(&c->q[NET_RX], &written) >= 0);
	assert_int_equal(*(uint8_t *)rig_at(&c->rig, c->in + 105), 1);
	assert_int_equal(*(uint8_t *)rig_at(&c->rig, c->in + 200), 0);
	assert_memory_equal(rig_at(&c->rig, c->in + 300), data, sizeof(data));
}

/* Without MRG_RXBUF a frame has one buffer or no place. */
static void test_no_merge(void **state)
{
	struct card *c = *state;
	static uint8_t data[3000];
	uint32_t written;

	start(c, NET_F_STATUS);
	give_buffers(c, 3, 1536);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_true(gring_get(&c->q[NET_RX], &written) < 0);
	assert_non_null(strstr(detail(&c->rig, 0), "1 frames lost"));
	assert_true(receive(c, &plain, data, 1000));
	assert_int_equal(gring_get(&c->q[NET_RX], &written), 0);
	assert_int_equal(((struct net_header *)rig_at(&c->rig, c->in))->num_buffers, 1);
}

/* ---- link ------------------------------------------------------------------- */

static void test_link(void **state)
{
	struct card *c = *state;
	struct net_user *u = c->fake.b.user;
	uint32_t written;

	start(c, ALL);
	give_buffers(c, 4, 1536);
	net_set_cable(c->dev, false);
	assert_int_equal(atomic_load(&c->rig.configs[0]), 1);
	assert_int_equal(config_read(&c->rig, 0, 6, 2), 0);
	assert_non_null(strstr(detail(&c->rig, 0), "link down (cable pulled)"));
	send_frame(c, &plain, 60);
	assert_true(gring_get(&c->q[NET_TX], &written) >= 0); /* into the void */
	assert_true(receive(c, &plain, "frames of no one at all", 20));
	assert_true(gring_get(&c->q[NET_RX], &written) < 0);
	assert_int_equal(c->fake.sent, 0);
	u->ops->link(u, false); /* down twice: no news */
	net_set_cable(c->dev, true);
	assert_int_equal(atomic_load(&c->rig.configs[0]), 1);
	assert_false(net_link_up(c->dev));
	u->ops->link(u, true);
	assert_int_equal(atomic_load(&c->rig.configs[0]), 2);
	assert_int_equal(config_read(&c->rig, 0, 6, 2), 1);
	send_frame(c, &plain, 60);
	assert_int_equal(c->fake.sent, 1);
}

/* A frame that waits when the cable is pulled is lost, and the ring goes on. */
static void test_link_while_held(void **state)
{
	struct card *c = *state;
	struct net_user *u = c->fake.b.user;
	uint32_t written;

	start(c, ALL);
	c->fake.refuse = true;
	send_frame(c, &plain, 60);
	net_set_cable(c->dev, false);
	u->ops->writable(u);
	assert_true(gring_get(&c->q[NET_TX], &written) >= 0);
	assert_non_null(strstr(detail(&c->rig, 0), "1 frames lost"));
}

/* ---- watchers --------------------------------------------------------------- */

struct watcher {
	struct net_watcher w;
	struct device *dev;
	unsigned int frames;
	size_t bytes;
	bool leave;
};

static void on_frame(struct net_watcher *w, const struct iovec *iov,
		     unsigned int n, size_t bytes)
{
	struct watcher *me = (struct watcher *)w;
	size_t sum = 0;

	while (n)
		sum += iov[--n].iov_len;
	assert_int_equal(sum, bytes);
	me->frames++;
	me->bytes += bytes;
	if (me->leave)
		net_unwatch(me->dev, w);
}

static void test_watch(void **state)
{
	struct card *c = *state;
	struct watcher one = { .w.frame = on_frame, .dev = c->dev };
	struct watcher two = { .w.frame = on_frame, .dev = c->dev, .leave = true };
	uint8_t data[100] = { 0 };

	start(c, ALL);
	give_buffers(c, 8, 1536);
	net_watch(c->dev, &one.w);
	net_watch(c->dev, &two.w);
	send_frame(c, &plain, 60);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_int_equal(one.frames, 2);
	assert_int_equal(one.bytes, 160);
	assert_int_equal(two.frames, 1);
	net_unwatch(c->dev, &one.w);
	send_frame(c, &plain, 60);
	assert_int_equal(one.frames, 2);
}

/* ---- control queue ---------------------------------------------------------- */

static int command(struct card *c, uint8_t class, uint8_t cmd, const void *data,
		   size_t n)
{
	struct buffer b[3] = { { c->command, 2, false },
			       { c->command + 16, (uint32_t)n, false },
			       { c->command + 512, 1, true } };
	uint8_t *at = rig_at(&c->rig, c->command);
	uint32_t written;

	at[0] = class;
	at[1] = cmd;
	memcpy(at + 16, data, n);
	at[512] = 0xee;
	assert_true(gring_add(&c->q[NET_CONTROL], b, 3) >= 0);
	gring_kick(&c->q[NET_CONTROL]);
	assert_true(gring_turn(&c->q[NET_CONTROL], &written) >= 0);
	assert_int_equal(written, 1);
	return at[512];
}

static void test_mac(void **state)
{
	struct card *c = *state;
	static const uint8_t mac[] = { 2, 1, 1, 1, 1, 9 }, group[] = { 1, 0, 0, 0, 0, 0 };

	start(c, ALL);
	assert_int_equal(command(c, 1, 1, mac, 6), 0);
	assert_int_equal(config_read(&c->rig, 0, 5, 1), 9);
	assert_int_equal(command(c, 1, 1, group, 6), 1);
	assert_int_equal(command(c, 1, 1, mac, 5), 1);
	assert_int_equal(command(c, 1, 0, mac, 6), 1);
	assert_int_equal(command(c, 4, 0, mac, 2), 1); /* MQ isn't offered */
	assert_int_equal(config_read(&c->rig, 0, 5, 1), 9);
	reg_write(&c->rig, 0, CO_DEV_STATUS, 0, 0);
	assert_int_equal(config_read(&c->rig, 0, 5, 1), 7);
}

static void test_guest_offloads(void **state)
{
	struct card *c = *state;
	uint64_t bits = NET_F_GUEST_CSUM;

	start(c, ALL);
	assert_int_equal(command(c, 5, 0, &bits, 8), 0);
	assert_int_equal(c->fake.taken, NET_OFFLOAD_CSUM);
	bits = 1ull << 10; /* UFO */
	assert_int_equal(command(c, 5, 0, &bits, 8), 1);
	start(c, ALL & ~NET_F_GUEST_TSO6);
	bits = NET_F_GUEST_CSUM | NET_F_GUEST_TSO6;
	assert_int_equal(command(c, 5, 0, &bits, 8), 1);
	start(c, ALL & ~NET_F_CTRL_GUEST_OFFLOADS);
	bits = NET_F_GUEST_CSUM;
	assert_int_equal(command(c, 5, 0, &bits, 8), 1);
}

static void test_command_without_answer(void **state)
{
	struct card *c = *state;
	struct buffer b = { c->command, 2, false };

	start(c, ALL);
	assert_true(gring_add(&c->q[NET_CONTROL], &b, 1) >= 0);
	gring_kick(&c->q[NET_CONTROL]);
	rig_settle(&c->rig);
	assert_non_null(strstr(why(&c->rig, 0), "no room for an answer"));
}

/* ---- lies ------------------------------------------------------------------- */

static void expect_broken(struct card *c, uint64_t features,
			  const struct net_header *h, size_t n, const char *text)
{
	start(c, features);
	c->fake.sent = 0;
	send_frame(c, h, n);
	assert_int_equal(c->fake.sent, 0);
	assert_non_null(why(&c->rig, 0));
	assert_non_null(strstr(why(&c->rig, 0), text));
}

static void test_lies(void **state)
{
	struct card *c = *state;
	struct net_header far = { .flags = 1, .csum_start = 50, .csum_offset = 9 };
	struct net_header edge = { .flags = 1, .csum_start = 50, .csum_offset = 8 };
	struct net_header wrap = { .flags = 1, .csum_start = 65535, .csum_offset = 65535 };
	struct net_header gso = { 1, NET_GSO_TCP4, 54, 0, 34, 16, 0 };
	struct net_header bare = { 0, NET_GSO_TCP4, 54, 1400, 0, 0, 0 };
	struct net_header udp = { 1, 3, 54, 1400, 34, 6, 0 };

	expect_broken(c, ALL, &far, 60, "outside its frame");
	expect_broken(c, ALL, &wrap, 60, "outside its frame");
	expect_broken(c, ALL, &gso, 60, "segments of no size");
	expect_broken(c, ALL, &bare, 60, "without a checksum");
	expect_broken(c, ALL, &udp, 60, "wasn't offered");
	expect_broken(c, ALL & ~NET_F_HOST_TSO4, &gso, 60, "without the feature");
	expect_broken(c, ALL & ~NET_F_CSUM, &edge, 60, "without the feature");
	expect_broken(c, ALL, &plain, 13, "too short");
	expect_broken(c, ALL, &plain, NET_FRAME_MAX + 1, "too long");
	start(c, ALL);
	send_frame(c, &edge, 60);
	assert_int_equal(c->fake.sent, 1);
}

static void test_lies_receiving(void **state)
{
	struct card *c = *state;
	struct buffer small = { c->in, 11, true };
	uint8_t data[60] = { 0 };

	start(c, ALL);
	assert_true(gring_add(&c->q[NET_RX], &small, 1) >= 0);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_non_null(strstr(why(&c->rig, 0), "no room for a header"));
	start(c, ALL);
	small.size = 12; /* a header, and then nothing at all */
	assert_true(gring_add(&c->q[NET_RX], &small, 1) >= 0);
	small.size = 0;
	assert_true(gring_add(&c->q[NET_RX], &small, 1) >= 0);
	assert_true(receive(c, &plain, data, sizeof(data)));
	assert_non_null(strstr(why(&c->rig, 0), "no size"));
	/* And then it's as dead as a device that was never started. */
	assert_true(receive(c, &plain, data, sizeof(data)));
	send_frame(c, &plain, 60);
	assert_int_equal(c->fake.sent, 0);
}

static void test_short_header(void **state)
{
	struct card *c = *state;
	struct buffer b = { c->out, 11, false };

	start(c, ALL);
	assert_true(gring_add(&c->q[NET_TX], &b, 1) >= 0);
	gring_kick(&c->q[NET_TX]);
	rig_settle(&c->rig);
	assert_non_null(strstr(why(&c->rig, 0), "header that is too short"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_config),		T(test_no_offloads),
		T(test_send),		T(test_send_header),
		T(test_send_many),	T(test_send_refused),
		T(test_reset_while_held), T(test_queue_goes_while_held),
		T(test_receive),
		T(test_merge),		T(test_merge_waits),
		T(test_split_header),	T(test_no_merge),
		T(test_link),		T(test_link_while_held),
		T(test_watch),		T(test_mac),
		T(test_guest_offloads), T(test_command_without_answer),
		T(test_lies),		T(test_lies_receiving),
		T(test_short_header),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
