// SPDX-License-Identifier: GPL-2.0
/* request.c and vm.c: who may ask for what, a VM's life, its verdict. */
#include "unit.h"
#include "unit_os.h"

static int ask(co_u32 nr, void *req, co_size size)
{
	return co_request(&unit.file, nr, req, size, OWNER);
}

#define ASK(nr, req) ask(nr, &(req), sizeof(req))

static int create(struct co_req_vm_create *req)
{
	return ask(CO_REQ_VM_CREATE, req, sizeof(*req));
}

/* ---- the table ------------------------------------------------------------------ */

static void sizes_are_those_of_the_abi(void **state)
{
	(void)state;
	assert_equal(co_request_size(0), 0);
	assert_equal(co_request_size(CO_REQ_VERSION), 64);
	assert_equal(co_request_size(CO_REQ_CHECK), 64);
	assert_equal(co_request_size(CO_REQ_VM_CREATE), 120);
	assert_equal(co_request_size(CO_REQ_VM_CHUNK), 24);
	assert_equal(co_request_size(CO_REQ_VM_LOAD), 56);
	assert_equal(co_request_size(CO_REQ_VCPU_RUN), 1080);
	assert_equal(co_request_size(CO_REQ_VM_RAISE), 16);
	assert_equal(co_request_size(CO_REQ_DOORBELL), 16);
	assert_equal(co_request_size(CO_REQ_VM_INFO), 416);
	assert_equal(co_request_size(CO_REQ_VM_STOP), 64);
	assert_equal(co_request_size(CO_REQ_VM_MEMORY), 16);
	assert_equal(co_request_size(CO_REQ_VM_MEMORY + 1), 0);
	assert_equal(co_request_size(~0u), 0);
}

static void wrong_sizes_and_numbers(void **state)
{
	char buf[2048] = "";
	co_u32 nr;

	(void)state;
	for (nr = 0; nr < 20; nr++) {
		assert_equal(ask(nr, buf, co_request_size(nr) + 1), -CO_EINVAL);
		assert_equal(ask(nr, buf, 0), -CO_EINVAL);
	}
	assert_equal(ask(0x80000001, buf, 64), -CO_EINVAL);
}

static void no_vm_yet(void **state)
{
	co_u32 nr;

	(void)state;
	for (nr = CO_REQ_VM_CHUNK; nr <= CO_REQ_VM_STOP; nr++) {
		char buf[2048] = "";

		assert_equal(ask(nr, buf, co_request_size(nr)), -CO_ENXIO);
	}
}

static void other_process(void **state)
{
	co_u32 nr;

	(void)state;
	for (nr = CO_REQ_VM_CHUNK; nr <= CO_REQ_VM_STOP; nr++) {
		char buf[2048] = "";

		assert_equal(co_request(&unit.file, nr, buf,
					co_request_size(nr), OWNER + 1),
			     -CO_EPERM);
	}
	assert_equal(VM->verdict, CO_VERDICT_NONE);
}

/* VERSION and CHECK are for everyone who can open the device. */
static void version_and_check_from_anyone(void **state)
{
	struct co_req_version version;
	struct co_req_check check;

	(void)state;
	memset(&version, 0xff, sizeof(version));
	assert_equal(co_request(&unit.file, CO_REQ_VERSION, &version,
				sizeof(version), OWNER + 1),
		     0);
	assert_equal(version.driver_abi, CO_DRIVER_ABI_VERSION);
	assert_equal(version.guest_abi, CO_GUEST_ABI_VERSION);
	assert_string_equal((char *)version.build, CO_VERSION);
	sim.blockers = CO_BLOCK_LOCKDOWN;
	sim.cpu_blockers = CO_BLOCK_FRED;
	assert_equal(co_request(&unit.file, CO_REQ_CHECK, &check, sizeof(check),
				OWNER + 1),
		     0);
	assert_equal(check.blockers, CO_BLOCK_LOCKDOWN | CO_BLOCK_FRED);
	assert_equal(check.tsc_khz, KHZ);
	assert_equal(check.cpus, SIM_CPUS);
	assert_equal(check.memory_free, co_memory_available());
	assert_equal(check.memory_reserve, co_memory_reserve());
	assert_equal(check.efer, 0xd01);
}

static void reserved_fields_must_be_0(void **state)
{
	struct co_req_vm_chunk chunk = { .pad = 1 };
	struct co_req_doorbell bell = { .handle = -1, .pad = 1 };
	struct co_req_vm_stop stop = { .verdict = CO_VERDICT_KILLED, .pad = 1 };
	struct co_req_vcpu_run run = { .pad = 1 };
	struct co_req_vm_info info = { .reserved = { 1 } };

	(void)state;
	assert_equal(ASK(CO_REQ_VM_CHUNK, chunk), -CO_EINVAL);
	assert_equal(ASK(CO_REQ_DOORBELL, bell), -CO_EINVAL);
	assert_equal(ASK(CO_REQ_VM_STOP, stop), -CO_EINVAL);
	assert_equal(ASK(CO_REQ_VCPU_RUN, run), -CO_EINVAL);
	assert_equal(ASK(CO_REQ_VM_INFO, info), -CO_EINVAL);
	assert_equal(VM->verdict, CO_VERDICT_NONE);
}

/* ---- a VM's life ------------------------------------------------------------------- */

static void create_tells_where_memory_is(void **state)
{
	struct co_req_vm_create req = create_request(512 * MIB);
	struct co_req_vm_chunk chunk = { .index = 0 };

	(void)state;
	assert_equal(create(&req), 0);
	assert_equal(req.chunks, 1);
	assert_equal(req.lowest, 0);
	assert_equal(req.highest, 12 * GIB);
	assert_equal(ASK(CO_REQ_VM_CHUNK, chunk), 0);
	assert_equal(chunk.chunk.address, VM->memory.chunk[0].address);
	assert_equal(chunk.chunk.size, 512 * MIB);
	chunk.index = 1;
	assert_equal(ASK(CO_REQ_VM_CHUNK, chunk), -CO_EINVAL);
	chunk.index = ~0u;
	assert_equal(ASK(CO_REQ_VM_CHUNK, chunk), -CO_EINVAL);
}

static void create_other_version(void **state)
{
	struct co_req_vm_create req = create_request(64 * MIB);

	(void)state;
	req.driver_abi++;
	/* whatever else that version means by the fields */
	req.vcpus = 1000;
	assert_equal(create(&req), -CO_EPROTO);
}

static void create_bad_numbers(void **state)
{
	struct co_req_vm_create req;

	(void)state;
#define BAD(field, value)                               \
	do {                                            \
		req = create_request(64 * MIB);         \
		req.field = value;                      \
		assert_equal(create(&req), -CO_EINVAL); \
	} while (0)
	BAD(vcpus, 0);
	BAD(online, 0);
	BAD(online, 2);
	BAD(memory_max, 62 * MIB);
	BAD(memory_max, 64 * MIB + 4096);
	BAD(vcpus, CO_VCPUS_MAX + 1);
	BAD(memory, 0);
	BAD(memory, 30 * MIB);
	BAD(memory, 64 * MIB + 4096);
	BAD(devices, CO_DEVICES_MAX + 1);
	BAD(watchdog, CO_WATCHDOG_MAX + 1);
	BAD(name[63], 'x');
	assert_null(VM);
	req = create_request(32 * MIB);
	req.devices = CO_DEVICES_MAX;
	assert_equal(create(&req), 0);
}

static void create_more_than_there_is(void **state)
{
	struct co_req_vm_create req = create_request(1ULL << 50);

	(void)state;
	assert_equal(create(&req), -CO_E2BIG);
	req = create_request(64 * MIB);
	sim_memory_none();
	assert_equal(create(&req), -CO_ENOMEM);
	assert_equal(sim.live, 0);
	assert_null(VM);
}

static void create_on_a_host_that_cannot(void **state)
{
	struct co_req_vm_create req = create_request(64 * MIB);

	(void)state;
	sim.blockers = CO_BLOCK_ASYNCPF;
	assert_equal(create(&req), -CO_ENODEV);
	sim.blockers = 0;
	sim.cpu_blockers = CO_BLOCK_ENCRYPTED;
	assert_equal(create(&req), -CO_ENODEV);
	assert_equal(sim.live, 0);
}

/* Nor does the second one, from another process, take the first one over. */
static void create_twice(void **state)
{
	struct co_req_vm_create req = create_request(64 * MIB);
	struct co_vm *first = VM;

	(void)state;
	assert_equal(co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req),
				OWNER + 1),
		     -CO_EBUSY);
	assert_ptr_equal(VM, first);
	assert_equal(unit.file.owner, OWNER);
}

static void two_vms(void **state)
{
	struct co_file other;
	struct co_req_vm_create req = create_request(64 * MIB);

	(void)state;
	co_file_init(&other);
	assert_equal(co_request(&other, CO_REQ_VM_CREATE, &req, sizeof(req),
				OWNER + 1),
		     0);
	assert_true(other.vm->memory.chunk[0].address !=
		    VM->memory.chunk[0].address);
	co_file_release(&other);
	assert_equal(sim.chunk_bytes, 64 * MIB);
}

static void release_without_a_vm(void **state)
{
	struct co_file file;

	(void)state;
	co_file_init(&file);
	co_file_release(&file);
	co_vm_destroy(NULL);
}

/* A timer that is set and a doorbell go with the VM. */
static void destroy_takes_all_along(void **state)
{
	struct co_req_doorbell bell = { .queue = 9, .handle = 1 };

	(void)state;
	assert_equal(ASK(CO_REQ_DOORBELL, bell), 0);
	co_timer_set(VCPU, co_rdtsc() + 1000);
	co_file_release(&unit.file);
	assert_equal(sim.live, 0);
	assert_equal(sim_timer_next(), 0);
	sim_time_advance(1000000);
}

static void whose_memory(void **state)
{
	const struct co_chunk *chunk = &VM->memory.chunk[0];
	struct co_req_vm_memory mine = { chunk->address, chunk->size };
	struct co_req_vm_memory more = { chunk->address, chunk->size + 1 };
	struct co_req_vm_memory below = { chunk->address - 1, 2 };
	struct co_req_vm_memory wraps = { chunk->address, ~0ULL };
	struct co_req_vm_memory none = { chunk->address, 0 };

	(void)state;
	assert_equal(ASK(CO_REQ_VM_MEMORY, mine), 0);
	assert_equal(ASK(CO_REQ_VM_MEMORY, more), -CO_EFAULT);
	assert_equal(ASK(CO_REQ_VM_MEMORY, below), -CO_EFAULT);
	assert_equal(ASK(CO_REQ_VM_MEMORY, wraps), -CO_EFAULT);
	assert_equal(ASK(CO_REQ_VM_MEMORY, none), -CO_EINVAL);
}

/* ---- verdict ---------------------------------------------------------------------------- */

static struct co_req_vm_info info(void)
{
	struct co_req_vm_info info = { .verdict = 1 };

	assert_equal(ASK(CO_REQ_VM_INFO, info), 0);
	return info;
}

static void no_verdict_no_text(void **state)
{
	(void)state;
	assert_equal(info().verdict, CO_VERDICT_NONE);
	assert_string_equal((char *)info().text, "");
}

static void first_verdict_stays(void **state)
{
	struct co_req_vm_stop stop = { .verdict = CO_VERDICT_KILLED,
				       .text = "by hand" };

	(void)state;
	co_vm_stop(VM, CO_VERDICT_BADCALL, "call %u of %s", 99, "the guest");
	assert_equal(ASK(CO_REQ_VM_STOP, stop), 0);
	assert_equal(info().verdict, CO_VERDICT_BADCALL);
	assert_string_equal((char *)info().text, "call 99 of the guest");
}

static void stop_from_outside(void **state)
{
	struct co_req_vm_stop stop = { .verdict = CO_VERDICT_KILLED,
				       .text = "by 100 %s" };

	(void)state;
	assert_equal(ASK(CO_REQ_VM_STOP, stop), 0);
	assert_equal(info().verdict, CO_VERDICT_KILLED);
	assert_string_equal((char *)info().text, "by 100 %s");
}

static void stop_with_a_bad_request(void **state)
{
	struct co_req_vm_stop stop = { .verdict = CO_STOP_PANIC };

	(void)state;
	assert_equal(ASK(CO_REQ_VM_STOP, stop), -CO_EINVAL);
	stop.verdict = CO_VERDICT_HOST;
	assert_equal(ASK(CO_REQ_VM_STOP, stop), -CO_EINVAL);
	stop.verdict = CO_VERDICT_KILLED;
	stop.text[55] = 'x';
	assert_equal(ASK(CO_REQ_VM_STOP, stop), -CO_EINVAL);
	assert_equal(info().verdict, CO_VERDICT_NONE);
}

static void long_text_is_cut(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[399] = 0;
	co_vm_stop(VM, CO_VERDICT_HOST, "%s", text);
	assert_equal(strlen((char *)info().text), 255);
}

static void stop_kicks_a_running_vcpu(void **state)
{
	(void)state;
	VCPU->mode = CO_VCPU_IN_GUEST;
	VCPU->cpu = 2;
	co_vm_stop(VM, CO_VERDICT_KILLED, "enough");
	assert_true(sim_ipi_take(2));
	VCPU->mode = CO_VCPU_OUT;
}

static void counters(void **state)
{
	struct co_req_vm_info i;

	(void)state;
	VM->stats = (struct co_stats){ 1, 2, 3, 4,  5,  6,
				       7, 8, 9, 10, 11, 12 };
	i = info();
	assert_equal(i.switches, 1);
	assert_equal(i.bursts, 2);
	assert_equal(i.forwarded, 3);
	assert_equal(i.nmis, 4);
	assert_equal(i.nmis_passage, 5);
	assert_equal(i.mces, 6);
	assert_equal(i.idles, 7);
	assert_equal(i.notifies, 8);
	assert_equal(i.events, 9);
	assert_equal(i.kicks, 10);
	assert_equal(i.guest_ns, 11);
	assert_equal(i.rescues, 12);
	assert_equal(i.vcpus, 1);
	assert_equal(i.memory, 64 * MIB);
}

/* ---- sim watches ------------------------------------------------------------------------- */

static void sleep_under_a_lock(void)
{
	struct host_lock lock;

	host_lock_init(&lock);
	host_lock(&lock);
	host_alloc(16);
}

static void sleep_while_pinned(void)
{
	host_pin();
	host_free(NULL);
}

static void pin_twice(void)
{
	host_pin();
	host_pin();
}

static void sleep_in_an_interrupt(void)
{
	sim_interrupt(host_free, NULL);
}

static void sim_knows_the_contexts(void **state)
{
	(void)state;
	assert_true(unit_aborts(sleep_under_a_lock));
	assert_true(unit_aborts(sleep_while_pinned));
	assert_true(unit_aborts(pin_twice));
	assert_true(unit_aborts(sleep_in_an_interrupt));
}

#define BARE(name) cmocka_unit_test_setup_teardown(name, unit_start, unit_end)
#define CREATED(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_vm, unit_end)
#define LOADED(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_loaded, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(sizes_are_those_of_the_abi),
		BARE(wrong_sizes_and_numbers),
		BARE(no_vm_yet),
		CREATED(other_process),
		CREATED(version_and_check_from_anyone),
		CREATED(reserved_fields_must_be_0),
		BARE(create_tells_where_memory_is),
		BARE(create_other_version),
		BARE(create_bad_numbers),
		BARE(create_more_than_there_is),
		BARE(create_on_a_host_that_cannot),
		CREATED(create_twice),
		CREATED(two_vms),
		BARE(release_without_a_vm),
		LOADED(destroy_takes_all_along),
		CREATED(whose_memory),
		CREATED(no_verdict_no_text),
		CREATED(first_verdict_stays),
		CREATED(stop_from_outside),
		CREATED(stop_with_a_bad_request),
		CREATED(long_text_is_cut),
		LOADED(stop_kicks_a_running_vcpu),
		CREATED(counters),
		BARE(sim_knows_the_contexts),
	};

	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
