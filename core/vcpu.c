// SPDX-License-Identifier: GPL-2.0
/* A vCPU's life: made with its VM, ready after the image is loaded. */
#include "vm.h"
#include "x86/x86.h"

int co_vcpu_init(struct co_vcpu *vcpu, struct co_vm *vm, co_u32 index)
{
	vcpu->vm = vm;
	vcpu->index = index;
	host_timer_init(&vcpu->timer, co_timer_fire, vcpu);
	host_timer_init(&vcpu->watch.timer, co_watch_look, vcpu);
	host_lock_init(&vcpu->watch.lock);
	host_wait_init(&vcpu->wait);
	return co_state_init(&vcpu->state);
}

void co_vcpu_destroy(struct co_vcpu *vcpu)
{
	host_timer_cancel(&vcpu->timer);
	host_timer_cancel(&vcpu->watch.timer);
	co_passage_free(&vcpu->passage);
	co_state_free(&vcpu->state);
}

int co_vcpu_load(struct co_vcpu *vcpu)
{
	co_u64 area = vcpu->vm->image.areas +
		      vcpu->index * sizeof(struct co_vcpu_area);

	vcpu->area = host_chunk_va(area);
	vcpu->off = vcpu->index > 0;
	co_store(&vcpu->area->event.state,
		 CO_VCPU_STATE_OUT | (vcpu->off ? CO_VCPU_STATE_OFF : 0));
	return co_passage_build(vcpu);
}

bool co_vcpu_up(struct co_vcpu *vcpu)
{
	if (vcpu->index >= co_load(&vcpu->vm->online) ||
	    !(co_load(&vcpu->area->event.state) & CO_VCPU_STATE_OFF))
		return false;
	co_store(&vcpu->watch.began, 0);
	if (!co_compare_exchange(&vcpu->off, 1, 0))
		return false;
	host_wake(&vcpu->wait);
	return true;
}

void co_vcpu_down(struct co_vcpu *vcpu)
{
	co_timer_set(vcpu, CO_TIMER_OFF);
	co_store(&vcpu->off, 1);
	co_event_hand_on(vcpu);
}

co_u32 co_vcpus_up(const struct co_vm *vm)
{
	co_u32 i, up = 0;

	for (i = 0; i < vm->vcpus; i++)
		up += !co_load(&vm->vcpu[i].off);
	return up;
}
