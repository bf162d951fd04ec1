/* SPDX-License-Identifier: GPL-2.0 */
/*
 * void *nt_map_guarded(struct nt_mdl *mdl, void *base, co_u32 priority)
 *
 * MmMapLockedPagesSpecifyCache() into the current process, cached, at `base`; NULL
 * if that raised an exception, which is how it fails in this mode. The compiler has
 * no __try: the frame has a scope table by hand, of which the system's handler reads
 * that all exceptions (filter 1) between the labels end at `caught`.
 */
	.text
	.globl	nt_map_guarded
	.def	nt_map_guarded; .scl 2; .type 32; .endef
	.seh_proc nt_map_guarded
nt_map_guarded:
	subq	$56, %rsp
	.seh_stackalloc 56
	.seh_endprologue
	movl	%r8d, 40(%rsp)
	movl	$0, 32(%rsp)	/* no bug check */
	movq	%rdx, %r9
	movl	$1, %r8d	/* MmCached */
	movl	$1, %edx	/* UserMode */
begin:
	call	*__imp_MmMapLockedPagesSpecifyCache(%rip)
	nop
end:
	addq	$56, %rsp
	ret
caught:
	xorl	%eax, %eax
	addq	$56, %rsp
	ret
	.seh_handler __C_specific_handler, @except
	.seh_handlerdata
	.long	1
	.rva	begin, end
	.long	1
	.rva	caught
	.text
	.seh_endproc
