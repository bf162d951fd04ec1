/* SPDX-License-Identifier: GPL-2.0 */
/* The processor half of the core: what run.c and vcpu.c ask of it. */
#ifndef CO_CORE_X86_H
#define CO_CORE_X86_H

#include "../vm.h"

/* ---- passage.c ------------------------------------------------------------ */

/* Builds the passage of a vCPU and fills both passage pages: the host's in
 * host-private memory, the guest's in vcpu->area. -CO_EEXIST when two different
 * frames would stand at one virtual address. [sleep] */
int co_passage_build(struct co_vcpu *vcpu);
void co_passage_free(struct co_passage *passage);
/* From the second entry on: into the state that the guest has saved. */
void co_passage_redirect(struct co_vcpu *vcpu);
/* Is 5-level paging on? */
bool co_cpu_la57(void);

/* ---- cpu.c ---------------------------------------------------------------- */

/* CO_BLOCK_* bits that the processor itself shows. [sleep] */
co_u64 co_cpu_blockers(void);
void co_cpu_report(struct co_req_check *req);
co_u64 co_rdtsc(void);

/* FPU image, MSR start values. [sleep] */
int co_state_init(struct co_cpu_state *state);
void co_state_free(struct co_cpu_state *state);
/* A burst: the guest's MSRs, debug registers and FPU in, and out again.
 * Interrupts off. [pinned] */
void co_burst_begin(struct co_vcpu *vcpu);
void co_burst_end(struct co_vcpu *vcpu);
/* One round trip. Interrupts off. [pinned] */
void co_switch(struct co_vcpu *vcpu);
/* `int vector` on the host. Interrupts off; the handler may turn them on.
 * [pinned, outside a burst] */
void co_replay(co_u32 vector);
/* May the guest forward it? 2, 18 and the vectors of the forward map. */
bool co_may_forward(co_u64 vector);
/* The map for the guest: all of 0x20..0xff but the event vector, and 0x80 if it has no
 * device on this host. */
void co_forward_map(co_u64 map[4]);

#endif
