// SPDX-License-Identifier: GPL-2.0
/* A VM's memory, its runs, its doorbells; and each allocation failing once. */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- memory --------------------------------------------------------------- */

static void the_process_sees_what_the_guest_has(void **state)
{
	const struct co_chunk *chunk;
	co_u64 last, before;

	(void)state;
	run_loaded(1);
	chunk = &vm()->memory.chunk[0];
	assert_equal(vm()->memory.count, 1);
	*(co_u64 *)host_chunk_va(chunk->address) = 0x1234;
	assert_equal(*(co_u64 *)(USER_BASE + chunk->address - created.lowest), 0x1234);
	last = chunk->address;
	while (last < chunk->address + 4 * MIB)
		last += 2 * MIB;
	before = fake.free_blocks;
	guest_moves(CO_CALL_MEMORY_GIVE, last, 2 * MIB);
	assert_equal(got, 0);
	assert_false(user_has(last));
	/* It was part of the linear piece, and stays with the driver. */
	assert_equal(fake.free_blocks, before);
	assert_equal(nt_pool_bytes(NULL), 2 * MIB);
	/* Again: the same one, wiped. */
	*(co_u64 *)host_chunk_va(last) = 0x1234;
	guest_moves(CO_CALL_MEMORY_TAKE, last, 2 * MIB);
	assert_equal(got, last);
	assert_true(user_has(last));
	assert_equal(*(co_u64 *)(USER_BASE + last - created.lowest), 0);
	assert_equal(unmap_vm(), 0);
	assert_equal(fake.user_maps, 0);
	assert_equal(unmap_vm(), -CO_EINVAL);
}

/* Two chunks: what isn't the main one's goes back to the system block by block. */
static void a_block_given_back_is_the_systems(void **state)
{
	struct co_nt_map map;
	co_u64 pa, before;

	(void)state;
	assert_equal(create_vm(96 * MIB), 0);
	assert_true(vm()->memory.count > 1);
	map = map_request();
	assert_equal(map_vm(&map), 0);
	assert_equal(load_vm(), 0);
	pa = vm()->memory.chunk[!vm()->memory.main].address;
	before = fake.free_blocks;
	guest_moves(CO_CALL_MEMORY_GIVE, pa, 2 * MIB);
	assert_equal(got, 0);
	assert_equal(fake.free_blocks, before + 1);
	assert_false(user_has(pa));
	assert_null(nt_block_at(pa)->mdl);
	guest_moves(CO_CALL_MEMORY_TAKE, pa, 2 * MIB);
	assert_equal(got, pa);
	assert_true(user_has(pa));
	assert_equal(fake.free_blocks, before);
}

static void a_place_that_is_taken_refuses_the_map(void **state)
{
	struct co_nt_map map;
	co_u64 pa;
	void *other;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	map = map_request();
	map.base += 4096;
	assert_equal(map_vm(&map), -CO_EINVAL);
	map = map_request();
	map.highest += 1;
	assert_equal(map_vm(&map), -CO_EINVAL);
	pa = vm()->memory.chunk[0].address + 8 * MIB;
	other = mmap((void *)(USER_BASE + pa - created.lowest), 4096, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	map = map_request();
	assert_equal(map_vm(&map), -CO_ENOMEM);
	assert_equal(fake.user_maps, 0);
	munmap(other, 4096);
	assert_equal(map_vm(&map), 0);
	assert_equal(map_vm(&map), -CO_EBUSY);
}

static void close_file(void)
{
	fake_cleanup(file);
	fake_close(file);
	file = NULL;
}

/* The next VM gets the piece that the last one left. */
static void one_piece_is_kept_for_the_next(void **state)
{
	ntstatus status;
	co_u64 pa;

	(void)state;
	run_loaded(1);
	pa = vm()->memory.chunk[0].address;
	*(co_u64 *)host_chunk_va(pa) = 0x1234;
	assert_equal(unmap_vm(), 0);
	close_file();
	assert_equal(nt_pool_bytes(NULL), VM_SIZE);
	file = fake_open(&status);
	assert_equal(create_vm(VM_SIZE), 0);
	assert_equal(vm()->memory.chunk[0].address, pa);
	assert_equal(*(co_u64 *)host_chunk_va(pa), 0);
	assert_equal(nt_pool_bytes(NULL), 0);
	assert_equal(load_vm(), 0);
}

/* A disk may still be reading into it. */
static void no_piece_is_kept_of_a_daemon_that_was_killed(void **state)
{
	ntstatus status;

	(void)state;
	run_loaded(1);
	close_file();
	assert_equal(nt_pool_bytes(NULL), 0);
	assert_equal(fake.free_blocks, 128);
	file = fake_open(&status);
	run_loaded(1);
	fake_process_ended();
	close_file();
	assert_equal(nt_pool_bytes(NULL), 0);
	assert_equal(fake.free_blocks, 128);
}

/* Mapped again after an orderly end of the first mapping. */
static void a_second_mapping_has_to_end_well_too(void **state)
{
	struct co_nt_map map;

	(void)state;
	run_loaded(1);
	assert_equal(unmap_vm(), 0);
	map = map_request();
	assert_equal(map_vm(&map), 0);
	close_file();
	assert_equal(nt_pool_bytes(NULL), 0);
}

/* What one guest gave back of its piece is for that one only, as long as it has any. */
static void another_guest_gets_none_of_a_piece(void **state)
{
	struct nt_file_object *first;
	ntstatus status;
	co_u64 pa;

	(void)state;
	run_loaded(1);
	first = file;
	pa = vm()->memory.chunk[0].address + 8 * MIB;
	guest_moves(CO_CALL_MEMORY_GIVE, pa, 2 * MIB);
	assert_equal(got, 0);
	assert_equal(nt_pool_bytes(NULL), 2 * MIB);
	assert_equal(nt_pool_bytes(first->context), 2 * MIB);
	file = fake_open(&status);
	assert_equal(nt_pool_bytes(file->context), 0);
	assert_equal(create_vm(48 * MIB), 0);
	vm()->memory_max += 2 * MIB;
	vm()->memory_limit += 2 * MIB;
	assert_equal(load_vm(), 0);
	guest_moves(CO_CALL_MEMORY_TAKE, pa, 2 * MIB);
	assert_true(got != pa && got && !(got & (2 * MIB - 1)));
	close_file();
	file = first;
	guest_moves(CO_CALL_MEMORY_TAKE, pa, 2 * MIB);
	assert_equal(got, pa);
}

/* Somebody else has a duplicate of its handle, and closes it later. */
static void a_daemon_that_ends_has_nothing_mapped(void **state)
{
	struct co_req_vcpu_run run = { .vcpu = 0 };
	struct co_nt_map map;

	(void)state;
	run_loaded(1);
	fake_process = fake_second;
	fake_process_ended();
	fake_process = fake_first;
	fake_process_started();
	assert_equal(fake.user_maps, VM_SIZE / (2 * MIB));
	assert_equal(vm()->verdict, CO_VERDICT_NONE);
	fake_process_ended();
	assert_equal(fake.user_maps, 0);
	assert_equal(vm()->verdict, CO_VERDICT_KILLED);
	/* Another process, at the old one's address. */
	fake_process = fake_first;
	assert_equal(ask(CO_REQ_VCPU_RUN, &run), -CO_EPERM);
	map = map_request();
	assert_equal(map_vm(&map), -CO_EPERM);
	fake_process = fake_second;
	close_file();
}

/* It made a VM, and hadn't mapped it yet. */
static void a_daemon_that_ends_early_leaves_no_owner(void **state)
{
	struct co_nt_map map;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	fake_process_ended();
	fake_process = fake_first;
	map = map_request();
	assert_equal(map_vm(&map), -CO_EPERM);
}

/* ---- running ------------------------------------------------------------------------------------ */

static co_u32 entered;

static void busy_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	(void)vcpu;
	co_store(&entered, 1);
	sched_yield();
	call->nr = CO_CALL_YIELD;
}

/* Leaves for an interrupt only. */
static void stubborn_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	co_u64 before = co_load(&fake.kicks);

	(void)vcpu;
	co_store(&entered, 1);
	while (co_load(&fake.kicks) == before)
		sched_yield();
	call->nr = CO_CALL_YIELD;
}

static void idle_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	(void)vcpu;
	co_store(&entered, 1);
	call->nr = CO_CALL_IDLE;
}

static struct co_req_vcpu_run run_request;
static co_u8 run_answer[sizeof(run_request) + 8];

static struct fake_irp *run_irp(void)
{
	run_request = (struct co_req_vcpu_run){ .vcpu = 0 };
	return fake_irp(file, CO_NT_REQUEST(CO_REQ_VCPU_RUN), &run_request,
			sizeof(run_request), run_answer, sizeof(run_answer));
}

static void *run_thread(void *irp)
{
	fake_process = fake_first;
	fake_send(irp);
	return NULL;
}

static void expect_interrupted(struct fake_irp *r)
{
	struct co_nt_result result;

	assert_equal(r->status, STATUS_SUCCESS);
	memcpy(&run_request, run_answer, sizeof(run_request));
	memcpy(&result, run_answer + sizeof(run_request), sizeof(result));
	assert_equal(result.error, 0);
	assert_equal(run_request.exit, CO_EXIT_INTR);
	fake_free(r);
}

static void cancel_when(void (*guest)(struct co_vcpu *, struct co_call *), int turns)
{
	struct fake_irp *r = run_irp();
	pthread_t thread;
	int i;

	fake.guest = guest;
	entered = 0;
	pthread_create(&thread, NULL, run_thread, r);
	while (turns && !co_load(&entered))
		sched_yield();
	for (i = 1; i < turns; i++)
		sched_yield();
	fake_cancel(r);
	pthread_join(thread, NULL);
	expect_interrupted(r);
}

static void a_run_is_cancelled_anywhere(void **state)
{
	struct fake_irp *r;
	int i;

	(void)state;
	run_loaded(1);
	for (i = 0; i < 300; i++) {
		cancel_when(busy_guest, i % 20);
		cancel_when(idle_guest, i % 20);
		cancel_when(stubborn_guest, i % 20 + 1);
	}
	r = run_irp();
	fake_cancel(r);
	fake_send(r);
	expect_interrupted(r);
}

static void closing_ends_a_run(void **state)
{
	struct fake_irp *r;
	pthread_t thread;

	(void)state;
	run_loaded(1);
	r = run_irp();
	fake.guest = idle_guest;
	entered = 0;
	pthread_create(&thread, NULL, run_thread, r);
	while (!co_load(&entered))
		sched_yield();
	fake_cleanup(file);
	pthread_join(thread, NULL);
	fake_free(r);
	memcpy(&run_request, run_answer, sizeof(run_request));
	assert_true(run_request.exit == CO_EXIT_STOP || run_request.exit == CO_EXIT_INTR);
	assert_equal(fake.user_maps, 0);
}

/* ---- doorbells -------------------------------------------------------------------------------------- */

static int hang_bell(co_u32 queue, co_s64 bell)
{
	struct co_req_doorbell req = { .queue = queue, .handle = bell };

	return ask(CO_REQ_DOORBELL, &req);
}

static void ring(co_u32 queue)
{
	/* As a guest's call does it: in a burst. */
	nt_irqs_off();
	co_doorbell_ring(vm(), queue);
	nt_irqs_on();
}

static struct fake_irp *wait_for(co_u32 bell, struct co_nt_bells *req)
{
	memset(req, 0, sizeof(*req));
	req->wanted[bell / 64] = 1ULL << bell % 64;
	return fake_irp(file, CO_NT_BELLS, req, sizeof(*req), req, sizeof(*req));
}

static void a_bell_is_heard_once(void **state)
{
	struct co_nt_bells req;
	struct fake_irp *r;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	assert_equal(hang_bell(3, 256), -CO_EINVAL);
	assert_equal(hang_bell(3, -2), -CO_EINVAL);
	assert_equal(hang_bell(3, 77), 0);
	ring(3);
	ring(3);
	r = wait_for(77, &req);
	assert_equal(fake_send(r), STATUS_SUCCESS);
	assert_equal(req.rung[1], 1ULL << 13);
	fake_free(r);
	r = wait_for(77, &req);
	assert_equal(fake_send(r), STATUS_PENDING);
	ring(3);
	fake_wait(r);
	assert_equal(r->status, STATUS_SUCCESS);
	assert_equal(req.rung[1], 1ULL << 13);
	fake_free(r);
	r = wait_for(77, &req);
	assert_equal(fake_send(r), STATUS_PENDING);
	fake_cancel(r);
	assert_equal(r->status, STATUS_CANCELLED);
	fake_free(r);
	r = wait_for(77, &req);
	r->irp.cancel = 1;
	assert_equal(fake_send(r), STATUS_CANCELLED);
	fake_free(r);
	r = wait_for(77, &req);
	assert_equal(fake_send(r), STATUS_PENDING);
	fake_cleanup(file);
	assert_equal(r->status, STATUS_CANCELLED);
	fake_free(r);
	memset(&req, 0, sizeof(req));
	try_sizes(CO_NT_BELLS, 64, 63, STATUS_INVALID_PARAMETER);
}

static co_u32 rings_left;

static void *ringer(void *unused)
{
	unsigned int seed = 7;

	while (co_load(&rings_left)) {
		if (rand_r(&seed) % 3)
			ring((co_u32)rand_r(&seed) % 4);
		sched_yield();
	}
	return unused;
}

/* A ring, a cancel and a wait meet in all orders: each request is completed once,
 * and each ring that nobody took is still there. */
static void bells_and_cancels_race(void **state)
{
	struct co_nt_bells req;
	struct fake_irp *r;
	pthread_t thread;
	unsigned int seed = 3;
	co_u32 i, heard = 0, cancelled = 0;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	for (i = 0; i < 4; i++)
		assert_equal(hang_bell(i, i), 0);
	rings_left = 1;
	pthread_create(&thread, NULL, ringer, NULL);
	for (i = 0; i < 20000; i++) {
		r = wait_for(i % 4, &req);
		fake_send(r);
		if (rand_r(&seed) % 4)
			fake_cancel(r);
		fake_wait(r);
		heard += r->status == STATUS_SUCCESS;
		cancelled += r->status == STATUS_CANCELLED;
		if (r->status == STATUS_SUCCESS)
			assert_equal(req.rung[0], 1ULL << i % 4);
		fake_free(r);
	}
	co_store(&rings_left, 0);
	pthread_join(thread, NULL);
	assert_equal(heard + cancelled, 20000);
	assert_true(heard > 100 && cancelled > 100);
	ring(1);
	r = wait_for(1, &req);
	assert_equal(fake_send(r), STATUS_SUCCESS);
	fake_free(r);
}

/* ---- failures ------------------------------------------------------------------------------------------------ */

/* All that a daemon does; false where something was refused, which then has left
 * nothing behind. */
static void live(void)
{
	struct co_req_vcpu_run run = { .vcpu = 0 };
	struct co_nt_map map;
	ntstatus status;

	file = fake_open(&status);
	if (!file)
		return;
	if (!create_vm(48 * MIB)) {
		map = map_request();
		if (!map_vm(&map) && !load_vm()) {
			moves = 0;
			move = CO_CALL_MEMORY_TAKE;
			wish = 0;
			size = 2 * MIB;
			vm()->memory_max += 2 * MIB;
			vm()->memory_limit += 2 * MIB;
			fake.guest = moving_guest;
			assert_equal(ask(CO_REQ_VCPU_RUN, &run), 0);
		}
	}
	fake_cleanup(file);
	fake_close(file);
	file = NULL;
}

static co_u64 sweep(co_u32 major, co_u32 minor)
{
	co_u64 n = 0;

	/* Until the one that should fail doesn't come any more. */
	do {
		fake_start();
		fake.major = major;
		fake.minor = minor;
		fake.fail_at = ++n;
		fake_memory_start();
		if (!NT_ERROR(fake_load())) {
			live();
			fake_unload();
		}
		assert_equal(fake.free_blocks, 128);
		fake_end();
	} while (fake.allocations >= n);
	return n;
}

static void each_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(sweep(10, 0) > 100);
	assert_true(sweep(6, 1) > 100);
	assert_true(sweep(5, 2) > 50);
}

/* The oldest: contiguous memory, ticks, no numbers of CPUs, no NX pool. */
static void server_2003_runs_a_guest(void **state)
{
	struct co_nt_facts facts;

	(void)state;
	assert_equal(fake_control(file, CO_NT_FACTS, NULL, 0, &facts, sizeof(facts)), 0);
	assert_equal(facts.flags & ~(CO_NT_HYPERVISOR | CO_NT_TESTSIGN), 0);
	run_loaded(1);
	guest_moves(CO_CALL_MEMORY_GIVE, vm()->memory.chunk[0].address + 8 * MIB,
		    2 * MIB);
	assert_equal(got, 0);
	guest_moves(CO_CALL_MEMORY_TAKE, 0, 2 * MIB);
	assert_true(got && !(got & (2 * MIB - 1)));
	assert_true(user_has(got));
}

static int start_2003(void **state)
{
	(void)state;
	return start_on(5, 2);
}

int test_vm(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_process_sees_what_the_guest_has),
		TEST(a_block_given_back_is_the_systems),
		TEST(a_place_that_is_taken_refuses_the_map),
		TEST(one_piece_is_kept_for_the_next),
		TEST(no_piece_is_kept_of_a_daemon_that_was_killed),
		TEST(a_second_mapping_has_to_end_well_too),
		TEST(another_guest_gets_none_of_a_piece),
		TEST(a_daemon_that_ends_has_nothing_mapped),
		TEST(a_daemon_that_ends_early_leaves_no_owner),
		TEST(a_run_is_cancelled_anywhere),
		TEST(closing_ends_a_run),
		TEST(a_bell_is_heard_once),
		TEST(bells_and_cancels_race),
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test_setup_teardown(server_2003_runs_a_guest, start_2003, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
