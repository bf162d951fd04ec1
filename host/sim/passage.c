// SPDX-License-Identifier: GPL-2.0
/* A passage without page tables, for tests that aren't about them: both passage
 * pages are there, and as many allocations as can fail. */
#include "sim.h"

int co_passage_build(struct co_vcpu *vcpu)
{
	struct co_passage *p = &vcpu->passage;
	co_u64 host_pa;

	SIM_CONTEXT(SIM_SLEEP);
	p->guest = &vcpu->area->passage;
	p->host = host_page_alloc(&host_pa);
	if (!p->host)
		return -CO_ENOMEM;
	p->table[0] = host_page_alloc(&p->table_pa[0]);
	if (!p->table[0]) {
		co_passage_free(p);
		return -CO_ENOMEM;
	}
	p->tables = 1;
	p->cr3 = p->table_pa[0];
	return 0;
}

void co_passage_free(struct co_passage *p)
{
	while (p->tables)
		host_page_free(p->table[--p->tables]);
	if (p->host)
		host_page_free(p->host);
	p->host = NULL;
	p->cr3 = 0;
}
