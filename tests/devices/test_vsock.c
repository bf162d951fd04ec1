/* SPDX-License-Identifier: GPL-2.0 */
/*
 * covsock as Linux's driver uses it: connections from both sides, credit, ends of
 * all kinds, and guests and programs that break the rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/devices/vsock.h"
#include "../../tools/os/local_socket.h"
#include "driver.h"

#define RING (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define CID  42
#define ROOM 4096 /* of a receive buffer */
#define RX   32

struct bench {
	struct rig rig;
	char path[64], service[80]; /* the host's port 7 */
	int listener;
	struct gring rx, tx, event;
	uint64_t rx_at, tx_at;
};

static void give_rx(struct bench *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buffer b = { t->rx_at + i * ROOM, ROOM, true };

		assert_true(gring_add(&t->rx, &b, 1) >= 0);
	}
	gring_kick(&t->rx);
}

static void start_driver(struct bench *t, unsigned int buffers)
{
	negotiate(&t->rig, 0, RING);
	gring_init(&t->rx, &t->rig, 0, 0, RX, RING);
	gring_init(&t->tx, &t->rig, 0, 1, RX, RING);
	gring_init(&t->event, &t->rig, 0, 2, RX, RING);
	driver_ok(&t->rig, 0);
	give_rx(t, buffers);
}

static int setup(void **state)
{
	struct bench *t = calloc(1, sizeof(*t));
	struct error *err = NULL;
	struct vsock_options opt = { .cid = CID, .path = t->path };

	rig_init(&t->rig);
	snprintf(t->path, sizeof(t->path), "/tmp/vsock-%d", (int)getpid());
	snprintf(t->service, sizeof(t->service), "%s_7", t->path);
	unlink(t->service);
	t->listener = local_listen(t->service, &err);
	assert_true(t->listener >= 0);
	assert_non_null(vsock_create(t->rig.m, "covsock", &opt, &err));
	t->rx_at = rig_alloc(&t->rig, RX * ROOM, 4096);
	t->tx_at = rig_alloc(&t->rig, 1 << 18, 4096);
	start_driver(t, RX);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct bench *t = *state;

	rig_free(&t->rig);
	close(t->listener);
	unlink(t->service);
	assert_int_equal(access(t->path, F_OK), -1);
	free(t);
	return 0;
}

/* ---- packets ---------------------------------------------------------------- */

static void send_raw(struct bench *t, const void *packet, size_t n)
{
	struct buffer b = { t->tx_at, (uint32_t)n, false };

	memcpy(rig_at(&t->rig, b.pa), packet, n);
	assert_true(gring_add(&t->tx, &b, 1) >= 0);
	gring_kick(&t->tx);
}

static void send_header(struct bench *t, struct vsock_header h,
			const void *data)
{
	uint8_t packet[sizeof(h) + VSOCK_PAYLOAD];
	uint32_t written;

	memcpy(packet, &h, sizeof(h));
	memcpy(packet + sizeof(h), data, h.len);
	send_raw(t, packet, sizeof(h) + h.len);
	assert_true(gring_turn(&t->tx, &written) >= 0);
}

static struct vsock_header header(uint16_t op, uint32_t from, uint32_t to)
{
	return (struct vsock_header){
		.src_cid = CID, .dst_cid = 2, .src_port = from, .dst_port = to,
		.type = 1, .op = op, .buf_alloc = 65536,
	};
}

static void send_op(struct bench *t, uint16_t op, uint32_t from, uint32_t to)
{
	send_header(t, header(op, from, to), "");
}

static void send_data(struct bench *t, uint32_t from, uint32_t to,
		      const void *data, size_t n)
{
	struct vsock_header h = header(VSOCK_RW, from, to);

	h.len = (uint32_t)n;
	send_header(t, h, data);
}

/* The next packet for the guest; its buffer goes back. */
static struct vsock_header receive(struct bench *t, void *data)
{
	struct vsock_header h;
	uint32_t written;
	uint64_t pa;
	int head;

	head = gring_turn(&t->rx, &written);
	assert_true(head >= 0);
	pa = t->rx.desc[head].address;
	memcpy(&h, rig_at(&t->rig, pa), sizeof(h));
	assert_int_equal(written, sizeof(h) + h.len);
	if (data)
		memcpy(data, (uint8_t *)rig_at(&t->rig, pa) + sizeof(h), h.len);
	struct buffer b = { pa, ROOM, true };
	gring_add(&t->rx, &b, 1);
	gring_kick(&t->rx);
	assert_int_equal(h.src_cid, 2);
	assert_int_equal(h.dst_cid, CID);
	return h;
}

static struct vsock_header expect_op(struct bench *t, uint16_t op,
				     uint32_t from, uint32_t to)
{
	struct vsock_header h = receive(t, NULL);

	assert_int_equal(h.op, op);
	assert_int_equal(h.src_port, from);
	assert_int_equal(h.dst_port, to);
	return h;
}

static bool nothing(struct bench *t)
{
	uint32_t written;

	rig_settle(&t->rig);
	return gring_get(&t->rx, &written) < 0;
}

/* ---- programs of the host --------------------------------------------------- */

struct readable {
	int fd;
};

static bool can_read(void *arg)
{
	struct pollfd p = { .fd = ((struct readable *)arg)->fd,
			    .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void expect_bytes(struct bench *t, int fd, const void *wanted, size_t n)
{
	uint8_t *got = malloc(n + 1);
	struct readable r = { fd };
	size_t have = 0;

	while (have < n) {
		assert_true(rig_turn(&t->rig, can_read, &r));
		ssize_t more = read(fd, got + have, n - have);
		assert_true(more > 0);
		have += (size_t)more;
	}
	assert_memory_equal(got, wanted, n);
	free(got);
}

static void expect_end(struct bench *t, int fd)
{
	struct readable r = { fd };
	char c;

	assert_true(rig_turn(&t->rig, can_read, &r));
	assert_true(read(fd, &c, 1) <= 0);
}

/* A guest's connection to port 7; returns the host's descriptor. */
static int guest_connects(struct bench *t, uint32_t from)
{
	int fd;

	send_op(t, VSOCK_REQUEST, from, 7);
	assert_int_equal(expect_op(t, VSOCK_RESPONSE, 7, from).buf_alloc,
			 VSOCK_BUFFER);
	fd = local_accept(t->listener);
	assert_true(fd >= 0);
	return fd;
}

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

static int host_asks(struct bench *t, const char *line)
{
	int fd = local_connect(t->path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	return fd;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_guest_connects), TEST(test_nobody),
		TEST(test_host_connects),  TEST(test_host_refused),
		TEST(test_credit),	   TEST(test_no_credit),
		TEST(test_slow_reader),	   TEST(test_shutdown),
		TEST(test_reset),	   TEST(test_no_buffers),
		TEST(test_queue_goes),	   TEST(test_many),	   TEST(test_twice),
		TEST(test_lies),
	};

	return cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
}
