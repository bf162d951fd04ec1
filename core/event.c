// SPDX-License-Identifier: GPL-2.0
/*
 * What the host tells the guest: event words, timer; and the way back, the
 * doorbells that the guest rings.
 *
 * The words' protocol is written in abi/guest.h. A setter does three things in
 * this order: the detail word, the bit in `events`, the look at vcpu->mode. The
 * run loop does two: it stores CO_VCPU_IN_GUEST, then looks at `events`. All are
 * sequentially consistent, so one of the two sees the other and no event sleeps.
 */
#include "x86/x86.h"

#define NS_PER_MS 1000000ULL
/* 146 years: a timer that is off. host_timer_cancel() may sleep, this may not. */
#define TIME_NEVER (1ULL << 62)

void co_event_set(struct co_vcpu *vcpu, co_u64 events)
{
	struct co_stats *stats = &vcpu->vm->stats;
	co_u64 before = co_fetch_or(&vcpu->area->event.events, events);

	co_count(&stats->events);
	/* Out, it may sleep; before it does it looks at the word. */
	if (co_load(&vcpu->mode) != CO_VCPU_IN_GUEST) {
		host_wake(&vcpu->wait);
		return;
	}
	/* Not 0 before: whoever made it so has kicked, and the guest hasn't
	 * looked since. */
	if (!before) {
		co_count(&stats->kicks);
		host_kick(co_load(&vcpu->cpu), false);
	}
}

bool co_event_pending(struct co_vcpu *vcpu)
{
	return co_load(&vcpu->area->event.events) != 0;
}

/* ---- what the daemon raises ---------------------------------------------- */

static void set_queues(struct co_vcpu *vcpu, co_u64 word, co_u64 bits)
{
	co_fetch_or(&vcpu->area->event.queues[word], bits);
	co_event_set(vcpu, CO_EVENT_QUEUE);
}

void co_event_hand_on(struct co_vcpu *vcpu)
{
	co_u64 word, bits;

	for (word = 0; word < CO_QUEUE_WORDS; word++) {
		bits = co_exchange(&vcpu->area->event.queues[word], 0);
		if (bits)
			set_queues(&vcpu->vm->vcpu[0], word, bits);
	}
}

/* A vCPU that is down hears nothing. It may go down just now: then it or we see
 * the other's store. */
static int raise_queue(struct co_vcpu *vcpu, co_u64 queue)
{
	if (queue >= CO_QUEUES_MAX)
		return -CO_EINVAL;
	set_queues(vcpu, queue / 64, 1ULL << (queue % 64));
	if (co_load(&vcpu->off))
		co_event_hand_on(vcpu);
	return 0;
}

static int raise_config(struct co_vcpu *vcpu, co_u64 device)
{
	if (device >= vcpu->vm->devices)
		return -CO_EINVAL;
	co_fetch_or(&vcpu->area->event.configs, 1ULL << device);
	co_event_set(vcpu, CO_EVENT_CONFIG);
	return 0;
}

static int raise_power(struct co_vcpu *vcpu, co_u64 wish)
{
	if (wish < CO_POWER_OFF || wish > CO_POWER_CAD)
		return -CO_EINVAL;
	co_store(&vcpu->area->event.power, wish);
	co_event_set(vcpu, CO_EVENT_POWER);
	return 0;
}

/* The guest follows when it can; no more than these come up meanwhile. */
static int raise_cpus(struct co_vcpu *vcpu, co_u64 online)
{
	if (!online || online > vcpu->vm->vcpus)
		return -CO_EINVAL;
	co_store(&vcpu->vm->online, (co_u32)online);
	co_store(&vcpu->area->event.cpus, online);
	co_event_set(vcpu, CO_EVENT_CPUS);
	return 0;
}

/* The guest follows as far as it can, and takes no more meanwhile. */
static int raise_memory(struct co_vcpu *vcpu, co_u64 bytes)
{
	if (bytes < CO_MEMORY_MIN || bytes % CO_MEMORY_BLOCK ||
	    bytes > vcpu->vm->memory_max)
		return -CO_EINVAL;
	co_store(&vcpu->vm->memory_limit, bytes);
	co_store(&vcpu->area->event.memory, bytes);
	co_event_set(vcpu, CO_EVENT_MEMORY);
	return 0;
}

int co_event_raise(struct co_vm *vm, const struct co_req_vm_raise *req)
{
	struct co_vcpu *vcpu;

	/* Without an image there is no area that an event could stand in. */
	if (req->vcpu >= vm->vcpus || !co_load(&vm->loaded))
		return -CO_EINVAL;
	vcpu = &vm->vcpu[req->vcpu];
	switch (req->events) {
	case CO_EVENT_QUEUE:
		return raise_queue(vcpu, req->value);
	case CO_EVENT_CONFIG:
		return raise_config(vcpu, req->value);
	case CO_EVENT_POWER:
		return raise_power(vcpu, req->value);
	case CO_EVENT_CLOCK:
		co_event_set(vcpu, CO_EVENT_CLOCK);
		return 0;
	case CO_EVENT_CPUS:
		return raise_cpus(&vm->vcpu[0], req->value);
	case CO_EVENT_MEMORY:
		return raise_memory(&vm->vcpu[0], req->value);
	default:
		return -CO_EINVAL;
	}
}

/* ---- timer ----------------------------------------------------------------- */

/*
 * TSC ticks in nanoseconds, rounded up so that the timer is never early, and
 * TIME_NEVER for all that is longer. Whole milliseconds and the rest apart: the
 * plain product overflows after some minutes and 128-bit division needs a
 * library that not every host has.
 */
static co_u64 ticks_to_ns(co_u64 ticks, co_u32 khz)
{
	co_u64 ms = ticks / khz;
	co_u64 rest = ticks % khz;

	if (ms >= TIME_NEVER / NS_PER_MS)
		return TIME_NEVER;
	return ms * NS_PER_MS + (rest * NS_PER_MS + khz - 1) / khz;
}

/*
 * The timer is a level: a deadline that is past is pending at once, and a new
 * deadline withdraws the event of the old one. An event that was on its way may
 * still come; the guest's timer code looks at its clock anyway.
 */
void co_timer_set(struct co_vcpu *vcpu, co_u64 deadline)
{
	co_u64 when = TIME_NEVER;
	co_u64 now = co_rdtsc();

	co_fetch_and(&vcpu->area->event.events, ~(co_u64)CO_EVENT_TIMER);
	if (deadline != CO_TIMER_OFF && deadline > now) {
		co_u64 ns = ticks_to_ns(deadline - now, host_tsc_khz());

		when = CO_MIN(host_time_ns() + ns, TIME_NEVER);
	}
	host_timer_set(&vcpu->timer, when, HOST_CPU_ANY);
	if (deadline <= now)
		co_timer_fire(vcpu);
}

void co_timer_fire(void *vcpu)
{
	co_event_set(vcpu, CO_EVENT_TIMER);
}

/* ---- doorbells -------------------------------------------------------------- */

void co_doorbell_ring(struct co_vm *vm, co_u32 queue)
{
	co_u64 state;

	if (queue >= CO_QUEUES_MAX)
		return;
	state = host_lock(&vm->doorbell_lock);
	if (vm->doorbell[queue])
		host_doorbell_ring(vm->doorbell[queue]);
	host_unlock(&vm->doorbell_lock, state);
}

/* The old one is put only after it can't be rung any more. */
static void doorbell_replace(struct co_vm *vm, co_u32 queue, void *doorbell)
{
	co_u64 state = host_lock(&vm->doorbell_lock);
	void *old = vm->doorbell[queue];

	vm->doorbell[queue] = doorbell;
	host_unlock(&vm->doorbell_lock, state);
	if (old)
		host_doorbell_put(old);
}

int co_doorbell_set(struct co_vm *vm, const struct co_req_doorbell *req)
{
	void *doorbell = NULL;
	int err;

	if (req->queue >= CO_QUEUES_MAX)
		return -CO_EINVAL;
	if (req->handle != -1) {
		err = host_doorbell_get(req->handle, &doorbell);
		if (err)
			return err;
	}
	doorbell_replace(vm, req->queue, doorbell);
	return 0;
}

void co_doorbell_free(struct co_vm *vm)
{
	co_u32 queue;

	for (queue = 0; queue < CO_QUEUES_MAX; queue++)
		doorbell_replace(vm, queue, NULL);
}
