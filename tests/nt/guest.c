// SPDX-License-Identifier: GPL-2.0
/* In place of core/x86: a world switch is a call of the test's guest. */
#include "fake.h"

#include <string.h>

#include "../../core/x86/x86.h"
#include "../unit/unit.h"

struct sim sim; /* unit.c's image is wanted, not its host */

void sim_reset(void)
{
}

static __thread bool in_burst;

co_u64 co_cpu_blockers(void)
{
	return 0;
}

void co_cpu_report(struct co_req_check *req)
{
	(void)req;
}

bool co_cpu_la57(void)
{
	return false;
}

co_u64 co_rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

int co_state_init(struct co_cpu_state *state)
{
	state->fpu_alloc = host_alloc(512);
	return state->fpu_alloc ? 0 : -CO_ENOMEM;
}

void co_state_free(struct co_cpu_state *state)
{
	host_free(state->fpu_alloc);
}

void co_burst_begin(struct co_vcpu *vcpu)
{
	(void)vcpu;
	host_fpu_begin();
	in_burst = true;
}

void co_burst_end(struct co_vcpu *vcpu)
{
	(void)vcpu;
	in_burst = false;
	host_fpu_end();
}

void co_switch(struct co_vcpu *vcpu)
{
	struct co_call *page = &vcpu->area->passage.call;
	struct co_call call = { .nr = CO_CALL_NOP, .flags = CO_CALL_IRQS_ON };

	if (!in_burst || nt_may_call())
		fake_die("co_switch() outside a burst");
	fake.guest(vcpu, &call);
	*page = call;
	vcpu->entered = true;
}

void co_replay(co_u32 vector)
{
	(void)vector;
	if (in_burst || nt_may_call())
		fake_die("co_replay() inside a burst or with interrupts on");
}

void co_forward_map(co_u64 map[4])
{
	memset(map, 0xff, 4 * sizeof(*map));
}

bool co_may_forward(co_u64 vector)
{
	return vector < 256;
}

int co_passage_build(struct co_vcpu *vcpu)
{
	struct co_passage *p = &vcpu->passage;

	if (!host_va_to_pa(vcpu))
		fake_die("no address of a vCPU");
	p->guest = &vcpu->area->passage;
	p->host = host_page_alloc(&p->cr3);
	return p->host ? 0 : -CO_ENOMEM;
}

void co_passage_free(struct co_passage *p)
{
	if (p->host)
		host_page_free(p->host);
	p->host = NULL;
}
