// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct nt_file_object *file;
struct co_req_vm_create created;

/* ---- what a requester does ------------------------------------------------------ */

int ask(co_u32 nr, void *req)
{
	co_size size = co_request_size(nr);
	co_u8 *out = malloc(size + sizeof(struct co_nt_result));
	struct co_nt_result result;
	ntstatus status = fake_control(file, CO_NT_REQUEST(nr), req, (co_u32)size, out,
				       (co_u32)(size + sizeof(result)));

	assert_equal(status, STATUS_SUCCESS);
	memcpy(req, out, size);
	memcpy(&result, out + size, sizeof(result));
	free(out);
	assert_equal(result.pad, 0);
	return -(int)result.error;
}

int create_vm(co_u64 memory)
{
	created = create_request(memory);
	created.memory_max = memory;
	return ask(CO_REQ_VM_CREATE, &created);
}

struct co_nt_map map_request(void)
{
	return (struct co_nt_map){ .base = USER_BASE,
				   .lowest = created.lowest,
				   .highest = created.highest };
}

int map_vm(struct co_nt_map *map)
{
	assert_equal(fake_control(file, CO_NT_MAP, map, sizeof(*map), map, sizeof(*map)),
		     STATUS_SUCCESS);
	return -(int)map->result.error;
}

int unmap_vm(void)
{
	struct co_nt_map map = map_request();

	assert_equal(fake_control(file, CO_NT_UNMAP, &map, sizeof(map), &map,
				  sizeof(map)),
		     STATUS_SUCCESS);
	return -(int)map.result.error;
}

void upload_init(struct upload *up)
{
	memset(up, 0, sizeof(*up));
	image_init(&up->image);
	memcpy(up->line, "quiet", 5);
	up->head.load.kernel = offsetof(struct upload, image);
	up->head.load.kernel_size = sizeof(up->image);
	up->head.load.command_line = offsetof(struct upload, line);
	up->head.load.command_line_size = 5;
}

int upload(struct upload *up)
{
	ntstatus status = fake_control(file, CO_NT_LOAD, NULL, 0, up, sizeof(*up));

	if (NT_ERROR(status))
		return status == STATUS_INSUFFICIENT_RESOURCES ? -CO_ENOMEM : -1;
	return -(int)up->head.result.error;
}

int load_vm(void)
{
	struct upload up;

	upload_init(&up);
	return upload(&up);
}

struct co_vm *vm(void)
{
	return ((struct nt_file *)file->context)->core.vm;
}

/* ---- setup ------------------------------------------------------------------------ */

int start_on(co_u32 major, co_u32 minor)
{
	ntstatus status;

	fake_start();
	fake.major = major;
	fake.minor = minor;
	fake_memory_start();
	if (NT_ERROR(fake_load()))
		return -1;
	file = fake_open(&status);
	return file ? 0 : -1;
}

int start(void **state)
{
	(void)state;
	return start_on(10, 0);
}

/* Without a precise clock of the system's the driver keeps one itself. */
int start_7(void **state)
{
	(void)state;
	return start_on(6, 1);
}

int start_2003(void **state)
{
	(void)state;
	return start_on(5, 2);
}

int end(void **state)
{
	(void)state;
	if (file) {
		fake_cleanup(file);
		fake_close(file);
		file = NULL;
	}
	fake_unload();
	if (fake.free_blocks != 128)
		fake_die("%llu blocks are free", fake.free_blocks);
	fake_end();
	return 0;
}

void run_loaded(co_u32 vcpus)
{
	struct co_nt_map map;

	created = create_request(VM_SIZE);
	created.vcpus = created.online = vcpus;
	assert_equal(ask(CO_REQ_VM_CREATE, &created), 0);
	map = map_request();
	assert_equal(map_vm(&map), 0);
	assert_equal(map.mapped, VM_SIZE);
	assert_equal(load_vm(), 0);
}

/* ---- memory ---------------------------------------------------------------------------------- */

co_u64 wish, got, size;
co_u32 move;
int moves;

void moving_guest(struct co_vcpu *vcpu, struct co_call *call)
{
	if (moves++) {
		got = vcpu->area->passage.result;
		call->nr = CO_CALL_STOP;
		return;
	}
	call->nr = move;
	call->arg[0] = wish;
	call->arg[1] = size;
}

/* One call of the guest's; the VM has its verdict then, so only one. */
void guest_moves(co_u32 nr, co_u64 pa, co_u64 bytes)
{
	struct co_req_vcpu_run run = { .vcpu = 0 };

	move = nr;
	wish = pa;
	size = bytes;
	moves = 0;
	fake.guest = moving_guest;
	vm()->verdict = CO_VERDICT_NONE;
	assert_equal(ask(CO_REQ_VCPU_RUN, &run), 0);
	assert_equal(run.exit, CO_EXIT_STOP);
}

bool user_has(co_u64 pa)
{
	unsigned char seen;

	return !mincore((void *)(USER_BASE + pa - created.lowest), 4096, &seen);
}

void try_sizes(co_u32 code, co_u32 in_size, co_u32 out_size, ntstatus wanted)
{
	co_u8 *in = malloc(in_size), *out = malloc(out_size);
	ntstatus status;
	co_u32 i;

	memset(in, 0x5a, in_size);
	memset(out, 0xa5, out_size);
	status = fake_control(file, code, in, in_size, out, out_size);
	assert_equal(status, wanted);
	for (i = 0; i < out_size; i++)
		assert_int_equal(out[i], 0xa5);
	free(in);
	free(out);
}
