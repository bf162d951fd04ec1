/* SPDX-License-Identifier: GPL-2.0 */
/*
 * void *nt_guarded(void *(*fn)(void *arg), void *arg)
 *
 * fn(arg), or NULL if an exception came out of it. The compiler has no __try: the
 * frame has a scope table by hand, of which the system's handler reads that all
 * exceptions (filter 1) between the labels end at `caught`.
 */
	.text
	.globl	nt_guarded
	.def	nt_guarded; .scl 2; .type 32; .endef
	.seh_proc nt_guarded
nt_guarded:
	subq	$40, %rsp
	.seh_stackalloc 40
	.seh_endprologue
	movq	%rcx, %rax
	movq	%rdx, %rcx
begin:
	call	*%rax
	nop
end:
	addq	$40, %rsp
	ret
caught:
	xorl	%eax, %eax
	addq	$40, %rsp
	ret
	.seh_handler __C_specific_handler, @except
	.seh_handlerdata
	.long	1
	.rva	begin, end
	.long	1
	.rva	caught
	.text
	.seh_endproc
