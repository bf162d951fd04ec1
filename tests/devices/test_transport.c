/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rings, with corng behind them, since it is the simplest device: each request is one
 * buffer that comes back filled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/os/bell.h"
#include "driver.h"

#define ALL_RING (FEATURE_EVENT_IDX | FEATURE_INDIRECT)

/* ---- rings ------------------------------------------------------------------ */

static void start(struct rig *rig, struct gring *g, uint16_t size,
		  uint64_t features)
{
	negotiate(rig, 0, features);
	gring_init(g, rig, 0, 0, size, features);
	driver_ok(rig, 0);
}

static void ask(struct gring *g, uint64_t pa, unsigned int parts)
{
	struct buffer b[8];
	uint32_t written;
	unsigned int i;
	int head;

	memset(rig_at(g->rig, pa), 0, 256);
	for (i = 0; i < parts; i++)
		b[i] = (struct buffer){ pa + i * 16, 16, true };
	head = gring_add(g, b, parts);
	assert_true(head >= 0);
	gring_kick(g);
	assert_int_equal(gring_turn(g, &written), head);
	assert_int_equal(written, 16 * parts);
}

static void wrap(struct rig *rig, uint64_t features)
{
	struct gring g;
	uint64_t pa;
	unsigned int i;

	start(rig, &g, 8, features);
	pa = rig_alloc(rig, 256, 16);
	for (i = 0; i < 70000; i++)
		ask(&g, pa, 1 + i % 4);
	assert_null(why(rig, 0));
	assert_int_equal(g.last_used, (uint16_t)70000);
	assert_true(atomic_load(&rig->raised[g.number]) >= 70000);
}

static void test_wrap_plain(void **state)
{
	wrap(*state, 0);
}

static void test_wrap_event_idx(void **state)
{
	wrap(*state, ALL_RING);
}

/* No interrupt where the guest doesn't want one. */
static void suppressed(struct rig *rig, uint64_t features)
{
	struct gring g;
	struct buffer b;
	uint32_t written;
	uint64_t pa;
	unsigned int i;

	start(rig, &g, 8, features);
	rig_settle(rig);
	pa = rig_alloc(rig, 256, 16);
	b = (struct buffer){ pa, 16, true };
	g.avail[0] = 1;	    /* NO_INTERRUPT; EVENT_IDX doesn't look at it */
	g.avail[2 + 8] = 4; /* used_event: after the fifth */
	for (i = 0; i < 4; i++) {
		assert_true(gring_add(&g, &b, 1) >= 0);
		gring_kick(&g);
		rig_settle(rig);
	}
	assert_int_equal(g.used[1], 4);
	assert_int_equal(atomic_load(&rig->raised[g.number]), 0);
	gring_add(&g, &b, 1);
	gring_kick(&g);
	rig_settle(rig);
	assert_int_equal(atomic_load(&rig->raised[g.number]),
			 features & FEATURE_EVENT_IDX ? 1 : 0);
	while (gring_get(&g, &written) >= 0)
		;
	g.avail[0] = 0;
	ask(&g, pa, 1);
	assert_int_equal(atomic_load(&rig->raised[g.number]),
			 features & FEATURE_EVENT_IDX ? 2 : 1);
}

static void test_suppressed_plain(void **state)
{
	suppressed(*state, 0);
}

static void test_suppressed_event_idx(void **state)
{
	suppressed(*state, ALL_RING);
}

/* To the vCPU that the driver names, from the next event on; a reset forgets it. */
static void test_vcpu(void **state)
{
	struct rig *rig = *state;
	struct gring g;
	uint64_t pa;

	start(rig, &g, 8, 0);
	pa = rig_alloc(rig, 256, 16);
	atomic_store(&rig->told, 99);
	ask(&g, pa, 1);
	assert_int_equal(atomic_load(&rig->told), 0);
	assert_int_equal(reg_write(rig, 0, CO_DEV_QUEUE_VCPU, 0, RIG_VCPUS - 1), 0);
	ask(&g, pa, 1);
	assert_int_equal(atomic_load(&rig->told), RIG_VCPUS - 1);
	reg_write(rig, 0, CO_DEV_QUEUE_VCPU, 0, RIG_VCPUS);
	ask(&g, pa, 1);
	assert_int_equal(atomic_load(&rig->told), RIG_VCPUS - 1);
	start(rig, &g, 8, 0);
	ask(&g, pa, 1);
	assert_int_equal(atomic_load(&rig->told), 0);
}

/* Buffers that were there before DRIVER_OK are found without a kick. */
static void test_early_buffers(void **state)
{
	struct rig *rig = *state;
	struct buffer b = { rig_alloc(rig, 16, 16), 16, true };
	struct gring g;
	uint32_t written;

	negotiate(rig, 0, 0);
	gring_init(&g, rig, 0, 0, 8, 0);
	gring_add(&g, &b, 1);
	gring_kick(&g);
	rig_settle(rig);
	assert_int_equal(g.used[1], 0);
	driver_ok(rig, 0);
	assert_int_equal(gring_turn(&g, &written), 0);
}

static void test_queue_stop(void **state)
{
	struct rig *rig = *state;
	struct buffer b = { rig_alloc(rig, 16, 16), 16, true };
	struct gring g;
	int fd;

	start(rig, &g, 8, 0);
	fd = atomic_load(&rig->doorbell[g.number]);
	reg_write(rig, 0, CO_DEV_QUEUE_READY, 0, 0);
	gring_add(&g, &b, 1);
	queue_ring(&(struct queue){ .doorbell = fd });
	rig_settle(rig);
	assert_int_equal(g.used[1], 0);
	assert_null(why(rig, 0));
	gring_init(&g, rig, 0, 0, 8, 0);
	ask(&g, rig_alloc(rig, 256, 16), 1);
}

static void test_machine_reset(void **state)
{
	struct rig *rig = *state;
	struct gring g;

	start(rig, &g, 8, 0);
	machine_reset(rig->m);
	assert_int_equal(reg_read(rig, 0, CO_DEV_STATUS, 0), 0);
	assert_int_equal(atomic_load(&rig->doorbell[g.number]), -1);
	start(rig, &g, 8, ALL_RING);
	ask(&g, rig_alloc(rig, 256, 16), 2);
}

static void test_raise_fails(void **state)
{
	struct rig *rig = *state;
	struct buffer b = { rig_alloc(rig, 16, 16), 16, true };
	struct gring g;

	start(rig, &g, 8, 0);
	atomic_store(&rig->fail_raise, EPERM);
	gring_add(&g, &b, 1);
	gring_kick(&g);
	rig_settle(rig);
	assert_non_null(strstr(why(rig, 0), "could not raise"));
}

static void test_random_bytes(void **state)
{
	struct rig *rig = *state;
	uint64_t pa = rig_alloc(rig, 8192, 16);
	struct buffer b = { pa, 4096, true };
	uint8_t seen[256] = { 0 }, *p = rig_at(rig, pa);
	unsigned int i, kinds = 0;
	struct gring g;
	uint32_t written;

	start(rig, &g, 8, 0);
	gring_add(&g, &b, 1);
	gring_kick(&g);
	assert_int_equal(gring_turn(&g, &written), 0);
	assert_int_equal(written, 256); /* bounded */
	for (i = 0; i < 256; i++)
		kinds += !seen[p[i]]++;
	assert_true(kinds > 100);
	assert_int_equal(p[256], 0);
}

/* ---- lies ------------------------------------------------------------------- */

enum lie {
	LIE_INDEX,
	LIE_HEAD,
	LIE_NEXT,
	LIE_LOOP,
	LIE_ADDRESS,
	LIE_HOLE,
	LIE_SIZE,
	LIE_ORDER,
	LIE_INDIRECT_OFF,
	LIE_INDIRECT_NESTED,
	LIE_INDIRECT_NEXT,
	LIE_INDIRECT_SIZE,
	LIE_INDIRECT_LONG,
	LIE_INDIRECT_EMPTY,
	LIE_INDIRECT_OUTSIDE,
	LIE_INDIRECT_LINK,
	LIE_INDIRECT_LOOP,
	LIE_NO_ROOM,
	LIES,
};

static const char *const lie_text[LIES] = {
	[LIE_INDEX] = "ahead in a ring",
	[LIE_HEAD] = "outside its table",
	[LIE_NEXT] = "outside its table",
	[LIE_LOOP] = "loops",
	[LIE_ADDRESS] = "not in guest memory",
	[LIE_HOLE] = "not in guest memory",
	[LIE_SIZE] = "not in guest memory",
	[LIE_ORDER] = "behind one to write",
	[LIE_INDIRECT_OFF] = "without the feature",
	[LIE_INDIRECT_NESTED] = "in an indirect table",
	[LIE_INDIRECT_NEXT] = "goes on behind",
	[LIE_INDIRECT_SIZE] = "wrong size",
	[LIE_INDIRECT_LONG] = "wrong size",
	[LIE_INDIRECT_EMPTY] = "wrong size",
	[LIE_INDIRECT_OUTSIDE] = "not in guest memory",
	[LIE_INDIRECT_LINK] = "outside its table",
	[LIE_INDIRECT_LOOP] = "loops",
	[LIE_NO_ROOM] = "no room",
};

/* Spoils descriptor 0 of an otherwise good request, or its table. */
static void lie(struct gring *g, enum lie what, struct gdesc *table)
{
	struct gdesc *d = &g->desc[0];

	switch (what) {
	case LIE_INDEX:
		g->avail[1] = 9;
		break;
	case LIE_HEAD:
		g->avail[2] = 8;
		break;
	case LIE_NEXT:
		d->flags |= G_NEXT;
		d->next = 8;
		break;
	case LIE_LOOP:
		d->flags |= G_NEXT;
		d->next = 0;
		break;
	case LIE_ADDRESS:
		d->address = 4096;
		break;
	case LIE_HOLE:
		d->address = RIG_LOWEST + RIG_MEMORY - 8;
		break;
	case LIE_SIZE:
		d->size = UINT32_MAX;
		break;
	case LIE_ORDER:
		d->flags |= G_NEXT;
		d->next = 1;
		g->desc[1] = (struct gdesc){ d->address, 16, 0, 0 };
		break;
	case LIE_INDIRECT_OFF:
	case LIE_INDIRECT_SIZE:
		d->flags = G_INDIRECT;
		d->size = 17;
		break;
	case LIE_INDIRECT_NEXT:
		d->flags = G_INDIRECT | G_NEXT;
		break;
	case LIE_INDIRECT_LONG:
		d->flags = G_INDIRECT;
		d->size = 257 * 16;
		break;
	case LIE_INDIRECT_EMPTY:
		d->flags = G_INDIRECT;
		d->size = 0;
		break;
	case LIE_INDIRECT_OUTSIDE:
		*d = (struct gdesc){ RIG_LOWEST - 16, 32, G_INDIRECT, 0 };
		break;
	case LIE_INDIRECT_NESTED:
		table[0] = (struct gdesc){ d->address, 16, G_INDIRECT, 0 };
		d->flags = G_INDIRECT;
		break;
	case LIE_INDIRECT_LINK:
		table[0] = (struct gdesc){ d->address, 1, G_WRITE | G_NEXT, 1 };
		d->flags = G_INDIRECT;
		break;
	case LIE_INDIRECT_LOOP:
		table[0] = (struct gdesc){ d->address, 1, G_WRITE | G_NEXT, 0 };
		d->flags = G_INDIRECT;
		break;
	case LIE_NO_ROOM:
		d->flags = 0;
		break;
	case LIES:
		break;
	}
}

static void tell_lie(struct rig *rig, enum lie what)
{
	uint64_t pa = rig_alloc(rig, 8192, 16);
	struct gdesc *table = rig_at(rig, pa);
	unsigned int configs = atomic_load(&rig->configs[0]);
	struct gring g;

	start(rig, &g, 8, what == LIE_INDIRECT_OFF ? 0 : ALL_RING);
	g.desc[0] = (struct gdesc){ pa, 16, G_WRITE, 0 };
	g.avail[2] = 0;
	g.avail[1] = 1;
	lie(&g, what, table);
	bell_ring(atomic_load(&rig->doorbell[g.number]));
	rig_settle(rig);
	if (!why(rig, 0) || !strstr(why(rig, 0), lie_text[what]))
		fail_msg("lie %d: %s", what,
			 why(rig, 0) ? why(rig, 0) : "no why");
	assert_int_equal(atomic_load(&rig->configs[0]), configs + 1);
	assert_int_equal(g.used[1], 0);
	assert_true(reg_read(rig, 0, CO_DEV_STATUS, 0) & STATUS_NEEDS_RESET);
}

/* Each lie breaks the device, and a reset heals it. */
static void test_lies(void **state)
{
	struct rig *rig = *state;
	struct gring g;
	int what;

	for (what = 0; what < LIES; what++) {
		tell_lie(rig, what);
		start(rig, &g, 8, ALL_RING);
		ask(&g, rig_alloc(rig, 256, 16), 1);
		assert_null(why(rig, 0));
	}
}

static void test_too_many(void **state)
{
	struct rig *rig = *state;
	struct error *err = NULL;
	char name[16];
	unsigned int i;

	for (i = 1; i < CO_DEVICES_MAX; i++) {
		snprintf(name, sizeof(name), "corng%u", i);
		assert_non_null(rng_create(rig->m, name, &err));
	}
	assert_null(rng_create(rig->m, "corng64", &err));
	assert_string_equal(err->text,
			    "corng64: more than 64 devices in the VM");
	error_free(&err);
	assert_null(rng_create(rig->m, "", &err));
	assert_non_null(strstr(err->text, "must have 1 to 31"));
	error_free(&err);
	assert_int_equal(reg_read(rig, 63, CO_DEV_QUEUE_NUMBER, 0), 63);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup_rng, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_wrap_plain),
		T(test_wrap_event_idx),
		T(test_suppressed_plain),
		T(test_suppressed_event_idx),
		T(test_vcpu),
		T(test_early_buffers),
		T(test_queue_stop),
		T(test_machine_reset),
		T(test_raise_fails),
		T(test_random_bytes),
		T(test_lies),
		T(test_too_many),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
