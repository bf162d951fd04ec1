/* SPDX-License-Identifier: GPL-2.0 */
/* Where a vCPU arrives that another one has started (smp.c). */
#include <linux/linkage.h>
#include <asm/unwind_hints.h>
#include <asm/asm.h>
#include "compat.h"

	.text
SYM_CODE_START(co_secondary_entry)
	UNWIND_HINT_END_OF_STACK
	call	colinux_start_secondary
	ud2
SYM_CODE_END(co_secondary_entry)
