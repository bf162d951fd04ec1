/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conet beside its frames: link, watchers, the control queue; and guests that lie.
 */
#include "card.h"

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
	struct net_header beyond = { .flags = 1, .csum_start = 50, .csum_offset = 9 };
	struct net_header edge = { .flags = 1, .csum_start = 50, .csum_offset = 8 };
	struct net_header wrap = { .flags = 1, .csum_start = 65535, .csum_offset = 65535 };
	struct net_header gso = { 1, NET_GSO_TCP4, 54, 0, 34, 16, 0 };
	struct net_header bare = { 0, NET_GSO_TCP4, 54, 1400, 0, 0, 0 };
	struct net_header udp = { 1, 3, 54, 1400, 34, 6, 0 };

	expect_broken(c, ALL, &beyond, 60, "outside its frame");
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
#define T(f) cmocka_unit_test_setup_teardown(f, card_setup, card_teardown)
	const struct CMUnitTest tests[] = {
		T(test_link),
		T(test_link_while_held),
		T(test_watch),
		T(test_mac),
		T(test_guest_offloads),
		T(test_command_without_answer),
		T(test_lies),
		T(test_lies_receiving),
		T(test_short_header),
	};

	return cmocka_run_group_tests_name("net_control", tests, NULL, NULL);
}
