// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

struct unit unit;

/* ---- the image ------------------------------------------------------------------ */

static void segment_set(struct image *image, int index, const void *bytes,
			co_u64 va, co_u64 pa, co_u64 filesz, co_u64 memsz)
{
	image->segment[index] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = (const char *)bytes - (const char *)image,
		.p_vaddr = va,
		.p_paddr = pa,
		.p_filesz = filesz,
		.p_memsz = memsz,
		.p_align = CO_LARGE_PAGE,
	};
}

static void notes_init(struct image *image)
{
	image->notes.gnu_head = (Elf64_Nhdr){ 4, 4, NT_GNU_BUILD_ID };
	memcpy(image->notes.gnu_owner, "GNU", 4);
	image->notes.head = (Elf64_Nhdr){ sizeof(CO_NOTE_OWNER),
					  sizeof(struct co_guest_note),
					  CO_NOTE_TYPE };
	memcpy(image->notes.owner, CO_NOTE_OWNER, sizeof(CO_NOTE_OWNER));
	image->notes.note = (struct co_guest_note){
		.magic = CO_NOTE_MAGIC,
		.abi_version = CO_GUEST_ABI_VERSION,
		.passage_start = PASSAGE_VA,
		.passage_end = PASSAGE_END,
		.arrive = PASSAGE_VA + 0x40,
		.nmi_stub = PASSAGE_VA + 0x80,
		.mce_stub = PASSAGE_VA + 0xc0,
		.fault_stub = PASSAGE_VA + 0x100,
		.direct_map4 = 0xffff888000000000,
		.direct_map5 = 0xff11000000000000,
	};
	image->segment[SEG_NOTE] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_offset = offsetof(struct image, notes),
		.p_filesz = sizeof(image->notes),
		.p_memsz = sizeof(image->notes),
		.p_align = 4,
	};
}

void image_init(struct image *image)
{
	memset(image, 0, sizeof(*image));
	memcpy(image->header.e_ident, ELFMAG, SELFMAG);
	image->header.e_ident[EI_CLASS] = ELFCLASS64;
	image->header.e_ident[EI_DATA] = ELFDATA2LSB;
	image->header.e_ident[EI_VERSION] = EV_CURRENT;
	image->header.e_type = ET_EXEC;
	image->header.e_machine = EM_X86_64;
	image->header.e_version = EV_CURRENT;
	image->header.e_entry = LINK_PA;
	image->header.e_phoff = offsetof(struct image, segment);
	image->header.e_ehsize = sizeof(Elf64_Ehdr);
	image->header.e_phentsize = sizeof(Elf64_Phdr);
	image->header.e_phnum = 4;
	memset(image->text, 0x11, sizeof(image->text));
	memset(image->percpu, 0x22, sizeof(image->percpu));
	memset(image->data, 0x33, sizeof(image->data));
	segment_set(image, SEG_TEXT, image->text, LINK_VA, LINK_PA,
		    sizeof(image->text), TEXT_MEMSZ);
	segment_set(image, SEG_PERCPU, image->percpu, 0, PERCPU_PA,
		    sizeof(image->percpu), PERCPU_MEMSZ);
	segment_set(image, SEG_DATA, image->data, LINK_VA + 0x6000, DATA_PA,
		    sizeof(image->data), DATA_MEMSZ);
	notes_init(image);
}

struct co_req_vm_load load_request(const struct image *image)
{
	static const char line[] = "console=hvc0 quiet";

	return (struct co_req_vm_load){
		.kernel = (co_uptr)image,
		.kernel_size = sizeof(*image),
		.command_line = (co_uptr)line,
		.command_line_size = strlen(line),
	};
}

/* ---- the VM ----------------------------------------------------------------------- */

struct co_req_vm_create create_request(co_u64 memory)
{
	struct co_req_vm_create req = {
		.driver_abi = CO_DRIVER_ABI_VERSION,
		.vcpus = 1,
		.online = 1,
		.memory = memory,
		.memory_max = memory,
		.devices = 8,
	};

	memcpy(req.name, "test", 5);
	return req;
}

int unit_create(co_u64 memory)
{
	struct co_req_vm_create req = create_request(memory);

	return co_request(&unit.file, CO_REQ_VM_CREATE, &req, sizeof(req),
			  OWNER);
}

int unit_load(struct co_req_vm_load *req)
{
	return co_request(&unit.file, CO_REQ_VM_LOAD, req, sizeof(*req), OWNER);
}

struct co_req_vm_load unit_try_load(int *err)
{
	struct co_req_vm_load req = load_request(&unit.image);

	*err = unit_load(&req);
	return req;
}

void unit_expect(co_u32 error, co_u64 detail)
{
	struct co_req_vm_load req;
	int err;

	req = unit_try_load(&err);
	assert_equal(err, -CO_ENOEXEC);
	assert_equal(req.error, error);
	assert_equal(req.detail, detail);
	assert_false(VM->loaded);
}

void unit_expect_loads(void)
{
	struct co_req_vm_load req;
	int err;

	req = unit_try_load(&err);
	assert_equal(err, 0);
	assert_equal(req.error, CO_LOAD_OK);
	assert_true(VM->loaded);
}

int unit_run(struct co_req_vcpu_run *req)
{
	return co_request(&unit.file, CO_REQ_VCPU_RUN, req, sizeof(*req),
			  OWNER);
}

void *unit_at(co_u64 pa)
{
	void *va = co_memory_at(&VM->memory, pa, 1);

	assert_non_null(va);
	return va;
}

int unit_start(void **state)
{
	(void)state;
	sim_reset();
	image_init(&unit.image);
	co_file_init(&unit.file);
	return 0;
}

int unit_start_vm(void **state)
{
	unit_start(state);
	return unit_create(64 * MIB);
}

int unit_start_loaded(void **state)
{
	struct co_req_vm_load req;

	if (unit_start_vm(state))
		return -1;
	req = load_request(&unit.image);
	return unit_load(&req);
}

int unit_end(void **state)
{
	(void)state;
	co_file_release(&unit.file);
	return co_load(&sim.live) ? -1 : 0;
}
