// SPDX-License-Identifier: GPL-2.0
/* A VM's memory: in the daemon's process, from and to the system, kept for the next. */
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

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

static void keep_a_piece(void)
{
	ntstatus status;

	run_loaded(1);
	assert_equal(unmap_vm(), 0);
	close_file();
	assert_equal(nt_pool_bytes(NULL), VM_SIZE);
	file = fake_open(&status);
}

/* A guest with room for one block more. */
static void run_small(void)
{
	assert_equal(create_vm(48 * MIB), 0);
	vm()->memory_max += 2 * MIB;
	vm()->memory_limit += 2 * MIB;
	assert_equal(load_vm(), 0);
}

/* Single blocks come out of it neither by chance nor by wish; where there are no
 * others it goes to the system, and they come from there. */
static void the_kept_piece_is_not_broken_up(void **state)
{
	co_u64 pa;

	(void)state;
	run_loaded(1);
	pa = vm()->memory.chunk[0].address;
	close_file();
	file = fake_open(&(ntstatus){ 0 });
	keep_a_piece();
	run_small();
	guest_moves(CO_CALL_MEMORY_TAKE, pa + 8 * MIB, 2 * MIB);
	assert_true(got && !(got & (2 * MIB - 1)) && (got < pa || got >= pa + VM_SIZE));
	assert_equal(nt_pool_bytes(NULL), VM_SIZE);
	guest_moves(CO_CALL_MEMORY_GIVE, got, 2 * MIB);
	assert_equal(got, 0);
	fake.fail_at = fake.allocations + 1;
	guest_moves(CO_CALL_MEMORY_TAKE, 0, 2 * MIB);
	assert_true(got && !(got & (2 * MIB - 1)) && fake.allocations > fake.fail_at);
	assert_equal(nt_pool_bytes(NULL), 0);
}

/* It is too large for the next one, which needs a large piece of its own, and all else
 * is in small ones. */
static void a_start_gets_the_room_of_the_kept_piece(void **state)
{
	(void)state;
	keep_a_piece();
	fake_fragment(true);
	assert_equal(create_vm(32 * MIB), 0);
	assert_equal(vm()->memory.count, 1);
	assert_equal(nt_pool_bytes(NULL), 0);
	fake_fragment(false);
}

/* Nothing was mapped, so nothing is under way. */
static void a_start_that_fails_leaves_the_kept_piece(void **state)
{
	ntstatus status;
	co_u64 n;
	int err;

	(void)state;
	keep_a_piece();
	for (n = 1, err = -1; err; n++) {
		fake.fail_at = fake.allocations + n;
		err = create_vm(VM_SIZE + 2 * MIB);
		if (fake.allocations < fake.fail_at)
			break;
		assert_equal(nt_pool_bytes(NULL), err ? VM_SIZE : 0);
		close_file();
		assert_equal(nt_pool_bytes(NULL), VM_SIZE);
		file = fake_open(&status);
		assert_non_null(file);
		err = -1;
	}
	assert_true(n > 5);
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
	fake_process_ended(fake_first);
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
	fake_process_ended(fake_second);
	fake_process = fake_first;
	fake_process_started();
	fake_process_ended(fake_second);
	assert_equal(fake.user_maps, VM_SIZE / (2 * MIB));
	assert_equal(vm()->verdict, CO_VERDICT_NONE);
	fake_process_ended(fake_first);
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

static void *end_process(void *unused)
{
	fake_process = fake_first;
	fake_process_ended(fake_first);
	return unused;
}

/* The holder of the duplicate closes it meanwhile. */
static void the_end_and_the_last_close_race(void **state)
{
	pthread_t thread;
	ntstatus status;
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		fake_process = fake_first;
		run_loaded(1);
		fake_process = fake_second;
		fake_process_lives();
		pthread_create(&thread, NULL, end_process, NULL);
		for (int j = 0; j < i % 20; j++)
			sched_yield();
		close_file();
		pthread_join(thread, NULL);
		assert_equal(fake.free_blocks, 128);
		file = fake_open(&status);
	}
}

/* It made a VM, and hadn't mapped it yet. */
static void a_daemon_that_ends_early_leaves_no_owner(void **state)
{
	struct co_nt_map map;

	(void)state;
	assert_equal(create_vm(VM_SIZE), 0);
	fake_process_ended(fake_first);
	fake_process = fake_first;
	map = map_request();
	assert_equal(map_vm(&map), -CO_EPERM);
}

int test_memory(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_process_sees_what_the_guest_has),
		TEST(a_block_given_back_is_the_systems),
		TEST(a_place_that_is_taken_refuses_the_map),
		TEST(one_piece_is_kept_for_the_next),
		TEST(the_kept_piece_is_not_broken_up),
		TEST(a_start_gets_the_room_of_the_kept_piece),
		TEST(a_start_that_fails_leaves_the_kept_piece),
		TEST(no_piece_is_kept_of_a_daemon_that_was_killed),
		TEST(a_second_mapping_has_to_end_well_too),
		TEST(another_guest_gets_none_of_a_piece),
		TEST(a_daemon_that_ends_has_nothing_mapped),
		TEST(a_daemon_that_ends_early_leaves_no_owner),
		TEST(the_end_and_the_last_close_race),
		ON_2003(one_piece_is_kept_for_the_next),
		ON_2003(the_kept_piece_is_not_broken_up),
		ON_2003(no_piece_is_kept_of_a_daemon_that_was_killed),
		ON_2003(a_second_mapping_has_to_end_well_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
