/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest kernel <-> core.
 *
 * The life of the contract, in order:
 *
 *  1. The image carries an ELF note (struct co_guest_note). The core reads it
 *     before anything else and refuses a wrong version by name and number.
 *  2. The core loads the image, fills `struct co_boot_info` (image.h) and one
 *     `struct co_vcpu_area` per vCPU in guest memory, and jumps to the image's
 *     64-bit entry point: paging on under an identity map of the first memory
 *     chunk, interrupts off, %rsi = physical address of boot_params, whose
 *     hdr.hardware_subarch is CO_SUBARCH and hardware_subarch_data the physical
 *     address of the boot info.
 *  3. From then on the two kernels are coroutines. The guest leaves by
 *     co_leave() in its own switch code: a call number and four arguments, the
 *     answer is one 64-bit value. A hardware interrupt that hits the guest is
 *     such a call, too (CO_CALL_FORWARD).
 *  4. The host tells the guest something by setting bits in the vCPU's event
 *     words, and, where the vCPU runs, by kicking it out with an interrupt. The
 *     guest looks at its events after each forwarded interrupt and after each
 *     call that it made with interrupts enabled.
 *
 * A lie of the guest ends in a verdict or in the error of that one call; it
 * never crashes the host's code on purpose. But a guest kernel runs in ring 0:
 * nothing here is a security boundary against a hostile one.
 */
#ifndef CO_ABI_GUEST_H
#define CO_ABI_GUEST_H

#include "types.h"

#define CO_GUEST_ABI_VERSION 3
/* hdr.hardware_subarch; Linux has 0..4 of its own (asm/bootparam.h). */
#define CO_SUBARCH 5

/* The ELF note: owner "colinux" (with its NUL), type 1, section .note.colinux. */
#define CO_NOTE_OWNER "colinux"
#define CO_NOTE_TYPE  1
#define CO_NOTE_MAGIC 0x34366f63 /* "co64" */

/* ---- the passage page ------------------------------------------------- */

/*
 * One page per side and vCPU: all that the switch code of that side touches
 * while neither kernel's own tables are in force. The guest's lies in its
 * memory (first page of struct co_vcpu_area); the host's is host-private.
 * The layouts are equal, so that the NMI stub of either side finds the flags
 * by masking its stack pointer, whosever stack it is.
 */
#define CO_SCRATCH_GDT_ENTRIES 16 /* a TR selector must be below 0x78 */
#define CO_SCRATCH_IDT_ENTRIES 19 /* only these are present; SDM vol. 3A, table 6-1 */
#define CO_VECTOR_NMI 2
#define CO_VECTOR_NP  11 /* segment not present */
#define CO_VECTOR_GP  13
#define CO_VECTOR_PF  14
#define CO_VECTOR_MCE 18

#ifndef __ASSEMBLER__

/* Operand of lgdt/lidt at an address that keeps `base` aligned. */
struct co_table_ptr {
	co_u16 pad[3];
	co_u16 limit;
	co_u64 base;
};
CO_ASSERT_SIZE(struct co_table_ptr, 16);

/* What one side keeps of its own processor state; written and read only by
 * that side's switch code, each field on each crossing. */
struct co_cpu_save {
	co_u64 rsp; /* callee-saved registers and RFLAGS lie on that stack */
	co_u64 cr0;
	co_u64 cr2;
	co_u64 cr3;
	co_u64 cr4;
	co_u64 dr7;
	co_u64 fs_base;
	co_u64 gs_base;
	struct co_table_ptr gdt;
	struct co_table_ptr idt;
	co_u16 tr;
	co_u16 ldt;
	co_u16 ds;
	co_u16 es;
	co_u16 fs;
	co_u16 gs;
	co_u16 ss;
	co_u16 pad;
};
CO_ASSERT_SIZE(struct co_cpu_save, 112);

/* Why the guest left: filled by its switch code after its scratch IDT is in
 * force, so that an NMI can't come between and overwrite it. */
struct co_call {
	co_u64 nr; /* CO_CALL_* */
	co_u64 arg[4];
	co_u64 flags; /* CO_CALL_IRQS_ON */
};
CO_ASSERT_SIZE(struct co_call, 48);

/* The guest had interrupts enabled when it called: it looks at its events by
 * itself when it is back. Without it the host must see to that (self-IPI). */
#define CO_CALL_IRQS_ON 1

struct co_passage_page {
	struct co_cpu_save save;
	/* Set by the core before the first crossing, constant afterwards. */
	co_u64 passage_cr3; /* physical address of the passage's top table */
	co_u64 peer_entry;  /* virtual address to jump to under that CR3 */
	co_u64 peer_arg;    /* %rdi there: the peer's passage page */
	co_u64 peer_arg2;   /* %rsi there: boot_params at the first entry */
	struct co_table_ptr scratch_gdt_ptr; /* base: this side's own mapping */
	struct co_table_ptr scratch_idt_ptr;
	/* NMIs and machine checks that hit this side's part of the passage. */
	co_u32 nmi_count;
	co_u32 mce_count;
	/* Guest's page: call out, answer back. Unused in the host's page. */
	struct co_call call;
	co_u64 result;
	co_u64 scratch_gdt[CO_SCRATCH_GDT_ENTRIES];
	co_u64 scratch_idt[CO_SCRATCH_IDT_ENTRIES][2];
	co_u8 stack[3424]; /* grows down from the page's end */
};
CO_ASSERT_SIZE(struct co_passage_page, CO_PAGE_SIZE);

/* ---- the vCPU's shared area -------------------------------------------- */

#define CO_QUEUE_WORDS 4 /* 256 virtqueues in a VM */
#define CO_QUEUES_MAX  256
#define CO_DEVICES_MAX 64

/*
 * The event words. The host sets bits with an atomic OR, then kicks if `events`
 * was 0 before; the guest takes a word with an atomic exchange with 0 before it
 * handles it, `events` first, then the words that it stands for.
 */
struct co_event_page {
	co_u64 events; /* CO_EVENT_* */
	co_u64 queues[CO_QUEUE_WORDS]; /* with CO_EVENT_QUEUE: by queue number */
	co_u64 configs; /* with CO_EVENT_CONFIG: by device number */
	co_u64 power;   /* with CO_EVENT_POWER: CO_POWER_*, the last one counts */
	co_u64 steal_ns; /* time this vCPU wanted to run and couldn't */
	co_u64 state;	/* CO_VCPU_*, written by the host alone */
	co_u64 cpus;	/* with CO_EVENT_CPUS: vCPUs that shall be online */
	/* vCPU 0's. With CO_EVENT_MEMORY: */
	co_u64 memory;	   /* bytes the guest shall have at most; 0: not said yet */
	co_u64 memory_ask; /* bytes the host is short of; the guest takes the word */
	/* Written by the guest: bytes it has and doesn't use. */
	co_u64 memory_free;
	co_u64 clock_tsc;  /* by CO_CALL_WALLCLOCK: when its answer was right */
	co_s64 clock_rate; /* and how much faster than the TSC, at tsc_khz, the
			    * host makes its wall clock run, in 2^-32 */
	co_u64 reserved[497];
};
CO_ASSERT_SIZE(struct co_event_page, CO_PAGE_SIZE);

struct co_vcpu_area {
	struct co_passage_page passage;
	struct co_event_page event;
};
CO_ASSERT_SIZE(struct co_vcpu_area, 2 * CO_PAGE_SIZE);

#define CO_EVENT_TIMER  0x1
#define CO_EVENT_QUEUE  0x2
#define CO_EVENT_CONFIG 0x4
#define CO_EVENT_POWER  0x8
#define CO_EVENT_CLOCK  0x10 /* vCPU 0: the host's wall clock was stepped, or its rate changed */
#define CO_EVENT_CPUS   0x20 /* vCPU 0: the wished number of vCPUs changed */
#define CO_EVENT_MEMORY 0x40 /* vCPU 0: the wished size changed, or the host is short */
/*
 * vCPU 0: the host will sleep, its TSC may start anew meanwhile. The guest stops
 * its clocks, then idles for CO_EVENT_WAKE alone (that tells the host that it's
 * ready, and it's idle again as often as it comes back without that event), then
 * takes its clocks up again. The host doesn't wait for ever: WAKE can come before
 * the guest sleeps, then it must not. SLEEP withdraws a WAKE that wasn't taken:
 * of both together WAKE is the later one.
 */
#define CO_EVENT_SLEEP	0x80
#define CO_EVENT_WAKE	0x100
/* Sent from vCPU to vCPU by CO_CALL_SEND; what they mean is the guest's. */
#define CO_EVENT_OWN	0xffff0000

/*
 * `state` of a vCPU. OFF: it was never started, or went down: its saved state
 * may be written, and CO_CALL_VCPU_UP starts it. OUT: its processor is the
 * host's; on the way back every TLB entry is gone, so it needs no remote flush.
 * Set after the crossing out, cleared before the crossing in. PREEMPTED: and it
 * would rather run.
 */
#define CO_VCPU_STATE_OFF	0x1
#define CO_VCPU_STATE_OUT	0x2
#define CO_VCPU_STATE_PREEMPTED 0x4

#define CO_POWER_OFF    1 /* orderly shutdown, as by a power button */
#define CO_POWER_REBOOT 2 /* orderly restart */
#define CO_POWER_CAD    3 /* ctrl-alt-del: what init makes of it */

/* The note's descriptor. All addresses are link-time virtual addresses. */
struct co_guest_note {
	co_u32 magic; /* CO_NOTE_MAGIC */
	co_u32 abi_version; /* CO_GUEST_ABI_VERSION */
	co_u64 passage_start; /* page-aligned switch text [start, end) */
	co_u64 passage_end;
	co_u64 arrive; /* where the host's passage jumps to, %rdi = page */
	co_u64 nmi_stub; /* gate targets for the guest's scratch IDT */
	co_u64 mce_stub;
	co_u64 fault_stub; /* of #NP, #GP and #PF, when a selector is loaded */
	co_u64 direct_map4; /* base of the direct map with 4-level tables */
	co_u64 direct_map5; /* the same with 5-level tables, 0: not supported */
};
CO_ASSERT_SIZE(struct co_guest_note, 72);

#endif /* __ASSEMBLER__ */

/* ---- calls -------------------------------------------------------------- */

/*
 * All with interrupts off in the guest around the switch. "Fast" ones return
 * without a look at the host's scheduler; after the others host interrupts and
 * the host's scheduler have had their turn. Unknown numbers, and arguments that
 * the table does not allow, return CO_ERROR_*, and nothing else happens.
 */
#define CO_CALL_NOP	     0 /* fast; returns 0 */
#define CO_CALL_FORWARD	     1 /* arg0 = vector: a hardware interrupt, an NMI (2) or #MC (18) */
#define CO_CALL_IDLE	     2 /* sleeps until one of the events arg0 is pending; 0: any */
#define CO_CALL_YIELD	     3 /* the guest spins: let others run */
#define CO_CALL_TIMER	     4 /* fast; arg0 = absolute guest TSC, CO_TIMER_OFF: none */
#define CO_CALL_NOTIFY	     5 /* fast; arg0 = queue number: ring its doorbell */
#define CO_CALL_CONSOLE	     6 /* arg0 = physical address, arg1 = bytes <= CO_TEXT_MAX */
#define CO_CALL_WALLCLOCK    7 /* fast; returns nanoseconds since 1970, fills the clock_* fields */
#define CO_CALL_DEVICE_READ  8 /* arg0 = device, 1 = register, 2 = index, 3 = bytes */
#define CO_CALL_DEVICE_WRITE 9 /* arg0 = device, 1 = register, 2 = index | bytes << 32, 3 = value */
#define CO_CALL_STOP	     10 /* arg0 = CO_STOP_*, arg1, arg2 = text as for CONSOLE; no return */
#define CO_CALL_SEND	     11 /* fast; arg0 = bitmap of vCPUs, arg1 = bits of CO_EVENT_OWN */
#define CO_CALL_VCPU_UP	     12 /* fast; arg0 = vCPU, OFF, with a state in passage.save to arrive with */
#define CO_CALL_VCPU_DOWN    13 /* the caller is OFF; no return */
#define CO_CALL_MEMORY_GIVE  14 /* arg0 = physical address, arg1 = bytes: the host's again */
#define CO_CALL_MEMORY_TAKE  15 /* arg0 = wished address, 0: any, arg1 = bytes; returns the address */
#define CO_CALL_COUNT	     16

/*
 * Memory moves in blocks of 2 MiB, addresses and sizes are multiples of that, at
 * most CO_MEMORY_MOVE in one call. What the guest gives it has taken out of its
 * page tables before, on all vCPUs; the main chunk's image and reserved range
 * stay (CO_ERROR_ARG). A TAKE of one block may answer with another address than
 * the wished one; of several, it's exactly that or CO_ERROR_MEMORY. The memory
 * is zeroed, and never more than `memory_max` in all.
 */
#define CO_MEMORY_BLOCK 0x200000
#define CO_MEMORY_MOVE	0x8000000

#define CO_TIMER_OFF 0xffffffffffffffff
#define CO_TEXT_MAX  1024

/* Answers of a call that failed; no valid answer is in that range. */
#define CO_ERROR_MIN	 0xfffffffffffff000
#define CO_ERROR_CALL	 0xfffffffffffff001 /* no such call */
#define CO_ERROR_ARG	 0xfffffffffffff002 /* argument out of range */
#define CO_ERROR_DEVICE	 0xfffffffffffff003 /* no such device or register */
#define CO_ERROR_STATE	 0xfffffffffffff004 /* that vCPU isn't OFF, or may not come up */
#define CO_ERROR_MEMORY	 0xfffffffffffff005 /* the host has none to give now */

/* arg0 of CO_CALL_STOP, and the codes of a verdict (driver.h) up to 0xff. */
#define CO_STOP_POWEROFF 1
#define CO_STOP_REBOOT	 2
#define CO_STOP_HALT	 3
#define CO_STOP_PANIC	 4 /* text: the cause, one line; the log went to the console */

/* ---- devices ------------------------------------------------------------ */

/*
 * Virtio 1.2 devices with a transport of registers that are read and written by
 * call; the daemon answers, the guest waits. Not to be used per request: that
 * is what CO_CALL_NOTIFY and the event words are for. `index` is the byte offset
 * for CONFIG, the queue's index in the device for QUEUE_*, 0 otherwise. `bytes`
 * is 1, 2, 4 or 8 for CONFIG and 8 otherwise. Little-endian throughout.
 */
#define CO_DEV_ID	       0 /* r: virtio device id, 0: no device there */
#define CO_DEV_FEATURES	       1 /* r: what the device offers */
#define CO_DEV_DRIVER_FEATURES 2 /* w: what the driver takes */
#define CO_DEV_STATUS	       3 /* rw: virtio status; writing 0 resets, and is done on return */
#define CO_DEV_GENERATION      4 /* r: changes whenever the config space did */
#define CO_DEV_QUEUES	       5 /* r: number of virtqueues */
#define CO_DEV_CONFIG	       6 /* rw: config space */
#define CO_DEV_QUEUE_SIZE      7 /* r: largest size; w: chosen size, a power of 2 */
#define CO_DEV_QUEUE_DESC      8 /* w: physical address of the descriptor area */
#define CO_DEV_QUEUE_AVAIL     9 /* w: of the driver area */
#define CO_DEV_QUEUE_USED      10 /* w: of the device area */
#define CO_DEV_QUEUE_READY     11 /* rw: 1 starts, 0 stops the queue (done on return) */
#define CO_DEV_QUEUE_NUMBER    12 /* r: its number in the VM, for NOTIFY and the event words */
#define CO_DEV_NAME	       13 /* r: 8 bytes of the configured name at byte index, e.g. "cobd0" */
#define CO_DEV_QUEUE_VCPU      14 /* w: the vCPU that its events go to; 0 after a reset */
#define CO_DEV_REGISTERS       15

#endif
