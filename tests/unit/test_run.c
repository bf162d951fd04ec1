// SPDX-License-Identifier: GPL-2.0
/*
 * run.c, call.c, vcpu.c: what a guest's call leads to. The guest here is a list
 * of calls; it notes what it was answered and what it found when it came back.
 */
#include "unit.h"

#define CALLS_MAX 256

static struct co_call script[CALLS_MAX];
static co_u64 answer[CALLS_MAX]; /* of script[i] */
static bool kicked[CALLS_MAX]; /* an interrupt waited when script[i] was made */
static co_u32 calls, done;

static void scripted(struct co_vcpu *vcpu, struct co_call *call)
{
	if (done)
		answer[done - 1] = vcpu->area->passage.result;
	if (done == calls)
		sim_die("the guest's script is at its end");
	kicked[done] = sim_ipi_take(vcpu->cpu);
	*call = script[done++];
}

static struct co_call *add(co_u64 nr)
{
	script[calls] = (struct co_call){ .nr = nr, .flags = CO_CALL_IRQS_ON };
	return &script[calls++];
}

static int start(void **state)
{
	calls = done = 0;
	memset(answer, 0xee, sizeof(answer));
	if (unit_start_loaded(state))
		return -1;
	sim.guest = scripted;
	return 0;
}

/* The text lies in the guest's memory, as a guest's would. */
static co_u64 guest_text(const char *text)
{
	co_u64 pa = VM->memory.chunk[0].address + 16 * MIB;

	memcpy(unit_at(pa), text, strlen(text) + 1);
	return pa;
}

static void add_stop(co_u64 reason, const char *text)
{
	struct co_call *call = add(CO_CALL_STOP);

	call->arg[0] = reason;
	call->arg[1] = guest_text(text);
	call->arg[2] = strlen(text);
}

static struct co_req_vcpu_run run(void)
{
	struct co_req_vcpu_run req = { .vcpu = 0 };

	assert_equal(unit_run(&req), 0);
	assert_equal(VCPU->running, 0);
	assert_equal(VCPU->mode, CO_VCPU_OUT);
	return req;
}

/* Runs to the end of the script, whose end is a power-off. */
static void run_to_the_end(void)
{
	add_stop(CO_STOP_POWEROFF, "");
	assert_equal(run().exit, CO_EXIT_STOP);
	assert_equal(VM->verdict, CO_STOP_POWEROFF);
	assert_equal(done, calls);
}

/* ---- who may run ------------------------------------------------------------------ */

static void nothing_loaded(void **state)
{
	struct co_req_vcpu_run req = { .vcpu = 0 };

	(void)state;
	assert_equal(unit_run(&req), -CO_EINVAL);
}

static void no_such_vcpu(void **state)
{
	struct co_req_vcpu_run req = { .vcpu = 1 };

	(void)state;
	assert_equal(unit_run(&req), -CO_EINVAL);
	req.vcpu = ~0u;
	assert_equal(unit_run(&req), -CO_EINVAL);
}

static int second;

static void run_again_from_inside(struct co_vcpu *vcpu, struct co_call *call)
{
	static struct co_req_vcpu_run req;

	second = co_vcpu_run(vcpu->vm, &req);
	call->nr = CO_CALL_STOP;
	call->arg[0] = CO_STOP_HALT;
}

static void second_run_of_the_same_vcpu(void **state)
{
	(void)state;
	sim.guest = run_again_from_inside;
	assert_equal(run().exit, CO_EXIT_STOP);
	assert_equal(second, -CO_EBUSY);
	/* and it has let go */
	assert_equal(run().exit, CO_EXIT_STOP);
}

static void stopped_before_it_ran(void **state)
{
	(void)state;
	co_vm_stop(VM, CO_VERDICT_KILLED, "early");
	assert_equal(run().exit, CO_EXIT_STOP);
	assert_equal(VM->stats.switches, 0);
}

/* ---- fast calls -------------------------------------------------------------------- */

static void fast_calls_stay_in_one_burst(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		add(CO_CALL_NOP);
	run_to_the_end();
	assert_equal(VM->stats.switches, 11);
	assert_equal(VM->stats.bursts, 1);
	for (i = 0; i < 10; i++)
		assert_equal(answer[i], 0);
}

/* A guest with interrupts off must not keep the host's off for ever. */
static void many_fast_calls_let_the_host_in(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 200; i++)
		add(CO_CALL_NOP);
	run_to_the_end();
	assert_equal(VM->stats.switches, 201);
	assert_true(VM->stats.bursts >= 4);
}

static void unknown_calls(void **state)
{
	(void)state;
	add(CO_CALL_COUNT);
	add(~0ULL);
	add(1ULL << 32);
	run_to_the_end();
	assert_equal(answer[0], CO_ERROR_CALL);
	assert_equal(answer[1], CO_ERROR_CALL);
	assert_equal(answer[2], CO_ERROR_CALL);
}

static void wall_clock(void **state)
{
	(void)state;
	add(CO_CALL_WALLCLOCK);
	run_to_the_end();
	assert_equal(answer[0], host_wall_ns(NULL));
}

static void notify_rings(void **state)
{
	struct co_req_doorbell bell = { .queue = 255, .handle = 2 };

	(void)state;
	assert_equal(co_doorbell_set(VM, &bell), 0);
	add(CO_CALL_NOTIFY)->arg[0] = 255;
	add(CO_CALL_NOTIFY)->arg[0] = 256;
	add(CO_CALL_NOTIFY)->arg[0] = 1ULL << 32 | 255;
	run_to_the_end();
	assert_equal(answer[0], 0);
	assert_equal(answer[1], CO_ERROR_ARG);
	assert_equal(answer[2], CO_ERROR_ARG);
	assert_equal(sim.rung[2], 1);
	assert_equal(VM->stats.notifies, 1);
}

static void timer_call_sets_the_timer(void **state)
{
	co_u64 now = host_time_ns();

	(void)state;
	add(CO_CALL_TIMER)->arg[0] = co_rdtsc() + 2000;
	run_to_the_end();
	assert_equal(sim_timer_next(), now + 1000);
}

/* ---- exits to the daemon ------------------------------------------------------------- */

static void console_text(void **state)
{
	struct co_req_vcpu_run req;
	struct co_call *call = add(CO_CALL_CONSOLE);

	(void)state;
	call->arg[0] = guest_text("Linux version");
	call->arg[1] = 13;
	req = run();
	assert_equal(req.exit, CO_EXIT_CONSOLE);
	assert_equal(req.size, 13);
	assert_memory_equal(req.data, "Linux version", 13);
	run_to_the_end();
	assert_equal(answer[0], 0);
}

static void console_text_not_the_guests(void **state)
{
	static const co_u64 size[] = { 2, CO_TEXT_MAX + 1, ~0ULL };
	co_u32 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct co_call *call = add(CO_CALL_CONSOLE);

		call->arg[0] = VM->memory.highest - 1;
		call->arg[1] = size[i];
	}
	add(CO_CALL_CONSOLE)->arg[1] = 10; /* at 0 */
	run_to_the_end();
	for (i = 0; i < 4; i++)
		assert_equal(answer[i], CO_ERROR_ARG);
}

/* As much as a RUN can carry, and one byte more. */
static void console_text_of_any_length(void **state)
{
	struct co_req_vcpu_run req;
	struct co_call *call = add(CO_CALL_CONSOLE);

	(void)state;
	call->arg[0] = VM->memory.chunk[0].address;
	call->arg[1] = CO_TEXT_MAX;
	call = add(CO_CALL_CONSOLE);
	call->arg[0] = VM->memory.chunk[0].address;
	call->arg[1] = CO_TEXT_MAX + 1;
	req = run();
	assert_equal(req.size, CO_TEXT_MAX);
	assert_memory_equal(req.data, unit_at(VM->memory.chunk[0].address),
			    CO_TEXT_MAX);
	run_to_the_end();
	assert_equal(answer[1], CO_ERROR_ARG);
}

static void device_access(co_u64 nr, co_u32 exit)
{
	struct co_req_vcpu_run req;
	struct co_call *call = add(nr);
	co_u32 i;

	for (i = 0; i < 4; i++)
		call->arg[i] = 7 - i;
	req = run();
	assert_equal(req.exit, exit);
	for (i = 0; i < 4; i++)
		assert_equal(req.arg[i], 7 - i);
	req = (struct co_req_vcpu_run){ .result = 0x1234567890 };
	add_stop(CO_STOP_POWEROFF, "");
	assert_equal(unit_run(&req), 0);
	assert_equal(answer[0], 0x1234567890);
}

static void device_read(void **state)
{
	(void)state;
	device_access(CO_CALL_DEVICE_READ, CO_EXIT_DEVICE_READ);
}

static void device_write(void **state)
{
	(void)state;
	device_access(CO_CALL_DEVICE_WRITE, CO_EXIT_DEVICE_WRITE);
}

static void device_that_is_not_there(void **state)
{
	(void)state;
	add(CO_CALL_DEVICE_READ)->arg[0] = 8;
	add(CO_CALL_DEVICE_WRITE)->arg[0] = ~0ULL;
	run_to_the_end();
	assert_equal(answer[0], CO_ERROR_DEVICE);
	assert_equal(answer[1], CO_ERROR_DEVICE);
}

/* `result` counts for a device's answer only. */
static void result_is_not_for_other_exits(void **state)
{
	struct co_req_vcpu_run req = { .result = 0x666 };
	struct co_call *call = add(CO_CALL_CONSOLE);

	(void)state;
	call->arg[0] = guest_text("x");
	call->arg[1] = 1;
	assert_equal(run().exit, CO_EXIT_CONSOLE);
	add_stop(CO_STOP_POWEROFF, "");
	assert_equal(unit_run(&req), 0);
	assert_equal(answer[0], 0);
}

static void signal_pending(void **state)
{
	(void)state;
	add(CO_CALL_NOP);
	sim.signal = 1;
	assert_equal(run().exit, CO_EXIT_INTR);
	assert_equal(VM->stats.switches, 0);
	sim.signal = 0;
	run_to_the_end();
}

static void want_work(struct co_vcpu *vcpu, struct co_call *call)
{
	scripted(vcpu, call);
	if (done == 1)
		co_store(&sim.work, 1);
}

static void work_is_served_after_a_yield(void **state)
{
	(void)state;
	sim.guest = want_work;
	add(CO_CALL_YIELD);
	run_to_the_end();
	assert_equal(answer[0], 0);
	assert_equal(sim.works, 1);
}

/* ---- idle and events ----------------------------------------------------------------------- */

static void tick(void)
{
	sim_time_advance(1000000);
}

static void idle_until_the_timer(void **state)
{
	(void)state;
	sim.idle = tick;
	add(CO_CALL_TIMER)->arg[0] = co_rdtsc() + 2000;
	add(CO_CALL_IDLE);
	run_to_the_end();
	assert_equal(VM->stats.idles, 1);
	assert_equal(VCPU->area->event.events, CO_EVENT_TIMER);
}

static void idle_with_an_event_pending_does_not_sleep(void **state)
{
	(void)state;
	co_event_set(VCPU, CO_EVENT_CLOCK);
	add(CO_CALL_IDLE);
	run_to_the_end();
}

static void come_signal(void)
{
	co_store(&sim.signal, 1);
}

static void idle_until_a_signal(void **state)
{
	(void)state;
	sim.idle = come_signal;
	add(CO_CALL_IDLE);
	assert_equal(run().exit, CO_EXIT_INTR);
	sim.signal = 0;
	run_to_the_end();
}

static void come_stop(void)
{
	co_vm_stop(VM, CO_VERDICT_KILLED, "while idle");
}

static void idle_until_the_verdict(void **state)
{
	(void)state;
	sim.idle = come_stop;
	add(CO_CALL_IDLE);
	assert_equal(run().exit, CO_EXIT_STOP);
}

/* It made its call with interrupts off: it won't look, an interrupt that waits
 * for it does. One that called with interrupts on looks by itself. */
static void event_for_a_guest_with_interrupts_off(void **state)
{
	(void)state;
	add(CO_CALL_NOP)->flags = 0;
	add(CO_CALL_YIELD)->flags = 0;
	add(CO_CALL_NOP)->flags = CO_CALL_IRQS_ON;
	add(CO_CALL_NOP)->flags = CO_CALL_IRQS_ON;
	co_event_set(VCPU, CO_EVENT_CLOCK);
	run_to_the_end();
	assert_true(kicked[1]);
	assert_true(kicked[2]);
	assert_false(kicked[3]);
	assert_false(kicked[4]);
}

/* ---- interrupts -------------------------------------------------------------------------------- */

static void forwarded_interrupts(void **state)
{
	(void)state;
	add(CO_CALL_FORWARD)->arg[0] = 0x30;
	add(CO_CALL_FORWARD)->arg[0] = 0xff;
	add(CO_CALL_FORWARD)->arg[0] = CO_VECTOR_NMI;
	add(CO_CALL_FORWARD)->arg[0] = CO_VECTOR_MCE;
	run_to_the_end();
	assert_equal(sim.replayed[0x30], 1);
	assert_equal(sim.replayed[0xff], 1);
	assert_equal(sim.replayed[CO_VECTOR_NMI], 1);
	assert_equal(sim.replayed[CO_VECTOR_MCE], 1);
	assert_equal(VM->stats.forwarded, 2);
	assert_equal(VM->stats.nmis, 1);
	assert_equal(VM->stats.mces, 1);
}

/* An exception, the system call gate, the guest's own vector, nonsense. */
static void vectors_that_are_not_the_hosts(void **state)
{
	static const co_u64 bad[] = { 0,    1,	   3,
				      14,   0x1f,  0x80,
				      0xee, 0x100, 1ULL << 32 | 0x30 };
	co_u32 i;

	for (i = 0; i < CO_ARRAY_SIZE(bad); i++) {
		if (i)
			start(state);
		add(CO_CALL_FORWARD)->arg[0] = bad[i];
		assert_equal(run().exit, CO_EXIT_STOP);
		assert_equal(VM->verdict, CO_VERDICT_BADCALL);
		assert_true(strlen(VM->text) > 0);
		if (i + 1 < CO_ARRAY_SIZE(bad))
			unit_end(state);
	}
}

static void hit_the_passage(struct co_vcpu *vcpu, struct co_call *call)
{
	scripted(vcpu, call);
	if (done == 1) {
		vcpu->passage.host->nmi_count = 1;
		vcpu->passage.guest->nmi_count = 2;
		vcpu->passage.guest->mce_count = 1;
	}
}

/* In the middle of fast calls: replayed at once, outside the burst. */
static void nmis_that_hit_the_passage(void **state)
{
	(void)state;
	sim.guest = hit_the_passage;
	add(CO_CALL_NOP);
	add(CO_CALL_NOP);
	run_to_the_end();
	assert_equal(sim.replayed[CO_VECTOR_NMI], 1);
	assert_equal(sim.replayed[CO_VECTOR_MCE], 1);
	assert_equal(VM->stats.nmis_passage, 3);
	assert_equal(VM->stats.mces, 1);
	assert_equal(VM->stats.bursts, 2);
	assert_equal(VCPU->passage.host->nmi_count, 0);
	assert_equal(VCPU->passage.guest->nmi_count, 0);
}

/* ---- verdicts ------------------------------------------------------------------------------------- */

static void verdict_of(co_u64 reason, const char *text, co_u32 verdict,
		       const char *expected)
{
	add_stop(reason, text);
	assert_equal(run().exit, CO_EXIT_STOP);
	assert_equal(VM->verdict, verdict);
	assert_string_equal(VM->text, expected);
	/* for good */
	assert_equal(run().exit, CO_EXIT_STOP);
	assert_equal(done, calls);
}

static void panic_with_its_text(void **state)
{
	(void)state;
	verdict_of(CO_STOP_PANIC, "Attempted to kill init!", CO_STOP_PANIC,
		   "Attempted to kill init!");
}

static void text_is_made_printable(void **state)
{
	(void)state;
	verdict_of(CO_STOP_PANIC, "a\x1b[2Jb\nc\xff %s", CO_STOP_PANIC,
		   "a [2Jb c  %s");
}

static void unknown_reason(void **state)
{
	(void)state;
	verdict_of(77, "", CO_VERDICT_BADCALL,
		   "stop with the unknown reason 77");
}

/* A host's verdict is not the guest's to give. */
static void reason_that_looks_like_a_verdict(void **state)
{
	(void)state;
	verdict_of(CO_VERDICT_KILLED, "", CO_VERDICT_BADCALL,
		   "stop with the unknown reason 256");
}

static void text_outside_memory(void **state)
{
	struct co_call *call = add(CO_CALL_STOP);

	(void)state;
	call->arg[0] = CO_STOP_PANIC;
	call->arg[1] = ~0ULL - 5;
	call->arg[2] = 10;
	assert_equal(run().exit, CO_EXIT_STOP);
	assert_equal(VM->verdict, CO_STOP_PANIC);
	assert_string_equal(VM->text, "");
}

static void handler_takes_5_ms(void)
{
	sim_time_advance(5 * 1000000);
}

static void event_after_7_ms(void)
{
	sim_time_advance(7 * 1000000);
	co_event_set(VCPU, CO_EVENT_CLOCK);
}

/* What an interrupt's handler takes was wanted by the guest; its sleep wasn't. */
static void stolen_time(void **state)
{
	(void)state;
	sim.replay = handler_takes_5_ms;
	sim.idle = event_after_7_ms;
	add(CO_CALL_FORWARD)->arg[0] = 0x30;
	add(CO_CALL_IDLE);
	add(CO_CALL_FORWARD)->arg[0] = 0x31;
	run_to_the_end();
	assert_equal(VCPU->area->event.steal_ns, 10 * 1000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_loaded, unit_start_vm,
						unit_end),
		TEST(no_such_vcpu),
		TEST(second_run_of_the_same_vcpu),
		TEST(stopped_before_it_ran),
		TEST(fast_calls_stay_in_one_burst),
		TEST(many_fast_calls_let_the_host_in),
		TEST(unknown_calls),
		TEST(wall_clock),
		TEST(notify_rings),
		TEST(timer_call_sets_the_timer),
		TEST(console_text),
		TEST(console_text_not_the_guests),
		TEST(console_text_of_any_length),
		TEST(device_read),
		TEST(device_write),
		TEST(device_that_is_not_there),
		TEST(result_is_not_for_other_exits),
		TEST(signal_pending),
		TEST(work_is_served_after_a_yield),
		TEST(idle_until_the_timer),
		TEST(idle_with_an_event_pending_does_not_sleep),
		TEST(idle_until_a_signal),
		TEST(idle_until_the_verdict),
		TEST(event_for_a_guest_with_interrupts_off),
		TEST(forwarded_interrupts),
		TEST(stolen_time),
		TEST(vectors_that_are_not_the_hosts),
		TEST(nmis_that_hit_the_passage),
		TEST(panic_with_its_text),
		TEST(text_is_made_printable),
		TEST(unknown_reason),
		TEST(reason_that_looks_like_a_verdict),
		TEST(text_outside_memory),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
