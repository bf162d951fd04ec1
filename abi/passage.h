/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world switch, as both kernels assemble it.
 *
 * Each kernel saves and restores its own state, in its own address space, by
 * the same two macros; they meet in the passage, an address space that maps both
 * sides' switch text and both passage pages at the addresses where their owners
 * see them:
 *
 *	CO_LEAVE     own CR3     save everything, scratch stack, IDT, GDT
 *	             own CR3     CR4 without PGE, PCIDE, CET: nothing stays cached
 *	             passage     CR3; jump to the peer's arrival
 *	CO_ARRIVE    passage     own scratch stack, GDT, IDT; own CR4
 *	             own CR3     CR3, then all the rest; the real IDT last
 *
 * Rules that the order keeps (each was paid for, see docs/switch.md):
 *
 *  - From `lidt` of the scratch IDT to `lidt` of the real one only vectors 2 and
 *    18 may come. Their stubs count in the passage page that they find by masking
 *    the stack pointer, and return; so the stack pointer moves to the scratch
 *    stack before the scratch IDT is loaded, and leaves it after the real one is.
 *  - In the windows in which the scratch stack goes with the real IDT an NMI
 *    may make a complete nested crossing through the same page. It overwrites
 *    the save area and the scratch stack: what must survive it is in registers.
 *  - CR4.PCIDE may be set only while CR3[11:0] is 0, as in the passage's CR3; it
 *    may be cleared any time, which flushes all of it. So CR4 goes before CR3
 *    in both directions.
 *  - A selector of the guest's may have lost its descriptor while the register
 *    keeps what it had cached: user programs can bring that about. Loading it
 *    faults, and the stub makes it a null selector, as the kernel itself would.
 *    A page fault of these, for an LDT that isn't mapped any more, spoils CR2,
 *    which comes after them.
 *  - LTR refuses a busy TSS and would write the busy bit: it is given a copy of
 *    the descriptor in the scratch GDT. The kernel's own GDT is never written.
 *
 * Both macros need the symbols of passage_offsets.h. \page is %rdi throughout.
 */
#ifndef CO_ABI_PASSAGE_H
#define CO_ABI_PASSAGE_H

#define CO_MSR_FS_BASE 0xc0000100 /* SDM vol. 4, table 2-2 */
#define CO_MSR_GS_BASE 0xc0000101

/* CR4 bits that must not hold while CR3 changes: PGE (7), PCIDE (17), CET (23). */
#define CO_CR4_PASSAGE_OFF ((1 << 7) | (1 << 17) | (1 << 23))

#define CO_TSS_BUSY 0x02 /* in byte 5 of a TSS descriptor: type 0xb, not 0x9 */
#define CO_DR7_ENABLED 0xff /* L0..G3 */

#ifdef __ASSEMBLER__

/* Stands before each jump, call and return that goes by an address in a register
 * or on the stack. A build that searches its object code for such, because it
 * has thunks for them, defines it to say that this one is meant. */
#ifndef CO_PLAIN
#define CO_PLAIN
#endif

/* rdmsr/wrmsr of the MSR in \msr from and to a field. Clobber rax, rcx, rdx. */
.macro CO_MSR_SAVE msr, field
	movl	$\msr, %ecx
	rdmsr
	movl	%eax, \field(%rdi)
	movl	%edx, \field+4(%rdi)
.endm
.macro CO_MSR_LOAD msr, field
	movl	$\msr, %ecx
	movl	\field(%rdi), %eax
	movl	\field+4(%rdi), %edx
	wrmsr
.endm

/*
 * Entry: %rdi = own passage page (own mapping), interrupts off, any stack that
 *        may be returned to. A caller that has something for the page puts it in
 *        %r8..%r11, and stores it with the \store argument, a macro's name.
 * Exit:  at the peer's arrival. Control comes back after CO_ARRIVE.
 */
.macro CO_LEAVE store:req
	pushfq
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	/* A breakpoint has no gate in the scratch IDT: off before it. The value
	 * waits in a register, since an NMI handler switches DR7, too. */
	movq	%dr7, %rbx
	testl	$CO_DR7_ENABLED, %ebx
	jz	.Lno_break\@
	xorl	%eax, %eax
	movq	%rax, %dr7
.Lno_break\@:
	sidt	CO_PP_IDT(%rdi)
	movq	%rsp, %rbp
	leaq	CO_PAGE_SIZE(%rdi), %rsp
	lidt	CO_PP_SCRATCH_IDT(%rdi)
	/* From here to the peer's own tables only NMI and #MC can come. */
	movq	%rbp, CO_PP_RSP(%rdi)
	movq	%rbx, CO_PP_DR7(%rdi)
	\store
	sgdt	CO_PP_GDT(%rdi)
	str	CO_PP_TR(%rdi)
	sldt	CO_PP_LDT(%rdi)
	movw	%ds, CO_PP_DS(%rdi)
	movw	%es, CO_PP_ES(%rdi)
	movw	%fs, CO_PP_FS(%rdi)
	movw	%gs, CO_PP_GS(%rdi)
	movw	%ss, CO_PP_SS(%rdi)
	/* The peer may not have an LDT of its own yet: leave it none to save. */
	xorl	%eax, %eax
	lldt	%ax
	lgdt	CO_PP_SCRATCH_GDT(%rdi)
	CO_MSR_SAVE CO_MSR_FS_BASE, CO_PP_FS_BASE
	CO_MSR_SAVE CO_MSR_GS_BASE, CO_PP_GS_BASE
	movq	%cr0, %rax
	movq	%rax, CO_PP_CR0(%rdi)
	movq	%cr2, %rax
	movq	%rax, CO_PP_CR2(%rdi)
	movq	%cr3, %rax
	movq	%rax, CO_PP_CR3(%rdi)
	movq	%cr4, %rax
	movq	%rax, CO_PP_CR4(%rdi)
	/* CR4 is written only where that changes something: each change of PGE
	 * or PCIDE is a full flush, and so is the CR3 write that follows. */
	movq	%rax, %rcx
	andq	$~CO_CR4_PASSAGE_OFF, %rcx
	cmpq	%rax, %rcx
	je	.Lcr4_done\@
	movq	%rcx, %cr4
.Lcr4_done\@:
	movq	CO_PP_PASSAGE_CR3(%rdi), %rax
	movq	CO_PP_PEER_ENTRY(%rdi), %rdx
	movq	CO_PP_PEER_ARG2(%rdi), %rsi
	movq	CO_PP_PEER_ARG(%rdi), %rdi
	movq	%rax, %cr3
	CO_PLAIN
	jmp	*%rdx
	int3
.endm

/*
 * Entry: %rdi = own passage page (own mapping), passage CR3, the peer's scratch
 *        tables and stack.
 * Exit:  back where CO_LEAVE was entered, %rax = CO_PP_RESULT of the page; the
 *        caller's `ret` follows. Clobbers what a call may clobber.
 */
.macro CO_ARRIVE
	leaq	CO_PAGE_SIZE(%rdi), %rsp
	lidt	CO_PP_SCRATCH_IDT(%rdi)
	lgdt	CO_PP_SCRATCH_GDT(%rdi)
	movq	CO_PP_CR4(%rdi), %rcx
	movq	%cr4, %rax
	cmpq	%rax, %rcx
	je	.Lcr4_done\@
	movq	%rcx, %cr4
.Lcr4_done\@:
	movq	CO_PP_CR3(%rdi), %rax
	movq	%rax, %cr3
	/* Own address space from here on. */
	movq	CO_PP_CR0(%rdi), %rcx
	movq	%cr0, %rax
	cmpq	%rax, %rcx
	je	.Lcr0_done\@
	movq	%rcx, %cr0
.Lcr0_done\@:
	/* The task register. A kernel that hasn't loaded its own yet shows its
	 * peer's selector, with no present descriptor behind it: skip. */
	movzwl	CO_PP_TR(%rdi), %eax
	andl	$~7, %eax
	jz	.Ltr_done\@
	movq	CO_PP_GDT_BASE(%rdi), %rdx
	testb	$0x80, 5(%rdx,%rax)
	jz	.Ltr_done\@
	movq	(%rdx,%rax), %rcx
	movq	%rcx, CO_PP_GDT_TABLE(%rdi,%rax)
	movq	8(%rdx,%rax), %rcx
	movq	%rcx, CO_PP_GDT_TABLE+8(%rdi,%rax)
	andb	$~CO_TSS_BUSY, CO_PP_GDT_TABLE+5(%rdi,%rax)
	ltr	%ax
.Ltr_done\@:
	lgdt	CO_PP_GDT(%rdi)
	lldt	CO_PP_LDT(%rdi)
	movw	CO_PP_SS(%rdi), %ss
	/* By way of %eax, where CO_FAULT_STUB mends it. Before the bases: loading
	 * a selector may clear one. */
.Lco_selectors:
	movzwl	CO_PP_DS(%rdi), %eax
	movl	%eax, %ds
	movzwl	CO_PP_ES(%rdi), %eax
	movl	%eax, %es
	movzwl	CO_PP_FS(%rdi), %eax
	movl	%eax, %fs
	movzwl	CO_PP_GS(%rdi), %eax
	movl	%eax, %gs
.Lco_selectors_end:
	movq	CO_PP_CR2(%rdi), %rax
	movq	%rax, %cr2
	CO_MSR_LOAD CO_MSR_FS_BASE, CO_PP_FS_BASE
	CO_MSR_LOAD CO_MSR_GS_BASE, CO_PP_GS_BASE
	movq	CO_PP_RESULT(%rdi), %rax
	movq	CO_PP_DR7(%rdi), %rbx
	movq	CO_PP_RSP(%rdi), %rbp
	lidt	CO_PP_IDT(%rdi)
	movq	%rbp, %rsp
	testl	$CO_DR7_ENABLED, %ebx
	jz	.Lno_break\@
	movq	%rbx, %dr7
.Lno_break\@:
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popfq
.endm

/* Gate of vector 2 or 18 in a scratch IDT: counts and returns. No register is
 * free, and the stack is the scratch stack of the page in which it counts. A host
 * with kernel IBT is here before its CR4.CET is off, and wants the landing mark. */
.macro CO_PASSAGE_STUB counter:req
	endbr64
	pushq	%rax
	movq	%rsp, %rax
	andq	$-CO_PAGE_SIZE, %rax
	incl	\counter(%rax)
	popq	%rax
	iretq
.endm

/* Gate of vectors 11, 13 and 14 in a scratch IDT: makes the selector in %eax null and
 * has it loaded again; CO_ARRIVE has nothing in %rdx there. Anywhere else there is no
 * way to go on: without an IDT that becomes a triple fault, as without this gate. */
.macro CO_FAULT_STUB
	endbr64
	leaq	.Lco_selectors(%rip), %rdx
	negq	%rdx
	addq	8(%rsp), %rdx	/* behind the error code: where it was */
	cmpq	$(.Lco_selectors_end - .Lco_selectors), %rdx
	jae	.Lno_selector\@
	xorl	%eax, %eax
	addq	$8, %rsp
	iretq
.Lno_selector\@:
	pushq	$0
	pushq	$0
	lidt	(%rsp)
	int3
.endm

#endif /* __ASSEMBLER__ */

#endif
