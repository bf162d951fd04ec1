/* SPDX-License-Identifier: GPL-2.0 */
/* cocon: input, sizes, several ports, text from elsewhere, guests that lie. */
#include "term.h"

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

	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
