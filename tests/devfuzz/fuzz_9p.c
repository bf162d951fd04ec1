/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 9P server and a client that says anything. The input is a row of messages,
 * each a byte of its length, a byte of its type, and its body; a version and an
 * attached fid 0 come before. Sizes in headers are right but for a type with its
 * highest bit set. The body lies in memory of its own, cut in two.
 */
#include <stdlib.h>
#include <string.h>

#include "../../tools/share/p9.h"
#include "../../tools/share/server.h"
#include "descriptors.h"
#include "fuzz_dir.h"
#include "p9_dice.h"

#define ROOM 700

static struct share_server *server;
static bool changed;

static void begin(void)
{
	struct share_options opt = { { fuzz_dir(), FS_KEEP, FS_KEEP, false },
				     false };
	struct error *err = NULL;

	server = share_create(&opt, &err);
	if (!server || share_enter(server))
		abort();
}

static void put_header(uint8_t *m, uint32_t size, uint8_t type)
{
	struct p9_out out = { m, 0, P9_HEADER, false };

	p9_put32(&out, size);
	p9_put8(&out, type);
	p9_put16(&out, 1);
}

/* The answer's size must be its length, and its type one of two. */
static void check(const uint8_t *answer, size_t n, uint8_t type)
{
	struct p9_in in = { answer, n, false };

	if (p9_get32(&in) != n || n < P9_HEADER || n > ROOM)
		abort();
	if (answer[4] != P9_RLERROR && answer[4] != type + 1)
		abort();
}

static void say(uint8_t type, const uint8_t *body, size_t n)
{
	uint8_t *message = malloc(P9_HEADER + n), *answer = malloc(ROOM);
	size_t first = P9_HEADER + n / 2, size;
	struct iovec request[2] = { { message, first },
				    { message + first, P9_HEADER + n - first } };
	struct iovec room[2] = { { answer, 9 }, { answer + 9, ROOM - 9 } };
	struct share_call call = { request, room, 2, 2, P9_HEADER + n, ROOM,
				   0, 0 };
	uint32_t claimed = (uint32_t)(P9_HEADER + n);
	const char *rule;

	if (type & 0x80 && n)
		claimed = body[0] * 3u;
	type &= 0x7f;
	put_header(message, claimed, type);
	if (n)
		memcpy(message + P9_HEADER, body, n);
	size = share_serve(server, &call, &rule);
	if (size) {
		check(answer, size, type);
		changed |= fuzz_dir_changed(message, P9_HEADER + n, answer[4]);
	} else if (!rule) {
		abort();
	}
	free(message);
	free(answer);
}

static void attach(void)
{
	static const uint8_t version[] = "\0\0\1\0\x08\0" "9P2000.L";
	static const uint8_t root[] =
		"\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0";

	say(P9_TVERSION, version, sizeof(version) - 1);
	say(P9_TATTACH, root, sizeof(root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_note_descriptors();
	if (!server)
		begin();
	attach();
	while (size > 2) {
		size_t n = data[0];
		uint8_t type = data[1];

		data += 2;
		size -= 2;
		n = n < size ? n : size;
		say(type, data, n);
		data += n;
		size -= n;
	}
	share_reset(server);
	if (changed)
		fuzz_dir_reset();
	changed = false;
	fuzz_check_descriptors();
	return 0;
}

/* ---- the mutator: whole messages -------------------------------------------- */

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);

/* Where a message begins, or the end. */
static size_t some_border(const uint8_t *data, size_t size, struct dice *dice)
{
	size_t at = 0, messages = dice_roll(dice, 24);

	while (messages-- && at + 2 < size)
		at += 2 + (size_t)data[at];
	return at < size ? at : size;
}

static size_t insert(uint8_t *data, size_t size, size_t max, struct dice *dice)
{
	size_t at = some_border(data, size, dice);
	uint8_t bytes[200];
	struct message m = { bytes + 2, 0, sizeof(bytes) - 2 };

	bytes[1] = p9_dice_body(&m, dice);
	bytes[0] = (uint8_t)m.used;
	if (!make_gap(data, size, max, at, 2 + m.used))
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data + at, bytes, 2 + m.used);
	return size + 2 + m.used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	struct dice dice = dice_make(seed);

	if (dice_roll(&dice, 3) == 0)
		return LLVMFuzzerMutate(data, size, max);
	size = insert(data, size, max, &dice);
	while (dice_roll(&dice, 2))
		size = insert(data, size, max, &dice);
	return size;
}
