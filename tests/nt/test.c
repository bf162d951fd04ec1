// SPDX-License-Identifier: GPL-2.0
/*
 * The driver on the fake of Windows: requests with all sizes, cancelling, doorbells,
 * the guest's memory, timers, and each allocation failing once.
 */
#include "fake.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/unit.h"

#define USER_BASE   0x200000000000ULL
#define VM_SIZE	    (64 * MIB)
#define STATUS(s)   ((co_u64)(s))

void fake_memory_start(void);

static struct nt_file_object *file;
static struct co_req_vm_create created;

/* ---- what a requester does ------------------------------------------------------ */

static int ask(co_u32 nr, void *req)
{
	co_size size = co_request_size(nr);
	co_u8 *out = malloc(size + sizeof(struct co_nt_result));
	struct co_nt_result result;
	ntstatus status = fake_control(file, CO_NT_REQUEST(nr), req, (co_u32)size, out,
				       (co_u32)(size + sizeof(result)));

	assert_equal(status, STATUS_SUCCESS);
	memcpy(req, out, size);
	memcpy(&result, out + size, sizeof(result));
	free(out);
	assert_equal(result.pad, 0);
	return -(int)result.error;
}

static int create_vm(co_u64 memory)
{
	created = create_request(memory);
	created.memory_max = memory;
	return ask(CO_REQ_VM_CREATE, &created);
}

static struct co_nt_map map_request(void)
{
	return (struct co_nt_map){ .base = USER_BASE,
				   .lowest = created.lowest,
				   .highest = created.highest };
}

static int map_vm(struct co_nt_map *map)
{
	assert_equal(fake_control(file, CO_NT_MAP, map, sizeof(*map), map, sizeof(*map)),
		     STATUS_SUCCESS);
	return -(int)map->result.error;
}

static int unmap_vm(void)
{
	struct co_nt_map map = map_request();

	assert_equal(fake_control(file, CO_NT_UNMAP, &map, sizeof(map), &map,
				  sizeof(map)),
		     STATUS_SUCCESS);
	return -(int)map.result.error;
}

struct upload {
	struct co_nt_load head;
	struct image image;
	char line[8];
};

static void upload_init(struct upload *up)
{
	memset(up, 0, sizeof(*up));
	image_init(&up->image);
	memcpy(up->line, "quiet", 5);
	up->head.load.kernel = offsetof(struct upload, image);
	up->head.load.kernel_size = sizeof(up->image);
	up->head.load.command_line = offsetof(struct upload, line);
	up->head.load.command_line_size = 5;
}

static int upload(struct upload *up)
{
	ntstatus status = fake_control(file, CO_NT_LOAD, NULL, 0, up, sizeof(*up));

	if (NT_ERROR(status))
		return status == STATUS_INSUFFICIENT_RESOURCES ? -CO_ENOMEM : -1;
	return -(int)up->head.result.error;
}

static int load_vm(void)
{
	struct upload up;

	upload_init(&up);
	return upload(&up);
}

static struct co_vm *vm(void)
{
	return ((struct nt_file *)file->context)->core.vm;
}

/* ---- setup ------------------------------------------------------------------------ */

static int start_on(co_u32 major, co_u32 minor)
{
	ntstatus status;

	fake_start();
	fake.major = major;
	fake.minor = minor;
	fake_memory_start();
	if (NT_ERROR(fake_load()))
		return -1;
	file = fake_open(&status);
	return file ? 0 : -1;
}

static int start(void **state)
{
	(void)state;
	return start_on(10, 0);
}

static int end(void **state)
{
	(void)state;
	if (file) {
		fake_cleanup(file);
		fake_close(file);
		file = NULL;
	}
	fake_unload();
	if (fake.free_blocks != 128)
		fake_die("%llu blocks are free", fake.free_blocks);
	fake_end();
	return 0;
}

static void run_loaded(co_u32 vcpus)
{
	struct co_nt_map map;

	created = create_request(VM_SIZE);
	created.vcpus = created.online = vcpus;
	assert_equal(ask(CO_REQ_VM_CREATE, &created), 0);
	map = map_request();
	assert_equal(map_vm(&map), 0);
	assert_equal(map.mapped, VM_SIZE);
	assert_equal(load_vm(), 0);
}

/* ---- opening ------------------------------------------------------------------------- */

static void only_administrators_open(void **state)
{
	ntstatus status;

	(void)state;
	fake.admin = false;
	assert_null(fake_open(&status));
	assert_equal(status, STATUS_ACCESS_DENIED);
}

/* ---- sizes ----------------------------------------------------------------------------- */

static void try_sizes(co_u32 code, co_u32 in_size, co_u32 out_size, ntstatus wanted)
{
	co_u8 *in = malloc(in_size), *out = malloc(out_size);
	ntstatus status;
	co_u32 i;

	memset(in, 0x5a, in_size);
	memset(out, 0xa5, out_size);
	status = fake_control(file, code, in, in_size, out, out_size);
	assert_equal(status, wanted);
	for (i = 0; i < out_size; i++)
		assert_int_equal(out[i], 0xa5);
	free(in);
	free(out);
}

static void wrong_sizes_are_refused(void **state)
{
	static const struct {
		co_u32 code, in, out;
	} own[] = {
		{ CO_NT_MAP, 40, 40 },
		{ CO_NT_UNMAP, 40, 40 },
		{ CO_NT_BELLS, 64, 64 },
		{ CO_NT_FACTS, 0, 48 },
	};
	co_u32 nr, size, i;
	int more;

	(void)state;
	for (nr = 0; nr < 128; nr++) {
		size = (co_u32)co_request_size(nr);
		if (!size || nr == CO_REQ_VM_LOAD) {
			try_sizes(CO_NT_REQUEST(nr), 64, 72,
				  STATUS_INVALID_DEVICE_REQUEST);
			continue;
		}
		for (more = -1; more <= 1; more++) {
			try_sizes(CO_NT_REQUEST(nr), size + (co_u32)more, size,
				  STATUS_INVALID_PARAMETER);
			try_sizes(CO_NT_REQUEST(nr), size, size + 7 + (co_u32)(more + 1) * 2,
				  STATUS_INVALID_PARAMETER);
		}
		try_sizes(CO_NT_REQUEST(nr), 0, size + 8, STATUS_INVALID_PARAMETER);
		try_sizes(CO_NT_REQUEST(nr), size, 0, STATUS_INVALID_PARAMETER);
	}
	for (i = 0; i < CO_ARRAY_SIZE(own); i++)
		for (more = -1; more <= 1; more += 2) {
			try_sizes(own[i].code, own[i].in ? own[i].in + (co_u32)more : 1,
				  own[i].out, STATUS_INVALID_PARAMETER);
			try_sizes(own[i].code, own[i].in, own[i].out + (co_u32)more,
				  STATUS_INVALID_PARAMETER);
		}
}

/* Whatever comes: an answer, and nothing outside the buffers (ASan). */
static void random_requests_do_no_harm(void **state)
{
	unsigned int seed = 1, i, j;
	co_u32 code, in_size, out_size;
	struct fake_irp *r;
	co_u8 *in, *out;

	(void)state;
	for (i = 0; i < 20000; i++) {
		co_u32 nr = (co_u32)rand_r(&seed) % 16;

		code = rand_r(&seed) % 4 ? CO_NT_REQUEST(nr) :
					   CO_NT_CODE(0x880 + nr % 5, nr % 4);
		in_size = rand_r(&seed) % 2 ? (co_u32)co_request_size(nr) :
					      (co_u32)rand_r(&seed) % 128;
		out_size = rand_r(&seed) % 2 ? in_size + 8 :
					       (co_u32)rand_r(&seed) % 128;
		in = malloc(in_size);
		out = malloc(out_size);
		for (j = 0; j < in_size; j++)
			in[j] = (co_u8)rand_r(&seed);
		r = fake_irp(file, code, in, in_size, out, out_size);
		if (fake_send(r) == STATUS_PENDING) {
			fake_cancel(r);
			fake_wait(r);
		}
		fake_free(r);
		free(in);
		free(out);
	}
}

static void version_and_facts_are_told(void **state)
{
	struct co_req_version version;
	struct co_nt_facts facts;

	(void)state;
	memset(&version, 0, sizeof(version));
	assert_equal(ask(CO_REQ_VERSION, &version), 0);
	assert_equal(version.driver_abi, CO_DRIVER_ABI_VERSION);
	assert_string_equal((char *)version.build, "unit test");
	assert_equal(fake_control(file, CO_NT_FACTS, NULL, 0, &facts, sizeof(facts)), 0);
	assert_equal(facts.major, 10);
	assert_equal(facts.flags & (CO_NT_HIGH_TIMERS | CO_NT_CHUNKS | CO_NT_NX_POOL),
		     CO_NT_HIGH_TIMERS | CO_NT_CHUNKS | CO_NT_NX_POOL);
	assert_equal(facts.flags & (CO_NT_HVCI | CO_NT_SEND_NMI), 0);
}

static void memory_integrity_keeps_guests_away(void **state)
{
	struct co_req_check check;

	(void)state;
	fake.integrity = 0x400;
	memset(&check, 0, sizeof(check));
	assert_equal(ask(CO_REQ_CHECK, &check), 0);
	assert_equal(check.blockers, CO_BLOCK_LOCKDOWN);
	assert_equal(create_vm(VM_SIZE), -CO_ENODEV);
}

static void another_process_gets_nothing(void **state)
{
	struct co_req_vm_info info;
	struct co_nt_map map;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	map = map_request();
	fake_process = "another";
	memset(&info, 0, sizeof(info));
	assert_equal(ask(CO_REQ_VM_INFO, &info), -CO_EPERM);
	assert_equal(map_vm(&map), -CO_EPERM);
	fake_process = fake_first;
	assert_equal(map_vm(&map), 0);
	fake_process = "another";
	assert_equal(unmap_vm(), -CO_EPERM);
	/* It inherited the handle, and is the last to close it. */
	fake_cleanup(file);
	assert_equal(fake.user_maps, 0);
	fake_close(file);
	file = NULL;
	fake_process = fake_first;
}

/* ---- loading ------------------------------------------------------------------------------ */

static void load_reads_its_buffer_only(void **state)
{
	static const co_u64 outside[] = { sizeof(struct upload), ~0ULL, 1ULL << 63,
					  (co_u64)-8, sizeof(struct upload) - 7 };
	struct upload *up = malloc(sizeof(*up));
	co_u32 i;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	for (i = 0; i < CO_ARRAY_SIZE(outside); i++) {
		upload_init(up);
		up->head.load.kernel = outside[i];
		assert_true(upload(up) < 0);
		upload_init(up);
		up->head.load.command_line = outside[i];
		up->head.load.command_line_size = 8;
		assert_true(upload(up) < 0);
	}
	upload_init(up);
	up->image.header.e_machine = 3;
	assert_equal(upload(up), -CO_ENOEXEC);
	assert_equal(up->head.load.error, CO_LOAD_MACHINE);
	assert_equal(up->head.load.detail, 3);
	upload_init(up);
	assert_equal(upload(up), 0);
	upload_init(up);
	assert_equal(upload(up), -CO_ENOEXEC);
	assert_equal(up->head.load.error, CO_LOAD_STARTED);
	free(up);
	assert_equal(fake_control(file, CO_NT_LOAD, NULL, 0, NULL, 0),
		     STATUS_INVALID_PARAMETER);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static co_u64 wish, got, size;
static co_u32 move;
static int moves;

static void moving_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	if (moves++) {
		got = vcpu->area->passage.result;
		call->nr = CO_CALL_STOP;
		return;
	}
	call->nr = move;
	call->arg[0] = wish;
	call->arg[1] = size;
}

/* One call of the guest's; the VM has its verdict then, so only one. */
static void guest_moves(co_u32 nr, co_u64 pa, co_u64 bytes)
{
	struct co_req_vcpu_run run = { .vcpu = 0 };

	move = nr;
	wish = pa;
	size = bytes;
	moves = 0;
	fake.guest = moving_guest;
	vm()->verdict = CO_VERDICT_NONE;
	assert_equal(ask(CO_REQ_VCPU_RUN, &run), 0);
	assert_equal(run.exit, CO_EXIT_STOP);
}

static bool user_has(co_u64 pa)
{
	unsigned char seen;

	return !mincore((void *)(USER_BASE + pa - created.lowest), 4096, &seen);
}

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
	assert_equal(nt_pool_bytes(), 2 * MIB);
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

/* The next VM gets the piece that the last one left. */
static void one_piece_is_kept_for_the_next(void **state)
{
	ntstatus status;
	co_u64 pa;

	(void)state;
	run_loaded(1);
	pa = vm()->memory.chunk[0].address;
	*(co_u64 *)host_chunk_va(pa) = 0x1234;
	fake_cleanup(file);
	fake_close(file);
	assert_equal(nt_pool_bytes(), VM_SIZE);
	file = fake_open(&status);
	assert_equal(create_vm(VM_SIZE), 0);
	assert_equal(vm()->memory.chunk[0].address, pa);
	assert_equal(*(co_u64 *)host_chunk_va(pa), 0);
	assert_equal(nt_pool_bytes(), 0);
	assert_equal(load_vm(), 0);
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

/* ---- timers --------------------------------------------------------------------------------------------- */

static co_u64 fired_at;
static co_u32 fired_times;

static void on_time(void *arg)
{
	(void)arg;
	co_store(&fired_at, host_time_ns());
	co_fetch_add(&fired_times, 1);
}

static void set_in_burst(struct host_timer *t, co_u64 when, co_u32 away)
{
	nt_irqs_off();
	host_timer_set(t, when, away);
	nt_irqs_on();
}

static void timers_follow_their_last_setting(void **state)
{
	const co_u64 ms = 1000000;
	struct host_timer t;
	co_u64 begin = host_time_ns();
	co_u32 i;

	(void)state;
	host_timer_init(&t, on_time, NULL);
	for (i = 0; i < 2; i++) {
		co_u32 away = i ? 2 : HOST_CPU_ANY;

		fired_times = 0;
		begin = host_time_ns();
		set_in_burst(&t, begin + 200 * ms, away);
		set_in_burst(&t, begin + 20 * ms, away); /* earlier */
		set_in_burst(&t, begin + 60 * ms, away); /* and later again */
		while (!co_load(&fired_times))
			usleep(1000);
		assert_true(fired_at >= begin + 60 * ms);
		usleep(250000);
		assert_equal(fired_times, 1);
	}
	host_timer_set(&t, host_time_ns() + 5 * ms, HOST_CPU_ANY);
	host_timer_cancel(&t);
	usleep(20000);
	assert_equal(fired_times, 1);
	set_in_burst(&t, host_time_ns() - ms, HOST_CPU_ANY);
	while (co_load(&fired_times) < 2)
		usleep(1000);
	set_in_burst(&t, 1ULL << 62, HOST_CPU_ANY);
	host_timer_cancel(&t);
	assert_true(host_tsc_khz() > 100000);
}

/* ---- text, power, crash ---------------------------------------------------------------------------------- */

static void text_is_formatted(void **state)
{
	char buf[64];

	(void)state;
	assert_equal(co_format(buf, sizeof(buf), "%s %d %u %x|%llx %llu%c%%", "a", -5, 7u,
			       0xbeefu, 0x123456789abULL, ~0ULL, '!'),
		     strlen("a -5 7 beef|123456789ab 18446744073709551615!%"));
	assert_string_equal(buf, "a -5 7 beef|123456789ab 18446744073709551615!%");
	assert_equal(co_format(buf, 4, "%s", "abcdef"), 3);
	assert_string_equal(buf, "abc");
	assert_equal(co_format(buf, sizeof(buf), "%d", (int)-2147483648), 11);
	assert_string_equal(buf, "-2147483648");
}

static void the_dump_tells_of_guests(void **state)
{
	char text[5000];

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	assert_true(fake_crash(text, sizeof(text)) > 20);
	assert_non_null(strstr(text, "VM test: verdict 0x0"));
	assert_non_null(strstr(text, "vCPU 0: out"));
}

static void sleep_and_shutdown_are_told(void **state)
{
	struct co_vcpu *vcpu;

	(void)state;
	run_loaded(1);
	vcpu = &vm()->vcpu[0];
	vcpu->wanted = CO_EVENT_WAKE; /* it sleeps already */
	fake_callback("PowerState", 3, 0);
	assert_true(vcpu->area->event.events & CO_EVENT_SLEEP);
	fake_callback("PowerState", 3, 1);
	assert_true(vcpu->area->event.events & CO_EVENT_WAKE);
	vcpu->area->event.events = 0;
	fake_callback("SetSystemTime", 0, 0);
	assert_true(vcpu->area->event.events & CO_EVENT_CLOCK);
	co_vm_stop(vm(), CO_VERDICT_KILLED, "by the test");
	fake_shutdown();
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
	if (!create_vm(96 * MIB)) {
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
	co_u64 n, last = 1;

	for (n = 1; n <= last; n++) {
		fake_start();
		fake.major = major;
		fake.minor = minor;
		fake.fail_at = n;
		fake_memory_start();
		if (!NT_ERROR(fake_load())) {
			live();
			fake_unload();
		}
		last = fake.allocations;
		assert_equal(fake.free_blocks, 128);
		fake_end();
	}
	return last;
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_administrators_open),
		TEST(wrong_sizes_are_refused),
		TEST(random_requests_do_no_harm),
		TEST(version_and_facts_are_told),
		TEST(memory_integrity_keeps_guests_away),
		TEST(another_process_gets_nothing),
		TEST(load_reads_its_buffer_only),
		TEST(the_process_sees_what_the_guest_has),
		TEST(a_block_given_back_is_the_systems),
		TEST(a_place_that_is_taken_refuses_the_map),
		TEST(one_piece_is_kept_for_the_next),
		TEST(a_run_is_cancelled_anywhere),
		TEST(closing_ends_a_run),
		TEST(a_bell_is_heard_once),
		TEST(bells_and_cancels_race),
		TEST(timers_follow_their_last_setting),
		TEST(text_is_formatted),
		TEST(the_dump_tells_of_guests),
		TEST(sleep_and_shutdown_are_told),
		cmocka_unit_test(each_allocation_may_fail),
		cmocka_unit_test_setup_teardown(server_2003_runs_a_guest, start_2003, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
