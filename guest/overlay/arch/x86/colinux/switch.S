/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's half of the world switch. What happens in which order, and why,
 * is in abi/passage.h. The page range [co_passage_start, co_passage_end) is
 * mapped into the passage at these very addresses; the ELF note names them.
 */
#include <linux/linkage.h>
#include "co-offsets.h" /* first: passage.h is made of these */
#include "abi/types.h"
#include "abi/passage.h"

/* %rsi = struct co_call of the caller, six words. */
.macro CO_STORE_CALL
	movq	0(%rsi), %rax
	movq	%rax, CO_PP_CALL+0(%rdi)
	movq	8(%rsi), %rax
	movq	%rax, CO_PP_CALL+8(%rdi)
	movq	16(%rsi), %rax
	movq	%rax, CO_PP_CALL+16(%rdi)
	movq	24(%rsi), %rax
	movq	%rax, CO_PP_CALL+24(%rdi)
	movq	32(%rsi), %rax
	movq	%rax, CO_PP_CALL+32(%rdi)
	movq	40(%rsi), %rax
	movq	%rax, CO_PP_CALL+40(%rdi)
.endm

	/* No probe, no tracing, no padding with int3 in here. */
	.section .noinstr.text, "ax"
	.balign	CO_PAGE_SIZE, 0x90
	.globl	co_passage_start
co_passage_start:

/*
 * u64 co_leave(struct co_passage_page *page, const struct co_call *call)
 * Goes to the host with `call`, comes back with its answer. Interrupts off. An
 * NMI may nest another one up to the moment at which the call is stored.
 */
SYM_CODE_START(co_leave)
	CO_LEAVE CO_STORE_CALL
SYM_CODE_END(co_leave)

/* Where the host's passage jumps to, %rdi = the guest's passage page. */
SYM_CODE_START(co_arrive)
	CO_ARRIVE
	RET
SYM_CODE_END(co_arrive)

/* Gates of the guest's scratch IDT. */
SYM_CODE_START(co_nmi_stub)
	CO_PASSAGE_STUB CO_PP_NMI_COUNT
SYM_CODE_END(co_nmi_stub)

SYM_CODE_START(co_mce_stub)
	CO_PASSAGE_STUB CO_PP_MCE_COUNT
SYM_CODE_END(co_mce_stub)

SYM_CODE_START(co_fault_stub)
	CO_FAULT_STUB
SYM_CODE_END(co_fault_stub)

	.balign	CO_PAGE_SIZE, 0x90
	.globl	co_passage_end
co_passage_end:
