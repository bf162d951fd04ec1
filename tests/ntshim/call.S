/* SPDX-License-Identifier: GPL-2.0 */
/* From Linux' calling convention, whose stacks here are aligned to 8 bytes, to that
 * of Windows. */
#include <linux/linkage.h>
#include <linux/objtool.h>
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

/* MmMapLockedPagesSpecifyCache(mdl, mode, cache, base, bug check, priority), called
 * by Windows' convention: struct nt_registers on the stack, and back by it. */
SYM_FUNC_START(nt_map_locked)
	mov	(%rsp), %r10
	lea	8(%rsp), %rax
	push	%r10
	push	%rax
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rdi
	push	%rsi
	push	%rbp
	push	%rbx
	mov	%rsp, %rdi
	mov	128(%rsp), %eax	/* the sixth: above these, the return, home, the fifth */
	mov	%rcx, %rsi
	mov	%r8d, %ecx
	mov	%r9, %r8
	mov	120(%rsp), %r9d
	push	%rax
	call	map_locked	/* the second is in rdx for both */
	add	$8, %rsp
	pop	%rbx
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rcx
	pop	%rdx
	mov	%rcx, %rsp
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rdx
SYM_FUNC_END(nt_map_locked)
STACK_FRAME_NON_STANDARD nt_map_locked
