/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's half of the world switch, and the stubs that replay an interrupt.
 * What happens in which order, and why, is in abi/passage.h.
 *
 * All functions use the System V calling convention on every host; C declares
 * them so (CO_SYSV), and an NT compiler then saves what its own convention
 * would have kept.
 */
#include "offsets.h" /* first: passage.h is made of these */
#include "../../abi/types.h"
#include "../../abi/passage.h"

#ifdef __ELF__
#define FUNCTION(name) .globl name; .type name, @function; name:
#define END(name) .size name, . - name
#define PASSAGE_SECTION .section .text.passage, "ax", @progbits
#else
#define FUNCTION(name) .globl name; name:
#define END(name)
#define PASSAGE_SECTION .section .passage, "xr"
#endif

	PASSAGE_SECTION

.macro CO_STORE_NOTHING
.endm

	/* The passage maps whole pages: nothing else may stand in them. */
	.balign	CO_PAGE_SIZE, 0xcc
	.globl	co_passage_text_start
co_passage_text_start:

/*
 * void co_world_switch(struct co_passage_page *page)
 * One round trip into the guest. Interrupts off, pinned.
 */
FUNCTION(co_world_switch)
	endbr64
	CO_LEAVE CO_STORE_NOTHING
END(co_world_switch)

/* Where the guest's passage jumps to, %rdi = the host's passage page. */
FUNCTION(co_host_arrive)
	CO_ARRIVE
	CO_PLAIN
	ret
	int3
END(co_host_arrive)

/* Gates of the host's scratch IDT. */
FUNCTION(co_host_nmi_stub)
	CO_PASSAGE_STUB CO_PP_NMI_COUNT
END(co_host_nmi_stub)

FUNCTION(co_host_mce_stub)
	CO_PASSAGE_STUB CO_PP_MCE_COUNT
END(co_host_mce_stub)

FUNCTION(co_host_fault_stub)
	CO_FAULT_STUB
END(co_host_fault_stub)

	.balign	CO_PAGE_SIZE, 0xcc
	.globl	co_passage_text_end
co_passage_text_end:

	.text
/*
 * `int N; ret` for each vector, CO_REPLAY_STRIDE (cpu.c) bytes an entry, and the
 * landing mark that a host with kernel IBT wants at an indirect call's target.
 */
	.balign	16
FUNCTION(co_replay_table)
	vector = 0
	.rept	256
	endbr64
	/* The assembler would shorten `int $3` to the breakpoint opcode. */
	.byte	0xcd, vector
	CO_PLAIN
	ret
	int3
	vector = vector + 1
	.endr
END(co_replay_table)

/* void co_replay_call(co_u64 target): an entry of the table, called. */
FUNCTION(co_replay_call)
	pushq	%rbp
	movq	%rsp, %rbp
	andq	$-16, %rsp
	CO_PLAIN
	call	*%rdi
	movq	%rbp, %rsp
	popq	%rbp
	CO_PLAIN
	ret
	int3
END(co_replay_call)

#ifdef __ELF__
	.section .note.GNU-stack, "", @progbits
#endif
