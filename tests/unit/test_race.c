// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that meet: RUN, events, kicks, timer, doorbells, the verdict. Built
 * with ThreadSanitizer, too. A lost wake-up or kick shows as a thread that waits
 * longer than sim's patience.
 */
#include <pthread.h>
#include <sched.h>

#include "unit.h"

#define EVENTS 3000

/* What the guest has seen; its own, atomics all the same: the test looks. */
static co_u64 seen[CO_QUEUE_WORDS * 64];
static co_u64 timers;
static co_u32 finish;

static pthread_t thread_start(void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
	return thread;
}

static void thread_end(pthread_t thread)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* ---- the guest's side of the protocol ---------------------------------------------- */

static void take_queues(struct co_event_page *event)
{
	co_u32 word, bit;

	for (word = 0; word < CO_QUEUE_WORDS; word++) {
		co_u64 bits = co_exchange(&event->queues[word], 0);

		for (bit = 0; bit < 64; bit++)
			if (bits >> bit & 1)
				co_fetch_add(&seen[word * 64 + bit], 1);
	}
}

static void take_events(struct co_vcpu *vcpu)
{
	struct co_event_page *event = &vcpu->area->event;
	co_u64 events = co_exchange(&event->events, 0);

	if (events & CO_EVENT_QUEUE)
		take_queues(event);
	if (events & CO_EVENT_TIMER)
		co_fetch_add(&timers, 1);
}

static void stop_or(struct co_call *call, co_u64 nr)
{
	call->nr = nr;
	call->flags = CO_CALL_IRQS_ON;
	if (co_load(&finish)) {
		call->nr = CO_CALL_STOP;
		call->arg[0] = CO_STOP_POWEROFF;
	}
}

/* Looks, then sleeps until there is more. */
static void idle_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	take_events(vcpu);
	stop_or(call, CO_CALL_IDLE);
}

/* Computes until an interrupt comes, forwards it; looks after that only, as the
 * guest's interrupt path does. */
static void busy_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	take_events(vcpu);
	if (!co_load(&finish))
		sim_ipi_wait(vcpu->cpu);
	stop_or(call, CO_CALL_FORWARD);
	if (call->nr == CO_CALL_FORWARD)
		call->arg[0] = 0xfb;
}

/* Never enables interrupts but where one waits for it. */
static void closed_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	if (sim_ipi_take(vcpu->cpu)) {
		take_events(vcpu);
		stop_or(call, CO_CALL_FORWARD);
		if (call->nr == CO_CALL_FORWARD)
			call->arg[0] = 0xfb;
	} else {
		stop_or(call, CO_CALL_YIELD);
	}
	call->flags = 0;
}

/* ---- threads ---------------------------------------------------------------------------- */

static void *runner(void *arg)
{
	struct co_req_vcpu_run req = { .vcpu = 0 };

	(void)arg;
	sim_cpu_set(1);
	do {
		if (unit_run(&req))
			sim_die("RUN failed");
	} while (req.exit != CO_EXIT_STOP);
	return NULL;
}

/* Each event is waited for before the next: a lost one is a hang. */
static void *raiser(void *arg)
{
	co_u64 queue = (co_uptr)arg, n;

	for (n = 1; n <= EVENTS; n++) {
		struct co_req_vm_raise req = { .events = CO_EVENT_QUEUE,
					       .value = queue };
		co_u64 patience = 0;

		if (co_request(&unit.file, CO_REQ_VM_RAISE, &req, sizeof(req),
			       OWNER))
			sim_die("RAISE failed");
		while (co_load(&seen[queue]) < n)
			if (++patience > 20000000000ULL)
				sim_die("event %llu of queue %llu is lost", n,
					queue);
			else
				sched_yield();
	}
	return NULL;
}

static void events_arrive(sim_guest_fn *guest)
{
	struct co_req_vm_raise last = { .events = CO_EVENT_CLOCK };
	pthread_t run, one, two;

	sim.guest = guest;
	run = thread_start(runner, NULL);
	one = thread_start(raiser, (void *)3);
	two = thread_start(raiser, (void *)200);
	thread_end(one);
	thread_end(two);
	co_store(&finish, 1);
	assert_equal(co_event_raise(VM, &last), 0);
	thread_end(run);
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_equal(seen[3], EVENTS);
	assert_equal(seen[200], EVENTS);
}

static void events_wake_an_idle_guest(void **state)
{
	(void)state;
	events_arrive(idle_guest);
}

static void events_kick_a_busy_guest(void **state)
{
	(void)state;
	events_arrive(busy_guest);
}

static void events_reach_a_guest_with_interrupts_off(void **state)
{
	(void)state;
	events_arrive(closed_guest);
}

/* ---- timer ------------------------------------------------------------------------------------ */

static void timer_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	static co_u64
		set; /* how many timers; one is on its way if more than came */

	take_events(vcpu);
	if (set > co_load(&timers)) {
		stop_or(call, CO_CALL_IDLE);
		return;
	}
	stop_or(call, CO_CALL_TIMER);
	if (call->nr == CO_CALL_TIMER)
		call->arg[0] = co_rdtsc() + 2000;
	set = co_load(&timers) + 1;
}

static void *clock_hand(void *arg)
{
	(void)arg;
	while (!co_load(&finish)) {
		sim_time_advance(700);
		sched_yield();
	}
	return NULL;
}

static void timer_fires_while_it_is_set(void **state)
{
	pthread_t run, hand;

	(void)state;
	sim.guest = timer_guest;
	run = thread_start(runner, NULL);
	hand = thread_start(clock_hand, NULL);
	while (co_load(&timers) < EVENTS)
		sched_yield();
	co_store(&finish, 1);
	thread_end(hand);
	co_event_set(VCPU, CO_EVENT_CLOCK);
	thread_end(run);
}

/* ---- doorbells ------------------------------------------------------------------------------------ */

static void *changer(void *arg)
{
	co_u32 n;

	(void)arg;
	for (n = 0; n < EVENTS; n++) {
		struct co_req_doorbell req = { .queue = 7,
					       .handle = (int)(n % 4) - 1 };

		if (co_doorbell_set(VM, &req))
			sim_die("DOORBELL failed");
	}
	return NULL;
}

/* A doorbell that is gone must not be rung: ASan and TSan would see it. */
static void doorbell_changes_while_it_rings(void **state)
{
	pthread_t one, two;
	co_u32 n;

	(void)state;
	one = thread_start(changer, NULL);
	two = thread_start(changer, NULL);
	for (n = 0; n < EVENTS; n++)
		co_doorbell_ring(VM, 7);
	thread_end(one);
	thread_end(two);
}

/* ---- stop ------------------------------------------------------------------------------------------- */

static void *stopper(void *arg)
{
	struct co_req_vm_stop req = { .verdict = CO_VERDICT_KILLED };

	memcpy(req.text, arg, strlen(arg));
	if (co_request(&unit.file, CO_REQ_VM_STOP, &req, sizeof(req), OWNER))
		sim_die("STOP failed");
	return NULL;
}

static void *asker(void *arg)
{
	struct co_req_vm_info info = { .verdict = 0 };

	(void)arg;
	while (info.verdict == CO_VERDICT_NONE)
		if (co_request(&unit.file, CO_REQ_VM_INFO, &info, sizeof(info),
			       OWNER))
			sim_die("INFO failed");
	/* whole, whichever of the two it is */
	if (memcmp(info.text, "one one one", 12) &&
	    memcmp(info.text, "two two two", 12))
		sim_die("torn text: %s", (char *)info.text);
	return NULL;
}

static void stopped_while(sim_guest_fn *guest)
{
	pthread_t run, ask, one, two;

	sim.guest = guest;
	run = thread_start(runner, NULL);
	ask = thread_start(asker, NULL);
	one = thread_start(stopper, "one one one");
	two = thread_start(stopper, "two two two");
	thread_end(one);
	thread_end(two);
	thread_end(run);
	thread_end(ask);
	assert_equal(VM->verdict, CO_VERDICT_KILLED);
}

static int again(void **state)
{
	co_store(&finish, 0);
	co_store(&timers, 0);
	memset(seen, 0, sizeof(seen));
	return unit_start_loaded(state);
}

#define ROUNDS 100

static void many_stops(void **state, sim_guest_fn *guest)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		if (round)
			assert_int_equal(again(state), 0);
		stopped_while(guest);
		if (round + 1 < ROUNDS)
			assert_int_equal(unit_end(state), 0);
	}
}

static void two_stops_of_an_idle_guest(void **state)
{
	many_stops(state, idle_guest);
}

static void two_stops_of_a_busy_guest(void **state)
{
	many_stops(state, busy_guest);
}

/* ---- one vCPU, one RUN -------------------------------------------------------------------------------- */

static co_u32 inside, most;

static void counting_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	co_u32 now = co_fetch_add(&inside, 1) + 1;

	(void)vcpu;
	if (now > co_load(&most))
		co_store(&most, now);
	sched_yield();
	co_fetch_add(&inside, -1);
	stop_or(call, CO_CALL_NOP);
}

static void *contender(void *arg)
{
	co_u64 *busy = arg;
	struct co_req_vcpu_run req = { .vcpu = 0 };
	int err;

	do {
		err = unit_run(&req);
		if (err == -CO_EBUSY)
			co_fetch_add(busy, 1);
		else if (err)
			sim_die("RUN failed: %d", err);
		sched_yield();
	} while (err || req.exit != CO_EXIT_STOP);
	return NULL;
}

static void one_run_at_a_time(void **state)
{
	pthread_t one, two;
	co_u64 busy = 0;

	(void)state;
	sim.guest = counting_guest;
	co_store(&inside, 0);
	co_store(&most, 0);
	one = thread_start(contender, &busy);
	two = thread_start(contender, &busy);
	while (co_load(&busy) < 100)
		sched_yield();
	co_store(&finish, 1);
	thread_end(one);
	thread_end(two);
	assert_equal(most, 1);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static void *creator(void *arg)
{
	co_u64 owner = (co_uptr)arg;
	struct co_req_vm_create req = create_request(32 * MIB);
	struct co_req_vm_info info = { .verdict = 0 };
	int err = co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req),
			     owner);
	int ask = co_request(&unit.file, CO_REQ_VM_INFO, &info, sizeof(info),
			     owner);

	/* whoever made it may use it, the other may not */
	if (err == 0 ? ask != 0 : err != -CO_EBUSY || ask != -CO_EPERM)
		sim_die("create %d, info %d", err, ask);
	return (void *)(co_uptr)!err;
}

static void two_processes_make_a_vm_in_one_file(void **state)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		pthread_t one, two;
		void *made[2];

		if (round)
			unit_start(state);
		one = thread_start(creator, (void *)1);
		two = thread_start(creator, (void *)2);
		pthread_join(one, &made[0]);
		pthread_join(two, &made[1]);
		assert_true(!made[0] != !made[1]);
		if (round + 1 < ROUNDS)
			assert_int_equal(unit_end(state), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, again, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(events_wake_an_idle_guest),
		TEST(events_kick_a_busy_guest),
		TEST(events_reach_a_guest_with_interrupts_off),
		TEST(timer_fires_while_it_is_set),
		TEST(doorbell_changes_while_it_rings),
		TEST(two_stops_of_an_idle_guest),
		TEST(two_stops_of_a_busy_guest),
		TEST(one_run_at_a_time),
		cmocka_unit_test_setup_teardown(
			two_processes_make_a_vm_in_one_file, unit_start,
			unit_end),
	};

	return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
