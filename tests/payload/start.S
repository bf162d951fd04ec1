/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest kernel of one page of assembler and some C: the smallest thing that
 * the core runs. It makes its page tables, an IDT that forwards what is the
 * host's, and calls payload_main().
 *
 * Address space: [0, 512 GiB) identity, the same 512 GiB again at DIRECT_MAP
 * (the top slot of a 4-level tree and of a 5-level tree alike), of which only the
 * 8 GiB around the image are filled in; -2 GiB = link address of the image.
 */
#include "offsets.h" /* first: passage.h is made of these */
#include "../../abi/types.h"
#include "../../abi/guest.h"
#include "../../abi/passage.h"

#define LINK_BASE 0xffffffff80000000
#define TABLE	  0x63	/* present, writable, accessed, dirty */
#define LARGE	  0xe3	/* the same, 2 MiB page */
#define CR4_LA57  12

	.section .text.start, "ax"
	.code64
	.globl	payload_start
/* %rsi = physical address of boot_params; identity map; interrupts off. */
payload_start:
	cld
	leaq	stack_top(%rip), %rsp
	movq	%rsi, %r12
	leaq	payload_start(%rip), %rbx	/* physical */
	movq	%rbx, %rbp
	subq	$(0x200000), %rbp		/* physical of LINK_BASE */

	/* Eight page directories: 2 MiB pages from the GiB before the image. */
	movq	%rbx, %rax
	shrq	$30, %rax
	jz	1f
	decq	%rax
1:	movq	%rax, %r13			/* first GiB that is mapped */
	shlq	$30, %rax
	orq	$LARGE, %rax
	leaq	directories(%rip), %rdi
	movl	$(8 * 512), %ecx
2:	movq	%rax, (%rdi)
	addq	$0x200000, %rax
	addq	$8, %rdi
	loop	2b
	/* ... hang in the third level, */
	leaq	directories(%rip), %rax
	orq	$TABLE, %rax
	leaq	third(%rip), %rdi
	movl	$8, %ecx
3:	movq	%rax, (%rdi,%r13,8)
	addq	$4096, %rax
	addq	$8, %rdi
	loop	3b
	/* ... as does the image's own directory, in its last slot but one. */
	leaq	image_directory(%rip), %rdi
	movq	%rbp, %rax
	orq	$LARGE, %rax
	movl	$512, %ecx
4:	movq	%rax, (%rdi)
	addq	$0x200000, %rax
	addq	$8, %rdi
	loop	4b
	leaq	image_directory(%rip), %rax
	orq	$TABLE, %rax
	movq	%rax, third+510*8(%rip)

	leaq	third(%rip), %rax
	orq	$TABLE, %rax
	leaq	fourth(%rip), %rdi
	movq	%rax, (%rdi)
	movq	%rax, 511*8(%rdi)
	movq	%cr4, %rax
	btl	$CR4_LA57, %eax
	jnc	5f
	leaq	fourth(%rip), %rax
	orq	$TABLE, %rax
	leaq	fifth(%rip), %rdi
	movq	%rax, (%rdi)
	movq	%rax, 511*8(%rdi)
5:	movq	%rdi, %cr3

	leaq	gdt_pointer(%rip), %rax
	leaq	gdt(%rip), %rcx
	movq	$gdt, 2(%rax)
	lgdt	(%rax)
	movl	$0x18, %eax
	movw	%ax, %ss
	movq	$6f, %rax
	jmp	*%rax
6:	movq	$stack_top, %rsp
	movq	%r12, %rdi
	movq	%rbp, %rsi
	xorl	%ebp, %ebp
	call	payload_main
7:	cli
	hlt
	jmp	7b

.macro STORE_CALL
	.irp	at, 0, 8, 16, 24, 32, 40
	movq	\at(%rsi), %rax
	movq	%rax, CO_PP_CALL+\at(%rdi)
	.endr
.endm

	.section .passage, "ax"
	.balign	CO_PAGE_SIZE
passage_start:
	.globl	payload_leave
/* co_u64 payload_leave(struct co_passage_page *page, const struct co_call *) */
payload_leave:
	CO_LEAVE STORE_CALL
payload_arrive:
	CO_ARRIVE
	ret
nmi_stub:
	CO_PASSAGE_STUB CO_PP_NMI_COUNT
mce_stub:
	CO_PASSAGE_STUB CO_PP_MCE_COUNT
fault_stub:
	CO_FAULT_STUB
	.balign	CO_PAGE_SIZE
passage_end:

	.text
/* One entry of 16 bytes per vector: error code or 0, vector, common part. */
	.globl	payload_vectors
	.balign	16
payload_vectors:
	number = 0
	.rept	256
	.balign	16
	.if	!(number == 8 || (number >= 10 && number <= 14) || number == 17 || number == 21)
	pushq	$0
	.endif
	pushq	$number
	jmp	common
	number = number + 1
	.endr

common:
	.irp	reg, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	pushq	%\reg
	.endr
	cld
	movq	72(%rsp), %rdi		/* vector */
	movq	88(%rsp), %rsi		/* interrupted %rip */
	subq	$8, %rsp
	call	payload_interrupt
	addq	$8, %rsp
	.irp	reg, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	popq	%\reg
	.endr
	addq	$16, %rsp
	iretq

	.section .note.colinux, "a", @note
	.balign	4
	.long	8, 72, CO_NOTE_TYPE
	.asciz	"colinux"
	.long	CO_NOTE_MAGIC
#ifdef WRONG_ABI
	.long	CO_GUEST_ABI_VERSION + 41
#else
	.long	CO_GUEST_ABI_VERSION
#endif
	.quad	passage_start, passage_end, payload_arrive, nmi_stub, mce_stub, fault_stub
	.quad	0xffffff8000000000, 0xffffff8000000000

	.data
	.balign	16
gdt:	.quad	0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.quad	0

	.bss
	.balign	4096
directories:	.skip 8 * 4096
image_directory: .skip 4096
third:		.skip 4096
fourth:		.skip 4096
fifth:		.skip 4096
		.skip 16384
stack_top:
