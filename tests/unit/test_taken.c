// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts that the guest has taken and leaves with, for something else, before
 * it forwards them: the host mustn't go on, here or on another CPU, with one in
 * service. host_unpin() of sim aborts then.
 */
#include "unit.h"

#define TIMER 0xec
#define OTHER 0xed

/* One way out after the other, then the power-off. */
static struct {
	struct co_call call;
	co_u32 in_service; /* while it is made */
} way[8];
static co_u32 count, at;

static void guest(struct co_vcpu *vcpu, struct co_call *call)
{
	(void)vcpu;
	*call = (struct co_call){ .nr = CO_CALL_STOP,
				  .arg = { CO_STOP_POWEROFF },
				  .flags = CO_CALL_IRQS_ON };
	if (at == count)
		return;
	*call = way[at].call;
	if (way[at].in_service)
		co_store(&sim.in_service, way[at].in_service);
	at++;
}

static int start(void **state)
{
	count = at = 0;
	if (unit_start_loaded(state))
		return -1;
	sim.guest = guest;
	return 0;
}

/* It takes an interrupt, 0: none, and leaves with interrupts off. */
static void leave(co_u64 nr, co_u64 arg, co_u32 taken)
{
	way[count].call = (struct co_call){ .nr = nr, .arg = { arg } };
	way[count++].in_service = taken;
}

static void forward(co_u32 vector, co_u32 taken)
{
	leave(CO_CALL_FORWARD, vector, taken);
	way[count - 1].call.flags = CO_CALL_IRQS_ON;
}

static void run(void)
{
	struct co_req_vcpu_run req = { .vcpu = 0 };

	assert_equal(unit_run(&req), 0);
	assert_equal(req.exit, CO_EXIT_STOP);
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_equal(at, count);
}

static void before_an_nmi(void **state)
{
	(void)state;
	leave(CO_CALL_FORWARD, CO_VECTOR_NMI, TIMER);
	forward(TIMER, 0);
	run();
	assert_equal(sim.replayed[CO_VECTOR_NMI], 1);
	assert_equal(sim.replayed[TIMER], 1);
	assert_equal(VM->stats.nmis, 1);
	assert_equal(VM->stats.forwarded, 1);
}

static void before_a_yield(void **state)
{
	(void)state;
	leave(CO_CALL_YIELD, 0, TIMER);
	/* and once more: it's handled */
	leave(CO_CALL_YIELD, 0, 0);
	forward(TIMER, 0);
	run();
	assert_equal(sim.replayed[TIMER], 1);
}

static void event_comes(void)
{
	co_event_set(VCPU, CO_EVENT_CLOCK);
}

static void before_a_sleep(void **state)
{
	(void)state;
	sim.idle = event_comes;
	leave(CO_CALL_IDLE, CO_EVENT_CLOCK, TIMER);
	forward(TIMER, 0);
	run();
	assert_equal(sim.replayed[TIMER], 1);
}

/* The next one of that vector is another interrupt. */
static void the_next_one_counts(void **state)
{
	(void)state;
	leave(CO_CALL_YIELD, 0, TIMER);
	forward(TIMER, 0);
	forward(TIMER, TIMER);
	run();
	assert_equal(sim.replayed[TIMER], 2);
}

/* What it never came to forward must not hide a later one. */
static void never_forwarded(void **state)
{
	(void)state;
	leave(CO_CALL_YIELD, 0, TIMER);
	forward(TIMER, TIMER);
	leave(CO_CALL_YIELD, 0, TIMER);
	forward(OTHER, OTHER);
	forward(TIMER, 0);
	run();
	assert_equal(sim.replayed[TIMER], 4);
	assert_equal(sim.replayed[OTHER], 1);
}

/* That one is no system call's here, whatever the guest was told: without an end
 * the processor would be deaf to it and to all that is less urgent. */
static void one_that_is_never_forwarded(void **state)
{
	(void)state;
	assert_false(co_may_forward(0x80));
	leave(CO_CALL_YIELD, 0, 0x80);
	leave(CO_CALL_YIELD, 0, 0);
	run();
	assert_equal(sim.replayed[0x80], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(before_an_nmi),
		TEST(before_a_yield),
		TEST(before_a_sleep),
		TEST(the_next_one_counts),
		TEST(never_forwarded),
		TEST(one_that_is_never_forwarded),
	};

	return cmocka_run_group_tests_name("taken", tests, NULL, NULL);
}
