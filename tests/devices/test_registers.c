/* SPDX-License-Identifier: GPL-2.0 */
/* What a driver's addresses, registers and doorbells come to, with corng behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "driver.h"

#define ALL_RING (FEATURE_EVENT_IDX | FEATURE_INDIRECT)

/* ---- memory ----------------------------------------------------------------- */

static void test_guest_at(void **state)
{
	struct rig *rig = *state;
	const struct guest_memory *m = &rig->mem;
	uint64_t half = RIG_LOWEST + RIG_MEMORY / 2;
	uint64_t end = RIG_LOWEST + RIG_MEMORY, last = end + RIG_HOLE;

	assert_ptr_equal(guest_at(m, RIG_LOWEST, 1), m->base);
	assert_ptr_equal(guest_at(m, half - 8, 16),
			 m->base + RIG_MEMORY / 2 - 8);
	assert_non_null(guest_at(m, RIG_LOWEST, RIG_MEMORY));
	assert_non_null(guest_at(m, last, CO_LARGE_PAGE));
	assert_null(guest_at(m, RIG_LOWEST - 1, 1));
	assert_null(guest_at(m, RIG_LOWEST - 1, 2));
	assert_null(guest_at(m, end - 1, 2));
	assert_null(guest_at(m, end, 1));
	assert_null(guest_at(m, last - 1, 1));
	assert_null(guest_at(m, last, CO_LARGE_PAGE + 1));
	assert_null(guest_at(m, RIG_LOWEST, UINT64_MAX));
	assert_null(guest_at(m, UINT64_MAX, 1));
	assert_null(guest_at(m, UINT64_MAX, UINT64_MAX));
	assert_null(guest_at(m, 0, 1));
}

/* ---- registers -------------------------------------------------------------- */

static void test_identity(void **state)
{
	struct rig *rig = *state;
	uint64_t text;

	assert_int_equal(machine_devices(rig->m), 1);
	assert_int_equal(reg_read(rig, 0, CO_DEV_ID, 0), 4);
	assert_int_equal(reg_read(rig, 0, CO_DEV_QUEUES, 0), 1);
	text = reg_read(rig, 0, CO_DEV_NAME, 0);
	assert_memory_equal(&text, "corng\0\0\0", 8);
	text = reg_read(rig, 0, CO_DEV_NAME, 3);
	assert_memory_equal(&text, "ng\0\0\0\0\0\0", 8);
	assert_int_equal(reg_read(rig, 0, CO_DEV_NAME, 4000000000u), 0);
	assert_true(reg_read(rig, 0, CO_DEV_FEATURES, 0) == FEATURES_COMMON);
}

static void test_bad_access(void **state)
{
	static const struct {
		bool write;
		uint64_t arg[4], answer;
	} row[] = {
		{ false, { 1, CO_DEV_ID, 0, 8 }, 0 },
		{ false, { 64, CO_DEV_ID, 0, 8 }, CO_ERROR_DEVICE },
		{ false, { 1, CO_DEV_STATUS, 0, 8 }, CO_ERROR_DEVICE },
		{ false, { 0, CO_DEV_REGISTERS, 0, 8 }, CO_ERROR_DEVICE },
		{ false, { 0, UINT64_MAX, 0, 8 }, CO_ERROR_DEVICE },
		{ false, { UINT64_MAX, 0, 0, 8 }, CO_ERROR_DEVICE },
		{ false, { 0, CO_DEV_DRIVER_FEATURES, 0, 8 }, CO_ERROR_DEVICE },
		{ true, { 0, CO_DEV_ID, 8ull << 32, 1 }, CO_ERROR_DEVICE },
		{ false, { 0, CO_DEV_STATUS, 0, 4 }, CO_ERROR_ARG },
		{ false, { 0, CO_DEV_STATUS, 1, 8 }, CO_ERROR_ARG },
		{ false, { 0, CO_DEV_STATUS, 1ull << 32, 8 }, CO_ERROR_ARG },
		{ false, { 0, CO_DEV_STATUS, 0, 1ull << 40 }, CO_ERROR_ARG },
		{ false, { 0, CO_DEV_QUEUE_SIZE, 1, 8 }, CO_ERROR_ARG },
		{ false, { 0, CO_DEV_CONFIG, 0, 1 }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_CONFIG, 1ull << 32, 1 }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_STATUS, 8ull << 32, 0x100 }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_QUEUE_VCPU, 8ull << 32, RIG_VCPUS }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_QUEUE_VCPU, 8ull << 32, 1ull << 32 }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_QUEUE_VCPU, 8ull << 32 | 1, 0 }, CO_ERROR_ARG },
		{ false, { 0, CO_DEV_QUEUE_VCPU, 0, 8 }, CO_ERROR_DEVICE },
		{ true, { 0, CO_DEV_STATUS, 7ull << 32, 0 }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_QUEUE_SIZE, 8ull << 32, 3 }, CO_ERROR_ARG },
		{ true, { 0, CO_DEV_QUEUE_SIZE, 8ull << 32, 0 }, CO_ERROR_ARG },
		{ true,
		  { 0, CO_DEV_QUEUE_SIZE, 8ull << 32, 512 },
		  CO_ERROR_ARG },
		{ true, { 0, CO_DEV_QUEUE_READY, 8ull << 32, 2 }, CO_ERROR_ARG },
	};
	struct rig *rig = *state;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (machine_access(rig->m, row[i].write, row[i].arg) !=
		    row[i].answer)
			fail_msg("row %zu", i);
	assert_null(why(rig, 0));
}

static void test_negotiation(void **state)
{
	struct rig *rig = *state;

	negotiate(rig, 0, ALL_RING);
	assert_int_equal(reg_read(rig, 0, CO_DEV_STATUS, 0), 0xb);
	/* Too late for another choice. */
	assert_true(reg_write(rig, 0, CO_DEV_DRIVER_FEATURES, 0, 0) ==
		    CO_ERROR_ARG);
	/* Not offered, or without VERSION_1: FEATURES_OK stays off. */
	negotiate(rig, 0, 1);
	assert_int_equal(reg_read(rig, 0, CO_DEV_STATUS, 0), 3);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 0);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 3);
	reg_write(rig, 0, CO_DEV_DRIVER_FEATURES, 0, FEATURE_INDIRECT);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 0xb);
	assert_int_equal(reg_read(rig, 0, CO_DEV_STATUS, 0), 3);
	assert_null(why(rig, 0));
}

static void test_status_rules(void **state)
{
	struct rig *rig = *state;

	negotiate(rig, 0, 0);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 3);
	assert_non_null(strstr(why(rig, 0), "were cleared"));
	assert_int_equal(reg_read(rig, 0, CO_DEV_STATUS, 0), 0x4b);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 0);
	assert_null(why(rig, 0));
	assert_int_equal(reg_read(rig, 0, CO_DEV_STATUS, 0), 0);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 7);
	assert_non_null(strstr(why(rig, 0), "DRIVER_OK without"));
	assert_int_equal(atomic_load(&rig->configs[0]), 0);
}

static void test_queue_setup_rules(void **state)
{
	static const struct {
		uint32_t reg;
		uint64_t value;
		const char *text;
	} row[] = {
		{ CO_DEV_QUEUE_DESC, 0, "descriptor area" },
		{ CO_DEV_QUEUE_DESC, RIG_LOWEST + 8, "not aligned" },
		{ CO_DEV_QUEUE_DESC, UINT64_MAX - 15, "not in guest memory" },
		{ CO_DEV_QUEUE_AVAIL, RIG_LOWEST + RIG_MEMORY - 2,
		  "driver area" },
		{ CO_DEV_QUEUE_AVAIL, RIG_LOWEST + 1, "driver area" },
		{ CO_DEV_QUEUE_USED, RIG_LOWEST + 2, "device area" },
		{ CO_DEV_QUEUE_USED, RIG_LOWEST + RIG_MEMORY - 16,
		  "device area" },
	};
	struct rig *rig = *state;
	struct gring g;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		negotiate(rig, 0, 0);
		gring_init(&g, rig, 0, 0, 8, 0);
		reg_write(rig, 0, CO_DEV_QUEUE_READY, 0, 0);
		reg_write(rig, 0, CO_DEV_QUEUE_SIZE, 0, 8);
		reg_write(rig, 0, CO_DEV_QUEUE_DESC, 0, g.desc_pa);
		reg_write(rig, 0, CO_DEV_QUEUE_AVAIL, 0, g.avail_pa);
		reg_write(rig, 0, CO_DEV_QUEUE_USED, 0, g.used_pa);
		reg_write(rig, 0, row[i].reg, 0, row[i].value);
		assert_true(reg_write(rig, 0, CO_DEV_QUEUE_READY, 0, 1) ==
			    CO_ERROR_ARG);
		assert_int_equal(reg_read(rig, 0, CO_DEV_QUEUE_READY, 0), 0);
		assert_non_null(strstr(why(rig, 0), row[i].text));
	}
	negotiate(rig, 0, 0);
	reg_write(rig, 0, CO_DEV_QUEUE_READY, 0, 1);
	assert_non_null(strstr(why(rig, 0), "no size"));
	reg_write(rig, 0, CO_DEV_STATUS, 0, 0);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 3);
	reg_write(rig, 0, CO_DEV_QUEUE_READY, 0, 1);
	assert_non_null(strstr(why(rig, 0), "before FEATURES_OK"));
}

/* A ready queue keeps what it was set up with. */
static void test_ready_queue_is_fixed(void **state)
{
	struct rig *rig = *state;
	struct gring g;
	uint32_t reg;

	negotiate(rig, 0, 0);
	gring_init(&g, rig, 0, 0, 8, 0);
	assert_int_equal(reg_read(rig, 0, CO_DEV_QUEUE_READY, 0), 1);
	for (reg = CO_DEV_QUEUE_SIZE; reg <= CO_DEV_QUEUE_USED; reg++)
		assert_true(reg_write(rig, 0, reg, 0, 16) == CO_ERROR_ARG);
	assert_null(why(rig, 0));
}

static void test_doorbells(void **state)
{
	struct rig *rig = *state;
	struct gring g;

	negotiate(rig, 0, 0);
	gring_init(&g, rig, 0, 0, 8, 0);
	assert_true(atomic_load(&rig->doorbell[g.number]) >= 0);
	reg_write(rig, 0, CO_DEV_STATUS, 0, 0);
	assert_int_equal(atomic_load(&rig->doorbell[g.number]), -1);
	atomic_store(&rig->fail_doorbell, EIO);
	negotiate(rig, 0, 0);
	gring_init(&g, rig, 0, 0, 8, 0);
	assert_non_null(strstr(why(rig, 0), "refused its doorbell"));
	atomic_store(&rig->fail_doorbell, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_setup_rng, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_guest_at),
		T(test_identity),
		T(test_bad_access),
		T(test_negotiation),
		T(test_status_rules),
		T(test_queue_setup_rules),
		T(test_ready_queue_is_fixed),
		T(test_doorbells),
	};

	return cmocka_run_group_tests_name("registers", tests, NULL, NULL);
}
