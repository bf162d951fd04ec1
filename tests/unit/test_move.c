// SPDX-License-Identifier: GPL-2.0
/*
 * map.c, move.c: blocks that come and go while the guest runs, what is refused,
 * and that nobody reaches a block that has gone.
 */
#include <pthread.h>

#include "unit.h"

#define BLOCK CO_MEMORY_BLOCK
#define START (64 * MIB)

static struct co_call call;
static co_u64 answer;
static bool called;

/* Makes one call, then goes idle until the test stops the RUN by a signal. */
static void one_call(struct co_vcpu *vcpu, struct co_call *out)
{
	if (called) {
		answer = vcpu->area->passage.result;
		co_store(&sim.signal, 1);
		out->nr = CO_CALL_YIELD;
		return;
	}
	called = true;
	*out = call;
}

static co_u64 guest_calls(co_u64 nr, co_u64 arg0, co_u64 arg1)
{
	struct co_req_vcpu_run req = { .vcpu = 0 };

	call = (struct co_call){ .nr = nr, .arg = { arg0, arg1 } };
	called = false;
	answer = 0xeeee;
	sim.guest = one_call;
	assert_equal(unit_run(&req), 0);
	assert_equal(req.exit, CO_EXIT_INTR);
	co_store(&sim.signal, 0);
	return answer;
}

static co_u64 give(co_u64 pa, co_u64 size)
{
	return guest_calls(CO_CALL_MEMORY_GIVE, pa, size);
}

static co_u64 take(co_u64 wish, co_u64 size)
{
	return guest_calls(CO_CALL_MEMORY_TAKE, wish, size);
}

/* 64 MiB that may become 96, the image loaded. */
static int start(void **state)
{
	struct co_req_vm_create req = create_request(START);
	struct co_req_vm_load load;

	if (unit_start(state))
		return -1;
	req.memory_max = 96 * MIB;
	load = load_request(&unit.image);
	if (co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req), OWNER))
		return -1;
	return unit_load(&load);
}

/* A block in the middle, between image and reserved range. */
static co_u64 middle(void)
{
	return VM->memory.chunk[0].address + 32 * MIB;
}

static co_u64 main_end(void)
{
	const struct co_chunk *main = &VM->memory.chunk[0];

	return main->address + main->size;
}

static struct co_req_vm_info info(void)
{
	struct co_req_vm_info info = { .verdict = 0 };

	co_vm_info(VM, &info);
	return info;
}

/* ---- the two ways ----------------------------------------------------------- */

static void given_is_the_hosts(void **state)
{
	co_u64 pa = middle();

	(void)state;
	assert_equal(give(pa, BLOCK), 0);
	assert_false(sim_memory_owned(pa));
	assert_true(sim_memory_owned(pa - 1));
	assert_true(sim_memory_owned(pa + BLOCK));
	assert_equal(sim.chunk_bytes, START - BLOCK);
	assert_false(co_memory_has(&VM->memory, pa, 1));
	assert_false(co_memory_has(&VM->memory, pa - 1, 2));
	assert_true(co_memory_has(&VM->memory, pa - 1, 1));
	assert_true(co_memory_has(&VM->memory, pa + BLOCK, BLOCK));
	assert_equal(info().memory, START - BLOCK);
	assert_equal(info().memory_returned, BLOCK);
}

static void wished_frames_come_back_zeroed(void **state)
{
	co_u64 pa = middle();

	(void)state;
	memset(unit_at(pa), 0x5a, BLOCK);
	assert_equal(give(pa, BLOCK), 0);
	assert_equal(take(pa, BLOCK), pa);
	assert_true(co_memory_has(&VM->memory, pa, BLOCK));
	assert_equal(*(co_u64 *)host_chunk_va(pa), 0);
	assert_equal(info().memory_returned, 0);
}

static void other_frames_when_the_wished_are_taken(void **state)
{
	co_u64 pa = middle(), other = pa, got;

	(void)state;
	assert_equal(give(pa, BLOCK), 0);
	assert_equal(host_chunk_alloc(BLOCK, BLOCK, &other), 0);
	got = take(pa, BLOCK);
	assert_true(got < CO_ERROR_MIN && got != pa && got % BLOCK == 0);
	assert_true(co_memory_has(&VM->memory, got, BLOCK));
	assert_false(co_memory_has(&VM->memory, pa, 1));
	host_chunk_free(NULL, other, BLOCK);
}

/* Where several are wished the guest knows the place: it's that or none. */
static void several_are_those_or_none(void **state)
{
	co_u64 pa = middle(), other = pa + BLOCK;

	(void)state;
	assert_equal(give(pa, 3 * BLOCK), 0);
	assert_equal(host_chunk_alloc(BLOCK, BLOCK, &other), 0);
	assert_equal(take(pa, 3 * BLOCK), CO_ERROR_MEMORY);
	host_chunk_free(NULL, other, BLOCK);
	assert_equal(take(pa, 3 * BLOCK), pa);
	assert_equal(info().memory, START);
}

static void grows_to_its_most_and_no_more(void **state)
{
	(void)state;
	assert_true(take(0, 32 * MIB) < CO_ERROR_MIN);
	assert_equal(info().memory, 96 * MIB);
	assert_equal(take(0, BLOCK), CO_ERROR_MEMORY);
	assert_equal(sim.chunk_bytes, 96 * MIB);
}

static void limit_holds(void **state)
{
	struct co_req_vm_raise raise = { .events = CO_EVENT_MEMORY,
					 .value = START };

	(void)state;
	assert_equal(co_event_raise(VM, &raise), 0);
	assert_equal(take(0, BLOCK), CO_ERROR_MEMORY);
	assert_equal(give(middle(), BLOCK), 0);
	assert_equal(take(0, 2 * BLOCK), CO_ERROR_MEMORY);
	assert_true(take(0, BLOCK) < CO_ERROR_MIN);
	raise.value = 32 * MIB; /* less than it has */
	assert_equal(co_event_raise(VM, &raise), 0);
	assert_equal(take(0, BLOCK), CO_ERROR_MEMORY);
}

static void host_keeps_its_reserve(void **state)
{
	(void)state;
	sim.memory_taken = sim.memory_total - START - co_memory_reserve() - BLOCK;
	assert_equal(take(0, 2 * BLOCK), CO_ERROR_MEMORY);
	assert_true(take(0, BLOCK) < CO_ERROR_MIN);
	assert_equal(take(0, BLOCK), CO_ERROR_MEMORY);
}

/* ---- what is refused ---------------------------------------------------------- */

static void never_given(void **state)
{
	const struct co_chunk *main = &VM->memory.chunk[0];
	co_u64 end = main->address + main->size;

	(void)state;
	/* image, reserved range, and what includes them */
	assert_equal(give(main->address, BLOCK), CO_ERROR_ARG);
	assert_equal(give(end - BLOCK, BLOCK), CO_ERROR_ARG);
	assert_equal(give(main->address, main->size), CO_ERROR_ARG);
	assert_equal(give(end - 2 * BLOCK, 2 * BLOCK), CO_ERROR_ARG);
	assert_equal(sim.chunk_bytes, START);
}

static void bad_arguments(void **state)
{
	co_u64 pa = middle();

	(void)state;
	assert_equal(give(pa, 0), CO_ERROR_ARG);
	assert_equal(give(pa + 4096, BLOCK), CO_ERROR_ARG);
	assert_equal(give(pa, BLOCK + 4096), CO_ERROR_ARG);
	assert_equal(give(pa, CO_MEMORY_MOVE + BLOCK), CO_ERROR_ARG);
	assert_equal(give(~0ULL << 21, BLOCK), CO_ERROR_ARG);
	assert_equal(give(0, BLOCK), CO_ERROR_ARG);
	assert_equal(give(main_end(), BLOCK), CO_ERROR_ARG);
	assert_equal(take(pa, BLOCK), CO_ERROR_ARG); /* has it */
	assert_equal(take(main_end() - BLOCK, 2 * BLOCK), CO_ERROR_ARG);
	assert_equal(take(0, 0), CO_ERROR_ARG);
	assert_equal(take(4096, BLOCK), CO_ERROR_ARG);
	assert_equal(take(0, CO_MEMORY_MOVE + BLOCK), CO_ERROR_ARG);
	assert_equal(take(~0ULL << 21, BLOCK), CO_ERROR_ARG);
	assert_equal(take(VM->memory.highest, BLOCK), CO_ERROR_ARG);
	assert_equal(take(VM->memory.highest - BLOCK, 2 * BLOCK), CO_ERROR_ARG);
	assert_equal(sim.chunk_bytes, START);
	assert_equal(info().memory, START);
}

static void given_twice(void **state)
{
	(void)state;
	assert_equal(give(middle(), BLOCK), 0);
	assert_equal(give(middle(), BLOCK), CO_ERROR_ARG);
	assert_equal(give(middle() - BLOCK, 2 * BLOCK), CO_ERROR_ARG);
	assert_equal(sim.chunk_bytes, START - BLOCK);
}

/* Text in a block that has gone, and text that reaches into it. */
static void text_in_a_given_block(void **state)
{
	co_u64 pa = middle();

	(void)state;
	assert_equal(give(pa, BLOCK), 0);
	assert_equal(guest_calls(CO_CALL_CONSOLE, pa, 10), CO_ERROR_ARG);
	assert_equal(guest_calls(CO_CALL_CONSOLE, pa - 5, 10), CO_ERROR_ARG);
	assert_equal(guest_calls(CO_CALL_CONSOLE, pa + BLOCK - 5, 10),
		     CO_ERROR_ARG);
}

static void text_across_two_blocks(void **state)
{
	co_u64 pa = middle();
	char text[10];

	(void)state;
	memcpy(unit_at(pa - 5), "one two", 8);
	assert_true(co_memory_read(&VM->memory, pa - 5, text, 8));
	assert_string_equal(text, "one two");
}

/* ---- what fails ------------------------------------------------------------------ */

/* No frames, or no leaf for the map: refused, and nothing is lost. */
static void allocations_fail(void **state)
{
	co_u64 far = 200 * GIB, nth, got = CO_ERROR_MEMORY;

	(void)state;
	sim_memory_add(far, 64 * MIB);
	VM->memory.highest = far + 64 * MIB;
	for (nth = 1; got == CO_ERROR_MEMORY; nth++) {
		sim.fail_at = sim.allocations + nth;
		got = take(far, 2 * BLOCK);
		if (got == CO_ERROR_MEMORY)
			assert_equal(sim.chunk_bytes, START);
	}
	assert_equal(nth, 4);
	assert_equal(got, far);
	assert_true(co_memory_has(&VM->memory, far, 2 * BLOCK));
}

/* Memory that the host got later lies outside of what the daemon has mapped. */
static void frames_out_of_the_daemons_reach(void **state)
{
	(void)state;
	sim_memory_add(200 * GIB, 64 * MIB);
	assert_equal(take(0, BLOCK), CO_ERROR_MEMORY);
	assert_equal(sim.chunk_bytes, START);
}

/* ---- order and races ---------------------------------------------------------------- */

static co_u32 left;

static void look(struct co_file *file, co_u64 pa, co_u64 size)
{
	left++;
	assert_ptr_equal(file, &unit.file);
	assert_false(co_memory_has_any(&VM->memory, pa, size));
	assert_true(sim_memory_owned(pa));
}

/* Nobody new can come when those who are there are waited for. */
static void refused_before_it_leaves(void **state)
{
	(void)state;
	left = 0;
	sim.leaving = look;
	assert_equal(give(middle(), 2 * BLOCK), 0);
	sim.leaving = NULL;
	assert_equal(left, 1);
}

static void asks_when_the_host_is_short(void **state)
{
	(void)state;
	co_memory_ask(VM, 10 * MIB);
	assert_equal(VCPU->area->event.memory_ask, 10 * MIB);
	assert_equal(VCPU->area->event.events, CO_EVENT_MEMORY);
}

/* One thread moves a block out and in, another reads it: it gets all or
 * nothing, and never what isn't there any more. */
static void *reader(void *arg)
{
	char text[64];
	co_u32 i;

	(void)arg;
	for (i = 0; i < 20000; i++)
		if (co_memory_read(&VM->memory, middle() - 8, text, 64))
			assert_equal(text[0], 'x');
	return NULL;
}

static void read_while_it_moves(void **state)
{
	pthread_t thread;
	co_u32 i;

	(void)state;
	memset(unit_at(middle() - 8), 'x', 8);
	assert_equal(pthread_create(&thread, NULL, reader, NULL), 0);
	for (i = 0; i < 200; i++) {
		assert_equal(give(middle(), BLOCK), 0);
		assert_equal(take(middle(), BLOCK), middle());
	}
	pthread_join(thread, NULL);
}

static co_u32 grown;

/* Never less than nothing was given back. */
static void *info_reader(void *arg)
{
	struct co_req_vm_info info;

	(void)arg;
	while (!co_load(&grown)) {
		memset(&info, 0, sizeof(info));
		co_vm_info(VM, &info);
		if (info.memory_returned > 64 * GIB)
			return (void *)"less than nothing";
	}
	return NULL;
}

/* The map alone: blocks that nobody touches. */
static void grow_and_shrink(void)
{
	co_u64 pa, end = 56 * GIB;

	for (pa = 16 * GIB; pa < end; pa += BLOCK)
		co_map_set(&VM->memory, pa, BLOCK, true);
	co_map_set(&VM->memory, 16 * GIB, 40 * GIB, false);
}

static void counted_while_it_grows(void **state)
{
	co_u64 peak = VM->memory.peak;
	pthread_t thread;
	void *error;
	co_u32 i;

	(void)state;
	assert_equal(co_map_prepare(&VM->memory, 16 * GIB, 40 * GIB), 0);
	for (i = 0; i < 10; i++) {
		VM->memory.peak = peak;
		grown = 0;
		assert_equal(pthread_create(&thread, NULL, info_reader, NULL),
			     0);
		grow_and_shrink();
		co_store(&grown, 1);
		pthread_join(thread, &error);
		assert_null(error);
		assert_equal(VM->memory.peak, VM->memory.size + 40 * GIB);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(given_is_the_hosts),
		TEST(wished_frames_come_back_zeroed),
		TEST(other_frames_when_the_wished_are_taken),
		TEST(several_are_those_or_none),
		TEST(grows_to_its_most_and_no_more),
		TEST(limit_holds),
		TEST(host_keeps_its_reserve),
		TEST(never_given),
		TEST(bad_arguments),
		TEST(given_twice),
		TEST(text_in_a_given_block),
		TEST(text_across_two_blocks),
		TEST(allocations_fail),
		TEST(frames_out_of_the_daemons_reach),
		TEST(refused_before_it_leaves),
		TEST(asks_when_the_host_is_short),
		TEST(read_while_it_moves),
		TEST(counted_while_it_grows),
	};

	return cmocka_run_group_tests_name("move", tests, NULL, NULL);
}
