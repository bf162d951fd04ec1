// SPDX-License-Identifier: GPL-2.0
/* memory.c: what a VM gets from which host, and the border check. */
#include <stdlib.h>

#include "unit.h"

static struct co_memory mem;

static int start(void **state)
{
	(void)state;
	sim_reset();
	return 0;
}

static int end(void **state)
{
	(void)state;
	co_memory_free(&mem);
	return sim.live ? -1 : 0;
}

/* ---- how much ------------------------------------------------------------------- */

static void reserve_is_a_tenth_but_256_mib(void **state)
{
	(void)state;
	sim.memory_total = 100 * GIB;
	assert_equal(co_memory_reserve(), 10 * GIB);
	sim.memory_total = 2 * GIB;
	assert_equal(co_memory_reserve(), 256 * MIB);
}

static void reserve_of_a_small_host_is_a_quarter(void **state)
{
	(void)state;
	sim.memory_total = 1 * GIB;
	assert_equal(co_memory_reserve(), 256 * MIB);
	sim.memory_total = 512 * MIB;
	assert_equal(co_memory_reserve(), 128 * MIB);
}

static void available_keeps_the_reserve(void **state)
{
	(void)state;
	sim.memory_total = 4 * GIB;
	sim.memory_taken = 1 * GIB + 4096;
	assert_equal(co_memory_available(),
		     CO_ALIGN_DOWN(3 * GIB - 4096 - 4 * GIB / 10,
				   CO_LARGE_PAGE));
	sim.memory_taken = 4 * GIB - 100 * MIB;
	assert_equal(co_memory_available(), 0);
}

static void more_than_the_host_can_spare(void **state)
{
	co_u64 most;

	(void)state;
	sim.memory_total = 4 * GIB;
	most = co_memory_available();
	assert_equal(co_memory_alloc(&mem, most + CO_LARGE_PAGE), -CO_E2BIG);
	assert_equal(co_memory_alloc(&mem, ~0ULL << 21), -CO_E2BIG);
	assert_equal(co_memory_alloc(&mem, most), 0);
	/* all VMs count: the rest is the host's */
	assert_true(co_memory_available() < CO_LARGE_PAGE);
}

static void size_must_be_whole_large_pages(void **state)
{
	(void)state;
	assert_equal(co_memory_alloc(&mem, 0), -CO_EINVAL);
	assert_equal(co_memory_alloc(&mem, 64 * MIB + 4096), -CO_EINVAL);
	assert_equal(sim.allocations, 0);
}

/* ---- in which pieces -------------------------------------------------------------- */

static void one_aligned_piece_when_there_is_room(void **state)
{
	(void)state;
	assert_equal(co_memory_alloc(&mem, 512 * MIB), 0);
	assert_equal(mem.count, 1);
	assert_equal(mem.size, 512 * MIB);
	assert_equal(mem.chunk[0].address % (128 * MIB), 0);
	assert_equal(mem.lowest, 0);
	assert_equal(mem.highest, 12 * GIB); /* it may come from anywhere */
	assert_equal(mem.main, 0);
}

static void pieces_halve_until_they_fit(void **state)
{
	(void)state;
	sim_memory_none();
	sim_memory_add(4 * GIB, 128 * MIB);
	sim_memory_add(5 * GIB, 128 * MIB);
	sim_memory_add(6 * GIB, 64 * MIB);
	assert_equal(co_memory_alloc(&mem, 320 * MIB), 0);
	assert_equal(mem.count, 3);
	assert_equal(mem.chunk[0].size, 128 * MIB);
	assert_equal(mem.chunk[1].size, 128 * MIB);
	assert_equal(mem.chunk[2].size, 64 * MIB);
	assert_equal(mem.chunk[0].address, 4 * GIB);
	assert_equal(mem.highest, 6 * GIB + 64 * MIB);
}

static void main_is_the_largest_and_of_equals_the_lowest(void **state)
{
	(void)state;
	sim_memory_none();
	sim_memory_add(1 * GIB, 16 * MIB);
	sim_memory_add(2 * GIB, 64 * MIB);
	sim_memory_add(3 * GIB, 64 * MIB);
	assert_equal(co_memory_alloc(&mem, 144 * MIB), 0);
	assert_equal(mem.count, 3);
	assert_equal(mem.main, 1);
}

static void fragments_of_2_mib(void **state)
{
	co_u32 i;

	(void)state;
	sim_memory_none();
	for (i = 0; i < 200; i++)
		sim_memory_add(GIB + i * 2 * CO_LARGE_PAGE, CO_LARGE_PAGE);
	assert_equal(co_memory_alloc(&mem, 400 * MIB), 0);
	assert_equal(mem.count, 200);
	for (i = 0; i < 200; i++)
		assert_equal(mem.chunk[i].address, GIB + i * 2 * CO_LARGE_PAGE);
}

/* A search that fails costs the host a look at all of its memory. */
static void few_searches_fail(void **state)
{
	co_u32 i;

	(void)state;
	sim_memory_none();
	for (i = 0; i < 100; i++)
		sim_memory_add(GIB + i * 2 * CO_LARGE_PAGE, CO_LARGE_PAGE);
	assert_equal(co_memory_alloc(&mem, 200 * MIB), 0);
	/* 100 pieces, the list's three sizes, 200, 128, 64, ... 4 MiB, the map */
	assert_equal(sim.allocations, 100 + 3 + 7 + 1);
}

static void no_more_pieces_and_nothing_is_left_behind(void **state)
{
	(void)state;
	sim_memory_none();
	sim_memory_add(GIB, 32 * MIB);
	assert_equal(co_memory_alloc(&mem, 64 * MIB), -CO_ENOMEM);
	assert_equal(sim.live, 0);
	assert_equal(mem.count, 0);
	assert_null(co_memory_at(&mem, GIB, 1));
}

static co_u64 alignment_of(co_u64 size)
{
	co_u64 align = CO_LARGE_PAGE;

	while (align * 2 <= size && align < 128 * MIB)
		align *= 2;
	return align;
}

static void check_list(co_u64 size)
{
	co_u64 sum = 0;
	co_u32 i;

	for (i = 0; i < mem.count; i++) {
		const struct co_chunk *c = &mem.chunk[i];

		assert_equal(c->address % alignment_of(c->size), 0);
		assert_true(sim_memory_owned(c->address));
		assert_true(sim_memory_owned(c->address + c->size - 1));
		if (i)
			assert_true(c[-1].address + c[-1].size <= c->address);
		assert_true(c->size <= mem.chunk[mem.main].size);
		sum += c->size;
	}
	assert_equal(sum, size);
	assert_equal(mem.size, size);
}

static void any_host_any_size(void **state)
{
	int round, i;

	(void)state;
	srand(1);
	for (round = 0; round < 200; round++) {
		co_u64 pa = GIB, size = (1 + rand() % 150) * CO_LARGE_PAGE;

		sim_memory_none();
		for (i = 0; i < 30; i++) {
			co_u64 length = (1 + rand() % 40) * CO_LARGE_PAGE;

			sim_memory_add(pa, length);
			pa += length + rand() % 3 * CO_LARGE_PAGE;
		}
		if (!co_memory_alloc(&mem, size))
			check_list(size);
		co_memory_free(&mem);
		assert_equal(sim.live, 0);
	}
}

/* ---- the border check -------------------------------------------------------------- */

static void two_chunks_with_a_hole(void)
{
	sim_memory_none();
	sim_memory_add(GIB, 4 * MIB);
	sim_memory_add(GIB + 8 * MIB, 2 * MIB);
	assert_equal(co_memory_alloc(&mem, 6 * MIB), 0);
	assert_equal(mem.count, 2);
}

static void inside_a_chunk(void **state)
{
	(void)state;
	two_chunks_with_a_hole();
	assert_ptr_equal(co_memory_at(&mem, GIB, 4 * MIB), host_chunk_va(GIB));
	assert_ptr_equal(co_memory_at(&mem, GIB + 4 * MIB - 1, 1),
			 host_chunk_va(GIB + 4 * MIB - 1));
	assert_ptr_equal(co_memory_at(&mem, GIB + 8 * MIB, 2 * MIB),
			 host_chunk_va(GIB + 8 * MIB));
	assert_non_null(co_memory_at(&mem, GIB + 100, 0));
}

static void outside_every_chunk(void **state)
{
	(void)state;
	two_chunks_with_a_hole();
	assert_null(co_memory_at(&mem, 0, 1));
	assert_null(co_memory_at(&mem, GIB - 1, 1));
	assert_null(co_memory_at(&mem, GIB - 1, 2));
	assert_null(co_memory_at(&mem, GIB + 4 * MIB, 1));
	assert_null(co_memory_at(&mem, GIB + 8 * MIB - 1, 1));
	assert_null(co_memory_at(&mem, GIB + 10 * MIB, 1));
	assert_null(co_memory_at(&mem, GIB + 10 * MIB, 0));
}

static void over_an_edge(void **state)
{
	(void)state;
	two_chunks_with_a_hole();
	assert_null(co_memory_at(&mem, GIB, 4 * MIB + 1));
	assert_null(co_memory_at(&mem, GIB + 4 * MIB - 1, 2));
	assert_null(co_memory_at(&mem, GIB, 10 * MIB));
}

static void sums_that_wrap_around(void **state)
{
	(void)state;
	two_chunks_with_a_hole();
	assert_null(co_memory_at(&mem, ~0ULL, 1));
	assert_null(co_memory_at(&mem, ~0ULL, ~0ULL));
	assert_null(co_memory_at(&mem, GIB + 1, ~0ULL));
	assert_null(co_memory_at(&mem, GIB + 1, -(GIB + 1)));
	assert_null(co_memory_at(&mem, GIB + 8 * MIB, ~0ULL - GIB));
}

/* They lie side by side, but the host's mappings needn't. */
static void neighbours_are_two_chunks(void **state)
{
	(void)state;
	sim_memory_none();
	sim_memory_add(GIB, 2 * MIB);
	sim_memory_add(GIB + 2 * MIB, 2 * MIB);
	assert_equal(co_memory_alloc(&mem, 4 * MIB), 0);
	assert_equal(mem.count, 2);
	assert_null(co_memory_at(&mem, GIB + 2 * MIB - 1, 2));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reserve_is_a_tenth_but_256_mib),
		TEST(reserve_of_a_small_host_is_a_quarter),
		TEST(available_keeps_the_reserve),
		TEST(more_than_the_host_can_spare),
		TEST(size_must_be_whole_large_pages),
		TEST(one_aligned_piece_when_there_is_room),
		TEST(pieces_halve_until_they_fit),
		TEST(main_is_the_largest_and_of_equals_the_lowest),
		TEST(fragments_of_2_mib),
		TEST(few_searches_fail),
		TEST(no_more_pieces_and_nothing_is_left_behind),
		TEST(any_host_any_size),
		TEST(inside_a_chunk),
		TEST(outside_every_chunk),
		TEST(over_an_edge),
		TEST(sums_that_wrap_around),
		TEST(neighbours_are_two_chunks),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
