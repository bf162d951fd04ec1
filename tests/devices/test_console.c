/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cocon as Linux's virtio_console drives it: control protocol, output, readers that
 * come and go, log.
 */
#include "term.h"

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

static unsigned int answers, too_late;

static void on_queue(struct rig *rig, uint64_t queue)
{
	struct term *t = (struct term *)rig;

	if (queue != t->q[2].number)
		return;
	too_late += t->q[3].used[1] != answers;
	answers++;
}

/* A guest that has its message back has the answer, too. */
static void test_answer_first(void **state)
{
	struct term *t = *state;

	start(t, MULTIPORT); /* each is raised */
	give_buffers(t, 2, 16);
	answers = too_late = 0;
	t->rig.on_queue = on_queue;
	control(t, 0, READY, 1);
	assert_int_equal(answers, 1);
	control(t, 0, PORT_READY, 1);
	assert_int_equal(answers, 2);
	assert_int_equal(too_late, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_probe),
		T(test_answer_first),
		T(test_control_waits),
		T(test_output),
		T(test_detach_in_callback),
		T(test_scrollback),
		T(test_log),
		cmocka_unit_test(test_log_full),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
