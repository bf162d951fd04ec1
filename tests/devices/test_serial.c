/* SPDX-License-Identifier: GPL-2.0 */
/*
 * coserial on a port of cocon, with a socket at the host's end: nothing is lost on
 * a slow reader, either way; who stands still; who goes and comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/os/local_socket.h"
#include "../../tools/serial/serial.h"
#include "driver.h"

#define MULTIPORT (1ull << 1)
#define RING	  (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define ALL	  (1u << 20)
#define PIECE	  4096
#define BUFFERS	  16

enum { PORT_READY = 3, CONSOLE = 4, OPEN = 6, NAME = 7 };

struct bench {
	struct rig rig;
	struct console *port;
	struct serial *line;
	struct config_serial config;
	char path[64];
	struct gring q[6];
	uint64_t at;
	uint8_t data[ALL], got[ALL];
	size_t sent, have;
};

static uint64_t buffer_of(struct bench *t, unsigned int q, unsigned int i)
{
	return t->at + (q * BUFFERS + i) * PIECE;
}

static void give_buffers(struct bench *t, unsigned int q)
{
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		struct buffer b = { buffer_of(t, q, i), PIECE, true };

		assert_true(gring_add(&t->q[q], &b, 1) >= 0);
	}
	gring_kick(&t->q[q]);
}

static void control(struct bench *t, uint16_t event, uint16_t value)
{
	struct {
		uint32_t port;
		uint16_t event, value;
	} msg = { 1, event, value };
	struct buffer b = { buffer_of(t, 3, 0), sizeof(msg), false };
	uint32_t written;

	memcpy(rig_at(&t->rig, b.pa), &msg, sizeof(msg));
	gring_add(&t->q[3], &b, 1);
	gring_kick(&t->q[3]);
	assert_true(gring_turn(&t->q[3], &written) >= 0);
}

static void expect_control(struct bench *t, uint16_t event, uint16_t value)
{
	uint32_t written;
	int head = gring_turn(&t->q[2], &written);
	uint16_t *msg;

	assert_true(head >= 0);
	msg = rig_at(&t->rig, t->q[2].desc[head].address);
	assert_int_equal(msg[0], 1);
	assert_int_equal(msg[2], event);
	assert_int_equal(msg[3], value);
}

static void start_driver(struct bench *t)
{
	unsigned int i;

	negotiate(&t->rig, 0, RING | MULTIPORT);
	for (i = 0; i < 6; i++)
		gring_init(&t->q[i], &t->rig, 0, i, 32, RING);
	driver_ok(&t->rig, 0);
	give_buffers(t, 2);
	control(t, PORT_READY, 1);
	if (!t->config.port)
		expect_control(t, CONSOLE, 1);
	expect_control(t, NAME, 1);
	expect_control(t, OPEN, 0);
	control(t, OPEN, 1);
}

static int setup(void **state, bool port)
{
	struct bench *t = calloc(1, sizeof(*t));
	struct error *err = NULL;
	struct device *dev;
	size_t i;

	srand(5);
	for (i = 0; i < ALL; i++)
		t->data[i] = (uint8_t)rand();
	rig_init(&t->rig);
	snprintf(t->path, sizeof(t->path), "/tmp/serial-%d", (int)getpid());
	t->config = (struct config_serial){ .kind = SERIAL_LISTEN,
					    .path = t->path, .port = port };
	dev = console_create(t->rig.m, "cocon", &err);
	assert_non_null(console_add_port(dev, NULL, 0, NULL, &err));
	t->port = console_add_port(dev, "ttyS0", 0, NULL, &err);
	if (!port)
		console_make_tty(t->port);
	t->line = serial_open(&t->rig.loop, t->port, "ttys0", &t->config, &err);
	assert_non_null(t->line);
	t->at = rig_alloc(&t->rig, 6 * BUFFERS * PIECE, 4096);
	start_driver(t);
	*state = t;
	return 0;
}

static int setup_port(void **state)
{
	return setup(state, true);
}

static int setup_tty(void **state)
{
	return setup(state, false);
}

static int teardown(void **state)
{
	struct bench *t = *state;

	serial_close(t->line);
	rig_free(&t->rig);
	assert_int_equal(access(t->path, F_OK), -1);
	free(t);
	return 0;
}

static int client(struct bench *t)
{
	int fd = local_connect(t->path);

	assert_true(fd >= 0);
	rig_settle(&t->rig);
	return fd;
}

static struct serial_info info(struct bench *t)
{
	struct serial_info info;

	serial_describe(t->line, &info);
	return info;
}

/* The guest's writer: as many pieces as the ring holds; used ones come back. */
static void write_some(struct bench *t)
{
	struct gring *g = &t->q[5];
	uint32_t written;

	while (gring_get(g, &written) >= 0)
		;
	while (t->sent < ALL) {
		struct buffer b = { buffer_of(t, 5, t->sent / PIECE % BUFFERS),
				    PIECE, false };

		if ((uint16_t)(g->avail_idx - g->last_used) == BUFFERS)
			break;
		memcpy(rig_at(&t->rig, b.pa), t->data + t->sent, PIECE);
		if (gring_add(g, &b, 1) < 0)
			break;
		t->sent += PIECE;
	}
	gring_kick(g);
	rig_settle(&t->rig);
}

static void read_some(struct bench *t, int fd)
{
	ssize_t n = read(fd, t->got + t->have, ALL - t->have);

	if (n > 0)
		t->have += (size_t)n;
}

/* ---- tests ------------------------------------------------------------------ */

/* A plain port waits for ever: nothing is lost, and little is kept. */
static void test_slow_reader(void **state)
{
	struct bench *t = *state;
	int fd = client(t);
	size_t before;

	expect_control(t, OPEN, 1);
	do {
		before = t->sent;
		write_some(t);
	} while (t->sent > before);
	/* The line's, the socket's and the ring's. */
	assert_in_range(t->sent, SERIAL_KEPT, SERIAL_KEPT + (1u << 19));
	while (t->have < ALL) {
		read_some(t, fd);
		write_some(t);
	}
	assert_memory_equal(t->got, t->data, ALL);
	assert_int_equal(info(t).lost, 0);
	close(fd);
}

static bool all_written(void *arg)
{
	struct bench *t = arg;

	write_some(t);
	return t->sent == ALL &&
	       t->q[5].avail_idx == t->q[5].last_used;
}

/* A terminal's writer would spin: it's let go, and what got lost is counted. */
static void test_stands_still(void **state)
{
	struct bench *t = *state;
	int fd = client(t);
	size_t before;

	do {
		before = t->sent;
		write_some(t);
	} while (t->sent > before);
	assert_true(t->sent < ALL);
	assert_true(rig_turn(&t->rig, all_written, t));
	assert_true(info(t).lost > 0);
	assert_non_null(strstr(info(t).why, "stands still"));
	do {
		before = t->have;
		read_some(t, fd);
		rig_settle(&t->rig);
	} while (t->have > before);
	assert_int_equal(t->have + info(t).lost, ALL);
	assert_memory_equal(t->got, t->data, t->have);
	assert_string_equal(info(t).why, "");
	close(fd);
}

/* As long as the reader takes something, nothing is lost for a terminal either. */
static void test_slow_terminal(void **state)
{
	struct bench *t = *state;
	int fd = client(t);

	while (t->have < ALL) {
		write_some(t);
		read_some(t, fd);
	}
	assert_memory_equal(t->got, t->data, ALL);
	assert_int_equal(info(t).lost, 0);
	close(fd);
}

static size_t write_to_guest(struct bench *t, int fd, size_t at)
{
	ssize_t n = at < ALL ? write(fd, t->data + at, ALL - at) : 0;

	rig_settle(&t->rig);
	return at + (n > 0 ? (size_t)n : 0);
}

static void take_input(struct bench *t)
{
	struct gring *g = &t->q[4];
	uint32_t written;
	int head;

	while ((head = gring_get(g, &written)) >= 0) {
		struct buffer b = { g->desc[head].address, PIECE, true };

		memcpy(t->got + t->have, rig_at(&t->rig, b.pa), written);
		t->have += written;
		gring_add(g, &b, 1);
	}
	gring_kick(g);
	rig_settle(&t->rig);
}

static void test_slow_guest(void **state)
{
	struct bench *t = *state;
	int fd = client(t);
	size_t at = 0, before;

	do {
		before = at;
		at = write_to_guest(t, fd, at);
	} while (at > before);
	assert_true(at < ALL);
	give_buffers(t, 4);
	while (t->have < ALL) {
		take_input(t);
		at = write_to_guest(t, fd, at);
	}
	assert_memory_equal(t->got, t->data, ALL);
	close(fd);
}

static void test_hang_up(void **state)
{
	struct bench *t = *state;
	int fd, i;

	for (i = 0; i < 3; i++) {
		fd = client(t);
		expect_control(t, OPEN, 1);
		assert_true(info(t).connected);
		t->sent = 0;
		write_some(t);
		close(fd);
		expect_control(t, OPEN, 0);
		assert_false(info(t).connected);
	}
	assert_null(why(&t->rig, 0));
}

/* A guest that restarts finds the client still there. */
static void test_restart(void **state)
{
	struct bench *t = *state;
	int fd = client(t);

	expect_control(t, OPEN, 1);
	machine_reset(t->rig.m);
	rig_settle(&t->rig);
	negotiate(&t->rig, 0, RING | MULTIPORT);
	gring_init(&t->q[2], &t->rig, 0, 2, 32, RING);
	gring_init(&t->q[3], &t->rig, 0, 3, 32, RING);
	driver_ok(&t->rig, 0);
	give_buffers(t, 2);
	control(t, PORT_READY, 1);
	expect_control(t, NAME, 1);
	expect_control(t, OPEN, 1);
	close(fd);
}

#define PORT(name) cmocka_unit_test_setup_teardown(name, setup_port, teardown)
#define TTY(name)  cmocka_unit_test_setup_teardown(name, setup_tty, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PORT(test_slow_reader),	 TTY(test_stands_still),
		TTY(test_slow_terminal), PORT(test_slow_guest),
		TTY(test_slow_guest),	 PORT(test_hang_up),
		PORT(test_restart),
	};

	return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
