// SPDX-License-Identifier: GPL-2.0
/* boot.c, checked with the kernel's own structures. */
#include <asm/bootparam.h>

#include "unit.h"

static struct boot_params *params(void)
{
	return unit_at(VM->image.boot_params);
}

static struct co_boot_info *info(void)
{
	return unit_at(params()->hdr.hardware_subarch_data);
}

static co_u64 whole(co_u32 low, co_u32 high)
{
	return low | (co_u64)high << 32;
}

static void header_as_startup_64_wants_it(void **state)
{
	const struct setup_header *hdr = &params()->hdr;

	(void)state;
	assert_equal(hdr->boot_flag, 0xaa55);
	assert_memory_equal(&hdr->header, "HdrS", 4);
	assert_equal(hdr->version, 0x020f);
	assert_equal(hdr->type_of_loader, 0xff);
	assert_equal(hdr->loadflags, LOADED_HIGH);
	assert_equal(hdr->hardware_subarch, CO_SUBARCH);
	assert_equal(hdr->setup_data, 0);
	/* else Linux wipes the fields that we didn't know of */
	assert_equal(params()->sentinel, 0);
	assert_equal(VM->image.boot_params % CO_PAGE_SIZE, 0);
}

static void command_line(void **state)
{
	co_u64 at =
		whole(params()->hdr.cmd_line_ptr, params()->ext_cmd_line_ptr);

	(void)state;
	assert_string_equal((char *)unit_at(at), "console=hvc0 quiet");
	assert_equal(params()->hdr.cmdline_size, CO_COMMAND_LINE_MAX - 1);
	/* memory lies above 4 GiB here: the high half counts */
	assert_true(at > 4 * GIB);
}

static void no_initrd(void **state)
{
	(void)state;
	assert_equal(params()->hdr.ramdisk_image, 0);
	assert_equal(params()->hdr.ramdisk_size, 0);
	assert_equal(params()->ext_ramdisk_image, 0);
	assert_equal(params()->ext_ramdisk_size, 0);
}

static void initrd(void **state)
{
	static const char text[] = "an initrd";
	struct co_req_vm_load req = load_request(&unit.image);
	co_u64 at;

	(void)state;
	req.initrd = (co_uptr)text;
	req.initrd_size = sizeof(text);
	assert_equal(unit_load(&req), 0);
	at = whole(params()->hdr.ramdisk_image, params()->ext_ramdisk_image);
	assert_equal(at % CO_PAGE_SIZE, 0);
	assert_true(at < info()->reserved_start);
	assert_equal(whole(params()->hdr.ramdisk_size,
			   params()->ext_ramdisk_size),
		     sizeof(text));
	assert_string_equal((char *)unit_at(at), text);
}

/* One chunk in two entries: a map with one is thrown away by Linux. */
static void memory_map_of_one_chunk(void **state)
{
	const struct boot_e820_entry *e = params()->e820_table;
	const struct co_chunk *main = &VM->memory.chunk[0];

	(void)state;
	assert_equal(VM->memory.count, 1);
	assert_equal(params()->e820_entries, 2);
	assert_equal(e[0].addr, main->address);
	assert_equal(e[0].addr + e[0].size, e[1].addr);
	assert_equal(e[1].addr + e[1].size, main->address + main->size);
	assert_equal(e[1].addr, info()->reserved_start);
	assert_equal(e[0].type, 1);
	assert_equal(e[1].type, 1);
}

static void map_add(co_u64 *sum, const struct boot_e820_entry *e)
{
	assert_equal(e->type, 1);
	assert_non_null(co_memory_at(&VM->memory, e->addr, e->size));
	*sum += e->size;
}

/* Pieces of 2 MiB and one of 32 MiB in their midst. */
static void load_fragmented(co_u32 pieces)
{
	struct co_req_vm_load req = load_request(&unit.image);
	co_u32 i;

	sim_memory_none();
	for (i = 0; i < pieces; i++)
		sim_memory_add(GIB + i * 4 * MIB, 2 * MIB);
	sim_memory_add(8 * GIB, 32 * MIB);
	assert_equal(unit_create((pieces * 2 + 32) * MIB), 0);
	assert_equal(VM->memory.count, pieces + 1);
	assert_equal(unit_load(&req), 0);
}

static void memory_map_of_many_chunks(void **state)
{
	co_u64 sum = 0;
	co_u32 i;

	(void)state;
	load_fragmented(126);
	assert_equal(params()->e820_entries, 128);
	for (i = 0; i < 128; i++) {
		map_add(&sum, &params()->e820_table[i]);
		if (i)
			assert_true(params()->e820_table[i].addr >
				    params()->e820_table[i - 1].addr);
	}
	assert_equal(sum, VM->memory.size);
}

/* More than fit: the main chunk, last in the list, is in the map all the same. */
static void memory_map_of_too_many_chunks(void **state)
{
	co_u64 sum = 0;
	co_u32 i;

	(void)state;
	load_fragmented(400);
	assert_equal(params()->e820_entries, 128);
	for (i = 0; i < 128; i++)
		map_add(&sum, &params()->e820_table[i]);
	assert_equal(sum, 126 * 2 * MIB + 32 * MIB);
	assert_equal(params()->e820_table[126].addr, 8 * GIB);
	assert_equal(info()->chunk_count, 401);
	assert_memory_equal(unit_at(info()->chunks), VM->memory.chunk,
			    401 * sizeof(struct co_chunk));
	/* what follows the table is untouched */
	assert_equal(params()->eddbuf_entries, 0);
}

static void boot_info(void **state)
{
	const struct co_boot_info *b = info();
	co_u64 map[4];

	(void)state;
	co_forward_map(map);
	assert_equal(b->magic, CO_BOOT_MAGIC);
	assert_equal(b->size, sizeof(*b));
	assert_equal(b->vcpus, 1);
	assert_equal(b->areas, VM->image.areas);
	assert_equal(b->areas % CO_PAGE_SIZE, 0);
	assert_equal(b->tsc_khz, KHZ);
	assert_equal(b->event_vector, host_spare_vector());
	assert_equal(b->devices, 8);
	assert_memory_equal(b->forward, map, sizeof(map));
	assert_string_equal((const char *)b->name, "test");
	assert_ptr_equal(VCPU->area, unit_at(b->areas));
}

/* All that must survive the guest's own allocator, and the reserved range lies
 * in the main chunk, behind the image. */
static void reserved_range(void **state)
{
	const struct co_boot_info *b = info();
	const struct co_chunk *main = &VM->memory.chunk[VM->memory.main];
	const co_u64 part[] = {
		params()->hdr.hardware_subarch_data,
		b->areas,
		b->areas + sizeof(struct co_vcpu_area) - 1,
		b->chunks,
		b->chunks + b->chunk_count * sizeof(struct co_chunk) - 1,
		VM->image.boot_params,
		whole(params()->hdr.cmd_line_ptr, params()->ext_cmd_line_ptr),
	};
	co_u32 i;

	(void)state;
	for (i = 0; i < CO_ARRAY_SIZE(part); i++) {
		assert_true(part[i] >= b->reserved_start);
		assert_true(part[i] < b->reserved_end);
	}
	assert_equal(b->reserved_start % CO_PAGE_SIZE, 0);
	assert_equal(b->reserved_end, main->address + main->size);
	assert_equal(b->reserved_end - b->reserved_start, co_boot_size(VM));
}

static void events_start_at_nothing(void **state)
{
	static const struct co_event_page none = {
		.state = CO_VCPU_STATE_OUT
	};

	(void)state;
	assert_memory_equal(&VCPU->area->event, &none, sizeof(none));
}

/* What a failed attempt wrote there is gone. */
static void areas_are_zeroed(void **state)
{
	const struct co_chunk *main = &VM->memory.chunk[0];
	co_u64 size = co_boot_size(VM);
	struct co_req_vm_load req = load_request(&unit.image);

	(void)state;
	memset(unit_at(main->address + main->size - size), 0xa5, size);
	assert_equal(unit_load(&req), 0);
	events_start_at_nothing(state);
	assert_equal(params()->sentinel, 0);
	assert_equal(params()->eddbuf_entries, 0);
}

static void no_room(void **state)
{
	const struct co_chunk *main = &VM->memory.chunk[0];
	co_u64 start = main->address + main->size - co_boot_size(VM);

	(void)state;
	assert_equal(co_boot_setup(VM, start + 1, 0, 0, ""), -CO_ENOMEM);
	assert_equal(co_boot_setup(VM, start, 0, 0, ""), 0);
	assert_equal(co_boot_setup(VM, start - 8192, start - 4096, 4097, ""),
		     -CO_ENOMEM);
	assert_equal(co_boot_setup(VM, start, start - 4096, 4096, ""),
		     -CO_ENOMEM);
	assert_equal(co_boot_setup(VM, start - 8192, ~0ULL, 4096, ""),
		     -CO_ENOMEM);
	assert_equal(co_boot_setup(VM, start - 8192, start - 4096, 4096, ""),
		     0);
}

#define LOADED(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_loaded, unit_end)
#define CREATED(name) \
	cmocka_unit_test_setup_teardown(name, unit_start_vm, unit_end)
#define BARE(name) cmocka_unit_test_setup_teardown(name, unit_start, unit_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOADED(header_as_startup_64_wants_it),
		LOADED(command_line),
		LOADED(no_initrd),
		CREATED(initrd),
		LOADED(memory_map_of_one_chunk),
		BARE(memory_map_of_many_chunks),
		BARE(memory_map_of_too_many_chunks),
		LOADED(boot_info),
		LOADED(reserved_range),
		LOADED(events_start_at_nothing),
		CREATED(areas_are_zeroed),
		CREATED(no_room),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, NULL);
}
