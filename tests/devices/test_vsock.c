/* SPDX-License-Identifier: GPL-2.0 */
/*
 * covsock as Linux's driver uses it: connections from both sides, credit, and guests
 * and programs that break the rules.
 */
#include <errno.h>

#include "vsock_bench.h"

/* ---- tests ------------------------------------------------------------------ */

static void test_guest_connects(void **state)
{
	struct bench *t = *state;
	char data[16];
	int fd;

	assert_int_equal(reg_read(&t->rig, 0, CO_DEV_ID, 0), 19);
	assert_int_equal(config_read(&t->rig, 0, 0, 8), CID);
	fd = guest_connects(t, 1000);
	send_data(t, 1000, 7, "hello", 5);
	expect_bytes(t, fd, "hello", 5);
	assert_int_equal(write(fd, "answer", 6), 6);
	assert_int_equal(receive(t, data).len, 6);
	assert_memory_equal(data, "answer", 6);
	close(fd);
	expect_op(t, VSOCK_RST, 7, 1000);
	assert_true(nothing(t));
	assert_null(why(&t->rig, 0));
}

static void test_nobody(void **state)
{
	struct bench *t = *state;
	struct vsock_header h;

	send_op(t, VSOCK_REQUEST, 1000, 8);
	expect_op(t, VSOCK_RST, 8, 1000);
	send_data(t, 1000, 7, "lost", 4);
	expect_op(t, VSOCK_RST, 7, 1000);
	send_op(t, VSOCK_RST, 1000, 7);
	h = header(VSOCK_REQUEST, 1000, 7);
	h.src_cid = 9; /* somebody else's */
	send_header(t, h, "");
	assert_true(nothing(t));
	h = header(VSOCK_REQUEST, 1000, 7);
	h.type = 2; /* SEQPACKET, which isn't offered */
	send_header(t, h, "");
	assert_int_equal(receive(t, NULL).type, 2);
	h = header(VSOCK_REQUEST, 1000, 7);
	h.dst_cid = 99;
	send_header(t, h, "");
	rig_settle(&t->rig);
	assert_null(why(&t->rig, 0));
}

static void test_host_connects(void **state)
{
	struct bench *t = *state;
	int fd = host_asks(t, "CONNECT 22\nfirst");
	struct vsock_header h = receive(t, NULL);
	char ok[32], data[16];

	assert_int_equal(h.op, VSOCK_REQUEST);
	assert_int_equal(h.dst_port, 22);
	send_op(t, VSOCK_RESPONSE, 22, h.src_port);
	snprintf(ok, sizeof(ok), "OK %u\n", h.src_port);
	expect_bytes(t, fd, ok, strlen(ok));
	assert_int_equal(receive(t, data).len, 5);
	assert_memory_equal(data, "first", 5);
	send_data(t, 22, h.src_port, "reply", 5);
	expect_bytes(t, fd, "reply", 5);
	close(fd);
	expect_op(t, VSOCK_RST, h.src_port, 22);
}

static void test_host_refused(void **state)
{
	static const char *const wrong[] = { "CONNECT\n", "CONNECT 1x\n",
					     "connect 1\n", "CONNECT -1\n",
					     "CONNECT 4294967296\n", "\n",
					     "CONNECT 00000000000000000000000000001" };
	struct bench *t = *state;
	struct vsock_header h;
	unsigned int i;
	int fd = host_asks(t, "CONNECT 22\n");

	h = receive(t, NULL);
	send_op(t, VSOCK_RST, 22, h.src_port);
	expect_end(t, fd);
	close(fd);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fd = host_asks(t, wrong[i]);
		expect_end(t, fd);
		close(fd);
	}
	assert_true(nothing(t));
}

/* A megabyte each way, within what each side allows the other. */
static void test_credit(void **state)
{
	struct bench *t = *state;
	static uint8_t all[1 << 20], got[1 << 20], piece[ROOM];
	uint32_t sent = 0, host_took = 0, received = 0;
	struct vsock_header h;
	int fd = guest_connects(t, 5);
	size_t i;

	srand(3);
	for (i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)rand();
	while (sent < sizeof(all)) {
		if (sent - host_took + 4096 > VSOCK_BUFFER) {
			h = receive(t, NULL);
			assert_int_equal(h.op, VSOCK_CREDIT_UPDATE);
			host_took = h.fwd_cnt;
			continue;
		}
		send_data(t, 5, 7, all + sent, 4096);
		expect_bytes(t, fd, all + sent, 4096);
		sent += 4096;
	}
	for (i = 0; received < sizeof(got);) {
		ssize_t n = write(fd, all + i, sizeof(all) - i);

		i += n > 0 ? (size_t)n : 0;
		h = receive(t, piece);
		if (h.op != VSOCK_RW)
			continue;
		memcpy(got + received, piece, h.len);
		received += h.len;
		if (received % 32768 < h.len) {
			h = header(VSOCK_CREDIT_UPDATE, 5, 7);
			h.fwd_cnt = received;
			send_header(t, h, "");
		}
	}
	assert_memory_equal(got, all, sizeof(all));
	close(fd);
}

/* Without credit nothing comes; and nothing is lost by it. */
static void test_no_credit(void **state)
{
	struct bench *t = *state;
	int fd = guest_connects(t, 5);
	struct vsock_header h = header(VSOCK_CREDIT_UPDATE, 5, 7);
	static uint8_t data[ROOM];

	h.buf_alloc = 10;
	send_header(t, h, "");
	assert_int_equal(write(fd, "0123456789abcdef", 16), 16);
	assert_int_equal(receive(t, data).len, 10);
	assert_true(nothing(t));
	h.fwd_cnt = 10;
	send_header(t, h, "");
	assert_int_equal(receive(t, data).len, 6);
	assert_memory_equal(data, "abcdef", 6);
	/* It took what was never sent: it gets no more, others do. */
	h.fwd_cnt = 5000;
	send_header(t, h, "");
	assert_int_equal(write(fd, "x", 1), 1);
	assert_true(nothing(t));
	close(guest_connects(t, 6));
	expect_op(t, VSOCK_RST, 7, 6);
	close(fd);
}

/* Answers for a guest that gives no buffers are bounded, and come when it does. */
static void test_no_buffers(void **state)
{
	struct bench *t = *state;
	unsigned int i, answered = 0;
	uint32_t written;

	machine_reset(t->rig.m);
	rig_settle(&t->rig);
	start_driver(t, 0);
	for (i = 0; i < VSOCK_REPLIES; i++)
		send_op(t, VSOCK_REQUEST, i, 8);
	send_raw(t, &(struct vsock_header){ 0 }, sizeof(struct vsock_header));
	rig_settle(&t->rig);
	assert_true(gring_get(&t->tx, &written) < 0);
	give_rx(t, RX);
	for (; answered < VSOCK_REPLIES; answered++)
		expect_op(t, VSOCK_RST, 8, answered);
	assert_true(gring_turn(&t->tx, &written) >= 0);
}

/* The buffer that waits for a packet is no less the guest's when only another queue
 * goes. */
static void test_queue_goes(void **state)
{
	struct bench *t = *state;
	unsigned int i;

	for (i = 0; i <= RX; i++) {
		rig_settle(&t->rig);
		reg_write(&t->rig, 0, CO_DEV_QUEUE_READY, 2, 0);
		gring_init(&t->event, &t->rig, 0, 2, RX, RING);
	}
	for (i = 0; i < RX; i++) {
		send_op(t, VSOCK_REQUEST, i, 8);
		expect_op(t, VSOCK_RST, 8, i);
	}
	assert_null(why(&t->rig, 0));
}

/* The table is full: the next are refused, and one that goes makes room. */
static void test_many(void **state)
{
	struct bench *t = *state;
	int fd[VSOCK_CONNECTIONS];
	unsigned int i;

	for (i = 0; i < VSOCK_CONNECTIONS; i++)
		fd[i] = guest_connects(t, i);
	send_op(t, VSOCK_REQUEST, 9999, 7);
	expect_op(t, VSOCK_RST, 7, 9999);
	close(local_accept(t->listener));
	close(fd[77]);
	expect_op(t, VSOCK_RST, 7, 77);
	fd[77] = guest_connects(t, 9999);
	for (i = 0; i < VSOCK_CONNECTIONS; i++)
		close(fd[i]);
}

static void test_twice(void **state)
{
	struct bench *t = *state;
	int fd = guest_connects(t, 5);

	send_op(t, VSOCK_REQUEST, 5, 7);
	expect_op(t, VSOCK_RST, 7, 5);
	expect_end(t, fd);
	close(fd);
	fd = guest_connects(t, 5);
	send_op(t, VSOCK_RESPONSE, 5, 7); /* nobody asked */
	expect_op(t, VSOCK_RST, 7, 5);
	close(fd);
	fd = guest_connects(t, 5);
	send_op(t, 77, 5, 7);
	expect_op(t, VSOCK_RST, 7, 5);
	close(fd);
}

static void test_lies(void **state)
{
	struct bench *t = *state;
	struct vsock_header h = header(VSOCK_RW, 5, 7);
	struct buffer small = { t->rx_at, 43, true };

	send_raw(t, &h, 43);
	rig_settle(&t->rig);
	assert_string_equal(why(&t->rig, 0),
			    "a packet of 43 bytes, a header has 44");
	machine_reset(t->rig.m);
	start_driver(t, RX);
	h.len = 1;
	send_raw(t, &h, 44);
	rig_settle(&t->rig);
	assert_string_equal(why(&t->rig, 0),
			    "a packet says it has 1 bytes, 0 are there");
	machine_reset(t->rig.m);
	start_driver(t, 0);
	gring_add(&t->rx, &small, 1);
	gring_kick(&t->rx);
	rig_settle(&t->rig);
	assert_string_equal(why(&t->rig, 0),
			    "a receive buffer of 43 bytes, a header has 44");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guest_connects), TEST(test_nobody),
		TEST(test_host_connects),  TEST(test_host_refused),
		TEST(test_credit),	   TEST(test_no_credit),
		TEST(test_no_buffers),
		TEST(test_queue_goes),	   TEST(test_many),	   TEST(test_twice),
		TEST(test_lies),
	};

	return cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
}
