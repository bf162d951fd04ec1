// SPDX-License-Identifier: GPL-2.0
/* image.c and load.c: a good image in its place, and a name for each bad one. */
#include "unit.h"

#define NONE 0xffffffffULL

static struct image *image = &unit.image;

static co_u64 main_start(void)
{
	return VM->memory.chunk[VM->memory.main].address;
}

static void assert_bytes(co_u64 pa, unsigned char value, co_u64 count)
{
	const unsigned char *p = unit_at(pa);
	co_u64 i;

	for (i = 0; i < count; i++)
		assert_equal(p[i], value);
}

/* ---- a good one --------------------------------------------------------------------- */

static void segments_by_physical_address(void **state)
{
	co_u64 base;

	(void)state;
	unit_expect_loads();
	base = main_start();
	assert_equal(VM->image.load, base - LINK_PA);
	assert_bytes(base, 0x11, sizeof(image->text));
	assert_bytes(base + (PERCPU_PA - LINK_PA), 0x22, sizeof(image->percpu));
	assert_bytes(base + (DATA_PA - LINK_PA), 0x33, sizeof(image->data));
}

static void bss_is_zero_even_after_a_failed_load(void **state)
{
	co_u64 bss;

	(void)state;
	bss = main_start() + (DATA_PA - LINK_PA) + sizeof(image->data);
	memset(unit_at(bss), 0x5a, DATA_MEMSZ - sizeof(image->data));
	unit_expect_loads();
	assert_bytes(bss, 0, DATA_MEMSZ - sizeof(image->data));
}

static void physical_entry_as_linux_has_it(void **state)
{
	(void)state;
	image->header.e_entry = LINK_PA + 0x30;
	unit_expect_loads();
	assert_equal(VM->image.entry, main_start() + 0x30);
}

static void virtual_entry_as_a_plain_linker_has_it(void **state)
{
	(void)state;
	image->header.e_entry = LINK_VA + 0x6010;
	unit_expect_loads();
	assert_equal(VM->image.entry, main_start() + 0x6010);
}

static void passage_is_translated(void **state)
{
	(void)state;
	unit_expect_loads();
	assert_equal(VM->image.passage_pa, main_start() + 0x1000);
	assert_equal(VM->image.note.arrive, PASSAGE_VA + 0x40);
}

static void position_independent_image(void **state)
{
	(void)state;
	image->header.e_type = ET_DYN;
	unit_expect_loads();
}

/* The image moves by whole 2 MiB, so a start inside a grain stays inside. */
static void start_inside_a_large_page(void **state)
{
	int i;

	(void)state;
	for (i = SEG_TEXT; i <= SEG_DATA; i++)
		image->segment[i].p_paddr += 0x5000;
	image->header.e_entry += 0x5000;
	unit_expect_loads();
	assert_equal(VM->image.load % CO_LARGE_PAGE, 0);
	assert_equal(VM->image.entry, main_start() + 0x5000);
	assert_bytes(main_start() + 0x5000, 0x11, sizeof(image->text));
}

static void initrd_lies_below_the_reserved_range(void **state)
{
	static unsigned char initrd[5000];
	struct co_req_vm_load req = load_request(image);
	const struct co_chunk *main = &VM->memory.chunk[VM->memory.main];
	co_u64 end = main->address + main->size;
	co_u64 want = CO_ALIGN_DOWN(end - co_boot_size(VM) - sizeof(initrd),
				    CO_PAGE_SIZE);

	(void)state;
	memset(initrd, 0x44, sizeof(initrd));
	req.initrd = (co_uptr)initrd;
	req.initrd_size = sizeof(initrd);
	assert_equal(unit_load(&req), 0);
	assert_bytes(want, 0x44, sizeof(initrd));
}

static void long_command_line(void **state)
{
	static char line[CO_COMMAND_LINE_MAX];
	struct co_req_vm_load req = load_request(image);

	(void)state;
	memset(line, 'x', sizeof(line));
	req.command_line = (co_uptr)line;
	req.command_line_size = CO_COMMAND_LINE_MAX - 1;
	assert_equal(unit_load(&req), 0);
}

static void empty_command_line(void **state)
{
	struct co_req_vm_load req = load_request(image);

	(void)state;
	req.command_line = 0;
	req.command_line_size = 0;
	assert_equal(unit_load(&req), 0);
}

/* ---- headers -------------------------------------------------------------------------- */

static void not_an_elf(void **state)
{
	(void)state;
	image->header.e_ident[EI_MAG1] = 'e';
	unit_expect(CO_LOAD_NOT_ELF, 0);
}

static void nothing_at_all(void **state)
{
	struct co_req_vm_load req = load_request(image);

	(void)state;
	req.kernel_size = 0;
	assert_equal(unit_load(&req), -CO_ENOEXEC);
	assert_equal(req.error, CO_LOAD_NOT_ELF);
	req.kernel = 0;
	assert_equal(unit_load(&req), -CO_ENOEXEC);
}

static void other_machines(void **state)
{
	(void)state;
	image->header.e_machine = EM_AARCH64;
	unit_expect(CO_LOAD_MACHINE, EM_AARCH64);
	image->header.e_machine = EM_X86_64;
	image->header.e_ident[EI_CLASS] = ELFCLASS32;
	unit_expect(CO_LOAD_MACHINE, EM_X86_64);
	image->header.e_ident[EI_CLASS] = ELFCLASS64;
	image->header.e_ident[EI_DATA] = ELFDATA2MSB;
	unit_expect(CO_LOAD_MACHINE, EM_X86_64);
	image->header.e_ident[EI_DATA] = ELFDATA2LSB;
	image->header.e_type = ET_REL;
	unit_expect(CO_LOAD_MACHINE, EM_X86_64);
	image->header.e_type = ET_EXEC;
	image->header.e_phentsize = sizeof(Elf64_Phdr) + 8;
	unit_expect(CO_LOAD_MACHINE, EM_X86_64);
}

static void headers_beyond_the_end(void **state)
{
	(void)state;
	image->header.e_phoff = sizeof(*image) - 4 * sizeof(Elf64_Phdr) + 1;
	unit_expect(CO_LOAD_TRUNCATED, 0);
	image->header.e_phoff = ~0ULL - 8;
	unit_expect(CO_LOAD_TRUNCATED, 0);
}

/* However much of the file is there: an error, never a crash (ASan watches). */
static void every_truncation(void **state)
{
	co_u64 size;

	(void)state;
	for (size = 0; size < offsetof(struct image, text); size++) {
		struct co_req_vm_load req = load_request(image);
		void *copy = test_malloc(size + 1);

		memcpy(copy, image, size);
		req.kernel = (co_uptr)copy;
		req.kernel_size = size;
		assert_equal(unit_load(&req), -CO_ENOEXEC);
		assert_equal(req.error,
			     size < 4 ? CO_LOAD_NOT_ELF : CO_LOAD_TRUNCATED);
		test_free(copy);
	}
}

static void no_segments(void **state)
{
	(void)state;
	image->header.e_phnum = 0;
	unit_expect(CO_LOAD_NO_NOTE, 0);
}

static void too_many_segments(void **state)
{
	(void)state;
	image->header.e_phnum = 65;
	unit_expect(CO_LOAD_OUTSIDE, 64);
	image->header.e_phnum = 0xffff;
	unit_expect(CO_LOAD_OUTSIDE, 64);
}

/* ---- segments --------------------------------------------------------------------------- */

static void segment_beyond_the_end(void **state)
{
	(void)state;
	image->segment[SEG_DATA].p_filesz = sizeof(image->data) + 1;
	unit_expect(CO_LOAD_TRUNCATED, SEG_DATA);
	image->segment[SEG_DATA].p_filesz = ~0ULL;
	unit_expect(CO_LOAD_TRUNCATED, SEG_DATA);
	image->segment[SEG_DATA].p_filesz = 64;
	image->segment[SEG_DATA].p_offset = ~0ULL - 10;
	unit_expect(CO_LOAD_TRUNCATED, SEG_DATA);
}

static void more_in_the_file_than_in_memory(void **state)
{
	(void)state;
	image->segment[SEG_PERCPU].p_memsz = sizeof(image->percpu) - 1;
	unit_expect(CO_LOAD_OUTSIDE, SEG_PERCPU);
}

static void segment_that_wraps_around(void **state)
{
	(void)state;
	image->segment[SEG_DATA].p_paddr = ~0ULL - 0x1000;
	unit_expect(CO_LOAD_OUTSIDE, SEG_DATA);
	image->segment[SEG_DATA].p_paddr = DATA_PA;
	image->segment[SEG_DATA].p_vaddr = ~0ULL - 0x1000;
	unit_expect(CO_LOAD_OUTSIDE, SEG_DATA);
}

static void overlapping_segments(void **state)
{
	(void)state;
	image->segment[SEG_DATA].p_paddr = PERCPU_PA + PERCPU_MEMSZ - 1;
	unit_expect(CO_LOAD_OVERLAP, SEG_DATA);
	image->segment[SEG_DATA].p_paddr = LINK_PA + 0x100;
	unit_expect(CO_LOAD_OVERLAP, SEG_DATA);
	image->segment[SEG_DATA].p_paddr = LINK_PA - DATA_MEMSZ + 1;
	unit_expect(CO_LOAD_OVERLAP, SEG_DATA);
}

static void empty_segment_overlaps_nothing(void **state)
{
	(void)state;
	image->segment[SEG_DATA].p_paddr = LINK_PA;
	image->segment[SEG_DATA].p_filesz = 0;
	image->segment[SEG_DATA].p_memsz = 0;
	unit_expect_loads();
}

static void entry_outside(void **state)
{
	(void)state;
	image->header.e_entry = DATA_PA + DATA_MEMSZ;
	unit_expect(CO_LOAD_OUTSIDE, NONE);
	image->header.e_entry = ~0ULL;
	unit_expect(CO_LOAD_OUTSIDE, NONE);
}

/* ---- room --------------------------------------------------------------------------------- */

static void image_larger_than_memory(void **state)
{
	(void)state;
	image->segment[SEG_DATA].p_memsz = 64 * MIB;
	/* 64 MiB of data, what stands before it, slack, boot information */
	unit_expect(CO_LOAD_TOO_SMALL, 66);
}

static void segments_far_apart(void **state)
{
	(void)state;
	image->segment[SEG_DATA].p_paddr = 1ULL << 62;
	unit_expect(CO_LOAD_TOO_SMALL, 0xffffffff);
	/* from the first address to the last one */
	image->segment[SEG_TEXT].p_paddr = 0;
	image->segment[SEG_DATA].p_paddr = ~0ULL - DATA_MEMSZ;
	image->header.e_entry = LINK_VA;
	unit_expect(CO_LOAD_TOO_SMALL, 0xffffffff);
}

static void exactly_as_much_as_there_is(void **state)
{
	co_u64 most = 64 * MIB - MIB - co_boot_size(VM);

	(void)state;
	image->segment[SEG_DATA].p_memsz =
		most - (DATA_PA - LINK_PA) + CO_PAGE_SIZE;
	unit_expect(CO_LOAD_TOO_SMALL, 65);
	image->segment[SEG_DATA].p_memsz -= CO_PAGE_SIZE;
	unit_expect_loads();
}

static void initrd_larger_than_memory(void **state)
{
	struct co_req_vm_load req = load_request(image);

	(void)state;
	req.initrd = (co_uptr)image;
	req.initrd_size = 64 * MIB;
	assert_equal(unit_load(&req), -CO_ENOEXEC);
	assert_equal(req.error, CO_LOAD_TOO_SMALL);
	req.initrd_size = ~0ULL;
	assert_equal(unit_load(&req), -CO_ENOEXEC);
	assert_equal(req.error, CO_LOAD_TOO_SMALL);
	assert_equal(req.detail, 0xffffffff);
}

static void command_line_too_long(void **state)
{
	struct co_req_vm_load req = load_request(image);

	(void)state;
	req.command_line_size = CO_COMMAND_LINE_MAX;
	assert_equal(unit_load(&req), -CO_ENOEXEC);
	assert_equal(req.error, CO_LOAD_COMMAND_LINE);
	assert_equal(req.detail, CO_COMMAND_LINE_MAX);
	req.command_line_size = ~0ULL;
	assert_equal(unit_load(&req), -CO_ENOEXEC);
	assert_equal(req.error, CO_LOAD_COMMAND_LINE);
}

/* ---- the caller ----------------------------------------------------------------------------------- */

static void loaded_twice(void **state)
{
	(void)state;
	unit_expect_loads();
	{
		struct co_req_vm_load req = load_request(image);

		assert_equal(unit_load(&req), -CO_ENOEXEC);
		assert_equal(req.error, CO_LOAD_STARTED);
	}
}

static void after_a_bad_image_a_good_one(void **state)
{
	(void)state;
	image->header.e_machine = EM_ARM;
	unit_expect(CO_LOAD_MACHINE, EM_ARM);
	image->header.e_machine = EM_X86_64;
	unit_expect_loads();
}

/* Wherever a page of the caller is missing: EFAULT, and nothing kept. */
static void memory_that_faults(void **state)
{
	static const co_u64 at[] = {
		offsetof(struct image, header),
		offsetof(struct image, segment[1]),
		offsetof(struct image, notes.gnu_head),
		offsetof(struct image, notes.owner),
		offsetof(struct image, notes.note),
		offsetof(struct image, percpu),
	};
	co_u64 live = sim.live;
	struct co_req_vm_load req;
	co_u32 i;
	int err;

	(void)state;
	for (i = 0; i < CO_ARRAY_SIZE(at); i++) {
		sim.copy_fault = (co_uptr)image + at[i];
		req = unit_try_load(&err);
		assert_equal(err, -CO_EFAULT);
		assert_equal(req.error, CO_LOAD_OK);
		assert_equal(sim.live, live);
	}
	sim.copy_fault = 0;
	unit_expect_loads();
}

static void addresses_of_the_caller_that_wrap_around(void **state)
{
	struct co_req_vm_load req = load_request(image);

	(void)state;
	req.kernel_size = ~0ULL;
	assert_equal(unit_load(&req), -CO_EFAULT);
	req = load_request(image);
	req.initrd = ~0ULL - 10;
	req.initrd_size = 4096;
	assert_equal(unit_load(&req), -CO_EFAULT);
	req = load_request(image);
	req.command_line = 0;
	assert_equal(unit_load(&req), -CO_EFAULT);
}

/* The caller spoils its headers as soon as they have been read. */
static void spoil(void)
{
	if (sim.copies < 3)
		return;
	memset(image->segment, 0xff, sizeof(image->segment));
	image->header.e_phnum = 0xffff;
	image->header.e_entry = ~0ULL;
}

static void image_that_changes_under_the_loader(void **state)
{
	(void)state;
	sim.copied_in = spoil;
	/* command line, header, program headers: then it is too late */
	unit_expect_loads();
	assert_equal(VM->image.entry, main_start());
	assert_bytes(main_start(), 0x11, sizeof(image->text));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_vm, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(segments_by_physical_address),
		TEST(bss_is_zero_even_after_a_failed_load),
		TEST(physical_entry_as_linux_has_it),
		TEST(virtual_entry_as_a_plain_linker_has_it),
		TEST(passage_is_translated),
		TEST(position_independent_image),
		TEST(start_inside_a_large_page),
		TEST(initrd_lies_below_the_reserved_range),
		TEST(long_command_line),
		TEST(empty_command_line),
		TEST(not_an_elf),
		TEST(nothing_at_all),
		TEST(other_machines),
		TEST(headers_beyond_the_end),
		TEST(every_truncation),
		TEST(no_segments),
		TEST(too_many_segments),
		TEST(segment_beyond_the_end),
		TEST(more_in_the_file_than_in_memory),
		TEST(segment_that_wraps_around),
		TEST(overlapping_segments),
		TEST(empty_segment_overlaps_nothing),
		TEST(entry_outside),
		TEST(image_larger_than_memory),
		TEST(segments_far_apart),
		TEST(exactly_as_much_as_there_is),
		TEST(initrd_larger_than_memory),
		TEST(command_line_too_long),
		TEST(loaded_twice),
		TEST(after_a_bad_image_a_good_one),
		TEST(memory_that_faults),
		TEST(addresses_of_the_caller_that_wrap_around),
		TEST(image_that_changes_under_the_loader),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
