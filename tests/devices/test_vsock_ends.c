/* SPDX-License-Identifier: GPL-2.0 */
/* covsock: ends of all kinds, and programs of the host that take their time. */
#include <poll.h>
#include <sys/resource.h>

#include "vsock_bench.h"

/* A program that doesn't read stops its own connection alone. */
static void test_slow_reader(void **state)
{
	struct bench *t = *state;
	int slow = guest_connects(t, 5), quick = guest_connects(t, 6);
	static uint8_t block[32768];
	struct vsock_header h;
	unsigned int i;

	/* The socket takes some, the buffer the rest, then the guest lies. */
	for (i = 0; i < 40; i++)
		send_data(t, 5, 7, block, sizeof(block));
	do
		h = receive(t, NULL);
	while (h.op == VSOCK_CREDIT_UPDATE);
	assert_int_equal(h.op, VSOCK_RST);
	assert_int_equal(h.dst_port, 5);
	send_data(t, 6, 7, "through", 7);
	expect_bytes(t, quick, "through", 7);
	assert_null(why(&t->rig, 0));
	close(slow);
	close(quick);
}

static void test_shutdown(void **state)
{
	struct bench *t = *state;
	struct vsock_header h = header(VSOCK_SHUTDOWN, 5, 7);
	int fd = guest_connects(t, 5);

	/* The guest sends no more, but reads. */
	send_data(t, 5, 7, "last", 4);
	h.flags = VSOCK_NO_SEND;
	send_header(t, h, "");
	expect_bytes(t, fd, "last", 4);
	expect_end(t, fd);
	assert_int_equal(write(fd, "more", 4), 4);
	assert_int_equal(receive(t, NULL).len, 4);
	close(fd);
	expect_op(t, VSOCK_RST, 7, 5);

	/* The host sends no more, but reads. */
	fd = guest_connects(t, 6);
	shutdown(fd, SHUT_WR);
	assert_int_equal(expect_op(t, VSOCK_SHUTDOWN, 7, 6).flags,
			 VSOCK_NO_SEND);
	send_data(t, 6, 7, "answer", 6);
	expect_bytes(t, fd, "answer", 6);
	h = header(VSOCK_SHUTDOWN, 6, 7);
	h.flags = VSOCK_NO_SEND | VSOCK_NO_RECEIVE;
	send_header(t, h, "");
	expect_op(t, VSOCK_RST, 7, 6);
	expect_end(t, fd);
	close(fd);
}

static void test_reset(void **state)
{
	struct bench *t = *state;
	int fd = guest_connects(t, 5), other = host_asks(t, "CONNECT 22\n");

	assert_int_equal(receive(t, NULL).op, VSOCK_REQUEST);
	close(other);
	machine_reset(t->rig.m);
	expect_end(t, fd);
	close(fd);
	start_driver(t, RX);
	close(guest_connects(t, 5));
}

/* The guest has sent, and left; the program reads later. */
static void test_late_reader(void **state)
{
	static uint8_t block[32768];
	struct bench *t = *state;
	struct vsock_header h = header(VSOCK_SHUTDOWN, 5, 7);
	int fd = guest_connects(t, 5), again;
	unsigned int i;

	/* More than a socket takes, so that the rest is in our buffer. */
	for (i = 0; i < 8; i++) {
		memset(block, (int)('a' + i), sizeof(block));
		send_data(t, 5, 7, block, sizeof(block));
	}
	while (!nothing(t)) /* news of credit */
		;
	h.flags = VSOCK_NO_SEND | VSOCK_NO_RECEIVE;
	send_header(t, h, "");
	send_op(t, VSOCK_RST, 5, 7);
	/* For the guest the port is free. */
	again = guest_connects(t, 5);
	send_data(t, 5, 7, "new", 3);
	for (i = 0; i < 8; i++) {
		memset(block, (int)('a' + i), sizeof(block));
		expect_bytes(t, fd, block, sizeof(block));
	}
	expect_end(t, fd);
	expect_bytes(t, again, "new", 3);
	assert_true(nothing(t));
	close(fd);
	close(again);
	expect_op(t, VSOCK_RST, 7, 5);
}

/* One that never reads, and goes. */
static void test_no_reader(void **state)
{
	static uint8_t block[32768];
	struct bench *t = *state;
	int fd = guest_connects(t, 5);
	unsigned int i;

	for (i = 0; i < 8; i++)
		send_data(t, 5, 7, block, sizeof(block));
	while (!nothing(t)) /* news of credit */
		;
	send_op(t, VSOCK_RST, 5, 7);
	rig_settle(&t->rig);
	assert_int_equal(t->vs->connections, 1);
	close(fd);
	for (i = 0; i < 1000 && t->vs->connections; i++)
		rig_settle(&t->rig);
	assert_int_equal(t->vs->connections, 0);
	assert_true(nothing(t));
}

/* Is there something that makes the loop turn at once? */
static bool busy(struct bench *t)
{
	struct pollfd p = { .fd = uv_backend_fd(&t->rig.loop), .events = POLLIN };

	rig_settle(&t->rig);
	return poll(&p, 1, 0) == 1;
}

/* A client that says half of where to, and the rest later, or goes. */
static void test_half_a_line(void **state)
{
	struct bench *t = *state;
	int fd = host_asks(t, "CONN"), other = host_asks(t, "CONNECT 1");

	assert_false(busy(t));
	close(other);
	assert_false(busy(t));
	assert_int_equal(write(fd, "ECT 22\nfirst", 12), 12);
	assert_int_equal(receive(t, NULL).dst_port, 22);
	assert_false(busy(t));
	close(fd);
	assert_int_equal(t->vs->connections, 1);
}

/* Without a descriptor for it a client waits, and the loop doesn't turn. */
static void test_no_descriptors(void **state)
{
	struct bench *t = *state;
	struct rlimit limit, none = { 3, 0 };
	int fd = host_asks(t, "no\n");

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rig_settle(&t->rig);
	bool turns = busy(t);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_false(turns);
	expect_end(t, fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slow_reader), TEST(test_shutdown), TEST(test_reset),
		TEST(test_late_reader), TEST(test_no_reader),
		TEST(test_half_a_line), TEST(test_no_descriptors),
	};

	return cmocka_run_group_tests_name("vsock_ends", tests, NULL, NULL);
}
