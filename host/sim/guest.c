// SPDX-License-Identifier: GPL-2.0
/*
 * In place of the processor half of core/x86: a world switch is a call of the
 * test's guest function. What it can't show, registers, tables and interrupts,
 * the lab shows.
 */
#include "sim.h"

#define FPU_SIZE 512

static _Thread_local bool in_burst;

void sim_guest_reset(void)
{
	in_burst = false;
}

co_u64 co_cpu_blockers(void)
{
	SIM_CONTEXT(SIM_SLEEP);
	return sim.cpu_blockers;
}

void co_cpu_report(struct co_req_check *req)
{
	req->cr0 = 0x80050033;
	req->cr4 = 0x3506f0 | (sim.la57 ? 1 << 12 : 0);
	req->xcr0 = 7;
	req->efer = 0xd01;
}

bool co_cpu_la57(void)
{
	return sim.la57;
}

int co_state_init(struct co_cpu_state *state)
{
	SIM_CONTEXT(SIM_SLEEP);
	state->fpu_alloc = host_alloc(FPU_SIZE);
	state->fpu = state->fpu_alloc;
	return state->fpu ? 0 : -CO_ENOMEM;
}

void co_state_free(struct co_cpu_state *state)
{
	host_free(state->fpu_alloc);
	state->fpu_alloc = state->fpu = NULL;
}

void co_burst_begin(struct co_vcpu *vcpu)
{
	(void)vcpu;
	SIM_CONTEXT(SIM_PINNED);
	host_fpu_begin();
	in_burst = true;
}

void co_burst_end(struct co_vcpu *vcpu)
{
	(void)vcpu;
	SIM_CONTEXT(SIM_PINNED);
	in_burst = false;
	host_fpu_end();
}

/* As the guest's switch code does it: the call lies in its page, then the host
 * runs. */
void co_switch(struct co_vcpu *vcpu)
{
	struct co_call *page = &vcpu->area->passage.call;
	struct co_call call = { .nr = CO_CALL_NOP };
	co_u32 i;

	SIM_CONTEXT(SIM_PINNED);
	if (!in_burst)
		sim_die("co_switch() outside a burst");
	if (!sim.guest)
		sim_die("the test has no guest");
	sim.guest(vcpu, &call);
	co_store(&page->nr, call.nr);
	for (i = 0; i < CO_ARRAY_SIZE(call.arg); i++)
		co_store(&page->arg[i], call.arg[i]);
	co_store(&page->flags, call.flags);
	vcpu->entered = true;
}

void co_replay(co_u32 vector)
{
	SIM_CONTEXT(SIM_PINNED);
	if (in_burst)
		sim_die("co_replay() inside a burst");
	if (vector > 255)
		sim_die("co_replay(%u)", vector);
	co_fetch_add(&sim.replayed[vector], 1);
	co_compare_exchange(&sim.in_service, vector, 0);
	if (sim.replay)
		sim.replay();
}

void co_forward_map(co_u64 map[4])
{
	co_u32 own = host_spare_vector();

	memset(map, 0xff, 4 * sizeof(*map));
	map[0] = ~0ULL << 32;
	map[0x80 / 64] &= ~(1ULL << 0x80 % 64);
	map[own / 64] &= ~(1ULL << own % 64);
}

bool co_may_forward(co_u64 vector)
{
	co_u64 map[4];

	co_forward_map(map);
	return vector == CO_VECTOR_NMI || vector == CO_VECTOR_MCE ||
	       (vector < 256 && map[vector / 64] >> vector % 64 & 1);
}
