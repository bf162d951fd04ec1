// SPDX-License-Identifier: GPL-2.0
/* What a driver can ask about the system itself; tests say what it answers. */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <asm/unaligned.h>
#include "shim.h"

static unsigned int integrity = 0x3;
module_param(integrity, uint, 0444);
MODULE_PARM_DESC(integrity, "code integrity options: 0x2 test signing, 0x400 HVCI");

static unsigned int isolation;
module_param(isolation, uint, 0444);
MODULE_PARM_DESC(isolation, "isolated user mode: 0x1 a secure kernel runs");

static unsigned int kva_shadow;
module_param(kva_shadow, uint, 0444);
MODULE_PARM_DESC(kva_shadow, "KVA shadow: 0x1 enabled");

#define LOW_PAGES (SZ_32M / PAGE_SIZE) /* available, when Windows is told to be short */

#define LENGTH_MISMATCH 0xc0000004u
#define INVALID_CLASS	0xc0000003u

/* SYSTEM_INFORMATION_CLASS, the size of its structure, the first Windows with it. */
static const struct {
	u32 class, size, since;
} classes[] = {
	{ 2, 344, NT_2003 },  /* performance */
	{ 3, 48, NT_2003 },   /* time of day */
	{ 103, 8, NT_VISTA }, /* code integrity */
	{ 165, 16, NT_10 },   /* isolated user mode */
	{ 196, 4, NT_7 },     /* speculation: KVA shadow */
};

static void fill(u32 class, u8 *to)
{
	switch (class) {
	case 2:
		put_unaligned_le32(event_low_memory_is_set() ? LOW_PAGES :
							       si_mem_available(),
				   to + 44);
		break;
	case 3:
		put_unaligned_le64(nt_system_time() - ktime_get_boottime_ns() / 100, to);
		put_unaligned_le64(nt_system_time(), to + 8);
		break;
	case 103:
		put_unaligned_le32(8, to);
		put_unaligned_le32(integrity, to + 4);
		break;
	case 165:
		to[0] = isolation;
		break;
	case 196:
		put_unaligned_le32(kva_shadow, to);
		break;
	}
}

static NT ntstatus ZwQuerySystemInformation(u32 class, u8 *to, u32 room, u32 *size)
{
	u8 answer[344] = { 0 };
	int i;

	if (!irql_at_most(PASSIVE_LEVEL))
		return NT_UNSUCCESSFUL;
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == class && classes[i].since <= nt_version)
			break;
	if (i == ARRAY_SIZE(classes))
		return INVALID_CLASS;
	if (size)
		*size = classes[i].size;
	/* Structures grow with Windows: a driver's may be an older one's, but not
	 * those of the small ones. */
	if (room < classes[i].size && class != 2 && class != 3)
		return LENGTH_MISMATCH;
	fill(class, answer);
	memcpy(to, answer, min(room, classes[i].size));
	return NT_OK;
}

/* Exceptions are found by pe_handler(): the handler itself is only a name. */
static NT u32 __C_specific_handler(void)
{
	complain(CALLER, "calls __C_specific_handler()");
	return 1;
}

const struct nt_export system_exports[] = {
	EXPORT(ZwQuerySystemInformation, NT_2003),
	EXPORT(__C_specific_handler, NT_2003),
	EXPORTS_END
};
