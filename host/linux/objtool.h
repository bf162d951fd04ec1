/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Read before core/x86/switch.S by the assembler (Kbuild). Kernels with IBT have
 * objtool check the linked module, switch code included, and on the first thing
 * that it can't follow it leaves the whole module without unwind tables.
 */
#ifndef CO_HOST_LINUX_OBJTOOL_H
#define CO_HOST_LINUX_OBJTOOL_H

#include <linux/objtool.h>
#include <asm/nospec-branch.h>

#define CO_PLAIN ANNOTATE_RETPOLINE_SAFE

	STACK_FRAME_NON_STANDARD co_world_switch
	STACK_FRAME_NON_STANDARD co_host_arrive
	STACK_FRAME_NON_STANDARD co_host_nmi_stub
	STACK_FRAME_NON_STANDARD co_host_mce_stub
	STACK_FRAME_NON_STANDARD co_host_fault_stub
	STACK_FRAME_NON_STANDARD co_replay_table
	STACK_FRAME_NON_STANDARD co_replay_call

#endif
