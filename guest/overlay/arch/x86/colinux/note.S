/* SPDX-License-Identifier: GPL-2.0 */
/* struct co_guest_note: what the core reads before it starts this image. */
#include <linux/elfnote.h>
#include "abi/guest.h"

#define DIRECT_MAP4 0xffff888000000000
#define DIRECT_MAP5 0xff11000000000000

	.pushsection .note.colinux, "a", @note
	.balign	4
	.long	2f - 1f
	.long	4f - 3f
	.long	CO_NOTE_TYPE
1:	.asciz	CO_NOTE_OWNER
2:	.balign	4
3:	.long	CO_NOTE_MAGIC
	.long	CO_GUEST_ABI_VERSION
	.quad	co_passage_start
	.quad	co_passage_end
	.quad	co_arrive
	.quad	co_nmi_stub
	.quad	co_mce_stub
	.quad	co_fault_stub
	.quad	DIRECT_MAP4
	.quad	DIRECT_MAP5
4:	.balign	4
	.popsection
