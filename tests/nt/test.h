/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the driver share: a requester, and a guest that moves memory. */
#ifndef CO_TESTS_NT_TEST_H
#define CO_TESTS_NT_TEST_H

#include "fake.h"
#include "../unit/unit.h"

#define USER_BASE   0x200000000000ULL /* where guest memory is mapped */
#define VM_SIZE	    (64 * MIB)

extern struct nt_file_object *file;
extern struct co_req_vm_create created;

void fake_memory_start(void);

/* For cmocka. */
int start_on(co_u32 major, co_u32 minor);
int start(void **state);
int start_7(void **state);
int start_2003(void **state);
int end(void **state);

/* One of the core's requests: 0 or -CO_E*. */
int ask(co_u32 nr, void *req);
int create_vm(co_u64 memory);
struct co_nt_map map_request(void);
int map_vm(struct co_nt_map *map);
int unmap_vm(void);
struct upload {
	struct co_nt_load head;
	struct image image;
	char line[8];
};
void upload_init(struct upload *up);
int upload(struct upload *up);
int load_vm(void);
struct co_vm *vm(void);
/* A VM of VM_SIZE, mapped and loaded. */
void run_loaded(co_u32 vcpus);
/* The request is refused with `wanted`, and its buffers are as before. */
void try_sizes(co_u32 code, co_u32 in_size, co_u32 out_size, ntstatus wanted);

/* One call of the guest's, `got` is its result; then it stops. */
extern co_u64 wish, got, size;
extern co_u32 move;
extern int moves;
void moving_guest(struct co_vcpu *vcpu, struct co_call *call);
void guest_moves(co_u32 nr, co_u64 pa, co_u64 bytes);
/* Is that machine address in the process' mapping? */
bool user_has(co_u64 pa);

/* How many failed. */
int test_memory(void);
int test_vm(void);
int test_pressure(void);

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
#define ON_2003(name) \
	{ #name " on Server 2003", name, start_2003, end, NULL }

#endif
