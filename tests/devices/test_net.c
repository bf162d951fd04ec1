/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet as Linux's virtio_net drives it: frames both ways, buffers that are merged,
 * headers, back-pressure.
 */
#include "card.h"

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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, card_setup, card_teardown)
	const struct CMUnitTest tests[] = {
		T(test_config),
		T(test_no_offloads),
		T(test_send),
		T(test_send_header),
		T(test_send_many),
		T(test_send_refused),
		T(test_reset_while_held),
		T(test_queue_goes_while_held),
		T(test_receive),
		T(test_merge),
		T(test_merge_waits),
		T(test_split_header),
		T(test_no_merge),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
