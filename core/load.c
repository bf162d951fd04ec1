// SPDX-License-Identifier: GPL-2.0
/*
 * Puts kernel, initrd and boot information into the main chunk:
 *
 *	main.address                                              end of main
 *	| image | brk and slack ... | free ... | initrd | reserved range |
 *
 * The image moves by a multiple of 2 MiB, which is all that a relocatable Linux
 * asks for and keeps every alignment that its linker script promised. The
 * reserved range is boot.c's.
 */
#include "image.h"
#include "x86/x86.h"

#define MIB 0x100000ULL
/* A copy this long gives the host no reason to complain about the time. */
#define COPY_PIECE MIB
/* Linux builds its first page tables in the brk area behind the image, most of
 * which lies inside the last segment. */
#define IMAGE_SLACK MIB

struct layout {
	co_u64 image_end;
	co_u64 initrd;
};

static int copy_in(struct co_memory *mem, co_u64 pa, co_u64 user, co_u64 size)
{
	co_u8 *dst = co_memory_at(mem, pa, size);
	co_u64 done, piece;

	if (!dst || user + size < user)
		return -CO_EFAULT;
	for (done = 0; done < size; done += piece) {
		piece = CO_MIN(size - done, COPY_PIECE);
		if (host_copy_in(dst + done, user + done, piece))
			return -CO_EFAULT;
	}
	return 0;
}

/* ---- where things go -------------------------------------------------------- */

/* Link-time address of the image's 2 MiB grain. */
static co_u64 image_base(const struct co_elf *elf)
{
	return CO_ALIGN_DOWN(elf->start, CO_LARGE_PAGE);
}

/* Largest size first: no sum of these can overflow once each is below the
 * chunk's. */
static int plan(const struct co_vm *vm, const struct co_elf *elf,
		struct co_req_vm_load *req, struct layout *layout)
{
	const struct co_chunk *main = &vm->memory.chunk[vm->memory.main];
	co_u64 image = elf->end - image_base(elf);
	co_u64 reserved = co_boot_size(vm);
	co_u64 need, most = ~0ULL / 8;

	image = CO_MIN(image, most);
	need = CO_ALIGN_UP(image, CO_PAGE_SIZE) + IMAGE_SLACK + reserved +
	       CO_ALIGN_UP(CO_MIN(req->initrd_size, most), CO_PAGE_SIZE);
	if (need > main->size)
		return co_load_error(req, CO_LOAD_TOO_SMALL,
				     CO_ALIGN_UP(need, MIB) / MIB);
	layout->image_end = main->address + image;
	layout->initrd = CO_ALIGN_DOWN(main->address + main->size - reserved -
					       req->initrd_size,
				       CO_PAGE_SIZE);
	return 0;
}

/* ---- the image ---------------------------------------------------------------- */

static int load_segment(struct co_vm *vm, const struct co_elf *elf,
			const struct elf_segment *seg)
{
	co_u64 pa = seg->paddr + vm->image.load;
	co_u8 *dst = co_memory_at(&vm->memory, pa, seg->memsz);
	int err;

	if (!dst)
		return -CO_EFAULT;
	err = copy_in(&vm->memory, pa, elf->user + seg->offset, seg->filesz);
	if (err)
		return err;
	memset(dst + seg->filesz, 0, seg->memsz - seg->filesz);
	return 0;
}

static int load_segments(struct co_vm *vm, const struct co_elf *elf)
{
	co_u32 i;
	int err;

	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *seg = &elf->segment[i];

		if (seg->type != ELF_SEG_LOAD || !seg->memsz)
			continue;
		err = load_segment(vm, elf, seg);
		if (err)
			return err;
	}
	return 0;
}

/* The addresses that the rest of the core asks for; image.c found them good. */
static void describe(struct co_vm *vm, const struct co_elf *elf)
{
	struct co_image *image = &vm->image;
	co_u64 base = vm->memory.chunk[vm->memory.main].address;

	image->load = base - image_base(elf);
	image->start = base;
	image->end = elf->end + image->load;
	co_elf_entry(elf, &image->entry);
	image->entry += image->load;
	co_elf_physical(elf, image->note.passage_start, &image->passage_pa);
	image->passage_pa += image->load;
}

/* ---- the request ---------------------------------------------------------------- */

static int load_vcpus(struct co_vm *vm)
{
	co_u32 i;
	int err;

	for (i = 0; i < vm->vcpus; i++) {
		err = co_vcpu_load(&vm->vcpu[i]);
		if (err) {
			while (i--)
				co_passage_free(&vm->vcpu[i].passage);
			return err;
		}
	}
	return 0;
}

static int load_all(struct co_vm *vm, const struct co_elf *elf,
		    struct co_req_vm_load *req, const char *command_line)
{
	struct layout layout = { 0, 0 };
	int err;

	err = plan(vm, elf, req, &layout);
	if (err)
		return err;
	describe(vm, elf);
	err = load_segments(vm, elf);
	if (err)
		return err;
	err = copy_in(&vm->memory, layout.initrd, req->initrd,
		      req->initrd_size);
	if (err)
		return err;
	err = co_boot_setup(vm, layout.image_end, layout.initrd,
			    req->initrd_size, command_line);
	if (err)
		return err;
	return load_vcpus(vm);
}

static int read_command_line(struct co_req_vm_load *req, char *line)
{
	co_u64 size = req->command_line_size;

	if (size >= CO_COMMAND_LINE_MAX)
		return co_load_error(req, CO_LOAD_COMMAND_LINE, size);
	line[size] = '\0';
	return host_copy_in(line, req->command_line, size);
}

static int load_locked(struct co_vm *vm, struct co_req_vm_load *req, char *line)
{
	struct co_elf elf;
	int err;

	if (vm->loaded)
		return co_load_error(req, CO_LOAD_STARTED, 0);
	err = read_command_line(req, line);
	if (err)
		return err;
	err = co_elf_read(&elf, &vm->image.note, req);
	if (!err)
		err = load_all(vm, &elf, req, line);
	co_elf_free(&elf);
	if (!err)
		co_store(&vm->loaded, true);
	return err;
}

int co_vm_load(struct co_vm *vm, struct co_req_vm_load *req)
{
	char *line = host_alloc(CO_COMMAND_LINE_MAX);
	int err;

	req->error = CO_LOAD_OK;
	req->detail = 0;
	if (!line)
		return -CO_ENOMEM;
	host_mutex_lock(&vm->lock);
	err = load_locked(vm, req, line);
	host_mutex_unlock(&vm->lock);
	host_free(line);
	return err;
}
