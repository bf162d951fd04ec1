// SPDX-License-Identifier: GPL-2.0
/* Reads a kernel image's ELF headers and its note, and believes none of them. */
#include "image.h"
#include "x86/x86.h"

int co_load_error(struct co_req_vm_load *req, co_u32 error, co_u64 detail)
{
	req->error = error;
	req->detail = CO_MIN(detail, 0xffffffffULL);
	return -CO_ENOEXEC;
}

/* Is [start, start + size) inside [0, end)? */
static bool inside(co_u64 start, co_u64 size, co_u64 end)
{
	return start <= end && size <= end - start;
}

static bool is_load(const struct elf_segment *seg)
{
	return seg->type == ELF_SEG_LOAD && seg->memsz;
}

/* ---- headers --------------------------------------------------------------- */

static int read_header(struct co_elf *elf, struct co_req_vm_load *req)
{
	struct elf_header *h = &elf->header;

	if (elf->user + elf->size < elf->user)
		return -CO_EFAULT;
	if (host_copy_in(h, elf->user, CO_MIN(elf->size, sizeof(*h))))
		return -CO_EFAULT;
	if (h->magic != ELF_MAGIC)
		return co_load_error(req, CO_LOAD_NOT_ELF, 0);
	if (elf->size < sizeof(*h))
		return co_load_error(req, CO_LOAD_TRUNCATED, 0);
	if (h->class != ELF_CLASS_64 || h->data != ELF_DATA_LSB ||
	    h->machine != ELF_X86_64 ||
	    (h->type != ELF_TYPE_EXEC && h->type != ELF_TYPE_DYN) ||
	    h->phentsize != sizeof(struct elf_segment))
		return co_load_error(req, CO_LOAD_MACHINE, h->machine);
	return 0;
}

static int read_segments(struct co_elf *elf, struct co_req_vm_load *req)
{
	co_u32 count = elf->header.phnum;
	co_u64 size = count * sizeof(struct elf_segment);

	if (!count)
		return co_load_error(req, CO_LOAD_NO_NOTE, 0);
	if (count > CO_SEGMENTS_MAX)
		return co_load_error(req, CO_LOAD_OUTSIDE, CO_SEGMENTS_MAX);
	if (!inside(elf->header.phoff, size, elf->size))
		return co_load_error(req, CO_LOAD_TRUNCATED, 0);
	elf->segment = host_alloc(size);
	if (!elf->segment)
		return -CO_ENOMEM;
	return host_copy_in(elf->segment, elf->user + elf->header.phoff, size);
}

static bool overlaps(const struct elf_segment *a, const struct elf_segment *b)
{
	return a->paddr < b->paddr + b->memsz && b->paddr < a->paddr + a->memsz;
}

static int check_segment(const struct co_elf *elf, co_u32 index,
			 struct co_req_vm_load *req)
{
	const struct elf_segment *seg = &elf->segment[index];
	co_u32 i;

	if (!inside(seg->offset, seg->filesz, elf->size))
		return co_load_error(req, CO_LOAD_TRUNCATED, index);
	if (!is_load(seg))
		return 0;
	if (seg->filesz > seg->memsz || seg->paddr + seg->memsz < seg->paddr ||
	    seg->vaddr + (seg->memsz - 1) < seg->vaddr)
		return co_load_error(req, CO_LOAD_OUTSIDE, index);
	for (i = 0; i < index; i++)
		if (is_load(&elf->segment[i]) &&
		    overlaps(&elf->segment[i], seg))
			return co_load_error(req, CO_LOAD_OVERLAP, index);
	return 0;
}

static int check_segments(struct co_elf *elf, struct co_req_vm_load *req)
{
	co_u32 i;
	int err;

	elf->start = ~0ULL;
	elf->end = 0;
	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *seg = &elf->segment[i];

		err = check_segment(elf, i, req);
		if (err)
			return err;
		if (!is_load(seg))
			continue;
		elf->start = CO_MIN(elf->start, seg->paddr);
		elf->end = CO_MAX(elf->end, seg->paddr + seg->memsz);
	}
	return 0;
}

/* ---- the note --------------------------------------------------------------- */

#define NOTE_PAD(size) CO_ALIGN_UP((co_u64)(size), 4)

static bool is_ours(const struct elf_note *head, const char *owner)
{
	return head->type == CO_NOTE_TYPE &&
	       head->namesz == sizeof(CO_NOTE_OWNER) &&
	       !memcmp(owner, CO_NOTE_OWNER, sizeof(CO_NOTE_OWNER));
}

/* Looks for the note in one segment. 1: found, its descriptor's place in the
 * file is *at. 0: not here. */
static int scan_notes(struct co_elf *elf, co_u32 index, co_u64 *at,
		      co_u32 *size, struct co_req_vm_load *req)
{
	co_u64 pos = elf->segment[index].offset;
	co_u64 left = elf->segment[index].filesz;
	co_u32 notes;

	for (notes = 0; left && notes < CO_NOTES_MAX; notes++) {
		char owner[sizeof(CO_NOTE_OWNER)] = "";
		struct elf_note head;
		co_u64 length;

		if (left < sizeof(head))
			return co_load_error(req, CO_LOAD_TRUNCATED, index);
		if (host_copy_in(&head, elf->user + pos, sizeof(head)))
			return -CO_EFAULT;
		*at = pos + sizeof(head) + NOTE_PAD(head.namesz);
		*size = head.descsz;
		length = sizeof(head) + NOTE_PAD(head.namesz) + head.descsz;
		if (length > left)
			return co_load_error(req, CO_LOAD_TRUNCATED, index);
		if (host_copy_in(owner, elf->user + pos + sizeof(head),
				 CO_MIN(head.namesz, sizeof(owner))))
			return -CO_EFAULT;
		if (is_ours(&head, owner))
			return 1;
		/* The last descriptor's padding may be missing. */
		length = CO_MIN(NOTE_PAD(length), left);
		pos += length;
		left -= length;
	}
	return 0;
}

/* Version first: of a later version nothing else is known, its size neither. */
static int read_note(struct co_elf *elf, co_u64 at, co_u32 size,
		     struct co_guest_note *note, struct co_req_vm_load *req)
{
	if (host_copy_in(note, elf->user + at, CO_MIN(size, sizeof(*note))))
		return -CO_EFAULT;
	if (size < 8 || note->magic != CO_NOTE_MAGIC)
		return co_load_error(req, CO_LOAD_NO_NOTE, 0);
	if (note->abi_version != CO_GUEST_ABI_VERSION)
		return co_load_error(req, CO_LOAD_ABI, note->abi_version);
	if (size < sizeof(*note))
		return co_load_error(req, CO_LOAD_NO_NOTE, 0);
	return 0;
}

static int find_note(struct co_elf *elf, struct co_guest_note *note,
		     struct co_req_vm_load *req)
{
	co_u32 i, size;
	co_u64 at;
	int found;

	memset(note, 0, sizeof(*note));
	for (i = 0; i < elf->header.phnum; i++) {
		if (elf->segment[i].type != ELF_SEG_NOTE)
			continue;
		found = scan_notes(elf, i, &at, &size, req);
		if (found < 0)
			return found;
		if (found)
			return read_note(elf, at, size, note, req);
	}
	return co_load_error(req, CO_LOAD_NO_NOTE, 0);
}

/* ---- addresses --------------------------------------------------------------- */

/* The loaded segment that holds a virtual address, CO_NO_SEGMENT if none. */
static co_u32 segment_of(const struct co_elf *elf, co_u64 va)
{
	co_u32 i;

	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *seg = &elf->segment[i];

		if (is_load(seg) && va >= seg->vaddr &&
		    va - seg->vaddr < seg->memsz)
			return i;
	}
	return CO_NO_SEGMENT;
}

bool co_elf_physical(const struct co_elf *elf, co_u64 va, co_u64 *pa)
{
	co_u32 i = segment_of(elf, va);

	if (i == CO_NO_SEGMENT)
		return false;
	*pa = va - elf->segment[i].vaddr + elf->segment[i].paddr;
	return true;
}

/* Linux writes a physical address there, a plain linker a virtual one. */
bool co_elf_entry(const struct co_elf *elf, co_u64 *pa)
{
	co_u64 entry = elf->header.entry;
	co_u32 i;

	for (i = 0; i < elf->header.phnum; i++) {
		const struct elf_segment *seg = &elf->segment[i];

		if (is_load(seg) && entry >= seg->paddr &&
		    entry - seg->paddr < seg->memsz) {
			*pa = entry;
			return true;
		}
	}
	return co_elf_physical(elf, entry, pa);
}

/* The switch text: whole pages at first, few, in one segment, with all that the
 * host jumps to inside. */
static int check_passage(const struct co_elf *elf,
			 const struct co_guest_note *note,
			 struct co_req_vm_load *req)
{
	co_u64 start = note->passage_start, end = note->passage_end, pa;
	co_u32 index = segment_of(elf, start);
	const co_u64 target[] = { note->arrive, note->nmi_stub,
				  note->mce_stub, note->fault_stub };
	co_u32 i;

	if (index == CO_NO_SEGMENT || segment_of(elf, end - 1) != index ||
	    start % CO_PAGE_SIZE || end <= start ||
	    end - start > CO_PASSAGE_TEXT_MAX)
		return co_load_error(req, CO_LOAD_OUTSIDE, index);
	if (!co_elf_physical(elf, start, &pa) || pa % CO_PAGE_SIZE)
		return co_load_error(req, CO_LOAD_OUTSIDE, index);
	for (i = 0; i < CO_ARRAY_SIZE(target); i++)
		if (target[i] < start || target[i] >= end)
			return co_load_error(req, CO_LOAD_OUTSIDE, index);
	return 0;
}

static int check_note(const struct co_elf *elf,
		      const struct co_guest_note *note,
		      struct co_req_vm_load *req)
{
	co_u64 entry;

	if (co_cpu_la57() && !note->direct_map5)
		return co_load_error(req, CO_LOAD_LEVELS, 0);
	if (!co_elf_entry(elf, &entry))
		return co_load_error(req, CO_LOAD_OUTSIDE, CO_NO_SEGMENT);
	return check_passage(elf, note, req);
}

int co_elf_read(struct co_elf *elf, struct co_guest_note *note,
		struct co_req_vm_load *req)
{
	int err;

	memset(elf, 0, sizeof(*elf));
	elf->user = req->kernel;
	elf->size = req->kernel_size;
	err = read_header(elf, req);
	if (!err)
		err = read_segments(elf, req);
	if (!err)
		err = check_segments(elf, req);
	if (!err)
		err = find_note(elf, note, req);
	if (!err)
		err = check_note(elf, note, req);
	return err;
}

void co_elf_free(struct co_elf *elf)
{
	host_free(elf->segment);
	elf->segment = NULL;
}
