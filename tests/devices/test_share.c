/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cofs through its queue: the tag, messages in scattered buffers, lies, and a stop
 * while it works. What messages do is tests/cofs's.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver.h"
#include "rig_os.h"
#include "../../tools/share/p9.h"
#include "../../tools/share/server.h"

#define RING (FEATURE_EVENT_IDX | FEATURE_INDIRECT)

struct cofs_rig {
	struct rig rig;
	struct gring g;
	char path[RIG_PATH];
	uint64_t request, answer; /* 256 KiB each */
};

static struct cofs_rig *r;

static int setup(void **state)
{
	struct share_options opt = { { NULL, FS_KEEP, FS_KEEP, false }, false };
	struct error *err = NULL;

	(void)state;
	r = calloc(1, sizeof(*r));
	rig_init(&r->rig);
	assert_true(rig_folder_make(r->path));
	opt.fs.path = r->path;
	assert_non_null(cofs_create(r->rig.m, "cofs0", "docs", &opt, &err));
	r->request = rig_alloc(&r->rig, 256 << 10, 16);
	r->answer = rig_alloc(&r->rig, 256 << 10, 16);
	return 0;
}

static int teardown(void **state)
{
	bool removed;

	(void)state;
	rig_free(&r->rig);
	removed = rig_folder_remove(r->path);
	free(r);
	return removed ? 0 : -1;
}

static void start(uint64_t features)
{
	negotiate(&r->rig, 0, features | 1);
	gring_init(&r->g, &r->rig, 0, 0, 128, features);
	driver_ok(&r->rig, 0);
}

/* A message in pieces of `piece` bytes, and as much room; not kicked. */
static void put(const void *message, uint32_t n, uint32_t room, uint32_t piece)
{
	struct buffer b[64];
	unsigned int i = 0;
	uint32_t at, some;

	/* Not again what the device may be reading. */
	if (memcmp(rig_at(&r->rig, r->request), message, n))
		memcpy(rig_at(&r->rig, r->request), message, n);
	for (at = 0; at < n; at += some, i++) {
		some = n - at < piece ? n - at : piece;
		b[i] = (struct buffer){ r->request + at, some, false };
	}
	for (at = 0; at < room; at += some, i++) {
		some = room - at < piece ? room - at : piece;
		b[i] = (struct buffer){ r->answer + at, some, true };
	}
	assert_true(gring_add(&r->g, b, i) >= 0);
}

/* The answer's type, and its length in *n. */
static uint8_t say(const void *message, uint32_t n, uint32_t room,
		   uint32_t piece, uint32_t *length)
{
	put(message, n, room, piece);
	gring_kick(&r->g);
	assert_true(gring_await(&r->g, length) >= 0);
	return ((uint8_t *)rig_at(&r->rig, r->answer))[4];
}

static uint32_t message(uint8_t *to, uint8_t type, const void *body, uint32_t n)
{
	struct p9_out out = { to, 0, 7, false };

	p9_put32(&out, n + 7);
	p9_put8(&out, type);
	p9_put16(&out, 1);
	memcpy(to + 7, body, n);
	return n + 7;
}

static const uint8_t version[] = "\0\0\4\0\x08\0" "9P2000.L";
static const uint8_t attach[] = "\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0";

static void open_session(uint32_t piece)
{
	uint8_t m[64];
	uint32_t n = message(m, P9_TVERSION, version, sizeof(version) - 1);
	uint32_t length;

	assert_int_equal(say(m, n, 64, piece, &length), P9_TVERSION + 1);
	assert_int_equal(length, 21);
	n = message(m, P9_TATTACH, attach, sizeof(attach));
	assert_int_equal(say(m, n, 64, piece, &length), P9_TATTACH + 1);
	assert_int_equal(length, 20);
}

static void test_tag(void **state)
{
	(void)state;
	assert_int_equal(reg_read(&r->rig, 0, CO_DEV_ID, 0), 9);
	assert_true(reg_read(&r->rig, 0, CO_DEV_FEATURES, 0) & 1);
	assert_int_equal(config_read(&r->rig, 0, 0, 2), 4);
	assert_int_equal(config_read(&r->rig, 0, 2, 4), 0x73636f64);
	assert_true(config_read(&r->rig, 0, 6, 1) == CO_ERROR_ARG);
	assert_non_null(strstr(detail(&r->rig, 0), r->path));
	assert_non_null(strstr(detail(&r->rig, 0), ", tag docs"));
}

/* Whatever buffers a message lies in, with and without indirect tables. */
static void test_pieces(void **state)
{
	static const uint32_t pieces[] = { 1, 3, 7, 11, 13, 4096 };
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		/* One byte each: 64 descriptors hold no whole session. */
		if (pieces[i] == 1)
			continue;
		start(i % 2 ? RING : 0);
		open_session(pieces[i]);
		reg_write(&r->rig, 0, CO_DEV_STATUS, 0, 0);
	}
	assert_null(why(&r->rig, 0));
}

/* lcreate, write and read: data goes to guest memory, and is counted. */
static void test_data(void **state)
{
	uint8_t body[8192] = "\0\0\0\0\1\0f\x42\0\0\0\xa4\1\0\0\0\0\0\0";
	uint8_t m[8300];
	uint32_t length, n, i;

	(void)state;
	start(RING);
	open_session(4096);
	n = message(m, P9_TLCREATE, body, 19);
	assert_int_equal(say(m, n, 64, 4096, &length), P9_TLCREATE + 1);
	memset(body, 0, 16);
	body[13] = 0x10; /* 4096 bytes */
	for (i = 0; i < 4096; i++)
		body[16 + i] = (uint8_t)(i * 31 + i / 256);
	n = message(m, P9_TWRITE, body, 16 + 4096);
	assert_int_equal(say(m, n, 64, 1000, &length), P9_TWRITE + 1);
	n = message(m, P9_TREAD, body, 16);
	assert_int_equal(say(m, n, 4096 + 11, 300, &length), P9_TREAD + 1);
	assert_int_equal(length, 4096 + 11);
	assert_memory_equal((uint8_t *)rig_at(&r->rig, r->answer) + 11,
			    body + 16, 4096);
	assert_int_equal(io_of(&r->rig, 0).read, 4096);
	assert_int_equal(io_of(&r->rig, 0).written, 4096);
	assert_int_equal(io_of(&r->rig, 0).requests, 5);
}

static void broken_by(const void *m, uint32_t n, uint32_t room,
		      const char *words)
{
	start(RING);
	put(m, n, room, 64);
	gring_kick(&r->g);
	assert_true(rig_wait(&r->rig));
	assert_non_null(why(&r->rig, 0));
	assert_non_null(strstr(why(&r->rig, 0), words));
	reg_write(&r->rig, 0, CO_DEV_STATUS, 0, 0);
}

/* A lie breaks the device; a reset mends it. */
static void test_lies(void **state)
{
	uint8_t m[64];
	uint32_t n = message(m, P9_TVERSION, version, sizeof(version) - 1);

	(void)state;
	broken_by(m, 5, 64, "without a header");
	broken_by(m, n - 1, 64, "shorter than it says");
	broken_by(m, n, 10, "without room");
	broken_by(m, n, 0, "without room");
	m[3] = 1;
	broken_by(m, n, 64, "shorter than it says");
	start(RING);
	open_session(64);
	assert_null(why(&r->rig, 0));
}

/* The guest resets it in the middle of many requests. */
static void test_stop(void **state)
{
	uint8_t m[64], body[12] = { 0 };
	uint32_t n, i, round;

	(void)state;
	for (round = 0; round < 20; round++) {
		start(RING);
		open_session(64);
		n = message(m, P9_TGETATTR, body, 12);
		for (i = 0; i < 100; i++)
			put(m, n, 200, 256);
		gring_kick(&r->g);
		usleep(round * 50);
		reg_write(&r->rig, 0, CO_DEV_STATUS, 0, 0);
		memset(rig_at(&r->rig, r->g.used_pa), 0xee, 64);
		usleep(100);
		/* Nothing touches guest memory any more. */
		assert_int_equal(*(uint8_t *)rig_at(&r->rig, r->g.used_pa), 0xee);
		r->rig.next = r->answer + (256 << 10);
	}
	assert_null(why(&r->rig, 0));
}

static void test_gone(void **state)
{
	uint8_t m[64], body[12] = { 0 };
	char away[RIG_PATH + 8];
	uint32_t n, length;

	(void)state;
	start(RING);
	open_session(64);
	snprintf(away, sizeof(away), "%s-away", r->path);
	assert_int_equal(rename(r->path, away), 0);
	sleep(1);
	n = message(m, P9_TGETATTR, body, 12);
	assert_int_equal(say(m, n, 200, 256, &length), P9_RLERROR);
	assert_non_null(strstr(detail(&r->rig, 0), "gone: the directory was moved"));
	assert_int_equal(rename(away, r->path), 0);
	n = message(m, P9_TVERSION, version, sizeof(version) - 1);
	assert_int_equal(say(m, n, 64, 64, &length), P9_TVERSION + 1);
	n = message(m, P9_TATTACH, attach, sizeof(attach));
	assert_int_equal(say(m, n, 64, 64, &length), P9_TATTACH + 1);
	assert_null(strstr(detail(&r->rig, 0), "gone"));
}

/* A message in memory that the guest gave back: the daemon's handler gets the
 * fault, in the device's thread, and that is all. */
static void test_memory_gone(void **state)
{
	struct buffer b[2] = { { 0, 21, false }, { r->answer, 64, true } };

	(void)state;
	start(RING);
	b[0].pa = rig_alloc(&r->rig, 4096, 4096);
	assert_true(rig_page_lose(rig_at(&r->rig, b[0].pa)));
	assert_true(gring_add(&r->g, b, 2) >= 0);
	gring_kick(&r->g);
	assert_true(rig_wait(&r->rig));
	assert_int_equal(rig_page_faults(), 1);
	assert_non_null(strstr(why(&r->rig, 0), "shorter than it says"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tag),  T(test_pieces), T(test_data),
		T(test_lies), T(test_stop),   T(test_gone),
		T(test_memory_gone),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
