/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>

/*
 * The vCPU's events, taken through the normal interrupt entry. The vector is
 * chosen by the host: colinux_init_irq() writes it into the instruction.
 */
	.text
SYM_FUNC_START(co_raise_events)
	.byte	0xcd			/* int imm8 */
SYM_INNER_LABEL(co_raise_vector, SYM_L_GLOBAL)
	.byte	0xff
	RET
SYM_FUNC_END(co_raise_events)
