// SPDX-License-Identifier: GPL-2.0
/* A VM's runs, its doorbells; and each allocation failing once. */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* Until the guest has been entered. */
static struct fake_irp *run_begin(pthread_t *thread,
				  void (*guest)(struct co_vcpu *, struct co_call *))
{
	struct fake_irp *r = run_irp();

	fake.guest = guest;
	entered = 0;
	pthread_create(thread, NULL, run_thread, r);
	while (!co_load(&entered))
		sched_yield();
	return r;
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

#define HOUR (3600 * 10000000ULL)

/* Told where the system can't be asked for the time, by one without a precise clock; it
 * makes no request meanwhile. */
static void a_vcpu_wakes_for_the_clocks_step(void **state)
{
	struct fake_irp *r;
	pthread_t thread;
	co_u8 old;
	int i;

	(void)state;
	run_loaded(1);
	r = run_begin(&thread, idle_guest);
	co_store(&fake.wall, HOUR);
	old = KfRaiseIrql(DISPATCH_LEVEL);
	fake_callback("SetSystemTime", 0, 0);
	KeLowerIrql(old);
	for (i = 0; i < 5000 && host_wall_ns(NULL) < HOUR * 100; i++)
		usleep(1000);
	assert_true(host_wall_ns(NULL) >= HOUR * 100);
	fake_cancel(r);
	pthread_join(thread, NULL);
	expect_interrupted(r);
}

static void closing_ends_a_run(void **state)
{
	struct fake_irp *r;
	pthread_t thread;

	(void)state;
	run_loaded(1);
	r = run_begin(&thread, idle_guest);
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
			assert_equal(unmap_vm(), 0);
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

int test_vm(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_is_cancelled_anywhere),
		cmocka_unit_test_setup_teardown(a_vcpu_wakes_for_the_clocks_step, start_7, end),
		TEST(closing_ends_a_run),
		TEST(a_bell_is_heard_once),
		TEST(bells_and_cancels_race),
		cmocka_unit_test(each_allocation_may_fail),
		ON_2003(server_2003_runs_a_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
