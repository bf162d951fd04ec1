/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>

/* No stack left: the push faults, and so does the delivery of that fault. */
	.text
SYM_FUNC_START(co_double_fault)
	xorl	%esp, %esp
	pushq	%rax
	ud2
SYM_FUNC_END(co_double_fault)
