// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's file: mapped, relocated and linked as Windows does it, each section
 * with its own protection.
 */
#include <linux/kernel_read_file.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/vmalloc.h>
#include <asm/unaligned.h>
#include "shim.h"

static char *hide[32];
static int hide_count;
module_param_array(hide, charp, &hide_count, 0444);
MODULE_PARM_DESC(hide, "names that MmGetSystemRoutineAddress() doesn't find");

#define SECTIONS_MAX 24

#define SCN_DISCARDABLE 0x02000000
#define SCN_EXECUTE	0x20000000
#define SCN_WRITE	0x80000000

/* Places in the headers (PE specification, "Optional Header", PE32+). */
#define PE_HEADERS		0x3c
#define PE_MACHINE	4
#define PE_COUNT	6
#define PE_OPTIONAL_SIZE 20
#define PE_OPTIONAL	24
#define PE_ENTRY	(PE_OPTIONAL + 16)
#define PE_BASE		(PE_OPTIONAL + 24)
#define PE_IMAGE_SIZE	(PE_OPTIONAL + 56)
#define PE_HEADERS_SIZE (PE_OPTIONAL + 60)
#define PE_IMPORTS	(PE_OPTIONAL + 112 + 8 * 1)
#define PE_RELOCATIONS	(PE_OPTIONAL + 112 + 8 * 5)
#define PE_DIRECTORIES_END (PE_OPTIONAL + 112 + 8 * 16)
#define SECTION_SIZE	40

struct section {
	char name[9];
	u32 address, size, flags;
};

static struct {
	u8 *base;
	u32 size;
	struct section section[SECTIONS_MAX];
	u32 count;
	bool discarded;
} image;

static int (*make_ro)(unsigned long address, int pages);
static int (*make_rw)(unsigned long address, int pages);
static int (*make_exec)(unsigned long address, int pages);
static int (*no_exec)(unsigned long address, int pages);

static u32 get32(const u8 *p)
{
	return get_unaligned_le32(p);
}

/* ---- what it is asked about -------------------------------------------------------- */

unsigned long pe_offset(const void *address)
{
	unsigned long offset = (u8 *)address - image.base;

	return image.base && offset < image.size ? offset : ULONG_MAX;
}

bool pe_discarded(const void *address)
{
	unsigned long offset = pe_offset(address);
	u32 i;

	for (i = 0; image.discarded && i < image.count; i++) {
		struct section *s = &image.section[i];

		if (s->flags & SCN_DISCARDABLE && offset >= s->address &&
		    offset < s->address + PAGE_ALIGN(s->size))
			return true;
	}
	return false;
}

u32 pe_size(void)
{
	return image.size;
}

void *pe_base(void)
{
	return image.base;
}

/* ---- names ------------------------------------------------------------------------ */

static const struct nt_export *const tables[] = {
	memory_exports, mdl_exports,	wait_exports,	  thread_exports,
	dpc_exports,	timer_exports,	irp_exports,	  object_exports,
	text_exports,	callback_exports, system_exports,
};

static void *find(const char *name)
{
	const struct nt_export *e;
	int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (e = tables[i]; e->name; e++)
			if (!strcmp(e->name, name) && e->since <= nt_version)
				return e->value;
	return NULL;
}

void *pe_export(const char *name)
{
	int i;

	for (i = 0; i < hide_count; i++)
		if (!strcmp(hide[i], name))
			return NULL;
	return find(name);
}

/* A directory of the image, in *size bytes; NULL: there is none, or it's outside. */
static u8 *directory(u32 at, u32 *size)
{
	u8 *entry = image.base + get32(image.base + PE_HEADERS) + at;
	u32 address = get32(entry);

	*size = get32(entry + 4);
	if (!address || !*size || address > image.size ||
	    *size > image.size - address)
		return NULL;
	return image.base + address;
}

/* ---- exceptions ----------------------------------------------------------------- */

#define PE_EXCEPTIONS (PE_OPTIONAL + 112 + 8 * 3)
#define UNW_EHANDLER  1

/* Behind its codes the handler, and behind that a table of scopes: count, and begin,
 * end, filter (1: none, all is caught) and target of each. */
static void *scope_of(const u8 *unwind, u32 at)
{
	const u8 *p = unwind + 4 + 2 * round_up(unwind[2], 2) + 4;
	u32 count;

	if (!(unwind[0] >> 3 & UNW_EHANDLER))
		return NULL;
	count = get32(p);
	for (p += 4; count--; p += 16)
		if (at > get32(p) && at <= get32(p + 4) && get32(p + 8) == 1)
			return image.base + get32(p + 12);
	return NULL;
}

/* The unwind data of the function that this address is in. */
static u8 *unwind_of(u32 at)
{
	u32 size;
	u8 *p = directory(PE_EXCEPTIONS, &size);

	for (; p && size >= 12; p += 12, size -= 12)
		if (at > get32(p) && at <= get32(p + 4))
			return image.base + get32(p + 8);
	return NULL;
}

bool pe_raise(struct nt_registers *r)
{
	unsigned long at = pe_offset((void *)r->rip);
	u8 *unwind = at == ULONG_MAX ? NULL : unwind_of(at);
	void *target = unwind ? scope_of(unwind, at) : NULL;

	if (target)
		r->rip = (u64)target;
	return target;
}

/* ---- loading --------------------------------------------------------------------- */

static int parse(const u8 *file, size_t size)
{
	u32 pe, count, at, i;

	if (size < 0x40 || file[0] != 'M' || file[1] != 'Z')
		return -ENOEXEC;
	pe = get32(file + PE_HEADERS);
	if (pe > size || size - pe < PE_DIRECTORIES_END ||
	    get32(file + pe) != 0x4550 ||
	    get_unaligned_le16(file + pe + PE_MACHINE) != 0x8664)
		return -ENOEXEC;
	count = get_unaligned_le16(file + pe + PE_COUNT);
	at = pe + PE_OPTIONAL + get_unaligned_le16(file + pe + PE_OPTIONAL_SIZE);
	image.size = PAGE_ALIGN(get32(file + pe + PE_IMAGE_SIZE));
	if (!image.size || image.size > SZ_16M || count > SECTIONS_MAX ||
	    at + count * SECTION_SIZE > size ||
	    get32(file + pe + PE_HEADERS_SIZE) > min_t(u32, size, image.size))
		return -ENOEXEC;
	for (i = 0; i < count; i++, at += SECTION_SIZE) {
		struct section *s = &image.section[i];

		memcpy(s->name, file + at, 8);
		s->size = get32(file + at + 8);
		s->address = get32(file + at + 12);
		s->flags = get32(file + at + 36);
		if (s->address % PAGE_SIZE || s->address > image.size ||
		    s->size > image.size - s->address)
			return -ENOEXEC;
	}
	image.count = count;
	return 0;
}

static int copy(const u8 *file, size_t size)
{
	u32 pe = get32(file + PE_HEADERS), i;
	u32 at = pe + PE_OPTIONAL + get_unaligned_le16(file + pe + PE_OPTIONAL_SIZE);

	memset(image.base, 0, image.size);
	memcpy(image.base, file, get32(file + pe + PE_HEADERS_SIZE));
	for (i = 0; i < image.count; i++, at += SECTION_SIZE) {
		struct section *s = &image.section[i];
		u32 raw = min(get32(file + at + 16), s->size);
		u32 from = get32(file + at + 20);

		if (raw && (from > size || raw > size - from))
			return -ENOEXEC;
		memcpy(image.base + s->address, file + from, raw);
	}
	return 0;
}

static int relocate_block(const u8 *block, u32 size, u64 delta)
{
	u32 page = get32(block), i;

	for (i = 8; i + 2 <= size; i += 2) {
		u16 entry = get_unaligned_le16(block + i);
		u32 at = page + (entry & 0xfff);
		u64 *place = (u64 *)(image.base + at);

		if (!(entry >> 12))
			continue;
		if (entry >> 12 != 10 || at > image.size - sizeof(u64))
			return -ENOEXEC;
		put_unaligned(get_unaligned(place) + delta, place);
	}
	return 0;
}

static int relocate(void)
{
	u8 *headers = image.base + get32(image.base + PE_HEADERS);
	u64 delta = (u64)image.base - get_unaligned_le64(headers + PE_BASE);
	u32 size, block;
	u8 *p = directory(PE_RELOCATIONS, &size);
	int err;

	for (; p && size >= 8; p += block, size -= block) {
		block = get32(p + 4);
		if (block < 8 || block > size)
			return -ENOEXEC;
		err = relocate_block(p, block, delta);
		if (err)
			return err;
	}
	return 0;
}

/* The names of one library; the number that is missing. */
static int link_library(const char *library, u8 *names, u64 *slots)
{
	int missing = 0;
	u64 name;

	for (; (name = get_unaligned_le64(names)); names += 8, slots++) {
		const char *text = (char *)image.base + (u32)name + 2;
		void *value;

		if (name >> 63 || (u32)name + 2 >= image.size) {
			pr_err("ntshim: %s: an import by number\n", library);
			missing++;
			continue;
		}
		value = find(text);
		if (!value) {
			pr_err("ntshim: %s: no %s in the Windows %u.%u that the shim plays\n",
			       library, text, nt_version >> 8, nt_version & 0xff);
			missing++;
		}
		*slots = (u64)value;
	}
	return missing;
}

static int link_image(void)
{
	u32 size;
	u8 *p = directory(PE_IMPORTS, &size);
	int missing = 0;

	for (; p && size >= 20 && get32(p + 12); p += 20, size -= 20) {
		const char *library = (char *)image.base + get32(p + 12);

		if (strcasecmp(library, "ntoskrnl.exe") &&
		    strcasecmp(library, "hal.dll")) {
			pr_err("ntshim: imports from %s, which the shim doesn't have\n",
			       library);
			return -ENOENT;
		}
		missing += link_library(library, image.base + get32(p),
					(u64 *)(image.base + get32(p + 16)));
	}
	return missing ? -ENOENT : 0;
}

static int protect(void)
{
	int err = make_ro((unsigned long)image.base, 1);
	u32 i;

	for (i = 0; i < image.count && !err; i++) {
		struct section *s = &image.section[i];
		unsigned long at = (unsigned long)image.base + s->address;
		int pages = PAGE_ALIGN(s->size) >> PAGE_SHIFT;

		if (s->flags & SCN_WRITE && s->flags & SCN_EXECUTE) {
			pr_err("ntshim: section %s is for writing and executing\n",
			       s->name);
			return -ENOEXEC;
		}
		if (!(s->flags & SCN_WRITE))
			err = make_ro(at, pages);
		if (s->flags & SCN_EXECUTE && !err)
			err = make_exec(at, pages);
	}
	return err;
}

/* What is left of them can be neither used nor mistaken for what it was. */
int pe_discard(void)
{
	u32 i;
	int err = 0;

	for (i = 0; i < image.count && !err; i++) {
		struct section *s = &image.section[i];
		unsigned long at = (unsigned long)image.base + s->address;
		int pages = PAGE_ALIGN(s->size) >> PAGE_SHIFT;

		if (!(s->flags & SCN_DISCARDABLE))
			continue;
		err = no_exec(at, pages);
		if (!err)
			err = make_rw(at, pages);
		if (!err)
			memset((void *)at, 0xdd, pages << PAGE_SHIFT);
	}
	image.discarded = true;
	return err;
}

static int find_linux(void)
{
	make_ro = linux_function("set_memory_ro");
	make_rw = linux_function("set_memory_rw");
	make_exec = linux_function("set_memory_x");
	no_exec = linux_function("set_memory_nx");
	return make_ro && make_rw && make_exec && no_exec ? 0 : -ENOENT;
}

static int load(const u8 *file, size_t size)
{
	void *(*alloc)(unsigned long size) = linux_function("module_alloc");
	int err = parse(file, size);

	if (err)
		return err;
	if (!alloc || find_linux())
		return -ENOENT;
	image.base = alloc(image.size);
	if (!image.base)
		return -ENOMEM;
	err = copy(file, size);
	if (!err)
		err = relocate();
	if (!err)
		err = link_image();
	if (!err)
		err = protect();
	if (err)
		pe_unload();
	return err;
}

void *pe_load(const char *path)
{
	void *file = NULL;
	ssize_t size = kernel_read_file_from_path(path, 0, &file, SZ_16M, NULL,
						  READING_UNKNOWN);
	int err;

	if (size < 0)
		return ERR_PTR(size);
	err = load(file, size);
	vfree(file);
	if (err)
		return ERR_PTR(err);
	pr_info("ntshim: %s at %px, %u bytes\n", path, image.base, image.size);
	return image.base + get32(image.base + get32(image.base + PE_HEADERS) + PE_ENTRY);
}

/* The pages' other mapping has taken part in their protection. */
void pe_unload(void)
{
	unsigned long at = (unsigned long)image.base;

	if (!at)
		return;
	no_exec(at, image.size >> PAGE_SHIFT);
	make_rw(at, image.size >> PAGE_SHIFT);
	vfree(image.base);
	image.base = NULL;
}
