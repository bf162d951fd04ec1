/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cofs by lying-virtiofsd, which turns messages round, ends, hangs and lies. The real
 * one is in test_virtiofsd.c.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "lies.h"

#define HELPER "virtiofsd"

static void begin_with(const char *lie)
{
	set_lie(HELPER, lie);
	begin();
	assert_non_null(make(NULL));
}

static void answers_are(unsigned int n, int error)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		assert_int_equal(answer_of(i)->length, 16);
		assert_int_equal(answer_of(i)->error, error);
		assert_int_equal(answer_of(i)->unique, UNIQUE + i);
	}
}

/* ---- one that does as it should --------------------------------------------- */

static void test_config(void **state)
{
	(void)state;
	begin_with("echo");
	assert_int_equal(reg_read(&f->rig, 0, CO_DEV_ID, 0), 26);
	assert_int_equal(config_read(&f->rig, 0, 0, 8), 0x73636f64);
	assert_int_equal(config_read(&f->rig, 0, 32, 4), 0);
	assert_int_equal(config_read(&f->rig, 0, 36, 4), 1);
	detail_has(f->path);
	detail_has(", tag docs, virtiofs");
	end();
}

/* Of n bytes, which come back turned round. */
static void round_trip(uint32_t n, uint32_t piece)
{
	uint8_t *body = malloc(n + 1);
	struct answer *a;
	uint32_t i;

	for (i = 0; i < n; i++)
		body[i] = (uint8_t)(i * 31 + i / 256);
	a = say(7, body, n, n + 16, piece);
	assert_int_equal(a->error, 0);
	assert_int_equal(a->length, n + 16);
	for (i = 0; i < n; i++)
		assert_int_equal(a->body[i], body[n - 1 - i]);
	free(body);
}

static void test_round_trip(void **state)
{
	struct device_io io;

	(void)state;
	begin_with("echo");
	start(RING);
	round_trip(0, 4096);
	round_trip(1, 1);
	round_trip(1000, 33);
	/* Both halves and headers: as much as there is room for. */
	round_trip(((1 << 20) + 4096 - 56) / 2, 8192);
	io = io_of(&f->rig, 0);
	assert_int_equal(io.requests, 4);
	assert_int_equal(io.read - io.written, 4 * (16 - 40));
	stop();
	start(0);
	round_trip(1000, 100);
	assert_null(why(&f->rig, 0));
	end();
}

/* More at once than it has room for. */
static void test_many(void **state)
{
	uint32_t length;
	int i;

	(void)state;
	begin_with("echo");
	start(RING);
	for (i = 0; i < 100; i++)
		put(1, 0, 7, "text", 4, 20, 64);
	gring_kick(&f->g[1]);
	for (i = 0; i < 100; i++) {
		assert_true(gring_await(&f->g[1], &length) >= 0);
		assert_int_equal(length, 20);
	}
	assert_memory_equal(answer_of(0)->body, "txet", 4);
	end();
}

/* ---- a guest that lies ------------------------------------------------------ */

static void breaks(unsigned int queue, const struct buffer *b, unsigned int n)
{
	start(RING);
	assert_true(gring_add(&f->g[queue], b, n) >= 0);
	gring_kick(&f->g[queue]);
	assert_true(rig_wait(&f->rig));
	assert_non_null(why(&f->rig, 0));
	assert_non_null(strstr(why(&f->rig, 0), "is no FUSE message"));
	stop();
}

static void test_no_message(void **state)
{
	uint64_t pa;
	unsigned int i;

	(void)state;
	begin_with("echo");
	pa = f->request[0];
	for (i = 0; i < 2; i++) {
		breaks(i, &(struct buffer){ pa, 39, false }, 1);
		breaks(i, &(struct buffer){ pa, 100, true }, 1);
		breaks(i, &(struct buffer){ pa, (1 << 20) + 4097, false }, 1);
		breaks(i, (struct buffer[]){ { pa, 40, false },
					     { pa, (1 << 20) + 4096 - 39, true } }, 2);
	}
	start(RING);
	round_trip(100, 64);
	assert_null(why(&f->rig, 0));
	end();
}

/* ---- a helper that ends, hangs or lies -------------------------------------- */

static void test_dies(void **state)
{
	uint32_t length;
	unsigned int i;

	(void)state;
	begin_with("dies");
	start(RING);
	for (i = 0; i < 5; i++)
		put(1, i, 7, "text", 4, 100, 64);
	put(1, 5, FORGET, "text", 4, 15, 64);
	gring_kick(&f->g[1]);
	for (i = 0; i < 6; i++) {
		assert_true(gring_await(&f->g[1], &length) >= 0);
		assert_true(length == 16 || length == 0);
	}
	answers_are(5, NOT_THERE);
	fails_now();
	put(0, 0, FORGET, "text", 4, 0, 64);
	await_answer(0, &length);
	assert_int_equal(length, 0);
	detail_has("gone: virtiofsd ended with status 1: I've had enough");
	assert_null(why(&f->rig, 0));
	end();
}

/* The other queue goes on; a stop waits for 5 s, and then no more. */
static void test_hangs(void **state)
{
	uint32_t length;
	time_t before;
	unsigned int i;

	(void)state;
	begin_with("hangs");
	start(RING);
	for (i = 0; i < 5; i++)
		put(1, i, 7, "text", 4, 100, 64);
	for (; i < 40; i++)
		put(1, 5, 7, "text", 4, 100, 64);
	gring_kick(&f->g[1]);
	for (i = 0; i < 40; i++) {
		put(0, 6, FORGET, "text", 4, 0, 64);
		gring_kick(&f->g[0]);
		assert_true(gring_await(&f->g[0], &length) >= 0);
		assert_int_equal(length, 0);
	}
	sleep(3);
	assert_int_equal(gring_get(&f->g[1], &length), -1);
	detail_has(", 16 requests wait for ");
	before = time(NULL);
	stop();
	assert_in_range(time(NULL) - before, 4, 9);
	answers_are(5, NOT_THERE);
	detail_has("gone: virtiofsd didn't answer and was killed");
	set_lie(HELPER, "echo");
	start(RING);
	round_trip(100, 64);
	assert_null(strstr(detail(&f->rig, 0), "gone"));
	end();
}

static void test_lies(void **state)
{
	static const char *const lies[] = { "head", "unaligned", "stranger",
					    "twice", "ahead", "garbage", "long" };
	uint32_t length;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		begin_with(lies[i]);
		start(RING);
		/* Some say that the first is done, which may be. */
		put(1, 1, 7, "text", 4, 100, 64);
		put(1, 0, 7, "text", 4, 100, 64);
		gring_kick(&f->g[1]);
		assert_true(gring_await(&f->g[1], &length) >= 0);
		assert_true(gring_await(&f->g[1], &length) >= 0);
		answers_are(1, NOT_THERE);
		fails_now();
		detail_has("gone: virtiofsd broke the rules of its queue and was killed");
		assert_null(why(&f->rig, 0));
		end();
	}
	begin_with("speaks");
	start(RING);
	fails_now();
	detail_has("gone: virtiofsd broke off the connection and was killed");
	end();
}

/* One that doesn't serve: at first that's an error, later the guest's requests fail. */
static void test_leaves(void **state)
{
	(void)state;
	set_lie(HELPER, "leaves");
	begin();
	assert_null(make(NULL));
	assert_non_null(strstr(f->err->text, f->path));
	assert_non_null(strstr(f->err->text,
			       "virtiofsd ended with status 1: I don't like this folder"));
	error_free(&f->err);
	set_lie(HELPER, "echo");
	assert_non_null(make(NULL));
	start(RING);
	round_trip(10, 64);
	stop();
	set_lie(HELPER, "leaves");
	start(RING);
	fails_now();
	detail_has("I don't like this folder");
	assert_null(why(&f->rig, 0));
	end();
}

/* The guest resets it in the middle of many requests. */
static void test_stop(void **state)
{
	unsigned int i, round;

	(void)state;
	begin_with("echo");
	for (round = 0; round < 10; round++) {
		start(RING);
		for (i = 0; i < 60; i++) {
			put(1, i % AREAS, 7, "text", 4, 100, 64);
			gring_kick(&f->g[1]);
		}
		stop();
	}
	start(RING);
	round_trip(100, 64);
	assert_null(why(&f->rig, 0));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_message),
		cmocka_unit_test(test_dies),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests_name("virtiofs", tests, NULL, remove_lies);
}
