// SPDX-License-Identifier: GPL-2.0
/* The system is short of memory: guests are asked, and the kept piece goes. */
#define _GNU_SOURCE
#include "test.h"

#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STEP	(64 * MIB)
#define PACE_US (500000 / HASTE)

static co_u64 *asked(void)
{
	return &vm()->vcpu[0].area->event.memory_ask;
}

/* As the guest takes the word; how often in that time, or until `most` times. */
static co_u32 steps(co_u64 us, co_u32 most)
{
	co_u64 end = host_time_ns() + us * 1000;
	co_u32 n = 0;
	co_u64 bytes;

	while (host_time_ns() < end && n < most) {
		bytes = co_exchange(asked(), 0);
		if (bytes)
			assert_equal(bytes, STEP);
		n += bytes != 0;
		usleep(100);
	}
	return n;
}

#define LONG 30000000 /* us; it's over before, with the last wanted step */

static void a_guest_is_asked_in_steps(void **state)
{
	co_u64 begin, took;
	co_u32 round;

	(void)state;
	run_loaded(1);
	for (round = 0; round < 3; round++) {
		assert_equal(steps(4 * PACE_US, 10), 0);
		begin = host_time_ns();
		fake_low_memory(true);
		assert_equal(steps(LONG, 10), 10);
		took = host_time_ns() - begin;
		assert_true(took >= 9 * PACE_US * 1000);
		assert_true(vm()->vcpu[0].area->event.events & CO_EVENT_MEMORY);
		fake_low_memory(false);
		steps(4 * PACE_US, 10);
	}
}

/* One that isn't loaded has no word yet. */
static void a_guest_that_is_not_loaded_is_left_alone(void **state)
{
	(void)state;
	fake_low_memory(true);
	assert_equal(create_vm(VM_SIZE), 0);
	usleep(4 * PACE_US);
	assert_equal(load_vm(), 0);
	assert_true(steps(LONG, 1) == 1);
}

static bool pool_becomes(co_u64 bytes)
{
	int i;

	for (i = 0; i < 3000 && nt_pool_bytes(NULL) != bytes; i++)
		usleep(10000);
	return nt_pool_bytes(NULL) == bytes;
}

static void close_vm(void)
{
	ntstatus status;

	assert_equal(unmap_vm(), 0);
	fake_cleanup(file);
	fake_close(file);
	file = fake_open(&status);
}

static void the_kept_piece_goes(void **state)
{
	(void)state;
	run_loaded(1);
	/* What a guest has a part of stays. */
	guest_moves(CO_CALL_MEMORY_GIVE, vm()->memory.chunk[0].address + 8 * MIB, 2 * MIB);
	assert_equal(got, 0);
	fake_low_memory(true);
	assert_equal(steps(LONG, 3), 3);
	assert_equal(nt_pool_bytes(NULL), 2 * MIB);
	fake_low_memory(false);
	steps(4 * PACE_US, 10);
	close_vm();
	assert_equal(nt_pool_bytes(NULL), VM_SIZE);
	usleep(4 * PACE_US);
	assert_equal(nt_pool_bytes(NULL), VM_SIZE);
	fake_low_memory(true);
	assert_true(pool_becomes(0));
	assert_equal(fake.free_blocks, 128);
	/* Nor is another one kept for longer than a step. */
	run_loaded(1);
	close_vm();
	assert_true(pool_becomes(0));
	assert_equal(fake.free_blocks, 128);
}

/* VMs come and go, and their memory, while the thread looks at both. */
static void vms_come_and_go_meanwhile(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 30; i++) {
		fake_low_memory(i % 3);
		run_loaded(1);
		guest_moves(CO_CALL_MEMORY_GIVE, vm()->memory.chunk[0].address + 8 * MIB,
			    2 * MIB);
		usleep((useconds_t)(i * PACE_US / 20));
		close_vm();
	}
}

/* It ends in both of its waits; a step's would never end by itself here. */
static void the_driver_goes_while_it_waits(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		fake_start();
		fake_memory_start();
		fake.time_stands = true;
		fake_low_memory(i % 2);
		assert_equal(fake_load(), 0);
		usleep((useconds_t)(i % 8 * 500));
		fake_unload();
		fake_end();
	}
}

static void guests_live_without_it(bool none, co_u64 nth)
{
	ntstatus status;

	fake_start();
	fake_memory_start();
	fake.no_low = none;
	fake_low_memory(true);
	/* DriverEntry's last three: event, reference, thread. */
	fake.fail_at = nth;
	assert_equal(fake_load(), 0);
	fake.fail_at = 0;
	file = fake_open(&status);
	run_loaded(1);
	assert_equal(steps(4 * PACE_US, 1), 0);
	fake_cleanup(file);
	fake_close(file);
	fake_unload();
	fake_end();
}

static void it_is_done_without(void **state)
{
	co_u64 all, i;

	(void)state;
	fake_start();
	fake_memory_start();
	assert_equal(fake_load(), 0);
	all = fake.allocations;
	fake_unload();
	fake_end();
	for (i = 0; i < 3; i++)
		guests_live_without_it(false, all - i);
	guests_live_without_it(true, 0);
}

int test_pressure(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_guest_is_asked_in_steps),
		TEST(a_guest_that_is_not_loaded_is_left_alone),
		TEST(the_kept_piece_goes),
		TEST(vms_come_and_go_meanwhile),
		cmocka_unit_test(the_driver_goes_while_it_waits),
		cmocka_unit_test(it_is_done_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
