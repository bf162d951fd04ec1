/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cocon as Linux's virtio_console drives it: control protocol, output, input,
 * readers that come and go, log, and text from elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver.h"

#define MULTIPORT (1ull << 1)
#define RING	  (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define KEPT	  1000

enum { READY, ADD, REMOVE, PORT_READY, CONSOLE, RESIZE, OPEN, NAME };

/* ---- a reader --------------------------------------------------------------- */

struct reader {
	struct console_reader r;
	char text[1 << 18];
	size_t n;
	char opens[16]; /* 'o' and 'c' as they came */
	unsigned int ready;
	struct console *leave; /* detach at the first output */
	struct reader *drop;   /* and this one with it */
};

static void on_output(struct console_reader *r, const uint8_t *data, size_t n)
{
	struct reader *reader = (struct reader *)r;

	assert_true(reader->n + n < sizeof(reader->text));
	memcpy(reader->text + reader->n, data, n);
	reader->n += n;
	if (reader->drop)
		console_detach(reader->leave, &reader->drop->r);
	if (reader->leave)
		console_detach(reader->leave, r);
}

static void on_open(struct console_reader *r, bool open)
{
	struct reader *reader = (struct reader *)r;

	strncat(reader->opens, open ? "o" : "c", 1);
}

static void on_ready(struct console_reader *r)
{
	((struct reader *)r)->ready++;
}

static struct reader *reader_new(void)
{
	struct reader *r = calloc(1, sizeof(*r));

	r->r.output = on_output;
	r->r.guest_open = on_open;
	r->r.input_ready = on_ready;
	return r;
}

/* ---- a console -------------------------------------------------------------- */

struct term {
	struct rig rig;
	struct device *dev;
	struct console *port[2];
	char log[64];
	struct gring q[6];
	uint64_t buffer; /* guest memory: 64 KiB per queue */
};

static int setup(void **state)
{
	struct term *t = calloc(1, sizeof(*t));
	const char *tmp = getenv("TMPDIR");
	struct error *err = NULL;

	rig_init(&t->rig);
	snprintf(t->log, sizeof(t->log), "%.40s/cocon-XXXXXX",
		 tmp ? tmp : "/tmp");
	close(mkstemp(t->log));
	t->dev = console_create(t->rig.m, "cocon", &err);
	assert_non_null(t->dev);
	t->port[0] = console_add_port(t->dev, NULL, KEPT, t->log, &err);
	t->port[1] = console_add_port(t->dev, "colinux.agent", 0, NULL, &err);
	assert_non_null(t->port[0]);
	assert_non_null(t->port[1]);
	t->buffer = rig_alloc(&t->rig, 6 * 65536, 4096);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct term *t = *state;

	rig_free(&t->rig);
	unlink(t->log);
	free(t);
	return 0;
}

static uint64_t buffer_of(struct term *t, unsigned int q)
{
	return t->buffer + q * 65536;
}

static void give_buffers(struct term *t, unsigned int q, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buffer b = { buffer_of(t, q) + i * 1024, 1024, true };

		assert_true(gring_add(&t->q[q], &b, 1) >= 0);
	}
	gring_kick(&t->q[q]);
}

static void start(struct term *t, uint64_t features)
{
	unsigned int i;

	negotiate(&t->rig, 0, features);
	for (i = 0; i < 6; i++)
		if ((features & MULTIPORT) || i < 2)
			gring_init(&t->q[i], &t->rig, 0, i, 32, features);
	driver_ok(&t->rig, 0);
}

static void write_out(struct term *t, unsigned int q, const void *data,
		      size_t n)
{
	struct buffer b = { buffer_of(t, q), (uint32_t)n, false };
	uint32_t written;

	memcpy(rig_at(&t->rig, b.pa), data, n);
	assert_true(gring_add(&t->q[q], &b, 1) >= 0);
	gring_kick(&t->q[q]);
	assert_true(gring_turn(&t->q[q], &written) >= 0);
}

static void control(struct term *t, uint32_t port, uint16_t event,
		    uint16_t value)
{
	struct {
		uint32_t port;
		uint16_t event, value;
	} msg = { port, event, value };

	write_out(t, 3, &msg, sizeof(msg));
	rig_settle(&t->rig);
}

/* The next control message must be this one; `more` follows it. */
static void expect_control(struct term *t, uint32_t port, uint16_t event,
			   uint16_t value, const void *more, size_t n)
{
	struct gring *g = &t->q[2];
	uint8_t wanted[64];
	uint32_t written;
	int head = gring_turn(g, &written);

	assert_true(head >= 0);
	memcpy(wanted, &port, 4);
	memcpy(wanted + 4, &event, 2);
	memcpy(wanted + 6, &value, 2);
	memcpy(wanted + 8, more, n);
	assert_int_equal(written, 8 + n);
	assert_memory_equal(rig_at(&t->rig, g->desc[head].address), wanted,
			    8 + n);
	struct buffer b = { g->desc[head].address, 1024, true };
	gring_add(g, &b, 1);
	gring_kick(g);
}

/* Linux's probe: buffers, DEVICE_READY, PORT_READY and OPEN for each port. */
static void probe(struct term *t, uint64_t features)
{
	start(t, features | MULTIPORT);
	give_buffers(t, 2, 16);
	control(t, 0xffffffff, READY, 1);
	expect_control(t, 0, ADD, 1, "", 0);
	expect_control(t, 1, ADD, 1, "", 0);
	control(t, 0, PORT_READY, 1);
	expect_control(t, 0, CONSOLE, 1, "", 0);
	expect_control(t, 0, OPEN, 1, "", 0);
	control(t, 1, PORT_READY, 1);
	expect_control(t, 1, NAME, 1, "colinux.agent", 13);
	expect_control(t, 1, OPEN, 1, "", 0);
}

static void expect_text(struct reader *r, const char *text)
{
	r->text[r->n] = 0;
	assert_string_equal(r->text, text);
}

/* ---- tests ------------------------------------------------------------------ */

static void test_probe(void **state)
{
	struct term *t = *state;

	assert_int_equal(reg_read(&t->rig, 0, CO_DEV_ID, 0), 3);
	assert_int_equal(reg_read(&t->rig, 0, CO_DEV_QUEUES, 0), 6);
	assert_int_equal(config_read(&t->rig, 0, 4, 4), 2);
	probe(t, RING);
	assert_false(console_guest_open(t->port[0]));
	control(t, 0, OPEN, 1);
	assert_true(console_guest_open(t->port[0]));
	assert_false(console_guest_open(t->port[1]));
	assert_null(why(&t->rig, 0));
}

/* Few control buffers: the rest follows when there are more. */
static void test_control_waits(void **state)
{
	struct term *t = *state;

	start(t, MULTIPORT | RING);
	control(t, 0xffffffff, READY, 1);
	give_buffers(t, 2, 1);
	expect_control(t, 0, ADD, 1, "", 0);
	expect_control(t, 1, ADD, 1, "", 0);
	assert_null(why(&t->rig, 0));
}

static void test_output(void **state)
{
	struct term *t = *state;
	struct reader *a = reader_new(), *b = reader_new(), *c = reader_new();

	probe(t, RING);
	write_out(t, 1, "before ", 7); /* no one looks, and it goes on */
	console_attach(t->port[0], &a->r);
	expect_text(a, "before ");
	console_attach(t->port[0], &b->r);
	write_out(t, 1, "both ", 5);
	expect_text(a, "before both ");
	expect_text(b, "before both ");
	console_detach(t->port[0], &a->r);
	write_out(t, 1, "one", 3);
	expect_text(a, "before both ");
	expect_text(b, "before both one");
	console_attach(t->port[1], &c->r);
	write_out(t, 5, "agent", 5);
	expect_text(c, "agent");
	expect_text(b, "before both one");
	console_detach(t->port[0], &a->r); /* twice does no harm */
	console_detach(t->port[0], &b->r);
	free(a);
	free(b);
	free(c);
}

static void test_detach_in_callback(void **state)
{
	struct term *t = *state;
	struct reader *r[3];
	unsigned int i;

	probe(t, RING);
	for (i = 0; i < 3; i++) {
		r[i] = reader_new();
		console_attach(t->port[0], &r[i]->r);
	}
	/* Called in the order 2, 1, 0: 2 takes itself and 1 off. */
	r[2]->leave = t->port[0];
	r[2]->drop = r[1];
	write_out(t, 1, "x", 1);
	write_out(t, 1, "y", 1);
	expect_text(r[2], "x");
	expect_text(r[1], "");
	expect_text(r[0], "xy");
	for (i = 0; i < 3; i++)
		free(r[i]);
}

/* The last KEPT bytes, whatever the pieces. */
static void test_scrollback(void **state)
{
	struct term *t = *state;
	struct reader *r = reader_new();
	char all[40000], piece[8000];
	size_t n = 0, i, size;

	srand(2);
	probe(t, RING);
	while (n < 30000) {
		size = 1 + (size_t)rand() % (rand() % 4 ? 300 : 8000);
		for (i = 0; i < size; i++)
			piece[i] = (char)('a' + rand() % 26);
		memcpy(all + n, piece, size);
		n += size;
		write_out(t, 1, piece, size);
		r->n = 0;
		console_attach(t->port[0], &r->r);
		console_detach(t->port[0], &r->r);
		size = n < KEPT ? n : KEPT;
		assert_int_equal(r->n, size);
		assert_memory_equal(r->text, all + n - size, size);
	}
	free(r);
}

static void test_log(void **state)
{
	struct term *t = *state;
	char text[64] = "";
	FILE *f;

	probe(t, RING);
	write_out(t, 1, "one\n", 4);
	console_inject(t->port[0], (const uint8_t *)"two\n", 4);
	rig_settle(&t->rig);
	write_out(t, 1, "three\n", 6);
	f = fopen(t->log, "r");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 14);
	fclose(f);
	assert_string_equal(text, "one\ntwo\nthree\n");
}

static void test_log_full(void **state)
{
	struct rig rig;
	struct error *err = NULL;
	struct device *dev;
	struct console *c;

	(void)state;
	rig_init(&rig);
	dev = console_create(rig.m, "cocon", &err);
	assert_null(console_add_port(dev, "a", 0, "/nowhere/log", &err));
	assert_string_equal(err->text,
			    "cocon: port a: cannot open the log "
			    "/nowhere/log: No such file or directory");
	error_free(&err);
	c = console_add_port(dev, NULL, 0, "/dev/full", &err);
	assert_non_null(c);
	console_inject(c, (const uint8_t *)"x", 1);
	rig_settle(&rig);
	assert_string_equal(detail(&rig, 0),
			    "log /dev/full ended: No space left on device");
	rig_free(&rig);
}

/* Input waits until the guest has opened its end, and has buffers. */
static void test_input(void **state)
{
	struct term *t = *state;
	struct gring *g = &t->q[0];
	uint32_t written;

	probe(t, RING);
	give_buffers(t, 0, 2);
	assert_int_equal(console_input(t->port[0], (const uint8_t *)"hello", 5),
			 5);
	rig_settle(&t->rig);
	assert_int_equal(g->used[1], 0);
	control(t, 0, OPEN, 1);
	assert_int_equal(gring_turn(g, &written), 0);
	assert_int_equal(written, 5);
	assert_memory_equal(rig_at(&t->rig, buffer_of(t, 0)), "hello", 5);
	console_input(t->port[0], (const uint8_t *)"more", 4);
	assert_int_equal(gring_turn(g, &written), 1);
	console_input(t->port[0], (const uint8_t *)"waits", 5);
	rig_settle(&t->rig);
	assert_int_equal(gring_get(g, &written), -1);
	give_buffers(t, 0, 1);
	assert_true(gring_turn(g, &written) >= 0);
	assert_int_equal(written, 5);
}

/* The buffer is bounded, nothing is lost or doubled, and room is announced. */
static void test_input_flow(void **state)
{
	struct term *t = *state;
	struct reader *r = reader_new();
	uint8_t data[1000];
	size_t in = 0, out = 0, i, n;
	unsigned int round;
	uint32_t written;
	int head;

	probe(t, RING);
	control(t, 0, OPEN, 1);
	console_attach(t->port[0], &r->r);
	for (round = 0; round < 300; round++) {
		for (i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)((in + i) * 31 % 251);
		n = console_input(t->port[0], data, sizeof(data));
		in += n;
		assert_true(in - out <= 65536);
		if (round % 3)
			continue;
		give_buffers(t, 0, 1);
		head = gring_turn(&t->q[0], &written);
		assert_true(head >= 0);
		for (i = 0; i < written; i++, out++)
			assert_int_equal(((uint8_t *)rig_at(
						 &t->rig, buffer_of(t, 0)))[i],
					 out * 31 % 251);
	}
	rig_settle(&t->rig);
	assert_int_equal(in - out > 60000, 1);
	assert_true(r->ready > 0);
	console_detach(t->port[0], &r->r);
	free(r);
}

static void test_open_and_reset(void **state)
{
	struct term *t = *state;
	struct reader *r = reader_new();

	console_attach(t->port[1], &r->r);
	probe(t, RING);
	control(t, 1, OPEN, 1);
	assert_string_equal(r->opens, "o");
	control(t, 1, OPEN, 0);
	assert_string_equal(r->opens, "oc");
	control(t, 1, OPEN, 1);
	/* What was typed for the guest that ended is not for the next. */
	console_input(t->port[1], (const uint8_t *)"old", 3);
	machine_reset(t->rig.m);
	assert_false(console_guest_open(t->port[1]));
	rig_settle(&t->rig);
	assert_string_equal(r->opens, "ococ");
	probe(t, 0);
	control(t, 1, OPEN, 1);
	give_buffers(t, 4, 1);
	rig_settle(&t->rig);
	assert_int_equal(t->q[4].used[1], 0);
	assert_string_equal(r->opens, "ococo");
	console_detach(t->port[1], &r->r);
	free(r);
}

static void test_resize(void **state)
{
	struct term *t = *state;
	uint16_t size[2] = { 132, 43 }, other[2] = { 80, 24 };
	uint64_t generation;

	console_resize(t->port[0], 80, 24);
	start(t, MULTIPORT | RING | 1);
	give_buffers(t, 2, 16);
	control(t, 0, PORT_READY, 1);
	expect_control(t, 0, CONSOLE, 1, "", 0);
	expect_control(t, 0, OPEN, 1, "", 0);
	expect_control(t, 0, RESIZE, 1, other, 4);
	control(t, 0, OPEN, 1);
	generation = reg_read(&t->rig, 0, CO_DEV_GENERATION, 0);
	console_resize(t->port[0], 132, 43);
	expect_control(t, 0, RESIZE, 1, size, 4);
	assert_int_equal(config_read(&t->rig, 0, 0, 2), 132);
	assert_int_equal(config_read(&t->rig, 0, 2, 2), 43);
	assert_true(reg_read(&t->rig, 0, CO_DEV_GENERATION, 0) != generation);
	assert_int_equal(atomic_load(&t->rig.configs[0]), 1);
}

/* A driver without MULTIPORT has port 0 alone. */
static void test_one_port(void **state)
{
	struct term *t = *state;
	struct reader *r = reader_new();
	uint32_t written;

	console_attach(t->port[0], &r->r);
	start(t, RING);
	give_buffers(t, 0, 1);
	rig_settle(&t->rig);
	assert_true(console_guest_open(t->port[0]));
	console_input(t->port[0], (const uint8_t *)"in", 2);
	assert_true(gring_turn(&t->q[0], &written) >= 0);
	assert_int_equal(written, 2);
	write_out(t, 1, "out", 3);
	expect_text(r, "out");
	console_detach(t->port[0], &r->r);
	free(r);
}

static void *inject_much(void *arg)
{
	struct term *t = arg;
	unsigned int i;

	for (i = 0; i < 2000; i++)
		console_inject(t->port[0], (const uint8_t *)"0123456789", 10);
	return NULL;
}

static void test_inject(void **state)
{
	struct term *t = *state;
	struct reader *r = reader_new();
	pthread_t thread;
	uint64_t arg[4] = { 0, CO_DEV_CONFIG, 8 | 4ull << 32, '!' };
	unsigned int i;

	console_attach(t->port[0], &r->r);
	pthread_create(&thread, NULL, inject_much, t);
	for (i = 0; i < 100; i++)
		uv_run(&t->rig.loop, UV_RUN_NOWAIT);
	pthread_join(thread, NULL);
	assert_int_equal(machine_access(t->rig.m, true, arg), 0);
	rig_settle(&t->rig);
	assert_int_equal(r->n, 20001);
	for (i = 0; i < 20000; i++)
		assert_int_equal(r->text[i], '0' + i % 10);
	assert_int_equal(r->text[20000], '!');
	console_detach(t->port[0], &r->r);
	free(r);
}

static void test_inject_bounded(void **state)
{
	struct term *t = *state;
	static uint8_t much[1 << 19];
	struct reader *r = reader_new();

	memset(much, 'x', sizeof(much));
	console_inject(t->port[0], much, sizeof(much));
	console_inject(t->port[0], much, sizeof(much));
	console_inject(t->port[0], much, 100);
	rig_settle(&t->rig);
	console_attach(t->port[0], &r->r);
	assert_int_equal(r->n, KEPT);
	r->text[r->n] = 0;
	assert_non_null(strstr(r->text, "x\r\n[100 bytes lost]\r\n"));
	console_detach(t->port[0], &r->r);
	free(r);
}

static void test_ports_late(void **state)
{
	struct term *t = *state;
	struct error *err = NULL;

	probe(t, RING);
	assert_null(console_add_port(t->dev, "late", 0, NULL, &err));
	assert_string_equal(err->text,
			    "cocon: port late: a port can't be added "
			    "to a running guest");
	error_free(&err);
}

static void test_lies(void **state)
{
	struct term *t = *state;
	struct buffer large[32];
	unsigned int i;

	probe(t, RING);
	control(t, 2, OPEN, 1);
	assert_string_equal(why(&t->rig, 0),
			    "a control message for port 2 of 2");
	probe(t, RING);
	struct buffer brief = { t->buffer, 7, false };
	gring_add(&t->q[3], &brief, 1);
	gring_kick(&t->q[3]);
	rig_settle(&t->rig);
	assert_non_null(strstr(why(&t->rig, 0), "too short"));
	probe(t, RING);
	control(t, 0, OPEN, 1);
	struct buffer wrong = { t->buffer, 16, false };
	gring_add(&t->q[0], &wrong, 1);
	gring_kick(&t->q[0]);
	console_input(t->port[0], (const uint8_t *)"x", 1);
	assert_non_null(strstr(why(&t->rig, 0), "input buffer of no size"));
	probe(t, RING);
	for (i = 0; i < 32; i++)
		large[i] = (struct buffer){ RIG_LOWEST, 65536, false };
	gring_add(&t->q[1], large, 32);
	gring_kick(&t->q[1]);
	rig_settle(&t->rig);
	assert_non_null(strstr(why(&t->rig, 0), "output of 2097152 bytes"));
	start(t, MULTIPORT);
	struct buffer small = { t->buffer, 4, true };
	gring_add(&t->q[2], &small, 1);
	gring_kick(&t->q[2]);
	control(t, 0xffffffff, READY, 1);
	assert_non_null(strstr(why(&t->rig, 0), "too little room"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A second terminal has its own size; a plain port has none. */
static void test_second_terminal(void **state)
{
	struct term *t = *state;
	uint16_t own[2] = { 132, 43 }, first[2] = { 80, 25 };

	console_resize(t->port[1], 10, 10);
	console_make_tty(t->port[1]);
	console_resize(t->port[0], first[0], first[1]);
	console_resize(t->port[1], own[0], own[1]);
	start(t, RING | MULTIPORT);
	give_buffers(t, 2, 16);
	control(t, 1, PORT_READY, 1);
	expect_control(t, 1, CONSOLE, 1, "", 0);
	expect_control(t, 1, NAME, 1, "colinux.agent", 13);
	expect_control(t, 1, OPEN, 1, "", 0);
	expect_control(t, 1, RESIZE, 1, own, 4);
	assert_int_equal(config_read(&t->rig, 0, 0, 2), first[0]);
	control(t, 1, OPEN, 1);
	own[0] = 77;
	console_resize(t->port[1], own[0], own[1]);
	expect_control(t, 1, RESIZE, 1, own, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_probe),
		T(test_control_waits),
		T(test_output),
		T(test_detach_in_callback),
		T(test_scrollback),
		T(test_log),
		cmocka_unit_test(test_log_full),
		T(test_input),
		T(test_input_flow),
		T(test_open_and_reset),
		T(test_resize),
		T(test_second_terminal),
		T(test_one_port),
		T(test_inject),
		T(test_inject_bounded),
		T(test_ports_late),
		T(test_lies),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
