/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Boot information: what a guest kernel finds in its memory when it starts.
 *
 * Written by the core at load time, from the daemon's wishes and the host's
 * facts; read once by the guest's early setup and constant afterwards. It lies
 * in the VM's first memory chunk inside the reserved range that it names.
 */
#ifndef CO_ABI_IMAGE_H
#define CO_ABI_IMAGE_H

#include "types.h"

#define CO_BOOT_MAGIC	0x746f6f6234366f63 /* "co64boot" */
#define CO_VCPUS_MAX	64
#define CO_COMMAND_LINE_MAX 2048 /* with its NUL; COMMAND_LINE_SIZE of x86 Linux */

#ifndef __ASSEMBLER__

/* A contiguous piece of machine memory that belongs to the guest. */
struct co_chunk {
	co_u64 address; /* machine = guest physical, 2 MiB aligned */
	co_u64 size;	/* bytes, a multiple of 2 MiB */
};
CO_ASSERT_SIZE(struct co_chunk, 16);

struct co_boot_info {
	co_u64 magic; /* CO_BOOT_MAGIC */
	co_u32 size;  /* of this structure as the host knows it */
	co_u32 vcpus; /* that may ever be online, 1..CO_VCPUS_MAX */
	/* Physical range that the guest must keep out of its allocator: boot
	 * info, chunk list and vCPU areas lie in it. */
	co_u64 reserved_start;
	co_u64 reserved_end;
	co_u64 areas;  /* struct co_vcpu_area[vcpus], page-aligned */
	co_u64 chunks; /* struct co_chunk[chunk_count], ascending addresses */
	co_u32 chunk_count;
	co_u32 tsc_khz;
	co_u32 event_vector; /* 0x20..0xff, never used by the host's hardware */
	co_u32 devices;	     /* highest device number + 1 */
	co_u64 forward[4];   /* bitmap of the vectors to forward to the host */
	co_u8 name[64];	     /* of the VM, NUL-terminated */
	co_u32 online; /* vCPUs to start with, 1..vcpus */
	co_u32 pad;
	co_u64 memory_max; /* bytes that the guest may ever have */
	co_u64 reserved[6];
};
CO_ASSERT_SIZE(struct co_boot_info, 224);

#endif /* __ASSEMBLER__ */

#endif
