// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: any bytes as a kernel image, for the loader and the passage
 * tables that are built from what the image says of itself. The last byte's
 * lowest bit chooses 5-level paging.
 *
 * One VM serves all inputs: what a loader leaves behind after a bad image must
 * not matter to the next one.
 */
#include <stddef.h>

#include "../../host/sim/sim.h"

#define MEMORY (32ULL << 20)
#define OWNER  1

static struct co_file file;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct co_req_vm_create req = {
		.driver_abi = CO_DRIVER_ABI_VERSION,
		.vcpus = 1,
		.online = 1,
		.memory = MEMORY,
		.memory_max = MEMORY,
	};

	(void)argc;
	(void)argv;
	sim_reset();
	co_file_init(&file);
	if (co_request(&file, CO_REQ_VM_CREATE, &req, sizeof(req), OWNER))
		sim_die("no VM");
	return 0;
}

static void require(bool truth, const char *what)
{
	if (!truth)
		sim_die("a loaded image breaks the rule: %s", what);
}

/* What the rest of the core takes for granted of an image that was loaded. */
static void check_loaded(const struct co_vm *vm)
{
	const struct co_image *image = &vm->image;
	const struct co_memory *mem = &vm->memory;
	const struct co_guest_note *note = &image->note;
	co_u64 text = note->passage_end - note->passage_start;

	require(co_memory_at(mem, image->entry, 1), "entry in memory");
	require(text && text <= 4 * CO_PAGE_SIZE, "few pages of switch text");
	require(co_memory_at(mem, image->passage_pa, text), "text in memory");
	require(image->passage_pa % CO_PAGE_SIZE == 0, "text on a page");
	require(note->arrive - note->passage_start < text, "arrive in text");
	require(note->nmi_stub - note->passage_start < text, "NMI in text");
	require(note->mce_stub - note->passage_start < text, "MCE in text");
	require(note->fault_stub - note->passage_start < text, "fault in text");
	require(co_memory_at(mem, image->boot_params, CO_PAGE_SIZE),
		"boot_params in memory");
	require(co_memory_at(mem, image->areas, sizeof(struct co_vcpu_area)),
		"areas in memory");
	require(!sim.la57 || note->direct_map5, "image can have 5 levels");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct co_req_vm_load req = {
		.kernel = (co_uptr)data,
		.kernel_size = size,
		.initrd = (co_uptr)data,
		.initrd_size = size,
		.command_line = (co_uptr) "quiet",
		.command_line_size = 5,
	};
	co_u64 live = sim.live;
	int err;

	sim.la57 = size && data[size - 1] & 1;
	err = co_request(&file, CO_REQ_VM_LOAD, &req, sizeof(req), OWNER);
	if (!err) {
		check_loaded(file.vm);
		file.vm->loaded = false;
		co_passage_free(&file.vm->vcpu[0].passage);
	}
	require((err == -CO_ENOEXEC) == (req.error != CO_LOAD_OK),
		"a name for each bad image, and only then");
	require(req.error < CO_LOAD_COUNT, "a known error");
	require(sim.live == live, "nothing left behind");
	return 0;
}
