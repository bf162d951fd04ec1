/* SPDX-License-Identifier: GPL-2.0 */
#include "card.h"

/* ---- a back end ------------------------------------------------------------- */

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

static void fake_use(struct net_backend *b, bool used)
{
	to_fake(b)->used = used;
	to_fake(b)->uses++;
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
	.use = fake_use,
	.describe = fake_describe,
	.close = fake_close,
};

/* ---- a card ----------------------------------------------------------------- */

static void make_fake(struct fake *f)
{
	f->b.ops = &fake_ops;
	f->b.offloads = OFFLOADS;
	f->b.mtu = 1500;
}

static int setup(void **state, unsigned int pairs)
{
	struct card *c = calloc(1, sizeof(*c));
	struct net_options opt = { { 2, 0, 0, 0, 0, 7 },
				   pairs,
				   { &c->fake.b, &c->more[0].b, &c->more[1].b } };
	struct error *err = NULL;

	rig_init(&c->rig);
	make_fake(&c->fake);
	make_fake(&c->more[0]);
	make_fake(&c->more[1]);
	c->pairs = pairs;
	c->dev = net_create(c->rig.m, "eth0", &opt, &err);
	assert_non_null(c->dev);
	c->out = rig_alloc(&c->rig, 1 << 20, 4096);
	c->in = rig_alloc(&c->rig, 1 << 20, 4096);
	c->command = rig_alloc(&c->rig, 4096, 4096);
	*state = c;
	return 0;
}

int card_setup(void **state)
{
	return setup(state, 1);
}

int card_setup_pairs(void **state)
{
	return setup(state, PAIRS_MAX);
}

int card_teardown(void **state)
{
	struct card *c = *state;
	unsigned int i;

	rig_free(&c->rig);
	assert_int_equal(c->fake.closed, 1);
	for (i = 0; i < PAIRS_MAX - 1; i++)
		assert_int_equal(c->more[i].closed, c->pairs > 1);
	free(c);
	return 0;
}

void start(struct card *c, uint64_t features)
{
	unsigned int i;

	c->control = 2 * (features & NET_F_MQ ? c->pairs : 1);
	negotiate(&c->rig, 0, features | RING);
	for (i = 0; i <= c->control; i++)
		gring_init(&c->q[i], &c->rig, 0, i, i < c->control ? 256 : 64,
			   features | RING);
	driver_ok(&c->rig, 0);
	rig_settle(&c->rig);
}

void add_frame(struct card *c, const struct net_header *h, size_t n)
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

void send_frame(struct card *c, const struct net_header *h, size_t n)
{
	add_frame(c, h, n);
	gring_kick(&c->q[NET_TX]);
	rig_settle(&c->rig);
}

int command(struct card *c, uint8_t class, uint8_t cmd, const void *data, size_t n)
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
	assert_true(gring_add(&c->q[c->control], b, 3) >= 0);
	gring_kick(&c->q[c->control]);
	assert_true(gring_turn(&c->q[c->control], &written) >= 0);
	assert_int_equal(written, 1);
	return at[512];
}

void give_buffers(struct card *c, unsigned int n, uint32_t size)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buffer b = { c->in + i * size, size, true };

		assert_true(gring_add(&c->q[NET_RX], &b, 1) >= 0);
	}
	gring_kick(&c->q[NET_RX]);
	rig_settle(&c->rig);
}

bool receive(struct card *c, const struct net_header *h, const void *data,
	     size_t n)
{
	struct net_user *u = c->fake.b.user;
	struct iovec iov[2] = { { (void *)(uintptr_t)data, n / 2 },
				{ (char *)(uintptr_t)data + n / 2, n - n / 2 } };
	bool taken = u->ops->receive(u, h, iov, 2);

	u->ops->flush(u);
	return taken;
}

const struct net_header plain;

void fill(uint8_t *data, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		data[i] = (uint8_t)(i * 13 + i / 256);
}
