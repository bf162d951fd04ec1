/* SPDX-License-Identifier: GPL-2.0 */
/* A conet with several pairs of queues, and a back end for each. */
#include "card.h"

enum { CLASS_MQ = 4, RX1 = 2, TX1, RX2, TX2 };

static int set_pairs(struct card *c, uint16_t pairs)
{
	return command(c, CLASS_MQ, 0, &pairs, sizeof(pairs));
}

static void offer(struct gring *g, uint64_t pa, uint32_t size, bool in)
{
	struct buffer b = { pa, size, in };

	assert_true(gring_add(g, &b, 1) >= 0);
	gring_kick(g);
	rig_settle(g->rig);
}

static bool receive_at(struct fake *f)
{
	struct net_user *u = f->b.user;
	struct iovec iov = { "sixty bytes, and a little more, of a frame for a second pair", 60 };
	bool taken = u->ops->receive(u, &plain, &iov, 1);

	u->ops->flush(u);
	return taken;
}

static void test_offered(void **state)
{
	struct card *c = *state;

	assert_int_equal(reg_read(&c->rig, 0, CO_DEV_QUEUES, 0), 2 * PAIRS_MAX + 1);
	assert_true(reg_read(&c->rig, 0, CO_DEV_FEATURES, 0) & NET_F_MQ);
	assert_int_equal(config_read(&c->rig, 0, 8, 2), PAIRS_MAX);
	assert_true(c->fake.used);
	assert_false(c->more[0].used || c->more[1].used);
	start(c, ALL | NET_F_MQ);
	assert_non_null(strstr(detail(&c->rig, 0), ", 1 of 3 pairs of queues, 0 frames"));
}

/* Frames go where their pair leads, both ways. */
static void test_two(void **state)
{
	struct card *c = *state;
	uint32_t written;

	start(c, ALL | NET_F_MQ);
	assert_int_equal(set_pairs(c, 2), 0);
	assert_true(c->fake.used && c->more[0].used && !c->more[1].used);
	assert_non_null(strstr(detail(&c->rig, 0), ", 2 of 3 pairs"));
	offer(&c->q[TX1], c->out, HEADER + 60, false);
	assert_int_equal(c->more[0].sent, 1);
	assert_int_equal(c->fake.sent, 0);
	offer(&c->q[RX1], c->in, 1536, true);
	assert_true(receive_at(&c->more[0]));
	assert_true(gring_get(&c->q[RX1], &written) >= 0);
	assert_int_equal(written, HEADER + 60);
	assert_false(receive_at(&c->fake)); /* no buffer in the first one */
	assert_int_equal(c->fake.taken, OFFLOADS); /* for all */
	assert_null(why(&c->rig, 0));
}

/* A pair that the guest doesn't use: frames for it have no place, its own go. */
static void test_unused(void **state)
{
	struct card *c = *state;
	uint32_t written;

	start(c, ALL | NET_F_MQ);
	assert_int_equal(set_pairs(c, 2), 0);
	offer(&c->q[TX2], c->out, HEADER + 60, false);
	offer(&c->q[RX2], c->in, 1536, true);
	assert_true(receive_at(&c->more[1]));
	assert_int_equal(c->more[1].sent, 1);
	assert_true(gring_get(&c->q[TX2], &written) >= 0);
	assert_true(gring_get(&c->q[RX2], &written) < 0);
	assert_non_null(strstr(detail(&c->rig, 0), "1 frames lost"));
	assert_int_equal(set_pairs(c, 3), 0);
	assert_true(receive_at(&c->more[1]));
	assert_true(gring_get(&c->q[RX2], &written) >= 0);
}

/* Linux uses fewer pairs and has frames in their rings still: they go, too. */
static void test_held(void **state)
{
	struct card *c = *state;
	struct net_user *u = c->more[0].b.user;
	uint32_t written;

	start(c, ALL | NET_F_MQ);
	assert_int_equal(set_pairs(c, 2), 0);
	c->more[0].refuse = true;
	offer(&c->q[TX1], c->out, HEADER + 60, false);
	offer(&c->q[TX1], c->out, HEADER + 60, false);
	assert_int_equal(set_pairs(c, 1), 0);
	rig_settle(&c->rig);
	assert_int_equal(c->more[0].sent, 0);
	c->more[0].refuse = false;
	u->ops->writable(u);
	rig_settle(&c->rig);
	assert_int_equal(c->more[0].sent, 2);
	assert_true(gring_get(&c->q[TX1], &written) >= 0);
	assert_true(gring_get(&c->q[TX1], &written) >= 0);
}

/* The control queue of drivers that know of several pairs, and of those that don't,
 * one after the other. */
static void test_control_moves(void **state)
{
	struct card *c = *state;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		start(c, ALL | (i % 2 ? NET_F_MQ : 0));
		assert_int_equal(c->control, i % 2 ? 2 * PAIRS_MAX : 2);
		assert_int_equal(set_pairs(c, 2), i % 2 ? 0 : 1);
		assert_int_equal(c->more[0].used, i % 2);
	}
}

static void test_bad_numbers(void **state)
{
	struct card *c = *state;
	uint8_t one = 1;

	start(c, ALL | NET_F_MQ);
	assert_int_equal(set_pairs(c, 3), 0);
	assert_int_equal(set_pairs(c, 0), 1);
	assert_int_equal(set_pairs(c, PAIRS_MAX + 1), 1);
	assert_int_equal(set_pairs(c, 0x8000), 1);
	assert_int_equal(command(c, CLASS_MQ, 0, &one, 1), 1);
	assert_int_equal(command(c, CLASS_MQ, 1, "\2", 2), 1); /* RSS */
	assert_true(c->more[1].used);
	reg_write(&c->rig, 0, CO_DEV_STATUS, 0, 0);
	assert_false(c->more[0].used || c->more[1].used);
	assert_true(c->fake.used);
}

/* A driver that knows of one pair has its commands in the third queue. */
static void test_plain_driver(void **state)
{
	struct card *c = *state;
	uint32_t written;

	start(c, ALL);
	assert_int_equal(c->control, 2);
	assert_int_equal(set_pairs(c, 1), 1);
	send_frame(c, &plain, 60);
	assert_int_equal(c->fake.sent, 1);
	give_buffers(c, 1, 1536);
	assert_true(receive_at(&c->fake));
	assert_true(gring_get(&c->q[NET_RX], &written) >= 0);
	assert_true(receive_at(&c->more[0]));
	assert_null(why(&c->rig, 0));
}

#define T(f) cmocka_unit_test_setup_teardown(f, card_setup_pairs, card_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_offered), T(test_two),	      T(test_unused),
		T(test_held),	 T(test_bad_numbers), T(test_plain_driver),
		T(test_control_moves),
	};

	return cmocka_run_group_tests_name("net_pairs", tests, NULL, NULL);
}
