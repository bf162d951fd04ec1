// SPDX-License-Identifier: GPL-2.0
/* clock.c: the host's wall clock, as a guest gets it. */
#include "unit.h"

static struct co_event_page *event(void)
{
	return &VCPU->area->event;
}

static void rate_comes_with_the_time(void **state)
{
	(void)state;
	sim.wall_rate = -429497; /* 100 ppm slower */
	assert_equal(co_clock_read(VCPU), host_wall_ns(NULL));
	assert_equal(event()->clock_tsc, co_rdtsc());
	assert_equal(event()->clock_rate, -429497);
}

/* The TSC that the guest gets is that of the reading, not of the call. */
static void time_and_tsc_belong_together(void **state)
{
	co_u64 wall = host_wall_ns(NULL), tsc = co_rdtsc();
	co_u64 read;

	(void)state;
	sim.read_ns = 1000;
	read = co_clock_read(VCPU);
	assert_in_range(event()->clock_tsc - tsc, 1, 100000);
	assert_equal(read - wall, (event()->clock_tsc - tsc) * 1000000 / KHZ);
}

/* Something took long while the clock was read the first two times. */
static void longest_read(void)
{
	static const co_u64 length[] = { 5000000, 300000, 1000 };
	static int reads;

	sim.read_ns = length[reads++];
}

static void shortest_reading_counts(void **state)
{
	co_u64 wall = host_wall_ns(NULL), tsc = co_rdtsc();
	co_u64 read;

	(void)state;
	sim.wall_read = longest_read;
	read = co_clock_read(VCPU);
	assert_equal(event()->clock_tsc - tsc, 5300500ULL * KHZ / 1000000);
	assert_equal(read - wall, 5300000 + 500);
}

static void change_reaches_the_first_vcpu(void **state)
{
	(void)state;
	co_clock_changed(VM);
	assert_equal(event()->events, CO_EVENT_CLOCK);
	assert_equal(VM->stats.events, 1);
}

/* There is no area yet that the event could stand in. */
static void change_before_the_load(void **state)
{
	(void)state;
	co_clock_changed(VM);
	assert_equal(VM->stats.events, 0);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_loaded, unit_end)
	const struct CMUnitTest tests[] = {
		TEST(rate_comes_with_the_time),
		TEST(time_and_tsc_belong_together),
		TEST(shortest_reading_counts),
		TEST(change_reaches_the_first_vcpu),
		cmocka_unit_test_setup_teardown(change_before_the_load,
						unit_start_vm, unit_end),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
