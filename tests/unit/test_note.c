// SPDX-License-Identifier: GPL-2.0
/* image.c: the note of a cooperative kernel, and the switch text that it names. */
#include "unit.h"

#define NONE 0xffffffffULL

static struct image *image = &unit.image;

/* ---- the note -------------------------------------------------------------------------------- */

static void no_note(void **state)
{
	(void)state;
	image->segment[SEG_NOTE].p_type = PT_NULL;
	unit_expect(CO_LOAD_NO_NOTE, 0);
}

static void notes_of_others_only(void **state)
{
	(void)state;
	image->notes.owner[0] = 'C';
	unit_expect(CO_LOAD_NO_NOTE, 0);
	image->notes.owner[0] = 'c';
	image->notes.head.n_type = CO_NOTE_TYPE + 1;
	unit_expect(CO_LOAD_NO_NOTE, 0);
	image->notes.head.n_type = CO_NOTE_TYPE;
	image->notes.head.n_namesz = 7; /* "colinux" without its NUL */
	unit_expect(CO_LOAD_NO_NOTE, 0);
}

static void note_without_its_magic(void **state)
{
	(void)state;
	image->notes.note.magic++;
	unit_expect(CO_LOAD_NO_NOTE, 0);
}

static void note_shorter_than_its_structure(void **state)
{
	(void)state;
	image->notes.head.n_descsz = sizeof(struct co_guest_note) - 4;
	unit_expect(CO_LOAD_NO_NOTE, 0);
	image->notes.head.n_descsz = 4;
	unit_expect(CO_LOAD_NO_NOTE, 0);
}

/* Whatever else a later version has changed, its size included. */
static void note_of_another_version(void **state)
{
	(void)state;
	image->notes.note.abi_version = 7;
	image->notes.note.passage_start = 1;
	unit_expect(CO_LOAD_ABI, 7);
	image->notes.head.n_descsz = 8;
	unit_expect(CO_LOAD_ABI, 7);
}

static void note_beyond_its_segment(void **state)
{
	(void)state;
	image->segment[SEG_NOTE].p_filesz -= 4;
	unit_expect(CO_LOAD_TRUNCATED, SEG_NOTE);
	image->segment[SEG_NOTE].p_filesz = 20 + 8;
	unit_expect(CO_LOAD_TRUNCATED, SEG_NOTE);
	image->segment[SEG_NOTE].p_filesz = sizeof(image->notes);
	image->notes.gnu_head.n_namesz = 0xffffffff;
	unit_expect(CO_LOAD_TRUNCATED, SEG_NOTE);
	image->notes.gnu_head.n_namesz = 4;
	image->notes.gnu_head.n_descsz = 0xfffffff0;
	unit_expect(CO_LOAD_TRUNCATED, SEG_NOTE);
}

static void five_levels(void **state)
{
	(void)state;
	sim.la57 = true;
	image->notes.note.direct_map5 = 0;
	unit_expect(CO_LOAD_LEVELS, 0);
	sim.la57 = false;
	unit_expect_loads();
}

/* ---- the switch text --------------------------------------------------------------------------- */

static void passage_not_in_a_segment(void **state)
{
	(void)state;
	image->notes.note.passage_start = LINK_VA - 0x1000;
	unit_expect(CO_LOAD_OUTSIDE, NONE);
	image->notes.note.passage_start = 0xffff888000000000;
	unit_expect(CO_LOAD_OUTSIDE, NONE);
}

static void passage_not_on_a_page(void **state)
{
	(void)state;
	image->notes.note.passage_start += 8;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
	image->notes.note.passage_start -= 8;
	/* the virtual address is, the physical one isn't */
	image->segment[SEG_TEXT].p_paddr -= 0x10;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
	/* the physical address is, the virtual one isn't */
	image->segment[SEG_TEXT].p_paddr += 0x10;
	image->segment[SEG_TEXT].p_vaddr += 8;
	image->notes.note.passage_start += 8;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
}

static void passage_with_a_bad_end(void **state)
{
	struct co_guest_note *note = &image->notes.note;

	(void)state;
	note->passage_end = note->passage_start;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
	note->passage_end = 0;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
	note->passage_end = note->passage_start - 0x1000;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
	note->passage_end = LINK_VA + TEXT_MEMSZ + 1;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
}

static void passage_of_more_than_four_pages(void **state)
{
	(void)state;
	image->segment[SEG_TEXT].p_memsz = 0x6000;
	image->segment[SEG_PERCPU].p_type = PT_NULL;
	image->notes.note.passage_end = PASSAGE_VA + 0x4000;
	unit_expect_loads();
	VM->loaded = false;
	co_passage_free(&VCPU->passage);
	image->notes.note.passage_end++;
	unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
}

static void jump_targets_outside_the_passage(void **state)
{
	struct co_guest_note *note = &image->notes.note;
	co_u64 *target[] = { &note->arrive, &note->nmi_stub, &note->mce_stub,
			     &note->fault_stub };
	co_u32 i;

	(void)state;
	for (i = 0; i < CO_ARRAY_SIZE(target); i++) {
		co_u64 good = *target[i];

		*target[i] = PASSAGE_VA - 1;
		unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
		*target[i] = PASSAGE_END;
		unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
		*target[i] = 0;
		unit_expect(CO_LOAD_OUTSIDE, SEG_TEXT);
		*target[i] = good;
	}
	unit_expect_loads();
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_vm, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_note),
		TEST(notes_of_others_only),
		TEST(note_without_its_magic),
		TEST(note_shorter_than_its_structure),
		TEST(note_of_another_version),
		TEST(note_beyond_its_segment),
		TEST(five_levels),
		TEST(passage_not_in_a_segment),
		TEST(passage_not_on_a_page),
		TEST(passage_with_a_bad_end),
		TEST(passage_of_more_than_four_pages),
		TEST(jump_targets_outside_the_passage),
	};

	return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
