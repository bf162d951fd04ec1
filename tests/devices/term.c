/* SPDX-License-Identifier: GPL-2.0 */
#include "term.h"

/* ---- a reader --------------------------------------------------------------- */

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

	reader->opens[strlen(reader->opens)] = open ? 'o' : 'c';
}

static void on_ready(struct console_reader *r)
{
	((struct reader *)r)->ready++;
}

struct reader *reader_new(void)
{
	struct reader *r = calloc(1, sizeof(*r));

	r->r.output = on_output;
	r->r.guest_open = on_open;
	r->r.input_ready = on_ready;
	return r;
}

/* ---- a console -------------------------------------------------------------- */

int term_setup(void **state)
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

int term_teardown(void **state)
{
	struct term *t = *state;

	rig_free(&t->rig);
	unlink(t->log);
	free(t);
	return 0;
}

uint64_t buffer_of(struct term *t, unsigned int q)
{
	return t->buffer + q * 65536;
}

void give_buffers(struct term *t, unsigned int q, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct buffer b = { buffer_of(t, q) + i * 1024, 1024, true };

		assert_true(gring_add(&t->q[q], &b, 1) >= 0);
	}
	gring_kick(&t->q[q]);
}

void start(struct term *t, uint64_t features)
{
	unsigned int i;

	negotiate(&t->rig, 0, features);
	for (i = 0; i < 6; i++)
		if ((features & MULTIPORT) || i < 2)
			gring_init(&t->q[i], &t->rig, 0, i, 32, features);
	driver_ok(&t->rig, 0);
}

void write_out(struct term *t, unsigned int q, const void *data, size_t n)
{
	struct buffer b = { buffer_of(t, q), (uint32_t)n, false };
	uint32_t written;

	memcpy(rig_at(&t->rig, b.pa), data, n);
	assert_true(gring_add(&t->q[q], &b, 1) >= 0);
	gring_kick(&t->q[q]);
	assert_true(gring_turn(&t->q[q], &written) >= 0);
}

void control(struct term *t, uint32_t port, uint16_t event, uint16_t value)
{
	struct {
		uint32_t port;
		uint16_t event, value;
	} msg = { port, event, value };

	write_out(t, 3, &msg, sizeof(msg));
	rig_settle(&t->rig);
}

void expect_control(struct term *t, uint32_t port, uint16_t event,
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

void probe(struct term *t, uint64_t features)
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

void expect_text(struct reader *r, const char *text)
{
	r->text[r->n] = 0;
	assert_string_equal(r->text, text);
}
