/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fixed-width types of the ABI, and the asserts that keep its layout.
 *
 * These headers are compiled by the guest kernel, the Linux host module, the
 * NT driver (mingw: `long` is 32 bits there) and user space. Nothing else may
 * be included here, and nothing here may depend on the compiler's data model:
 * `unsigned long long` is 64 bits on each of them and prints with %llx.
 */
#ifndef CO_ABI_TYPES_H
#define CO_ABI_TYPES_H

#ifndef __ASSEMBLER__

typedef unsigned char co_u8;
typedef unsigned short co_u16;
typedef unsigned int co_u32;
typedef unsigned long long co_u64;
typedef signed int co_s32;
typedef signed long long co_s64;

#define CO_ASSERT_SIZE(type, size) \
	_Static_assert(sizeof(type) == (size), #type " has changed its size")
#define CO_ASSERT_OFFSET(type, member, offset)                         \
	_Static_assert(__builtin_offsetof(type, member) == (offset),   \
		       #type "." #member " has moved")

#endif /* __ASSEMBLER__ */

#define CO_PAGE_SHIFT 12
#define CO_PAGE_SIZE  4096
#define CO_LARGE_PAGE 0x200000 /* 2 MiB: grain of guest memory */

#endif
