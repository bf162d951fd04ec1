// SPDX-License-Identifier: GPL-2.0
/*
 * Many vCPUs: who is OFF, who may start whom, what reaches whom. Each vCPU has a
 * thread; the guest's side is a function that is asked for the next call.
 */
#include <pthread.h>

#include "unit.h"

#define VCPUS 4

static co_u32 rounds[VCPUS]; /* how often each vCPU was in the guest */

static int start(void **state)
{
	struct co_req_vm_create req = create_request(64 * MIB);
	struct co_req_vm_load load;

	if (unit_start(state))
		return -1;
	memset(rounds, 0, sizeof(rounds));
	req.vcpus = VCPUS;
	req.online = 3;
	if (co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req), OWNER))
		return -1;
	image_init(&unit.image);
	load = load_request(&unit.image);
	return co_request(&unit.file, CO_REQ_VM_LOAD, &load, sizeof(load),
			  OWNER);
}

static co_u64 state_of(co_u32 vcpu)
{
	return co_load(&VM->vcpu[vcpu].area->event.state);
}

static void *run(void *vcpu)
{
	struct co_req_vcpu_run req = { .vcpu = (co_u32)(uintptr_t)vcpu };

	do
		if (co_request(&unit.file, CO_REQ_VCPU_RUN, &req, sizeof(req),
			       OWNER))
			return "RUN fails";
	while (req.exit != CO_EXIT_STOP);
	return NULL;
}

/* All vCPUs, until the guest has stopped. */
static void run_all(sim_guest_fn *guest)
{
	pthread_t thread[VCPUS];
	void *error;
	uintptr_t i;

	sim.guest = guest;
	for (i = 0; i < VCPUS; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, run, (void *)i), 0);
	for (i = 0; i < VCPUS; i++) {
		pthread_join(thread[i], &error);
		assert_null(error);
	}
}

static void call_set(struct co_call *call, co_u64 nr, co_u64 a0, co_u64 a1)
{
	*call = (struct co_call){ .nr = nr,
				  .arg = { a0, a1 },
				  .flags = CO_CALL_IRQS_ON };
}

static co_u64 answer(struct co_vcpu *vcpu)
{
	return vcpu->area->passage.result;
}

/* ---- OFF -------------------------------------------------------------------------- */

static void only_the_first_is_up(void **state)
{
	struct co_req_vm_info info = { 0 };
	co_u32 i;

	(void)state;
	assert_equal(state_of(0), CO_VCPU_STATE_OUT);
	for (i = 1; i < VCPUS; i++)
		assert_equal(state_of(i),
			     CO_VCPU_STATE_OUT | CO_VCPU_STATE_OFF);
	assert_equal(co_request(&unit.file, CO_REQ_VM_INFO, &info, sizeof(info),
				OWNER),
		     0);
	assert_equal(info.vcpus, VCPUS);
	assert_equal(info.online, 1);
}

static void power_off(struct co_vcpu *vcpu, struct co_call *call)
{
	co_fetch_add(&rounds[vcpu->index], 1);
	call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
}

/* Their threads wait in RUN; the verdict ends that. */
static void who_is_off_never_runs(void **state)
{
	(void)state;
	run_all(power_off);
	assert_equal(rounds[0], 1);
	assert_equal(rounds[1] + rounds[2] + rounds[3], 0);
}

/* ---- up and down -------------------------------------------------------------------- */

static co_u64 answers[8];

/* vCPU 0 tries all that isn't allowed, then what is. */
static void starter(struct co_vcpu *vcpu, struct co_call *call)
{
	static const co_u64 target[] = { VCPUS, ~0ULL, 0, 3, 1, 1, 2 };
	co_u32 n = co_fetch_add(&rounds[vcpu->index], 1);

	if (vcpu->index) {
		call_set(call, CO_CALL_SEND, 1, 1 << 16 << vcpu->index);
		if (n)
			call_set(call, CO_CALL_IDLE, 0, 0);
		return;
	}
	if (n && n <= CO_ARRAY_SIZE(target))
		answers[n - 1] = answer(vcpu);
	if (n < CO_ARRAY_SIZE(target))
		call_set(call, CO_CALL_VCPU_UP, target[n], 0);
	else if (co_load(&vcpu->area->event.events) == 3ULL << 17)
		call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
	else
		call_set(call, CO_CALL_YIELD, 0, 0);
}

static void who_may_be_started(void **state)
{
	(void)state;
	run_all(starter);
	assert_equal(answers[0], CO_ERROR_ARG);
	assert_equal(answers[1], CO_ERROR_ARG);
	assert_equal(answers[2], CO_ERROR_STATE); /* it runs */
	assert_equal(answers[3], CO_ERROR_STATE); /* beyond `online` */
	assert_equal(answers[4], 0);
	assert_equal(answers[5], CO_ERROR_STATE); /* once is enough */
	assert_equal(answers[6], 0);
	assert_true(rounds[1] && rounds[2]);
	assert_equal(rounds[3], 0);
}

#define TURNS 50

/* Once around: up, wait until it has gone down by itself, up again. */
static void restarter(struct co_vcpu *vcpu, struct co_call *call)
{
	if (vcpu->index) {
		co_fetch_add(&rounds[vcpu->index], 1);
		call_set(call, CO_CALL_VCPU_DOWN, 0, 0);
	} else if (rounds[0] == TURNS && state_of(1) & CO_VCPU_STATE_OFF &&
		   co_load(&rounds[1]) == TURNS) {
		call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
	} else if (rounds[0] < TURNS && state_of(1) & CO_VCPU_STATE_OFF &&
		   co_load(&rounds[1]) == rounds[0]) {
		rounds[0]++;
		call_set(call, CO_CALL_VCPU_UP, 1, 0);
	} else {
		call_set(call, CO_CALL_YIELD, 0, 0);
	}
}

static void down_and_up_again(void **state)
{
	(void)state;
	run_all(restarter);
	assert_equal(rounds[1], TURNS);
}

static void start_it(void)
{
	assert_true(co_vcpu_up(&VM->vcpu[1]));
}

/* vCPU 1 goes down, and is started before its thread has gone to sleep: the
 * host's NMI handler runs just then. */
static void down_for_a_moment(struct co_vcpu *vcpu, struct co_call *call)
{
	co_u32 n = rounds[vcpu->index]++;

	if (!vcpu->index) {
		call_set(call, n ? CO_CALL_IDLE : CO_CALL_VCPU_UP, n ? 0 : 1,
			 0);
	} else if (!n) {
		vcpu->passage.guest->nmi_count = 1;
		call_set(call, CO_CALL_VCPU_DOWN, 0, 0);
	} else {
		call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
	}
}

static void started_on_its_way_down(void **state)
{
	(void)state;
	sim.replay = start_it;
	run_all(down_for_a_moment);
	assert_equal(rounds[1], 2);
}

/* ---- the wished number ---------------------------------------------------------------- */

static int raise_cpus(co_u64 value)
{
	struct co_req_vm_raise req = { .events = CO_EVENT_CPUS,
				       .value = value };

	return co_request(&unit.file, CO_REQ_VM_RAISE, &req, sizeof(req),
			  OWNER);
}

static void the_wished_number(void **state)
{
	(void)state;
	assert_equal(raise_cpus(0), -CO_EINVAL);
	assert_equal(raise_cpus(VCPUS + 1), -CO_EINVAL);
	assert_equal(raise_cpus(1ULL << 32 | 1), -CO_EINVAL);
	assert_equal(VM->online, 3);
	assert_equal(VCPU->area->event.events, 0);
	assert_equal(raise_cpus(VCPUS), 0);
	assert_equal(VM->online, VCPUS);
	assert_equal(VCPU->area->event.cpus, VCPUS);
	assert_equal(VCPU->area->event.events, CO_EVENT_CPUS);
}

/* ---- queues of a vCPU that is OFF ------------------------------------------------------- */

static int raise_queue(co_u32 vcpu, co_u64 queue)
{
	struct co_req_vm_raise req = { .vcpu = vcpu, .events = CO_EVENT_QUEUE,
				       .value = queue };

	return co_request(&unit.file, CO_REQ_VM_RAISE, &req, sizeof(req),
			  OWNER);
}

static void who_is_off_hears_of_no_queue(void **state)
{
	(void)state;
	assert_equal(raise_queue(3, 70), 0);
	assert_equal(raise_queue(3, 7), 0);
	assert_equal(raise_queue(VCPUS, 7), -CO_EINVAL);
	assert_equal(VM->vcpu[3].area->event.queues[0], 0);
	assert_equal(VM->vcpu[3].area->event.queues[1], 0);
	assert_equal(VCPU->area->event.queues[0], 1 << 7);
	assert_equal(VCPU->area->event.queues[1], 1 << 6);
	assert_equal(VCPU->area->event.events, CO_EVENT_QUEUE);
}

/* vCPU 1 comes up, hears of a queue, and goes down without a look at it. */
static void deaf(struct co_vcpu *vcpu, struct co_call *call)
{
	co_u32 n = rounds[vcpu->index]++;

	if (vcpu->index) {
		assert_equal(raise_queue(1, 9), 0);
		assert_equal(vcpu->area->event.queues[0], 1 << 9);
		call_set(call, CO_CALL_VCPU_DOWN, 0, 0);
	} else if (!n) {
		call_set(call, CO_CALL_VCPU_UP, 1, 0);
	} else if (!(co_load(&VCPU->area->event.queues[0]) & 1 << 9)) {
		call_set(call, CO_CALL_IDLE, 0, 0);
	} else {
		call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
	}
}

static void queues_are_handed_on(void **state)
{
	(void)state;
	run_all(deaf);
	assert_equal(rounds[1], 1);
	assert_equal(VM->vcpu[1].area->event.queues[0], 0);
	assert_equal(VCPU->area->event.events & CO_EVENT_QUEUE, CO_EVENT_QUEUE);
}

/* ---- events between vCPUs --------------------------------------------------------------- */

static void sender(struct co_vcpu *vcpu, struct co_call *call)
{
	static const co_u64 arg[][2] = {
		{ 1ULL << VCPUS, 1 << 16 }, /* no such vCPU */
		{ 1, CO_EVENT_TIMER },	    /* the host's to raise */
		{ 1, 1ULL << 32 },	    /* no event at all */
		{ 0xe, 1 << 20 },
	};
	co_u32 n = rounds[0]++;

	if (n)
		answers[n - 1] = answer(vcpu);
	if (n < CO_ARRAY_SIZE(arg))
		call_set(call, CO_CALL_SEND, arg[n][0], arg[n][1]);
	else
		call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
}

static void events_for_others(void **state)
{
	co_u32 i;

	(void)state;
	run_all(sender);
	assert_equal(answers[0], CO_ERROR_ARG);
	assert_equal(answers[1], CO_ERROR_ARG);
	assert_equal(answers[2], CO_ERROR_ARG);
	assert_equal(answers[3], 0);
	assert_equal(VCPU->area->event.events, 0);
	for (i = 1; i < VCPUS; i++)
		assert_equal(VM->vcpu[i].area->event.events, 1 << 20);
}

#define PINGS 2000

static co_u64 take(struct co_vcpu *vcpu, co_u64 bit)
{
	return co_fetch_and(&vcpu->area->event.events, ~bit) & bit;
}

/* Two vCPUs wake each other, and sleep for nothing but that: a wake-up that gets
 * lost ends the test by sim's patience. */
static void ping_pong(struct co_vcpu *vcpu, struct co_call *call)
{
	co_u32 me = vcpu->index;

	if (!me && !rounds[0]) {
		rounds[0] = 1;
		/* Not among those that are waited for. */
		co_fetch_or(&vcpu->area->event.events, CO_EVENT_QUEUE);
		call_set(call, CO_CALL_VCPU_UP, 1, 0);
	} else if (!me && rounds[0] == 1) {
		rounds[0] = 2;
		call_set(call, CO_CALL_SEND, 2, 1 << 16);
	} else if (!take(vcpu, 1 << 16)) {
		call_set(call, CO_CALL_IDLE, 1 << 16, 0);
	} else if (!me && ++rounds[0] == PINGS) {
		call_set(call, CO_CALL_STOP, CO_STOP_POWEROFF, 0);
	} else {
		call_set(call, CO_CALL_SEND, me ? 1 : 2, 1 << 16);
	}
}

static void no_wake_up_is_lost(void **state)
{
	(void)state;
	run_all(ping_pong);
	assert_equal(rounds[0], PINGS);
	assert_true(VM->stats.idles > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, unit_end)
	const struct CMUnitTest tests[] = {
		TEST(only_the_first_is_up),    TEST(who_is_off_never_runs),
		TEST(who_may_be_started),      TEST(down_and_up_again),
		TEST(started_on_its_way_down), TEST(the_wished_number),
		TEST(who_is_off_hears_of_no_queue),
		TEST(queues_are_handed_on),
		TEST(events_for_others),       TEST(no_wake_up_is_lost),
	};

	return cmocka_run_group_tests_name("smp", tests, NULL, NULL);
}
