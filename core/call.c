// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's calls, one function each. They run in the burst: interrupts off,
 * the guest's FPU and MSRs in the registers. What takes time is left to the run
 * loop by the value that they return.
 */
#include "vm.h"

typedef enum co_next call_fn(struct co_vcpu *vcpu, const struct co_call *call,
			     struct co_req_vcpu_run *req);

static enum co_next answer(struct co_vcpu *vcpu, co_u64 result,
			   enum co_next next)
{
	vcpu->area->passage.result = result;
	return next;
}

static enum co_next call_nop(struct co_vcpu *vcpu, const struct co_call *call,
			     struct co_req_vcpu_run *req)
{
	(void)call;
	(void)req;
	return answer(vcpu, 0, CO_NEXT_FAST);
}

static enum co_next call_forward(struct co_vcpu *vcpu,
				 const struct co_call *call,
				 struct co_req_vcpu_run *req)
{
	(void)call;
	(void)req;
	return answer(vcpu, 0, CO_NEXT_REPLAY);
}

static enum co_next call_idle(struct co_vcpu *vcpu, const struct co_call *call,
			      struct co_req_vcpu_run *req)
{
	(void)req;
	co_store(&vcpu->wanted, call->arg[0]);
	co_count(&vcpu->vm->stats.idles);
	return answer(vcpu, 0, CO_NEXT_IDLE);
}

static enum co_next call_yield(struct co_vcpu *vcpu,
			       const struct co_call *call,
			       struct co_req_vcpu_run *req)
{
	(void)call;
	(void)req;
	vcpu->spins = true;
	return answer(vcpu, 0, CO_NEXT_BREATHE);
}

static enum co_next call_timer(struct co_vcpu *vcpu,
			       const struct co_call *call,
			       struct co_req_vcpu_run *req)
{
	(void)req;
	co_timer_set(vcpu, call->arg[0]);
	return answer(vcpu, 0, CO_NEXT_FAST);
}

static enum co_next call_notify(struct co_vcpu *vcpu,
				const struct co_call *call,
				struct co_req_vcpu_run *req)
{
	(void)req;
	if (call->arg[0] >= CO_QUEUES_MAX)
		return answer(vcpu, CO_ERROR_ARG, CO_NEXT_FAST);
	co_count(&vcpu->vm->stats.notifies);
	co_doorbell_ring(vcpu->vm, (co_u32)call->arg[0]);
	return answer(vcpu, 0, CO_NEXT_FAST);
}

static enum co_next call_console(struct co_vcpu *vcpu,
				 const struct co_call *call,
				 struct co_req_vcpu_run *req)
{
	co_u64 size = call->arg[1];

	if (size > CO_TEXT_MAX ||
	    !co_memory_read(&vcpu->vm->memory, call->arg[0], req->data, size))
		return answer(vcpu, CO_ERROR_ARG, CO_NEXT_BREATHE);
	req->exit = CO_EXIT_CONSOLE;
	req->size = (co_u32)size;
	return answer(vcpu, 0, CO_NEXT_EXIT);
}

static enum co_next call_wallclock(struct co_vcpu *vcpu,
				   const struct co_call *call,
				   struct co_req_vcpu_run *req)
{
	(void)call;
	(void)req;
	return answer(vcpu, co_clock_read(vcpu), CO_NEXT_FAST);
}

static enum co_next call_device(struct co_vcpu *vcpu,
				const struct co_call *call,
				struct co_req_vcpu_run *req)
{
	if (call->arg[0] >= vcpu->vm->devices)
		return answer(vcpu, CO_ERROR_DEVICE, CO_NEXT_FAST);
	req->exit = call->nr == CO_CALL_DEVICE_READ ? CO_EXIT_DEVICE_READ :
						      CO_EXIT_DEVICE_WRITE;
	memcpy(req->arg, call->arg, sizeof(req->arg));
	vcpu->waiting = true;
	return CO_NEXT_EXIT;
}

/* A verdict is one line of printable text, whatever the guest sent: none if it
 * names what isn't its own. `line` has `room` bytes. */
static void line_read(struct co_memory *mem, co_u64 pa, co_u64 size, char *line,
		      co_size room)
{
	co_size n = CO_MIN(size, room - 1);

	if (size > CO_TEXT_MAX || (size && !co_memory_has(mem, pa, size)) ||
	    !co_memory_read(mem, pa, line, n))
		n = 0;
	line[n] = 0;
	for (n = 0; line[n]; n++)
		if (line[n] < ' ' || line[n] > '~')
			line[n] = ' ';
}

static enum co_next call_stop(struct co_vcpu *vcpu, const struct co_call *call,
			      struct co_req_vcpu_run *req)
{
	char line[200];

	(void)req;
	line_read(&vcpu->vm->memory, call->arg[1], call->arg[2], line,
		  sizeof(line));
	if (call->arg[0] < CO_STOP_POWEROFF || call->arg[0] > CO_STOP_PANIC)
		co_vm_stop(vcpu->vm, CO_VERDICT_BADCALL,
			   "stop with the unknown reason %llu", call->arg[0]);
	else
		co_vm_stop(vcpu->vm, (co_u32)call->arg[0], "%s", line);
	return answer(vcpu, 0, CO_NEXT_BREATHE);
}

/* A vCPU that has left its guest for good isn't told any more: it's OFF. */
static enum co_next call_send(struct co_vcpu *vcpu, const struct co_call *call,
			      struct co_req_vcpu_run *req)
{
	struct co_vm *vm = vcpu->vm;
	co_u64 targets = call->arg[0];
	co_u32 i;

	(void)req;
	if (call->arg[1] & ~(co_u64)CO_EVENT_OWN ||
	    (vm->vcpus < 64 && targets >> vm->vcpus))
		return answer(vcpu, CO_ERROR_ARG, CO_NEXT_FAST);
	for (i = 0; i < vm->vcpus; i++)
		if (targets >> i & 1)
			co_event_set(&vm->vcpu[i], call->arg[1]);
	return answer(vcpu, 0, CO_NEXT_FAST);
}

static enum co_next call_vcpu_up(struct co_vcpu *vcpu,
				 const struct co_call *call,
				 struct co_req_vcpu_run *req)
{
	bool up;

	(void)req;
	if (call->arg[0] >= vcpu->vm->vcpus)
		return answer(vcpu, CO_ERROR_ARG, CO_NEXT_FAST);
	up = co_vcpu_up(&vcpu->vm->vcpu[call->arg[0]]);
	return answer(vcpu, up ? 0 : CO_ERROR_STATE, CO_NEXT_FAST);
}

static enum co_next call_vcpu_down(struct co_vcpu *vcpu,
				   const struct co_call *call,
				   struct co_req_vcpu_run *req)
{
	(void)call;
	(void)req;
	co_vcpu_down(vcpu);
	return answer(vcpu, 0, CO_NEXT_OFF);
}

/* Sleeps: not in a burst. */
static enum co_next call_move(struct co_vcpu *vcpu, const struct co_call *call,
			      struct co_req_vcpu_run *req)
{
	(void)vcpu;
	(void)call;
	(void)req;
	return CO_NEXT_MOVE;
}

static call_fn *const calls[CO_CALL_COUNT] = {
	[CO_CALL_NOP] = call_nop,
	[CO_CALL_FORWARD] = call_forward,
	[CO_CALL_IDLE] = call_idle,
	[CO_CALL_YIELD] = call_yield,
	[CO_CALL_TIMER] = call_timer,
	[CO_CALL_NOTIFY] = call_notify,
	[CO_CALL_CONSOLE] = call_console,
	[CO_CALL_WALLCLOCK] = call_wallclock,
	[CO_CALL_DEVICE_READ] = call_device,
	[CO_CALL_DEVICE_WRITE] = call_device,
	[CO_CALL_STOP] = call_stop,
	[CO_CALL_SEND] = call_send,
	[CO_CALL_VCPU_UP] = call_vcpu_up,
	[CO_CALL_VCPU_DOWN] = call_vcpu_down,
	[CO_CALL_MEMORY_GIVE] = call_move,
	[CO_CALL_MEMORY_TAKE] = call_move,
};

enum co_next co_call(struct co_vcpu *vcpu, const struct co_call *call,
		     struct co_req_vcpu_run *req)
{
	if (call->nr >= CO_CALL_COUNT || !calls[call->nr])
		return answer(vcpu, CO_ERROR_CALL, CO_NEXT_FAST);
	return calls[call->nr](vcpu, call, req);
}
