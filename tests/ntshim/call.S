/* SPDX-License-Identifier: GPL-2.0 */
/* From Linux' calling convention, whose stacks here are aligned to 8 bytes, to that
 * of Windows. */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

/* u64 nt_call(void *fn, a, b, c, d) */
SYM_FUNC_START(nt_call)
	push	%rbp
	mov	%rsp, %rbp
	and	$-16, %rsp
	sub	$32, %rsp	/* the callee's home for its arguments */
	mov	%rdi, %rax
	mov	%rcx, %r10
	mov	%rsi, %rcx	/* a; b is in rdx for both */
	mov	%r8, %r9	/* d */
	mov	%r10, %r8	/* c */
	ANNOTATE_RETPOLINE_SAFE
	call	*%rax
	mov	%rbp, %rsp
	pop	%rbp
	RET
SYM_FUNC_END(nt_call)
