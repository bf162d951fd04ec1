/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of ELF64 that a kernel image uses (System V ABI, "Object Files").
 * Little-endian, naturally aligned: the structures are the file's bytes.
 */
#ifndef CO_CORE_ELF_H
#define CO_CORE_ELF_H

#include "lib.h"

#define ELF_MAGIC     0x464c457f /* 0x7f "ELF" */
#define ELF_CLASS_64  2
#define ELF_DATA_LSB  1
#define ELF_TYPE_EXEC 2
#define ELF_TYPE_DYN  3
#define ELF_X86_64    62
#define ELF_SEG_LOAD  1
#define ELF_SEG_NOTE  4

struct elf_header {
	co_u32 magic;
	co_u8 class;
	co_u8 data;
	co_u8 ident[10];
	co_u16 type;
	co_u16 machine;
	co_u32 version;
	co_u64 entry;
	co_u64 phoff;
	co_u64 shoff;
	co_u32 flags;
	co_u16 ehsize;
	co_u16 phentsize;
	co_u16 phnum;
	co_u16 shentsize;
	co_u16 shnum;
	co_u16 shstrndx;
};
CO_ASSERT_SIZE(struct elf_header, 64);

struct elf_segment {
	co_u32 type;
	co_u32 flags;
	co_u64 offset;
	co_u64 vaddr;
	co_u64 paddr;
	co_u64 filesz;
	co_u64 memsz;
	co_u64 align;
};
CO_ASSERT_SIZE(struct elf_segment, 56);

/* Followed by the owner's name and the descriptor, each padded to 4 bytes. */
struct elf_note {
	co_u32 namesz;
	co_u32 descsz;
	co_u32 type;
};
CO_ASSERT_SIZE(struct elf_note, 12);

#endif
