/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>

/*
 * The vCPU's events, taken through the normal interrupt entry. The vector is
 * chosen by the host: colinux_init_irq() writes it into the instruction.
 */
	.text
SYM_FUNC_START(co_raise_events)
SYM_INNER_LABEL(co_raise_int, SYM_L_GLOBAL)
	.byte	0xcd, 0xff		/* int imm8 */
	RET
SYM_FUNC_END(co_raise_events)
