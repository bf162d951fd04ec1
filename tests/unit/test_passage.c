// SPDX-License-Identifier: GPL-2.0
/* x86/passage.c: the page tables, walked as the processor walks them. */
#include "unit.h"

#include "../../core/x86/asm.h"

/* SDM vol. 3A, tables 4-14 to 4-20, written anew. */
#define PRESENT	 (1ULL << 0)
#define WRITABLE (1ULL << 1)
#define USER	 (1ULL << 2)
#define LARGE	 (1ULL << 7)
#define GLOBAL	 (1ULL << 8)
#define NX	 (1ULL << 63)
#define FRAME	 0x000ffffffffff000ULL

#define NOT_MAPPED (~0ULL)

static int levels(void)
{
	return sim.la57 ? 5 : 4;
}

static co_u64 *table_at(co_u64 pa)
{
	co_u64 *table = sim_page_va(pa & FRAME);

	assert_non_null(table);
	assert_false(sim_memory_owned(pa & FRAME));
	return table;
}

/* Physical address of `va`, NOT_MAPPED if it has none. */
static co_u64 walk(co_u64 va)
{
	co_u64 entry = VCPU->passage.cr3, size;
	int level;

	for (level = levels(); level > 0; level--) {
		int shift = 12 + 9 * (level - 1);

		entry = table_at(entry)[va >> shift & 511];
		if (!(entry & PRESENT))
			return NOT_MAPPED;
		assert_true(entry & WRITABLE);
		assert_false(entry & (USER | NX));
		if (level > 1 && !(entry & LARGE))
			continue;
		assert_true(level <= 3);
		size = 1ULL << shift;
		return (entry & FRAME & ~(size - 1)) | (va & (size - 1));
	}
	return NOT_MAPPED;
}

static void assert_maps(co_u64 va, co_u64 pa)
{
	assert_equal(walk(va), pa);
}

static int start5(void **state)
{
	if (unit_start_vm(state))
		return -1;
	sim.la57 = true;
	{
		struct co_req_vm_load req = load_request(&unit.image);

		return unit_load(&req);
	}
}

/* ---- what is mapped ------------------------------------------------------------------ */

static void host_text_where_the_host_has_it(void **state)
{
	const char *page;

	(void)state;
	for (page = co_passage_text_start; page < co_passage_text_end;
	     page += CO_PAGE_SIZE)
		assert_maps((co_uptr)page + 17, host_va_to_pa(page) + 17);
	assert_equal(walk((co_uptr)co_passage_text_end), NOT_MAPPED);
	assert_equal(walk((co_uptr)co_passage_text_start - 1), NOT_MAPPED);
}

static void guest_text_where_the_guest_has_it(void **state)
{
	(void)state;
	assert_maps(PASSAGE_VA, VM->memory.chunk[0].address + 0x1000);
	assert_maps(PASSAGE_END - 1, VM->memory.chunk[0].address + 0x1fff);
	assert_equal(walk(PASSAGE_END), NOT_MAPPED);
	assert_equal(walk(PASSAGE_VA - 1), NOT_MAPPED);
}

static void host_page_where_the_host_has_it(void **state)
{
	co_u64 pa = walk((co_uptr)VCPU->passage.host);

	(void)state;
	assert_ptr_equal(sim_page_va(pa), VCPU->passage.host);
	/* the guest can't reach it: it isn't its memory */
	assert_false(sim_memory_owned(pa));
}

static co_u64 guest_page_va(void)
{
	const struct co_guest_note *note = &unit.image.notes.note;

	return (sim.la57 ? note->direct_map5 : note->direct_map4) +
	       VM->image.areas;
}

static void guest_page_in_the_direct_map(void **state)
{
	(void)state;
	assert_maps(guest_page_va(), VM->image.areas);
	/* its own page only, not the events' */
	assert_equal(walk(guest_page_va() + CO_PAGE_SIZE), NOT_MAPPED);
}

static void main_chunk_at_its_own_address(void **state)
{
	const struct co_chunk *main = &VM->memory.chunk[VM->memory.main];

	(void)state;
	assert_maps(main->address, main->address);
	assert_maps(main->address + 0x12345, main->address + 0x12345);
	assert_maps(main->address + main->size - 1,
		    main->address + main->size - 1);
	assert_equal(walk(main->address - 1), NOT_MAPPED);
	assert_equal(walk(main->address + main->size), NOT_MAPPED);
	assert_equal(walk(0), NOT_MAPPED);
}

static void check_tables(co_u64 pa, int level)
{
	co_u64 *table = table_at(pa);
	int i;

	for (i = 0; i < 512; i++) {
		if (!table[i])
			continue;
		assert_true(table[i] & PRESENT);
		assert_false(table[i] & (USER | NX));
		/* bit 8 is "global" in what maps a page */
		if (level == 1 || table[i] & LARGE)
			assert_false(table[i] & GLOBAL);
		else
			check_tables(table[i], level - 1);
	}
}

/* Nothing for user mode, nothing that outlives a CR3 load. */
static void no_user_and_no_global_entries(void **state)
{
	(void)state;
	check_tables(VCPU->passage.cr3, levels());
}

/* ---- the two pages -------------------------------------------------------------------- */

static co_u64 gate_target(const co_u64 gate[2])
{
	/* SDM vol. 3A, figure 6-8 */
	assert_equal(gate[0] >> 40 & 0xff, 0x8e);
	assert_equal(gate[0] >> 16 & 0xffff, 0x10);
	assert_equal(gate[0] >> 32 & 7, 0);
	return (gate[0] & 0xffff) | (gate[0] >> 48 << 16) | gate[1] << 32;
}

static void check_scratch(struct co_passage_page *page, co_u64 va,
			  co_u64 nmi_stub, co_u64 mce_stub, co_u64 fault_stub)
{
	const co_u64 stub[CO_SCRATCH_IDT_ENTRIES] = {
		[2] = nmi_stub, [18] = mce_stub,
		[11] = fault_stub, [13] = fault_stub, [14] = fault_stub,
	};
	co_u32 i;

	for (i = 0; i < CO_SCRATCH_IDT_ENTRIES; i++)
		if (stub[i])
			assert_equal(gate_target(page->scratch_idt[i]), stub[i]);
		else
			assert_equal(page->scratch_idt[i][0], 0);
	assert_equal(page->scratch_gdt_ptr.limit, 16 * 8 - 1);
	assert_equal(page->scratch_idt_ptr.limit, 19 * 16 - 1);
	assert_equal(page->scratch_gdt_ptr.base,
		     va + offsetof(struct co_passage_page, scratch_gdt));
	assert_equal(page->scratch_idt_ptr.base,
		     va + offsetof(struct co_passage_page, scratch_idt));
	assert_equal(page->passage_cr3, VCPU->passage.cr3);
	/* long-mode code, data, both present, ring 0 */
	assert_equal(page->scratch_gdt[2] >> 40 & 0xffff, 0xaf9b);
	assert_equal(page->scratch_gdt[3] >> 40 & 0xff, 0x93);
}

static void hosts_page(void **state)
{
	struct co_passage_page *host = VCPU->passage.host;

	(void)state;
	check_scratch(host, (co_uptr)host, (co_uptr)co_host_nmi_stub,
		      (co_uptr)co_host_mce_stub, (co_uptr)co_host_fault_stub);
	assert_equal(host->peer_entry, VM->image.entry);
	assert_equal(host->peer_arg2, VM->image.boot_params);
}

static void guests_page(void **state)
{
	struct co_passage_page *guest = VCPU->passage.guest;
	const struct co_guest_note *note = &unit.image.notes.note;

	(void)state;
	assert_ptr_equal(guest, unit_at(VM->image.areas));
	check_scratch(guest, guest_page_va(), note->nmi_stub, note->mce_stub,
		      note->fault_stub);
	assert_equal(guest->peer_entry, (co_uptr)co_host_arrive);
	assert_equal(guest->peer_arg, (co_uptr)VCPU->passage.host);
}

static void second_entry_arrives_in_the_guests_switch(void **state)
{
	struct co_passage_page *host = VCPU->passage.host;

	(void)state;
	co_passage_redirect(VCPU);
	/* the identity has served */
	assert_equal(walk(VM->memory.chunk[0].address), NOT_MAPPED);
	assert_equal(host->peer_entry, unit.image.notes.note.arrive);
	assert_equal(host->peer_arg, guest_page_va());
}

/* ---- what can go wrong -------------------------------------------------------------------- */

/* The guest's text stands where the host's does: two frames, one address. */
static void guest_text_at_the_hosts_address(void **state)
{
	co_u64 host = (co_uptr)co_passage_text_start;
	struct co_guest_note *note = &unit.image.notes.note;
	struct co_req_vm_load req = load_request(&unit.image);
	co_u64 live = sim.live;

	(void)state;
	unit.image.segment[SEG_TEXT].p_vaddr = host;
	note->passage_start = host;
	note->passage_end = host + 0x1000;
	note->arrive = note->nmi_stub = note->mce_stub = note->fault_stub = host + 8;
	assert_equal(unit_load(&req), -CO_EEXIST);
	assert_equal(sim.live, live);
	image_init(&unit.image);
	req = load_request(&unit.image);
	assert_equal(unit_load(&req), 0);
}

static void guest_page_inside_the_identity_map(void **state)
{
	struct co_req_vm_load req = load_request(&unit.image);

	(void)state;
	unit.image.notes.note.direct_map4 = 0x1000;
	assert_equal(unit_load(&req), -CO_EEXIST);
}

/* As much as one chunk can be, in the most awkward place. */
static void large_chunk_over_a_table_boundary(void **state)
{
	struct co_req_vm_load req = load_request(&unit.image);
	const struct co_chunk *main;

	(void)state;
	sim_memory_none();
	sim_memory_add(512 * GIB - 512 * MIB, GIB);
	assert_equal(unit_create(GIB), 0);
	assert_equal(VM->memory.count, 1);
	assert_equal(unit_load(&req), 0);
	main = &VM->memory.chunk[0];
	assert_maps(main->address, main->address);
	assert_maps(main->address + GIB - 1, main->address + GIB - 1);
	assert_true(VCPU->passage.tables <= CO_PASSAGE_PAGES);
}

static void every_page_may_be_missing(void **state)
{
	struct co_req_vm_load req;
	co_u64 nth = 0, live = sim.live, tried;
	int err;

	(void)state;
	do {
		sim.fail_at = sim.allocations + ++nth;
		req = load_request(&unit.image);
		tried = sim.fail_at;
		err = unit_load(&req);
		if (err) {
			assert_equal(err, -CO_ENOMEM);
			assert_equal(sim.live, live);
		}
	} while (err);
	assert_true(sim.allocations < tried);
	/* command line, segments, host page and a table for each of its places */
	assert_true(nth > 10);
}

#define FOUR(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_loaded, unit_end)
#define FIVE(name)                                              \
	{                                                       \
#name "_5_levels", name, start5, unit_end, NULL \
	}
#define CREATED(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_vm, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOUR(host_text_where_the_host_has_it),
		FIVE(host_text_where_the_host_has_it),
		FOUR(guest_text_where_the_guest_has_it),
		FIVE(guest_text_where_the_guest_has_it),
		FOUR(host_page_where_the_host_has_it),
		FIVE(host_page_where_the_host_has_it),
		FOUR(guest_page_in_the_direct_map),
		FIVE(guest_page_in_the_direct_map),
		FOUR(main_chunk_at_its_own_address),
		FIVE(main_chunk_at_its_own_address),
		FOUR(no_user_and_no_global_entries),
		FIVE(no_user_and_no_global_entries),
		FOUR(hosts_page),
		FIVE(hosts_page),
		FOUR(guests_page),
		FIVE(guests_page),
		FOUR(second_entry_arrives_in_the_guests_switch),
		CREATED(guest_text_at_the_hosts_address),
		CREATED(guest_page_inside_the_identity_map),
		cmocka_unit_test_setup_teardown(
			large_chunk_over_a_table_boundary, unit_start,
			unit_end),
		CREATED(every_page_may_be_missing),
	};

	return cmocka_run_group_tests_name("passage", tests, NULL, NULL);
}
