// SPDX-License-Identifier: GPL-2.0
/*
 * watchdog.c: a guest that keeps its processor. The guest here is a stretch of
 * time in which interrupts are on or off; it leaves when something gets through.
 */
#include "unit.h"

#define MS 1000000ULL
#define CPU 2

/* One stay in the guest after the other; none ends when a look is due. */
static struct stay {
	co_u64 ms;
	bool irqs_off;
	co_u64 nr; /* the call that ends it, if nothing does before */
} stays[32];
static co_u32 count, at;
static co_u64 left_ms;

static void leave(struct co_call *call, co_u64 nr, co_u64 vector)
{
	*call = (struct co_call){ .nr = nr, .arg = { vector } };
	if (nr == CO_CALL_STOP)
		call->arg[0] = CO_STOP_POWEROFF;
}

static void guest(struct co_vcpu *vcpu, struct co_call *call)
{
	co_u64 nmis = sim.nmis, kicks = sim.kicks;

	(void)vcpu;
	if (at == count)
		return leave(call, CO_CALL_STOP, 0);
	if (!left_ms)
		left_ms = stays[at].ms;
	while (left_ms) {
		sim_time_advance(MS);
		left_ms--;
		if (sim.nmis != nmis)
			return leave(call, CO_CALL_FORWARD, CO_VECTOR_NMI);
		if (sim.kicks != kicks && !stays[at].irqs_off) {
			at++;
			left_ms = 0;
			return leave(call, CO_CALL_FORWARD, 0x30);
		}
	}
	leave(call, stays[at++].nr, 0);
}

static int start_with(void **state, co_u32 watchdog)
{
	struct co_req_vm_create req = create_request(64 * MIB);
	int err;

	/* Its first call: it has begun. */
	stays[0] = (struct stay){ 1, true, CO_CALL_YIELD };
	count = 1;
	at = 0;
	left_ms = 0;
	if (unit_start(state))
		return -1;
	req.watchdog = watchdog;
	if (co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req), OWNER))
		return -1;
	unit_try_load(&err);
	sim.guest = guest;
	sim_cpu_set(CPU);
	return err;
}

static int start(void **state)
{
	return start_with(state, 10);
}

static int start_without(void **state)
{
	return start_with(state, 0);
}

static void stay(co_u64 ms, bool irqs_off, co_u64 nr)
{
	stays[count++] = (struct stay){ ms, irqs_off, nr };
}

static void run(void)
{
	struct co_req_vcpu_run req = { 0 };

	assert_equal(unit_run(&req), 0);
	assert_equal(req.exit, CO_EXIT_STOP);
}

/* ---- tests ------------------------------------------------------------------ */

static void short_stay_costs_one_look(void **state)
{
	(void)state;
	count = 0;
	run();
	assert_true(sim_timer_next() != 0);
	assert_equal(sim_timer_away(), CPU);
	sim_time_advance(1000 * MS);
	assert_equal(sim_timer_next(), 0);
	assert_equal(sim.kicks, 1); /* that of the verdict */
	assert_equal(sim.nmis, 0);
}

/* Arming another processor's timer wakes it: cheaper to let it stand a while. */
static void who_wakes_often_is_looked_at_seldom(void **state)
{
	co_u64 first;

	(void)state;
	stay(3, true, CO_CALL_YIELD);
	stay(3, true, CO_CALL_YIELD);
	run();
	first = sim_timer_next();
	sim_time_advance(1000 * MS);
	assert_equal(sim_timer_next(), first + 2000 * MS);
	sim_time_advance(2000 * MS);
	assert_equal(sim_timer_next(), 0);
}

static void interrupts_on_need_no_nmi(void **state)
{
	co_u32 i;

	(void)state;
	for (i = 0; i < 15; i++)
		stay(30000, false, CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_equal(sim.nmis, 0);
	assert_equal(sim.kicks, 15 + 1); /* and that of the verdict */
}

/* One interrupt that it doesn't see, then an NMI each 50 ms. */
static void slow_guest_goes_on(void **state)
{
	(void)state;
	stay(3010, true, CO_CALL_YIELD);
	stay(910, true, CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_in_range(sim.nmis, 38, 41);
	assert_equal(VM->stats.rescues, sim.nmis);
	assert_equal(sim.replayed[CO_VECTOR_NMI], sim.nmis);
	assert_equal(VCPU->watch.stuck_ns, 0);
}

/* It may have no gate for an NMI yet. */
static void first_steps_take_their_time(void **state)
{
	(void)state;
	count = 0;
	stay(9990, true, CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_equal(sim.nmis, 0);
}

static void first_steps_end(void **state)
{
	(void)state;
	count = 0;
	stay(60010, true, CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_VERDICT_STUCK);
	assert_true(sim.nmis > 0);
}

/* A vCPU that is started again begins anew. */
static void first_steps_of_the_next_start(void **state)
{
	(void)state;
	run();
	assert_equal(VCPU->watch.began, 1);
	co_store(&VCPU->off, 1);
	co_store(&VCPU->area->event.state, CO_VCPU_STATE_OUT | CO_VCPU_STATE_OFF);
	assert_true(co_vcpu_up(VCPU));
	assert_equal(VCPU->watch.began, 0);
}

static void stuck_guest_is_ended(void **state)
{
	co_u64 begin = host_time_ns();

	(void)state;
	stay(60010, true, CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_VERDICT_STUCK);
	assert_string_equal(VM->text,
			    "vCPU 0 kept its processor for 10 s with interrupts off");
	assert_in_range(host_time_ns() - begin, 10000 * MS, 10100 * MS);
}

/* Each of them is progress, however long the next stay is. */
static void time_counts_from_the_last_exit(void **state)
{
	co_u32 i;

	(void)state;
	for (i = 0; i < 5; i++)
		stay(9010, true, i % 2 ? CO_CALL_NOP : CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
}

static void never_ended_without_a_limit(void **state)
{
	(void)state;
	stay(60010, true, CO_CALL_YIELD);
	run();
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_in_range(sim.nmis, 1100, 1200);
}

static void timer_follows_the_vcpu(void **state)
{
	(void)state;
	VCPU->cpu = 1;
	co_watch_enter(VCPU, host_time_ns());
	assert_equal(sim_timer_away(), 1);
	co_watch_leave(VCPU, host_time_ns(), true);
	sim_time_advance(500 * MS);
	VCPU->cpu = 3;
	co_watch_enter(VCPU, host_time_ns());
	assert_equal(sim_timer_away(), 3);
	assert_equal(sim_timer_next(), host_time_ns() + 1000 * MS);
	co_watch_leave(VCPU, host_time_ns(), true);
}

/* ---- the host's sleep and end -------------------------------------------------- */

/* Its timer may be on the CPU that it looks after: it gets its place again. */
static void timer_is_set_anew_when_a_cpu_goes(void **state)
{
	co_u64 now = host_time_ns();

	(void)state;
	co_watch_moved(VM);
	assert_equal(sim_timer_next(), 0);
	count = 0;
	stay(1, true, CO_CALL_STOP);
	run();
	assert_equal(sim_timer_next(), now + 1000 * MS);
	co_watch_moved(VM);
	assert_equal(sim_timer_next(), now + 1001 * MS);
	assert_equal(sim_timer_away(), CPU);
}

static void sleeps_with_the_host(void **state)
{
	(void)state;
	assert_false(co_vm_asleep(VM));
	co_vm_sleep(VM);
	assert_equal(VCPU->area->event.events, CO_EVENT_SLEEP);
	VCPU->area->event.events = 0;
	VCPU->wanted = CO_EVENT_WAKE;
	assert_true(co_vm_asleep(VM));
	VCPU->mode = CO_VCPU_IN_GUEST;
	assert_false(co_vm_asleep(VM));
	VCPU->mode = CO_VCPU_OUT;
	co_vm_wake(VM);
	assert_equal(VCPU->area->event.events,
		     CO_EVENT_WAKE | CO_EVENT_CLOCK | CO_EVENT_TIMER);
}

/* The wake of a sleep that the guest didn't come to see would end the next one. */
static void sleep_after_a_sleep(void **state)
{
	(void)state;
	co_vm_sleep(VM);
	co_vm_wake(VM);
	co_vm_sleep(VM);
	assert_equal(VCPU->area->event.events,
		     CO_EVENT_SLEEP | CO_EVENT_CLOCK | CO_EVENT_TIMER);
}

/* Sleeps with the host, then computes until it reads a device. */
static void sleeper(struct co_vcpu *vcpu, struct co_call *call)
{
	(void)vcpu;
	if (at++)
		leave(call, CO_CALL_DEVICE_READ, 0);
	else
		leave(call, CO_CALL_IDLE, CO_EVENT_WAKE);
}

static void come_wake(void)
{
	assert_true(co_vm_asleep(VM));
	co_vm_wake(VM);
}

/* A guest that never idles for anything else was taken to be ready for each sleep
 * after the first. */
static void awake_after_a_sleep(void **state)
{
	struct co_req_vcpu_run req = { 0 };

	(void)state;
	sim.guest = sleeper;
	sim.idle = come_wake;
	assert_equal(unit_run(&req), 0);
	assert_equal(req.exit, CO_EXIT_DEVICE_READ);
	assert_false(co_vm_asleep(VM));
}

static void goes_down_with_the_host(void **state)
{
	(void)state;
	co_vm_power_off(VM);
	assert_equal(VCPU->area->event.events, CO_EVENT_POWER);
	assert_equal(VCPU->area->event.power, CO_POWER_OFF);
	co_vm_stop(VM, CO_VERDICT_HOST, "down");
	assert_true(co_vm_asleep(VM));
}

/* Nothing has an area yet, and nothing is waited for. */
static void nothing_loaded(void **state)
{
	(void)state;
	co_vm_sleep(VM);
	assert_true(co_vm_asleep(VM));
	co_vm_wake(VM);
	co_vm_power_off(VM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(short_stay_costs_one_look),
		TEST(who_wakes_often_is_looked_at_seldom),
		TEST(interrupts_on_need_no_nmi),
		TEST(slow_guest_goes_on),
		TEST(first_steps_take_their_time),
		TEST(first_steps_end),
		TEST(first_steps_of_the_next_start),
		TEST(stuck_guest_is_ended),
		TEST(time_counts_from_the_last_exit),
		cmocka_unit_test_setup_teardown(never_ended_without_a_limit,
						start_without, unit_end),
		TEST(timer_follows_the_vcpu),
		TEST(timer_is_set_anew_when_a_cpu_goes),
		TEST(sleeps_with_the_host),
		TEST(sleep_after_a_sleep),
		TEST(awake_after_a_sleep),
		TEST(goes_down_with_the_host),
		cmocka_unit_test_setup_teardown(nothing_loaded, unit_start_vm,
						unit_end),
	};

	return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
