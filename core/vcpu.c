// SPDX-License-Identifier: GPL-2.0
/* A vCPU's life: made with its VM, ready after the image is loaded. */
#include "vm.h"
#include "x86/x86.h"

int co_vcpu_init(struct co_vcpu *vcpu, struct co_vm *vm, co_u32 index)
{
	vcpu->vm = vm;
	vcpu->index = index;
	host_timer_init(&vcpu->timer, co_timer_fire, vcpu);
	host_wait_init(&vcpu->wait);
	return co_state_init(&vcpu->state);
}

void co_vcpu_destroy(struct co_vcpu *vcpu)
{
	host_timer_cancel(&vcpu->timer);
	co_passage_free(&vcpu->passage);
	co_state_free(&vcpu->state);
}

int co_vcpu_load(struct co_vcpu *vcpu)
{
	co_u64 area = vcpu->vm->image.areas +
		      vcpu->index * sizeof(struct co_vcpu_area);

	vcpu->area = host_chunk_va(area);
	return co_passage_build(vcpu);
}
