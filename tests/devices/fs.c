/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include "fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fs *f;

void begin(void)
{
	unsigned int i;

	f = calloc(1, sizeof(*f));
	f->node = 1;
	rig_init(&f->rig);
	strcpy(f->path, "/tmp/virtiofs,device-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	for (i = 0; i < AREAS; i++) {
		f->request[i] = rig_alloc(&f->rig, AREA + 8192, 16);
		f->answer[i] = rig_alloc(&f->rig, AREA + 8192, 16);
	}
}

struct device *make(const char *cache)
{
	struct virtiofs_options opt = { f->path, cache };

	return virtiofs_create(f->rig.m, "cofs0", "docs", &opt, &f->err);
}

void start(uint64_t features)
{
	unsigned int i;

	negotiate(&f->rig, 0, features);
	for (i = 0; i < 2; i++)
		gring_init(&f->g[i], &f->rig, 0, i, 128, features);
	driver_ok(&f->rig, 0);
}

void stop(void)
{
	reg_write(&f->rig, 0, CO_DEV_STATUS, 0, 0);
}

void end(void)
{
	char line[128];

	rig_free(&f->rig);
	snprintf(line, sizeof(line), "rm -rf '%s'", f->path);
	assert_int_equal(system(line), 0);
	free(f);
}

/* Not again what the device may be reading. */
static void fill(uint64_t pa, const void *data, uint32_t n)
{
	if (memcmp(rig_at(&f->rig, pa), data, n))
		memcpy(rig_at(&f->rig, pa), data, n);
}

void put(unsigned int queue, unsigned int i, uint32_t opcode,
		const void *body, uint32_t n, uint32_t room, uint32_t piece)
{
	const struct header h = { n + sizeof(h), opcode, UNIQUE + i, f->node,
				  0, 0, 0, 0 };
	uint32_t at, some, size = n + sizeof(h);
	struct buffer b[256];
	unsigned int k = 0;

	fill(f->request[i], &h, sizeof(h));
	fill(f->request[i] + sizeof(h), body, n);
	for (at = 0; at < size; at += some, k++) {
		some = size - at < piece ? size - at : piece;
		b[k] = (struct buffer){ f->request[i] + at, some, false };
	}
	for (at = 0; at < room; at += some, k++) {
		some = room - at < piece ? room - at : piece;
		b[k] = (struct buffer){ f->answer[i] + at, some, true };
	}
	assert_true(gring_add(&f->g[queue], b, k) >= 0);
}

struct answer *answer_of(unsigned int i)
{
	return rig_at(&f->rig, f->answer[i]);
}

struct answer *await_answer(unsigned int queue, uint32_t *length)
{
	gring_kick(&f->g[queue]);
	assert_true(gring_await(&f->g[queue], length) >= 0);
	return answer_of(0);
}

struct answer *say(uint32_t opcode, const void *body, uint32_t n,
			  uint32_t room, uint32_t piece)
{
	uint32_t length;
	struct answer *a;

	put(1, 0, opcode, body, n, room, piece);
	a = await_answer(1, &length);
	assert_int_equal(a->unique, UNIQUE);
	assert_int_equal(a->length, length);
	return a;
}

void detail_has(const char *words)
{
	if (!strstr(detail(&f->rig, 0), words))
		fail_msg("'%s' isn't in: %s", words, detail(&f->rig, 0));
}

void fails_now(void)
{
	assert_int_equal(say(3, "", 1, 100, 64)->error, NOT_THERE);
}
