/* SPDX-License-Identifier: GPL-2.0 */
/* A cofs by virtiofsd, and a driver that sends it FUSE messages. */
#ifndef CO_TESTS_FS_H
#define CO_TESTS_FS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver.h"

#define RING	  (FEATURE_EVENT_IDX | FEATURE_INDIRECT)
#define AREA	  (1u << 20) /* of a request, and of its answer */
#define AREAS	  7
#define FORGET	  2
#define UNIQUE	  0x1234567800000000ull
#define NOT_THERE (-107) /* ENOTCONN */

struct header {
	uint32_t length, opcode;
	uint64_t unique, node;
	uint32_t uid, gid, pid, padding;
};

struct answer {
	uint32_t length;
	int32_t error;
	uint64_t unique;
	uint8_t body[];
};

struct fs {
	struct rig rig;
	struct gring g[2];
	char path[64];
	uint64_t request[AREAS], answer[AREAS];
	uint64_t node; /* what messages are about */
	struct error *err;
};

extern struct fs *f; /* from begin() to end() */

/* A rig with a directory; the device in it, or NULL and f->err. */
void begin(void);
struct device *make(const char *cache);
void end(void);
void start(uint64_t features);
void stop(void);
/* A message in area i, `n` bytes behind its header, in pieces of `piece` bytes, and
 * `room` for the answer. */
void put(unsigned int queue, unsigned int i, uint32_t opcode, const void *body,
	 uint32_t n, uint32_t room, uint32_t piece);
struct answer *answer_of(unsigned int i);
/* Kicks, and waits for the next: of area 0. */
struct answer *await_answer(unsigned int queue, uint32_t *length);
/* A message and its answer, by area 0 and queue 1. */
struct answer *say(uint32_t opcode, const void *body, uint32_t n, uint32_t room,
		   uint32_t piece);
void fails_now(void);
void detail_has(const char *words);

#endif
