/* SPDX-License-Identifier: GPL-2.0 */
#include <string.h>
#include <sys/eventfd.h>

#include "descriptors.h"
#include "fuzz.h"

#define QUEUES	  8
#define RING_SIZE 16
/* Each queue's areas lie at a place of their own, then comes room for data. */
#define AREA_SIZE 0x4000ull
#define AREA(q)	  (RIG_LOWEST + (q)*AREA_SIZE)
#define AVAIL_AT  0x1000
#define USED_AT	  0x2000
#define TABLE_AT  0x3000
#define DATA	  (RIG_LOWEST + 0x100000)
#define STEPS_MAX 400
/* Sizes of a poke that stand for something else: a multiple of 33 and more. */
#define POKE_LATER 231
#define POKE_RING  248

struct script {
	const uint8_t *at;
	size_t left;
};

/* What the guest writes while the device works, the `count`-th time that it asks
 * for memory: between its look at an address and its use. */
static struct {
	struct rig *rig;
	unsigned int count; /* 0: nothing */
	uint64_t pa;
	uint8_t data[8];
} later;

void fuzz_meanwhile(void)
{
	if (later.count && !--later.count)
		memcpy(rig_at(later.rig, later.pa), later.data,
		       sizeof(later.data));
}

static uint64_t take(struct script *s, unsigned int bytes)
{
	uint64_t value = 0;

	if (bytes > s->left)
		bytes = (unsigned int)s->left;
	memcpy(&value, s->at, bytes);
	s->at += bytes;
	s->left -= bytes;
	return value;
}

/* Mostly a place in the data, sometimes anywhere. */
static uint64_t take_address(struct script *s)
{
	uint8_t kind = (uint8_t)take(s, 1);

	switch (kind & 7) {
	case 0:
		return take(s, 8);
	case 1: /* around the end of the first chunks */
		return RIG_LOWEST + RIG_MEMORY - 64 + take(s, 1);
	case 2:
		return AREA(kind >> 5) + take(s, 2);
	default:
		return DATA + take(s, 2);
	}
}

static uint32_t take_size(struct script *s)
{
	uint8_t kind = (uint8_t)take(s, 1);

	if (kind < 0xf0)
		return kind;
	if (kind < 0xfe)
		return (uint32_t)(kind - 0xef) * 512;
	return (uint32_t)take(s, 4);
}

static void set_up_queue(struct rig *rig, uint32_t q)
{
	reg_write(rig, 0, CO_DEV_QUEUE_SIZE, q, RING_SIZE);
	reg_write(rig, 0, CO_DEV_QUEUE_DESC, q, AREA(q));
	reg_write(rig, 0, CO_DEV_QUEUE_AVAIL, q, AREA(q) + AVAIL_AT);
	reg_write(rig, 0, CO_DEV_QUEUE_USED, q, AREA(q) + USED_AT);
	reg_write(rig, 0, CO_DEV_QUEUE_READY, q, 1);
}

/* As a good driver does it; `features` picks from what is offered. */
static void set_up(struct rig *rig, uint8_t features)
{
	uint64_t offered = reg_read(rig, 0, CO_DEV_FEATURES, 0);
	uint64_t common = offered & FEATURES_COMMON;
	uint64_t queues = reg_read(rig, 0, CO_DEV_QUEUES, 0);
	uint32_t q;

	if (features & 1)
		common &= ~FEATURE_EVENT_IDX;
	if (features & 2)
		common &= ~FEATURE_INDIRECT;
	fuzz_clear(rig_at(rig, RIG_LOWEST), QUEUES * AREA_SIZE);
	negotiate(rig, 0, common | (features & 4 ? 0 : offered & 0xffffff));
	for (q = 0; q < queues && q < QUEUES; q++)
		set_up_queue(rig, q);
	driver_ok(rig, 0);
}

static void write_register(struct rig *rig, struct script *s)
{
	uint32_t reg = (uint32_t)take(s, 1) % 16;
	uint32_t index = (uint32_t)take(s, 1) % 16;

	reg_write(rig, 0, reg, index, take(s, take(s, 1) % 9));
	(void)reg_read(rig, 0, reg, index);
}

static void write_config(struct rig *rig, struct script *s)
{
	uint64_t arg[4] = { 0, CO_DEV_CONFIG };

	arg[2] = take(s, 1) % 80;
	arg[2] |= (take(s, 1) % 9) << 32;
	arg[3] = take(s, 2);
	machine_access(rig->m, true, arg);
	arg[3] = arg[2] >> 32;
	arg[2] &= 0xff;
	machine_access(rig->m, false, arg);
}

/* A descriptor of the ring or of the indirect table. */
static void write_desc(struct rig *rig, struct script *s)
{
	uint8_t where = (uint8_t)take(s, 1);
	uint64_t table = AREA(where % QUEUES) + (where & 0x80 ? TABLE_AT : 0);
	struct gdesc *d = rig_at(rig, table);
	struct gdesc *to = &d[take(s, 1) % (RING_SIZE + 4)];

	to->address = take_address(s);
	to->size = take_size(s);
	to->flags = (uint16_t)take(s, 1);
	to->next = (uint16_t)take(s, 1);
}

static void point_to_table(struct rig *rig, struct script *s)
{
	uint32_t q = (uint32_t)take(s, 1) % QUEUES;
	struct gdesc *d = rig_at(rig, AREA(q));

	d += take(s, 1) % RING_SIZE;
	d->address = AREA(q) + TABLE_AT;
	d->size = 16 * (uint32_t)(take(s, 1) % 32);
	d->flags = G_INDIRECT;
	d->next = 0;
}

static void push(struct rig *rig, struct script *s)
{
	uint32_t q = (uint32_t)take(s, 1) % QUEUES;
	uint16_t *avail = rig_at(rig, AREA(q) + AVAIL_AT);
	uint16_t idx = __atomic_load_n(&avail[1], __ATOMIC_RELAXED);
	uint16_t head = (uint16_t)take(s, 1) % (RING_SIZE + 1);

	__atomic_store_n(&avail[2 + idx % RING_SIZE], head, __ATOMIC_RELAXED);
	__atomic_store_n(&avail[1], (uint16_t)(idx + 1), __ATOMIC_RELEASE);
}

static void spoil_avail(struct rig *rig, struct script *s)
{
	uint32_t q = (uint32_t)take(s, 1) % QUEUES;
	uint16_t *avail = rig_at(rig, AREA(q) + AVAIL_AT);
	uint16_t *at = &avail[take(s, 1) % (RING_SIZE + 3)];

	__atomic_store_n(at, (uint16_t)take(s, 2), __ATOMIC_RELEASE);
}

static void poke_later(struct rig *rig, unsigned int count, uint64_t pa,
		       struct script *s)
{
	uint64_t data = take(s, 8);

	later.rig = rig;
	later.count = count;
	later.pa = pa;
	memcpy(later.data, &data, sizeof(data));
}

static void poke(struct rig *rig, struct script *s)
{
	uint64_t at = take(s, 2);
	uint8_t *p = rig_at(rig, DATA + at);
	size_t n = take(s, 1);

	if (n >= POKE_RING) {
		poke_later(rig, (unsigned int)n % 8 + 1,
			   AREA(0) + at % AREA_SIZE, s);
		return;
	}
	if (n >= POKE_LATER) {
		poke_later(rig, (unsigned int)n % 8 + 1, DATA + at, s);
		return;
	}
	n %= 33;
	n = n < s->left ? n : s->left;
	memcpy(p, s->at, n);
	s->at += n;
	s->left -= n;
}

static void kick(struct rig *rig, struct script *s)
{
	uint32_t q = (uint32_t)take(s, 1) % QUEUES;
	int fd = atomic_load(&rig->doorbell[q]);

	if (fd < 0)
		return;
	eventfd_write(fd, 1);
	target_work(rig);
}

static void step(struct rig *rig, struct script *s)
{
	switch (take(s, 1) % 12) {
	case 0:
		write_register(rig, s);
		break;
	case 1:
		write_config(rig, s);
		break;
	case 2:
	case 3:
		write_desc(rig, s);
		break;
	case 4:
		point_to_table(rig, s);
		break;
	case 5:
	case 6:
		push(rig, s);
		break;
	case 7:
		spoil_avail(rig, s);
		break;
	case 8:
		poke(rig, s);
		break;
	case 9:
		kick(rig, s);
		break;
	case 10:
		target_host(rig, (uint8_t)take(s, 1));
		break;
	case 11:
		set_up(rig, (uint8_t)take(s, 1));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script s = { data, size };
	unsigned int steps = STEPS_MAX;
	struct rig rig;

	later.count = 0;
	fuzz_note_descriptors();
	rig_init(&rig);
	target_make(&rig, size ? data[0] >> 6 : 0);
	set_up(&rig, (uint8_t)take(&s, 1));
	while (s.left && steps--)
		step(&rig, &s);
	(void)detail(&rig, 0);
	rig_free(&rig);
	target_end();
	fuzz_end();
	return 0;
}
