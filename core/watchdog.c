// SPDX-License-Identifier: GPL-2.0
/*
 * Getting a processor back from a guest that keeps it.
 *
 * The guest's interrupt flag is the real one: while it is off, no interrupt
 * makes the guest leave, and the host is without that processor. What still
 * comes through is an NMI, which the guest forwards as any other interrupt. So
 * each vCPU that enters has a timer on another processor that looks after it;
 * that one can be in a guest, too, as long as one of them all isn't: it frees
 * its neighbour, whose own timers then run.
 *
 * The look comes seldom, and not at all for a vCPU that sleeps: an idle machine
 * shall not be woken for it. First an ordinary interrupt: a guest that has its
 * interrupts on (and a host without ticks) just hadn't a reason to leave. And to
 * a kernel in its first steps, without a gate or a stack for it, an NMI is fatal,
 * to the host as well: until a vCPU has made its first call it gets more time.
 */
#include "vm.h"

#define MS_NS	 1000000ULL
#define LOOK_NS	 (1000 * MS_NS) /* that long a guest may keep a processor */
#define AGAIN_NS (50 * MS_NS)	/* that long once it has done so */
#define LAZY_NS	 (2000 * MS_NS) /* for one that wakes often, shortly */
#define BEGIN_NS (10000 * MS_NS) /* that long its first steps may take */

/* Entries between two looks that make staying armed cheaper than arming anew. */
#define OFTEN 2

static void watch_set(struct co_vcpu *vcpu, co_u64 when, co_u32 cpu)
{
	struct co_watch *w = &vcpu->watch;

	w->away = cpu;
	co_store(&w->armed, 1);
	host_timer_set(&w->timer, when, cpu);
}

/* Its own last look may be just deciding that nobody is in there: it looks again
 * after it has told so, as we do here after we have told ours. */
void co_watch_enter(struct co_vcpu *vcpu, co_u64 now)
{
	struct co_watch *w = &vcpu->watch;
	co_u64 state;

	co_store(&w->since, now);
	w->entries++;
	if (co_load(&w->armed) && co_load(&w->away) == vcpu->cpu)
		return;
	state = host_lock(&w->lock);
	if (!w->armed || w->away != vcpu->cpu)
		watch_set(vcpu, now + LOOK_NS, vcpu->cpu);
	host_unlock(&w->lock, state);
}

void co_watch_leave(struct co_vcpu *vcpu, co_u64 now, bool progress)
{
	struct co_watch *w = &vcpu->watch;

	if (!progress)
		co_store(&w->stuck_ns, w->stuck_ns + (now - w->since));
	else if (w->stuck_ns || co_load(&w->kicked)) {
		co_store(&w->stuck_ns, 0);
		co_store(&w->kicked, 0);
	}
	if (progress && !w->began)
		co_store(&w->began, 1);
	co_store(&w->since, 0);
}

/* How long it has had the processor without leaving for a reason of its own. */
static co_u64 held_ns(struct co_watch *w, co_u64 now)
{
	co_u64 since = co_load(&w->since);

	if (!since)
		return 0;
	return co_load(&w->stuck_ns) + (now > since ? now - since : 1);
}

/* When to look next, from now; 0: when it enters again. */
static co_u64 next_look(struct co_watch *w, co_u64 held)
{
	co_u32 entries = co_load(&w->entries);
	bool often = entries - w->seen >= OFTEN;

	w->seen = entries;
	if (held)
		return held + AGAIN_NS < LOOK_NS ? LOOK_NS - held : AGAIN_NS;
	return often ? LAZY_NS : 0;
}

static void free_cpu(struct co_vcpu *vcpu, co_u64 held)
{
	struct co_vm *vm = vcpu->vm;

	if (!co_exchange(&vcpu->watch.kicked, 1)) {
		host_kick(co_load(&vcpu->cpu), false);
		return;
	}
	if (!co_load(&vcpu->watch.began) && held < BEGIN_NS)
		return;
	if (vm->watchdog_ns && held >= vm->watchdog_ns)
		co_vm_stop(vm, CO_VERDICT_STUCK,
			   "vCPU %u kept its processor for %llu s with interrupts off",
			   vcpu->index, held / (1000 * MS_NS));
	co_count(&vm->stats.rescues);
	host_kick(co_load(&vcpu->cpu), true);
}

void co_watch_look(void *arg)
{
	struct co_vcpu *vcpu = arg;
	struct co_watch *w = &vcpu->watch;
	co_u64 now = host_time_ns(), state, held, next;

	state = host_lock(&w->lock);
	co_store(&w->armed, 0);
	held = held_ns(w, now);
	next = next_look(w, held);
	if (next)
		watch_set(vcpu, now + next, w->away);
	host_unlock(&w->lock, state);
	if (held >= LOOK_NS)
		free_cpu(vcpu, held);
}

void co_watch_moved(struct co_vm *vm)
{
	co_u64 now = host_time_ns(), state;
	struct co_watch *w;
	co_u32 i;

	for (i = 0; i < vm->vcpus; i++) {
		w = &vm->vcpu[i].watch;
		state = host_lock(&w->lock);
		if (w->armed)
			watch_set(&vm->vcpu[i], now + LOOK_NS, w->away);
		host_unlock(&w->lock, state);
	}
}
