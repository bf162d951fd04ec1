// SPDX-License-Identifier: GPL-2.0
/*
 * A whole life with each allocation failing in its turn: the error says so,
 * nothing stays behind, and the next attempt works.
 */
#include "unit.h"

static void power_off(struct co_vcpu *vcpu, struct co_call *call)
{
	(void)vcpu;
	call->nr = CO_CALL_STOP;
	call->arg[0] = CO_STOP_POWEROFF;
}

/* Create, load, run; the first error, or 0. */
static int life(co_u64 memory)
{
	struct co_req_vm_load load = load_request(&unit.image);
	struct co_req_doorbell bell = { .queue = 1, .handle = 1 };
	struct co_req_vcpu_run run = { .vcpu = 0 };
	int err = unit_create(memory);

	if (err)
		return err;
	err = co_doorbell_set(VM, &bell);
	if (!err)
		err = unit_load(&load);
	if (!err)
		err = unit_run(&run);
	if (!err)
		assert_equal(run.exit, CO_EXIT_STOP);
	return err;
}

/*
 * Fails allocation after allocation until a life needs no more of them. A piece
 * of memory that can't be had makes the search go on with smaller ones, so some
 * of these lives succeed. Returns how many didn't.
 */
static co_u64 sweep(co_u64 memory, void (*host)(void))
{
	co_u64 nth = 0, failures = 0;
	bool failed;
	int err;

	do {
		sim_reset();
		host();
		sim.guest = power_off;
		sim.fail_at = ++nth;
		co_file_init(&unit.file);
		err = life(memory);
		assert_true(!err || err == -CO_ENOMEM);
		failures += err != 0;
		failed = sim.allocations >= nth;
		co_file_release(&unit.file);
		assert_equal(sim.live, 0);
		assert_equal(sim.chunk_bytes, 0);
	} while (failed);
	return failures;
}

static void roomy(void)
{
}

static void scattered(void)
{
	co_u32 i;

	sim_memory_none();
	sim_memory_add(8 * GIB, 16 * MIB);
	for (i = 0; i < 40; i++)
		sim_memory_add(GIB + i * 4 * MIB, 2 * MIB);
}

static void on_a_roomy_host(void **state)
{
	(void)state;
	image_init(&unit.image);
	/* VM, chunk list, map, FPU image, command line, segments, passage */
	assert_equal(sweep(64 * MIB, roomy), 8);
}

/* All that there is: each 2 MiB piece that fails is missing. */
static void on_a_scattered_host(void **state)
{
	(void)state;
	image_init(&unit.image);
	assert_true(sweep(96 * MIB, scattered) > 40);
}

static void start_vm(co_u32 vcpus)
{
	struct co_req_vm_create req = create_request(64 * MIB);

	unit_start(NULL);
	req.vcpus = vcpus;
	assert_equal(co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req),
				OWNER),
		     0);
}

/* A load that fails half-way may be tried again in the same VM, with some of its
 * vCPUs ready. */
static void a_failed_load_is_repeated(void **state)
{
	struct co_req_vm_load load;
	struct co_req_vcpu_run run;
	co_u64 nth, live;
	int err = -1;

	for (nth = 1; err; nth++) {
		start_vm(3);
		sim.guest = power_off;
		live = sim.live;
		sim.fail_at = sim.allocations + nth;
		load = load_request(&unit.image);
		err = unit_load(&load);
		if (err) {
			assert_equal(err, -CO_ENOMEM);
			assert_equal(sim.live, live);
			run = (struct co_req_vcpu_run){ .vcpu = 0 };
			assert_equal(unit_run(&run), -CO_EINVAL);
			load = load_request(&unit.image);
			assert_equal(unit_load(&load), 0);
		}
		run = (struct co_req_vcpu_run){ .vcpu = 0 };
		assert_equal(unit_run(&run), 0);
		assert_equal(unit_end(state), 0);
	}
	assert_true(nth > 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_roomy_host),
		cmocka_unit_test(on_a_scattered_host),
		cmocka_unit_test(a_failed_load_is_repeated),
	};

	return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
