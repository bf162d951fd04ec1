/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel image while it is loaded: image.c reads and checks it, load.c puts
 * it into the VM's memory.
 *
 * The image lies in the caller's memory, where the caller may change it at any
 * moment. Its headers are therefore copied once, checked in the copy and used
 * from the copy; only the segments' bytes are read later, and those are the
 * guest's own affair.
 */
#ifndef CO_CORE_IMAGE_H
#define CO_CORE_IMAGE_H

#include "elf.h"
#include "vm.h"

/* Linux has 5 program headers; a payload of the tests has fewer. */
#define CO_SEGMENTS_MAX	    64
#define CO_NOTES_MAX	    1024
#define CO_PASSAGE_TEXT_MAX (4 * CO_PAGE_SIZE)
/* `detail` where no segment is to blame. */
#define CO_NO_SEGMENT 0xffffffff

struct co_elf {
	co_u64 user; /* the image in the caller's address space */
	co_u64 size;
	struct elf_header header;
	struct elf_segment *segment; /* [header.phnum] */
	/* Link-time physical range of all that is loaded. */
	co_u64 start, end;
};

/* Reads and checks headers and segments, finds the note and checks all that it
 * says. 0, -CO_ENOEXEC with req->error and req->detail, -CO_EFAULT, -CO_ENOMEM.
 * co_elf_free() in any case. [sleep] */
int co_elf_read(struct co_elf *elf, struct co_guest_note *note,
		struct co_req_vm_load *req);
void co_elf_free(struct co_elf *elf);
/* Link-time physical address of the entry point and of a virtual address in a
 * loaded segment; false if there is none. */
bool co_elf_entry(const struct co_elf *elf, co_u64 *pa);
bool co_elf_physical(const struct co_elf *elf, co_u64 va, co_u64 *pa);

/* Records what is wrong with an image; returns -CO_ENOEXEC. */
int co_load_error(struct co_req_vm_load *req, co_u32 error, co_u64 detail);

#endif
