// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest kernel is told when it starts: Linux's boot_params, our boot
 * information and the vCPU areas, all in one reserved range at the end of the
 * main chunk:
 *
 *	| boot_params | boot info, command line | areas ... | chunk list ... |
 *	  one page      one page                  2 pages each
 */
#include "x86/x86.h"

/*
 * Offsets in boot_params ("zero page"), from the kernel's documentation:
 * Documentation/x86/zero-page.rst and boot.rst (6.1), Documentation/arch/x86
 * later. What isn't named here stays 0, the sentinel at 0x1ef above all, which
 * tells Linux that the fields which it doesn't know us to set are valid zeroes.
 */
#define BP_EXT_RAMDISK_IMAGE	0x0c0 /* high halves */
#define BP_EXT_RAMDISK_SIZE	0x0c4
#define BP_EXT_CMD_LINE_PTR	0x0c8
#define BP_E820_ENTRIES		0x1e8
#define BP_HDR_BOOT_FLAG	0x1fe
#define BP_HDR_HEADER		0x202
#define BP_HDR_VERSION		0x206
#define BP_HDR_TYPE_OF_LOADER	0x210
#define BP_HDR_LOADFLAGS	0x211
#define BP_HDR_RAMDISK_IMAGE	0x218
#define BP_HDR_RAMDISK_SIZE	0x21c
#define BP_HDR_CMD_LINE_PTR	0x228
#define BP_HDR_CMDLINE_SIZE	0x238
#define BP_HDR_HARDWARE_SUBARCH 0x23c
#define BP_HDR_SUBARCH_DATA	0x240
#define BP_E820_TABLE		0x2d0

#define BOOT_FLAG	 0xaa55
#define BOOT_MAGIC	 0x53726448 /* "HdrS" */
#define BOOT_VERSION	 0x020f
#define BOOT_LOADER	 0xff /* no assigned number */
#define BOOT_LOADED_HIGH 1

#define E820_MAX 128 /* what the zero page holds */
#define E820_RAM 1

/* Unaligned, as the table in the zero page is. */
struct e820_entry {
	co_u64 address;
	co_u64 size;
	co_u32 type;
} __attribute__((packed));
CO_ASSERT_SIZE(struct e820_entry, 20);

/* One page. */
struct info_page {
	struct co_boot_info info;
	char command_line[CO_COMMAND_LINE_MAX];
};
_Static_assert(sizeof(struct info_page) <= CO_PAGE_SIZE,
	       "boot info and command line share a page");

/* Physical addresses of the range and its parts. */
struct boot_map {
	co_u64 start, end;
	co_u64 params, info, command_line, areas, chunks;
};

static co_u64 areas_size(const struct co_vm *vm)
{
	return vm->vcpus * sizeof(struct co_vcpu_area);
}

static co_u64 chunks_size(const struct co_vm *vm)
{
	return vm->memory.count * sizeof(struct co_chunk);
}

co_u64 co_boot_size(const struct co_vm *vm)
{
	return CO_PAGE_SIZE + CO_PAGE_SIZE + areas_size(vm) +
	       CO_ALIGN_UP(chunks_size(vm), CO_PAGE_SIZE);
}

static void place(const struct co_vm *vm, struct boot_map *map)
{
	const struct co_chunk *main = &vm->memory.chunk[vm->memory.main];

	map->end = main->address + main->size;
	map->start = map->end - co_boot_size(vm);
	map->params = map->start;
	map->info = map->params + CO_PAGE_SIZE;
	map->command_line =
		map->info + __builtin_offsetof(struct info_page, command_line);
	map->areas = map->info + CO_PAGE_SIZE;
	map->chunks = map->areas + areas_size(vm);
}

/* ---- boot_params -------------------------------------------------------------- */

static void put8(co_u8 *page, co_u32 offset, co_u8 value)
{
	page[offset] = value;
}

static void put16(co_u8 *page, co_u32 offset, co_u16 value)
{
	memcpy(page + offset, &value, sizeof(value));
}

static void put32(co_u8 *page, co_u32 offset, co_u32 value)
{
	memcpy(page + offset, &value, sizeof(value));
}

static void put64(co_u8 *page, co_u32 offset, co_u64 value)
{
	memcpy(page + offset, &value, sizeof(value));
}

/* A 64-bit value whose halves stand in two fields. */
static void put_split(co_u8 *page, co_u32 low, co_u32 high, co_u64 value)
{
	put32(page, low, (co_u32)value);
	put32(page, high, (co_u32)(value >> 32));
}

static void e820_add(co_u8 *page, co_u64 address, co_u64 size)
{
	struct e820_entry entry = { address, size, E820_RAM };
	co_u32 count = page[BP_E820_ENTRIES];

	memcpy(page + BP_E820_TABLE + count * sizeof(entry), &entry,
	       sizeof(entry));
	put8(page, BP_E820_ENTRIES, count + 1);
}

/*
 * The main chunk is told in two pieces: Linux throws a map of one entry away. The
 * reserved range is RAM, too; the guest reserves it by the boot info. A guest on
 * a badly fragmented host has more chunks than the table has entries: it finds
 * all of them in the chunk list, and here as many as fit, the main one among
 * them.
 */
static void e820_fill(co_u8 *page, const struct co_vm *vm,
		      const struct boot_map *map)
{
	const struct co_memory *mem = &vm->memory;
	co_u32 others = E820_MAX - 2;
	co_u32 i;

	for (i = 0; i < mem->count; i++) {
		const struct co_chunk *chunk = &mem->chunk[i];

		if (i == mem->main) {
			e820_add(page, chunk->address,
				 map->start - chunk->address);
			e820_add(page, map->start, map->end - map->start);
		} else if (others) {
			e820_add(page, chunk->address, chunk->size);
			others--;
		}
	}
}

static void params_fill(co_u8 *page, const struct boot_map *map, co_u64 initrd,
			co_u64 initrd_size)
{
	put16(page, BP_HDR_BOOT_FLAG, BOOT_FLAG);
	put32(page, BP_HDR_HEADER, BOOT_MAGIC);
	put16(page, BP_HDR_VERSION, BOOT_VERSION);
	put8(page, BP_HDR_TYPE_OF_LOADER, BOOT_LOADER);
	put8(page, BP_HDR_LOADFLAGS, BOOT_LOADED_HIGH);
	put32(page, BP_HDR_CMDLINE_SIZE, CO_COMMAND_LINE_MAX - 1);
	put_split(page, BP_HDR_CMD_LINE_PTR, BP_EXT_CMD_LINE_PTR,
		  map->command_line);
	if (initrd_size) {
		put_split(page, BP_HDR_RAMDISK_IMAGE, BP_EXT_RAMDISK_IMAGE,
			  initrd);
		put_split(page, BP_HDR_RAMDISK_SIZE, BP_EXT_RAMDISK_SIZE,
			  initrd_size);
	}
	put32(page, BP_HDR_HARDWARE_SUBARCH, CO_SUBARCH);
	put64(page, BP_HDR_SUBARCH_DATA, map->info);
}

/* ---- boot info ------------------------------------------------------------------ */

static void info_fill(struct co_boot_info *info, const struct co_vm *vm,
		      const struct boot_map *map)
{
	info->magic = CO_BOOT_MAGIC;
	info->size = sizeof(*info);
	info->vcpus = vm->vcpus;
	info->reserved_start = map->start;
	info->reserved_end = map->end;
	info->areas = map->areas;
	info->chunks = map->chunks;
	info->chunk_count = vm->memory.count;
	info->tsc_khz = host_tsc_khz();
	info->event_vector = host_spare_vector();
	info->devices = vm->devices;
	info->online = vm->online;
	info->memory_max = vm->memory_max;
	co_forward_map(info->forward);
	memcpy(info->name, vm->name, sizeof(info->name));
}

static void areas_place(struct co_vm *vm, const struct boot_map *map)
{
	co_u32 i;

	for (i = 0; i < vm->vcpus; i++)
		vm->vcpu[i].area = host_chunk_va(
			map->areas + i * sizeof(struct co_vcpu_area));
	vm->image.boot_params = map->params;
	vm->image.areas = map->areas;
	vm->image.reserved_start = map->start;
	vm->image.reserved_end = map->end;
}

int co_boot_setup(struct co_vm *vm, co_u64 top, co_u64 initrd,
		  co_u64 initrd_size, const char *command_line)
{
	struct info_page *page;
	struct boot_map map;

	place(vm, &map);
	if (top > map.start ||
	    (initrd_size && (initrd < top || initrd > map.start ||
			     initrd_size > map.start - initrd)))
		return -CO_ENOMEM;
	/* An attempt that failed may have left something here. */
	memset(host_chunk_va(map.start), 0, map.end - map.start);

	params_fill(host_chunk_va(map.params), &map, initrd, initrd_size);
	e820_fill(host_chunk_va(map.params), vm, &map);
	page = host_chunk_va(map.info);
	info_fill(&page->info, vm, &map);
	memcpy(page->command_line, command_line, strlen(command_line) + 1);
	memcpy(host_chunk_va(map.chunks), vm->memory.chunk, chunks_size(vm));
	areas_place(vm, &map);
	return 0;
}
