/* SPDX-License-Identifier: GPL-2.0 */
#include "vsock_bench.h"

#include <poll.h>

void give_rx(struct bench *t, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buffer b = { t->rx_at + i * ROOM, ROOM, true };

		assert_true(gring_add(&t->rx, &b, 1) >= 0);
	}
	gring_kick(&t->rx);
}

void start_driver(struct bench *t, unsigned int buffers)
{
	negotiate(&t->rig, 0, RING);
	gring_init(&t->rx, &t->rig, 0, 0, RX, RING);
	gring_init(&t->tx, &t->rig, 0, 1, RX, RING);
	gring_init(&t->event, &t->rig, 0, 2, RX, RING);
	driver_ok(&t->rig, 0);
	give_rx(t, buffers);
}

int vsock_setup(void **state)
{
	struct bench *t = calloc(1, sizeof(*t));
	struct error *err = NULL;
	struct vsock_options opt = { .cid = CID, .path = t->path };
	struct device *dev;

	rig_init(&t->rig);
	snprintf(t->path, sizeof(t->path), "/tmp/vsock-%d", (int)getpid());
	snprintf(t->service, sizeof(t->service), "%s_7", t->path);
	unlink(t->service);
	t->listener = local_listen(t->service, &err);
	assert_true(t->listener >= 0);
	dev = vsock_create(t->rig.m, "covsock", &opt, &err);
	assert_non_null(dev);
	t->vs = container_of(dev, struct vsock, dev);
	t->rx_at = rig_alloc(&t->rig, RX * ROOM, 4096);
	t->tx_at = rig_alloc(&t->rig, 1 << 18, 4096);
	start_driver(t, RX);
	*state = t;
	return 0;
}

int vsock_teardown(void **state)
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

void send_raw(struct bench *t, const void *packet, size_t n)
{
	struct buffer b = { t->tx_at, (uint32_t)n, false };

	memcpy(rig_at(&t->rig, b.pa), packet, n);
	assert_true(gring_add(&t->tx, &b, 1) >= 0);
	gring_kick(&t->tx);
}

void send_header(struct bench *t, struct vsock_header h,
			const void *data)
{
	uint8_t packet[sizeof(h) + VSOCK_PAYLOAD];
	uint32_t written;

	memcpy(packet, &h, sizeof(h));
	memcpy(packet + sizeof(h), data, h.len);
	send_raw(t, packet, sizeof(h) + h.len);
	assert_true(gring_turn(&t->tx, &written) >= 0);
}

struct vsock_header header(uint16_t op, uint32_t from, uint32_t to)
{
	return (struct vsock_header){
		.src_cid = CID, .dst_cid = 2, .src_port = from, .dst_port = to,
		.type = 1, .op = op, .buf_alloc = 65536,
	};
}

void send_op(struct bench *t, uint16_t op, uint32_t from, uint32_t to)
{
	send_header(t, header(op, from, to), "");
}

void send_data(struct bench *t, uint32_t from, uint32_t to,
		      const void *data, size_t n)
{
	struct vsock_header h = header(VSOCK_RW, from, to);

	h.len = (uint32_t)n;
	send_header(t, h, data);
}

struct vsock_header receive(struct bench *t, void *data)
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

struct vsock_header expect_op(struct bench *t, uint16_t op,
				     uint32_t from, uint32_t to)
{
	struct vsock_header h = receive(t, NULL);

	assert_int_equal(h.op, op);
	assert_int_equal(h.src_port, from);
	assert_int_equal(h.dst_port, to);
	return h;
}

bool nothing(struct bench *t)
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

void expect_bytes(struct bench *t, int fd, const void *wanted, size_t n)
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

void expect_end(struct bench *t, int fd)
{
	struct readable r = { fd };
	char c;

	assert_true(rig_turn(&t->rig, can_read, &r));
	assert_true(read(fd, &c, 1) <= 0);
}

int guest_connects(struct bench *t, uint32_t from)
{
	int fd;

	send_op(t, VSOCK_REQUEST, from, 7);
	assert_int_equal(expect_op(t, VSOCK_RESPONSE, 7, from).buf_alloc,
			 VSOCK_BUFFER);
	fd = local_accept(t->listener);
	assert_true(fd >= 0);
	return fd;
}

int host_asks(struct bench *t, const char *line)
{
	int fd = local_connect(t->path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	return fd;
}
