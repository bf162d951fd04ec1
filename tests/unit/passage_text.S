/* SPDX-License-Identifier: GPL-2.0 */
/* What stands for switch.S where only its place counts: two pages of text. */
	.section .text.passage, "ax", @progbits
	.balign	4096
	.globl	co_passage_text_start, co_passage_text_end
	.globl	co_host_arrive, co_host_nmi_stub, co_host_mce_stub, co_host_fault_stub
co_passage_text_start:
	.skip	256, 0xcc
co_host_arrive:
	.skip	256, 0xcc
co_host_nmi_stub:
	.skip	4096, 0xcc
co_host_mce_stub:
	.skip	256, 0xcc
co_host_fault_stub:
	.skip	256, 0xcc
	.balign	4096
co_passage_text_end:
	.section .note.GNU-stack, "", @progbits
