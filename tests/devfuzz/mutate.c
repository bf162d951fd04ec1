// SPDX-License-Identifier: GPL-2.0
/*
 * Puts whole requests into a script: a head as the device understands it, a chain
 * for it, into the ring, and a kick. By bytes alone a fuzzer finds few of them.
 */
#include "dice.h"
#include "fuzz.h"

#define OP_WRITE_DESC 2
#define OP_PUSH	      5
#define OP_POKE	      8
#define OP_KICK	      9
#define POKE_MAX      32
#define OP_TABLE      4
#define SNIPPET_MAX   400
#define RING	      15 /* descriptors of a long chain, at most */

#define NEXT  1
#define WRITE 2

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed);

static void put16(struct message *m, uint32_t value)
{
	put8(m, value);
	put8(m, value >> 8);
}

static void put_poke(struct message *m, uint32_t at, const uint8_t *data,
		     size_t n)
{
	while (n) {
		size_t some = n < POKE_MAX ? n : POKE_MAX;

		put8(m, OP_POKE);
		put16(m, at);
		put8(m, (uint32_t)some);
		put(m, data, some);
		at += (uint32_t)some;
		data += some;
		n -= some;
	}
}

struct descriptor {
	uint32_t queue, index, at, size, flags, next;
};

static void put_desc(struct message *m, const struct descriptor *d)
{
	put8(m, OP_WRITE_DESC);
	put8(m, d->queue);
	put8(m, d->index);
	put8(m, 3); /* a place in the data */
	put16(m, d->at);
	put8(m, d->size);
	put8(m, d->flags);
	put8(m, d->next);
}

static void put_ring(struct message *m, uint32_t queue, uint32_t head,
		     struct dice *dice)
{
	put8(m, OP_PUSH);
	put8(m, queue);
	put8(m, head);
	if (!dice_roll(dice, 4))
		return;
	put8(m, OP_KICK);
	put8(m, queue);
}

/* Out, maybe more out, maybe in. 0xf0 and more as a size is so many sectors. */
static void put_chain(struct message *m, const struct head *h,
		      struct dice *dice)
{
	uint32_t first = dice_roll(dice, 12), at = dice_roll(dice, 16) * 256;
	struct descriptor d = { h->queue, first, at, (uint32_t)h->n, 0, 0 };

	put_poke(m, at, h->data, h->n);
	if (h->n && h->more) {
		d.flags = NEXT;
		d.next = d.index + 1;
		put_desc(m, &d);
		d.index++;
		d.at = 0x2000 + at;
		d.size = h->more;
		d.flags = h->more_in ? WRITE : 0;
	}
	if (h->room) {
		if (h->n) {
			d.flags |= NEXT;
			d.next = d.index + 1;
			put_desc(m, &d);
			d.index++;
		}
		d.at = 0x8000 + at;
		d.size = h->room;
		d.flags = WRITE;
	}
	put_desc(m, &d);
	put_ring(m, h->queue, first, dice);
}

/* A row of descriptors, each of which goes on to the next. */
static void put_row(struct message *m, uint32_t queue, uint32_t n, bool last,
		    struct dice *dice)
{
	uint32_t at = dice_roll(dice, 16) * 256, i;
	uint32_t outs = dice_roll(dice, 2) ? dice_roll(dice, n + 1) : 0;

	for (i = 0; i < n; i++) {
		struct descriptor d = { queue, i, at + i * 8,
					1 + dice_roll(dice, 64),
					i < outs ? 0 : WRITE, i + 1 };

		if (i + 1 < n || !last)
			d.flags |= NEXT;
		put_desc(m, &d);
	}
}

/* As long as one may be, and longer: in the ring, and on in a table. */
static void put_long(struct message *m, uint32_t queue, struct dice *dice)
{
	uint32_t ring = dice_roll(dice, RING), table = dice_roll(dice, RING + 2);

	put_row(m, queue, ring, !table, dice);
	if (table) {
		put_row(m, queue | 0x80, table, true, dice);
		put8(m, OP_TABLE);
		put8(m, queue);
		put8(m, ring);
		put8(m, table);
	}
	put_ring(m, queue, 0, dice);
}

static size_t insert(uint8_t *data, size_t size, size_t max, struct dice *dice)
{
	size_t at = dice_roll(dice, 2) ? size :
					 dice_roll(dice, (uint32_t)size + 1);
	uint8_t bytes[SNIPPET_MAX];
	struct message m = { bytes, 0, sizeof(bytes) };
	struct head head = { 0 };

	target_head(&head, dice);
	if (dice_roll(dice, 16))
		put_chain(&m, &head, dice);
	else
		put_long(&m, head.queue, dice);
	if (!make_gap(data, size, max, at, m.used))
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data + at, bytes, m.used);
	return size + m.used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned int seed)
{
	struct dice dice = dice_make(seed);

	if (dice_roll(&dice, 4))
		return LLVMFuzzerMutate(data, size, max);
	size = insert(data, size, max, &dice);
	while (dice_roll(&dice, 2))
		size = insert(data, size, max, &dice);
	return size;
}
