/* SPDX-License-Identifier: GPL-2.0 */
/* Chance for mutators, by a seed of the fuzzer's. */
#ifndef CO_TESTS_DICE_H
#define CO_TESTS_DICE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dice {
	uint64_t state;
};

static inline struct dice dice_make(unsigned int seed)
{
	return (struct dice){ seed * 0x9e3779b97f4a7c15u + 1 };
}

/* One of 0 .. n - 1 (xorshift64*). */
static inline uint32_t dice_roll(struct dice *d, uint32_t n)
{
	d->state ^= d->state >> 12;
	d->state ^= d->state << 25;
	d->state ^= d->state >> 27;
	return (uint32_t)(d->state * 0x2545f4914f6cdd1du >> 33) % n;
}

/* Bytes of a growing message; what has no room is left out. */
struct message {
	uint8_t *data;
	size_t used, size;
};

static inline void put(struct message *m, const void *data, size_t n)
{
	if (n > m->size - m->used)
		return;
	memcpy(m->data + m->used, data, n);
	m->used += n;
}

static inline void put8(struct message *m, uint32_t value)
{
	uint8_t byte = (uint8_t)value;

	put(m, &byte, 1);
}

/* Room for `n` more bytes at a random place of an input: moves the rest away.
 * False: there is none. */
static inline _Bool make_gap(uint8_t *data, size_t size, size_t max, size_t at,
			     size_t n)
{
	if (size + n > max)
		return 0;
	memmove(data + at + n, data + at, size - at);
	return 1;
}

#endif
