// SPDX-License-Identifier: GPL-2.0
/* event.c: words and kicks, the timer's arithmetic, doorbells. */
#include "unit.h"

#define NEVER (1ULL << 62)

static struct co_event_page *event(void)
{
	return &VCPU->area->event;
}

static int raise_event(co_u32 events, co_u64 value)
{
	struct co_req_vm_raise req = { .events = events, .value = value };

	return co_request(&unit.file, CO_REQ_VM_RAISE, &req, sizeof(req),
			  OWNER);
}

static int doorbell(co_u32 queue, co_s64 handle)
{
	struct co_req_doorbell req = { .queue = queue, .handle = handle };

	return co_request(&unit.file, CO_REQ_DOORBELL, &req, sizeof(req),
			  OWNER);
}

/* ---- raising ------------------------------------------------------------------- */

static void queue_sets_its_bit(void **state)
{
	(void)state;
	assert_equal(raise_event(CO_EVENT_QUEUE, 0), 0);
	assert_equal(raise_event(CO_EVENT_QUEUE, 65), 0);
	assert_equal(raise_event(CO_EVENT_QUEUE, 255), 0);
	assert_equal(event()->events, CO_EVENT_QUEUE);
	assert_equal(event()->queues[0], 1);
	assert_equal(event()->queues[1], 2);
	assert_equal(event()->queues[2], 0);
	assert_equal(event()->queues[3], 1ULL << 63);
}

static void config_sets_its_bit(void **state)
{
	(void)state;
	assert_equal(raise_event(CO_EVENT_CONFIG, 7), 0);
	assert_equal(event()->events, CO_EVENT_CONFIG);
	assert_equal(event()->configs, 1 << 7);
}

static void last_power_wish_counts(void **state)
{
	(void)state;
	assert_equal(raise_event(CO_EVENT_POWER, CO_POWER_CAD), 0);
	assert_equal(raise_event(CO_EVENT_POWER, CO_POWER_OFF), 0);
	assert_equal(event()->events, CO_EVENT_POWER);
	assert_equal(event()->power, CO_POWER_OFF);
}

static void clock_has_no_value(void **state)
{
	(void)state;
	assert_equal(raise_event(CO_EVENT_CLOCK, 0), 0);
	assert_equal(event()->events, CO_EVENT_CLOCK);
}

static void bad_values_set_nothing(void **state)
{
	static const struct co_event_page none = {
		.state = CO_VCPU_STATE_OUT
	};
	struct co_req_vm_raise other = { .vcpu = 1, .events = CO_EVENT_CLOCK };

	(void)state;
	assert_equal(raise_event(CO_EVENT_QUEUE, CO_QUEUES_MAX), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_QUEUE, ~0ULL), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_CONFIG, 8), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_CONFIG, 64), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_POWER, 0), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_POWER, 4), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_TIMER, 0), -CO_EINVAL);
	assert_equal(raise_event(0, 0), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_QUEUE | CO_EVENT_CLOCK, 0),
		     -CO_EINVAL);
	assert_equal(raise_event(1u << 31, 0), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_CPUS, 0), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_CPUS, 2), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_MEMORY, 30 * MIB), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_MEMORY, 66 * MIB), -CO_EINVAL);
	assert_equal(raise_event(CO_EVENT_MEMORY, 63 * MIB), -CO_EINVAL);
	assert_equal(co_event_raise(VM, &other), -CO_EINVAL);
	assert_memory_equal(event(), &none, sizeof(none));
	assert_equal(VM->stats.events, 0);
}

static void memory_is_a_limit(void **state)
{
	struct co_req_vm_info info = { .verdict = 0 };

	(void)state;
	assert_equal(VM->memory_limit, 64 * MIB);
	assert_equal(raise_event(CO_EVENT_MEMORY, 32 * MIB), 0);
	assert_equal(event()->events, CO_EVENT_MEMORY);
	assert_equal(event()->memory, 32 * MIB);
	event()->memory_free = 8 * MIB;
	co_vm_info(VM, &info);
	assert_equal(info.memory, 64 * MIB);
	assert_equal(info.memory_limit, 32 * MIB);
	assert_equal(info.memory_free, 8 * MIB);
	/* no more free than there is, whatever it says */
	event()->memory_free = ~0ULL;
	co_vm_info(VM, &info);
	assert_equal(info.memory_free, 64 * MIB);
	assert_equal(info.memory_returned, 0);
}

static void nothing_to_raise_before_the_load(void **state)
{
	(void)state;
	assert_equal(raise_event(CO_EVENT_CLOCK, 0), -CO_EINVAL);
}

/* ---- kicks ------------------------------------------------------------------------ */

static void no_kick_while_the_host_runs(void **state)
{
	(void)state;
	co_event_set(VCPU, CO_EVENT_CLOCK);
	assert_equal(sim.kicks, 0);
	assert_true(co_event_pending(VCPU));
}

static void kick_to_the_guests_cpu(void **state)
{
	(void)state;
	VCPU->mode = CO_VCPU_IN_GUEST;
	VCPU->cpu = 3;
	co_event_set(VCPU, CO_EVENT_CLOCK);
	assert_equal(sim.kicks, 1);
	assert_true(sim_ipi_take(3));
	assert_equal(VM->stats.kicks, 1);
	VCPU->mode = CO_VCPU_OUT;
}

/* The guest hasn't looked yet: it will find this one, too. */
static void one_kick_until_the_guest_has_looked(void **state)
{
	(void)state;
	VCPU->mode = CO_VCPU_IN_GUEST;
	co_event_set(VCPU, CO_EVENT_CLOCK);
	co_event_set(VCPU, CO_EVENT_QUEUE);
	assert_equal(sim.kicks, 1);
	assert_equal(co_exchange(&event()->events, 0),
		     CO_EVENT_CLOCK | CO_EVENT_QUEUE);
	assert_false(co_event_pending(VCPU));
	co_event_set(VCPU, CO_EVENT_QUEUE);
	assert_equal(sim.kicks, 2);
	assert_equal(VM->stats.events, 3);
	VCPU->mode = CO_VCPU_OUT;
}

/* ---- timer --------------------------------------------------------------------------- */

static co_u64 armed_for(co_u64 ticks)
{
	co_timer_set(VCPU, co_rdtsc() + ticks);
	return sim_timer_next() - host_time_ns();
}

static void ticks_become_nanoseconds(void **state)
{
	(void)state;
	assert_equal(armed_for(2000), 1000); /* 2 GHz */
	assert_equal(armed_for(2000000000), 1000000000);
	assert_equal(armed_for(3600ULL * 2000000000), 3600ULL * 1000000000);
}

/* A timer that comes early finds the guest's clock short of the deadline. */
static void rounded_up(void **state)
{
	(void)state;
	assert_equal(armed_for(1), 1);
	assert_equal(armed_for(2), 1);
	assert_equal(armed_for(3), 2);
	sim.tsc_khz = 3400017;
	assert_equal(armed_for(3400017), 1000000);
	assert_equal(armed_for(3400018), 1000001);
	assert_equal(armed_for(1), 1);
}

static void any_frequency(void **state)
{
	static const co_u32 khz[] = { 1, 1000, 999999, 2399998, 4294967295u };
	co_u32 i;
	co_u64 ticks;

	(void)state;
	for (i = 0; i < CO_ARRAY_SIZE(khz); i++)
		for (ticks = 1; ticks < 1ULL << 40; ticks = ticks * 7 + 3) {
			long double exact = ticks * 1e6L / khz[i];
			co_u64 got;

			sim.tsc_khz = khz[i];
			got = armed_for(ticks);
			assert_true((long double)got >= exact - 1e-6L);
			assert_true((long double)got < exact + 1.000001L);
		}
}

/* At 3 GHz a u64 of ticks is 195 years, times 10^6 a sum that doesn't fit. */
static void far_future_is_never(void **state)
{
	(void)state;
	sim.tsc_khz = 3000000;
	co_timer_set(VCPU, CO_TIMER_OFF - 1);
	assert_equal(sim_timer_next(), NEVER);
	sim.tsc_khz = 1;
	co_timer_set(VCPU, 1ULL << 60);
	assert_equal(sim_timer_next(), NEVER);
	assert_false(co_event_pending(VCPU));
}

static void off_is_never(void **state)
{
	(void)state;
	co_timer_set(VCPU, co_rdtsc() + 2000);
	co_timer_set(VCPU, CO_TIMER_OFF);
	assert_equal(sim_timer_next(), NEVER);
	sim_time_advance(1000000);
	assert_false(co_event_pending(VCPU));
}

static void fires_at_its_time(void **state)
{
	(void)state;
	co_timer_set(VCPU, co_rdtsc() + 2000000);
	sim_time_advance(999999);
	assert_false(co_event_pending(VCPU));
	sim_time_advance(1);
	assert_equal(event()->events, CO_EVENT_TIMER);
}

static void past_deadline_fires_at_once(void **state)
{
	(void)state;
	co_timer_set(VCPU, co_rdtsc());
	assert_equal(event()->events, CO_EVENT_TIMER);
	event()->events = 0;
	co_timer_set(VCPU, 0);
	assert_equal(event()->events, CO_EVENT_TIMER);
}

static void rearming_withdraws_only_the_timer(void **state)
{
	(void)state;
	co_timer_set(VCPU, 0);
	co_event_set(VCPU, CO_EVENT_QUEUE);
	co_timer_set(VCPU, co_rdtsc() + 2000);
	assert_equal(event()->events, CO_EVENT_QUEUE);
	sim_time_advance(1000);
	assert_equal(event()->events, CO_EVENT_QUEUE | CO_EVENT_TIMER);
}

static void one_shot(void **state)
{
	(void)state;
	co_timer_set(VCPU, co_rdtsc() + 2000);
	sim_time_advance(1000);
	event()->events = 0;
	sim_time_advance(1000000000);
	assert_equal(event()->events, 0);
}

/* ---- doorbells ---------------------------------------------------------------------------- */

static void rings_what_was_set(void **state)
{
	(void)state;
	assert_equal(doorbell(0, 3), 0);
	assert_equal(doorbell(255, 4), 0);
	co_doorbell_ring(VM, 0);
	co_doorbell_ring(VM, 255);
	co_doorbell_ring(VM, 255);
	co_doorbell_ring(VM, 1);
	assert_equal(sim.rung[3], 1);
	assert_equal(sim.rung[4], 2);
}

static void no_queue_no_ring(void **state)
{
	(void)state;
	co_doorbell_ring(VM, CO_QUEUES_MAX);
	co_doorbell_ring(VM, ~0u);
	assert_equal(doorbell(CO_QUEUES_MAX, 1), -CO_EINVAL);
}

static void replaced_and_removed(void **state)
{
	co_u64 live = sim.live;

	(void)state;
	assert_equal(doorbell(5, 1), 0);
	assert_equal(doorbell(5, 2), 0);
	assert_equal(sim.live, live + 1);
	co_doorbell_ring(VM, 5);
	assert_equal(sim.rung[1], 0);
	assert_equal(sim.rung[2], 1);
	assert_equal(doorbell(5, -1), 0);
	assert_equal(sim.live, live);
	co_doorbell_ring(VM, 5);
	assert_equal(sim.rung[2], 1);
}

static void bad_handle_keeps_the_old_one(void **state)
{
	(void)state;
	assert_equal(doorbell(5, 1), 0);
	assert_equal(doorbell(5, SIM_DOORBELLS), -CO_EINVAL);
	assert_equal(doorbell(5, -2), -CO_EINVAL);
	co_doorbell_ring(VM, 5);
	assert_equal(sim.rung[1], 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_loaded, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queue_sets_its_bit),
		TEST(config_sets_its_bit),
		TEST(last_power_wish_counts),
		TEST(clock_has_no_value),
		TEST(bad_values_set_nothing),
		cmocka_unit_test_setup_teardown(nothing_to_raise_before_the_load,
						unit_start_vm, unit_end),
		TEST(no_kick_while_the_host_runs),
		TEST(memory_is_a_limit),
		TEST(kick_to_the_guests_cpu),
		TEST(one_kick_until_the_guest_has_looked),
		TEST(ticks_become_nanoseconds),
		TEST(rounded_up),
		TEST(any_frequency),
		TEST(far_future_is_never),
		TEST(off_is_never),
		TEST(fires_at_its_time),
		TEST(past_deadline_fires_at_once),
		TEST(rearming_withdraws_only_the_timer),
		TEST(one_shot),
		TEST(rings_what_was_set),
		TEST(no_queue_no_ring),
		TEST(replaced_and_removed),
		TEST(bad_handle_keeps_the_old_one),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
