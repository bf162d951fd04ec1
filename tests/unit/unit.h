/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests share: a VM to try things on, and an image to load. */
#ifndef CO_TESTS_UNIT_H
#define CO_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>

#include "../../host/sim/sim.h"

#define MIB   (1ULL << 20)
#define GIB   (1ULL << 30)
#define OWNER 4711
#define KHZ   2000000

/* cmocka compares numbers of one type. */
#define assert_equal(a, b) \
	assert_int_equal((co_u64)(co_s64)(a), (co_u64)(co_s64)(b))

/*
 * A kernel image as a Linux vmlinux is laid out, in small: text with the switch
 * code, per-CPU data linked at 0, data with bss; notes of two owners. Link
 * address 16 MiB. Each part is a field that a test may spoil. <elf.h>'s
 * structures, not the core's.
 */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment[4];
	struct {
		Elf64_Nhdr gnu_head;
		char gnu_owner[4];
		char gnu_text[4];
		Elf64_Nhdr head;
		char owner[8];
		struct co_guest_note note;
	} notes;
	unsigned char text[256];
	unsigned char percpu[128];
	unsigned char data[64];
};

enum { SEG_TEXT, SEG_PERCPU, SEG_DATA, SEG_NOTE };

#define LINK_PA	     0x1000000ULL
#define LINK_VA	     0xffffffff81000000ULL
#define TEXT_MEMSZ   0x4000
#define PERCPU_PA    (LINK_PA + 0x4000)
#define PERCPU_MEMSZ 0x2000
#define DATA_PA	     (LINK_PA + 0x6000)
#define DATA_MEMSZ   0x3000
#define PASSAGE_VA   (LINK_VA + 0x1000)
#define PASSAGE_END  (LINK_VA + 0x2000)

void image_init(struct image *image);
struct co_req_vm_load load_request(const struct image *image);

/* The VM under test: unit_start() resets sim first. */
struct unit {
	struct co_file file;
	struct image image;
};
extern struct unit unit;

#define VM   (unit.file.vm)
#define VCPU (&unit.file.vm->vcpu[0])

/* For cmocka's setup and teardown. The teardown fails on a leak. */
int unit_start(void **state);	     /* sim reset, file without VM */
int unit_start_vm(void **state);     /* 64 MiB, 8 devices */
int unit_start_loaded(void **state); /* and the image in it */
int unit_end(void **state);

struct co_req_vm_create create_request(co_u64 memory);
int unit_create(co_u64 memory);
int unit_load(struct co_req_vm_load *req);
/* Loads unit.image as the test has made it. */
struct co_req_vm_load unit_try_load(int *err);
void unit_expect(co_u32 error, co_u64 detail);
void unit_expect_loads(void);
/* One RUN; the answer in *req. */
int unit_run(struct co_req_vcpu_run *req);
/* The guest's memory at a physical address. */
void *unit_at(co_u64 pa);

#endif
