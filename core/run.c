// SPDX-License-Identifier: GPL-2.0
/*
 * RUN: the loop in which a host thread is a guest processor.
 *
 * One turn is a burst (interrupts off: guest state in, as many round trips as
 * fast calls make, guest state out), then, still with interrupts off, the replay
 * of what hit the guest, then interrupts on and whatever the host wants: that is
 * host_work() at the start of the next turn.
 */
#include "vm.h"
#include "x86/x86.h"

/* Fast calls in a row before the host gets its turn: a guest with interrupts off
 * would otherwise keep the host's interrupts pending as long as it likes. */
#define FAST_CALLS_MAX 64

struct turn {
	struct co_call call;
	co_u32 nmis, mces; /* hit the passage, to be replayed */
	co_u32 trips;	   /* to the guest and back */
};

/* The guest's words are read once. */
static void call_read(const struct co_call *from, struct co_call *to)
{
	co_u32 i;

	to->nr = co_load(&from->nr);
	for (i = 0; i < CO_ARRAY_SIZE(to->arg); i++)
		to->arg[i] = co_load(&from->arg[i]);
	to->flags = co_load(&from->flags);
}

/* NMIs and machine checks belong to the host, whichever half they hit. */
static void passage_counts(struct co_vcpu *vcpu, struct turn *t)
{
	struct co_passage_page *host = vcpu->passage.host;
	struct co_passage_page *guest = vcpu->passage.guest;

	if (co_load(&host->nmi_count))
		t->nmis += co_exchange(&host->nmi_count, 0);
	if (co_load(&guest->nmi_count))
		t->nmis += co_exchange(&guest->nmi_count, 0);
	if (co_load(&host->mce_count))
		t->mces += co_exchange(&host->mce_count, 0);
	if (co_load(&guest->mce_count))
		t->mces += co_exchange(&guest->mce_count, 0);
}

static enum co_next burst(struct co_vcpu *vcpu, struct co_req_vcpu_run *req,
			  struct turn *t)
{
	struct co_stats *stats = &vcpu->vm->stats;
	co_u32 left = FAST_CALLS_MAX;
	enum co_next next;

	co_burst_begin(vcpu);
	do {
		/* It can't look at its events yet: an interrupt that waits for
		 * it to enable them makes it look then. */
		if (!vcpu->looks && co_event_pending(vcpu))
			host_kick(co_load(&vcpu->cpu), false);
		co_switch(vcpu);
		t->trips++;
		co_count(&stats->switches);
		passage_counts(vcpu, t);
		call_read(&vcpu->area->passage.call, &t->call);
		vcpu->looks = t->call.flags & CO_CALL_IRQS_ON;
		next = co_call(vcpu, &t->call, req);
	} while (next == CO_NEXT_FAST && --left && !t->nmis && !t->mces &&
		 !co_load(&vcpu->vm->verdict));
	co_burst_end(vcpu);
	co_count(&stats->bursts);
	return next;
}

/*
 * A guest may leave for something else between the moment at which it takes an
 * interrupt and the call that forwards it: by an NMI, or to wait for a lock. This
 * CPU is deaf to that interrupt and all that is no more urgent until the host has
 * handled it, and the thread may come to forward it on another CPU, or late. So it
 * is handled here, and the guest's call for it finds it done.
 */
static void replay_taken(struct co_vcpu *vcpu)
{
	co_u32 vector = host_in_service();

	if (vector < 32) /* none; these are exceptions' */
		return;
	vcpu->replayed = vector;
	co_count(&vcpu->vm->stats.forwarded);
	co_replay(vector);
}

/* Was this one handled by replay_taken()? The guest's next one it must be. */
static bool is_replayed(struct co_vcpu *vcpu, co_u32 vector)
{
	co_u32 replayed = vcpu->replayed;

	if (vector == CO_VECTOR_NMI || vector == CO_VECTOR_MCE)
		return false;
	vcpu->replayed = 0;
	return replayed == vector && host_in_service() != vector;
}

static void replay_forwarded(struct co_vcpu *vcpu, co_u64 vector)
{
	struct co_stats *stats = &vcpu->vm->stats;

	if (!co_may_forward(vector)) {
		co_vm_stop(vcpu->vm, CO_VERDICT_BADCALL,
			   "forwarded vector %llu, which isn't the host's",
			   vector);
		return;
	}
	if (is_replayed(vcpu, (co_u32)vector))
		return;
	co_count(vector == CO_VECTOR_NMI ? &stats->nmis :
		 vector == CO_VECTOR_MCE ? &stats->mces :
					   &stats->forwarded);
	co_replay((co_u32)vector);
}

/* Interrupts off, all state the host's. A handler may turn them on. */
static void replay(struct co_vcpu *vcpu, const struct turn *t,
		   enum co_next next)
{
	struct co_stats *stats = &vcpu->vm->stats;
	co_u32 i;

	co_count_by(&stats->nmis_passage, t->nmis);
	co_count_by(&stats->nmis, t->nmis);
	co_count_by(&stats->mces, t->mces);
	for (i = 0; i < t->mces; i++)
		co_replay(CO_VECTOR_MCE);
	/* NMIs that came together are one, as on the processor itself. */
	if (t->nmis)
		co_replay(CO_VECTOR_NMI);
	if (next == CO_NEXT_REPLAY)
		replay_forwarded(vcpu, t->call.arg[0]);
	if (!(t->call.flags & CO_CALL_IRQS_ON))
		replay_taken(vcpu);
}

static bool wake_reason(void *arg)
{
	struct co_vcpu *vcpu = arg;
	co_u64 wanted = vcpu->wanted ? vcpu->wanted : ~0ULL;

	return co_load(&vcpu->area->event.events) & wanted ||
	       co_load(&vcpu->vm->verdict);
}

static bool start_reason(void *arg)
{
	struct co_vcpu *vcpu = arg;

	return !co_load(&vcpu->off) || co_load(&vcpu->vm->verdict);
}

static enum co_next exit_with(struct co_req_vcpu_run *req, co_u32 reason)
{
	req->exit = reason;
	return CO_NEXT_EXIT;
}

/* Did the guest leave for any other reason than an NMI that pulled it out? */
static bool progress(const struct turn *t)
{
	return t->trips > 1 || t->call.nr != CO_CALL_FORWARD ||
	       t->call.arg[0] != CO_VECTOR_NMI;
}

/* What the guest wanted and the host took: the time from the end of a burst that
 * it did not end to sleep, or to ask for something, to the next one's start. */
static void account(struct co_vcpu *vcpu, co_u64 start, co_u64 end,
		    enum co_next next)
{
	co_count_by(&vcpu->vm->stats.guest_ns, end - start);
	if (vcpu->left_ns)
		co_count_by(&vcpu->area->event.steal_ns, start - vcpu->left_ns);
	vcpu->left_ns = next == CO_NEXT_IDLE || next == CO_NEXT_OFF ||
					next == CO_NEXT_MOVE ||
					next == CO_NEXT_EXIT ?
				0 :
				end;
}

/* What the other vCPUs see of this one while it is out. */
static co_u64 state_out(const struct co_vcpu *vcpu, enum co_next next)
{
	if (co_load(&vcpu->off))
		return CO_VCPU_STATE_OUT | CO_VCPU_STATE_OFF;
	if (next != CO_NEXT_IDLE && host_work_pending())
		return CO_VCPU_STATE_OUT | CO_VCPU_STATE_PREEMPTED;
	return CO_VCPU_STATE_OUT;
}

static enum co_next turn(struct co_vcpu *vcpu, struct co_req_vcpu_run *req)
{
	struct turn t = { .nmis = 0 };
	enum co_next next = CO_NEXT_BREATHE;
	bool spins = vcpu->spins;
	co_u64 start, end;

	vcpu->spins = false;
	if (co_load(&vcpu->vm->verdict))
		return exit_with(req, CO_EXIT_STOP);
	if (host_work(spins))
		return exit_with(req, CO_EXIT_INTR);
	if (co_load(&vcpu->off))
		return host_wait(&vcpu->wait, start_reason, vcpu) ?
			       exit_with(req, CO_EXIT_INTR) :
			       CO_NEXT_BREATHE;
	co_store(&vcpu->cpu, host_pin());
	/* Whoever sets an event or the verdict after this kicks us; what was set
	 * before is seen here or by the guest on its way in. */
	co_store(&vcpu->mode, CO_VCPU_IN_GUEST);
	if (!host_work_pending() && !co_load(&vcpu->vm->verdict)) {
		start = host_time_ns();
		co_watch_enter(vcpu, start);
		/* It isn't asleep any more: co_vm_asleep(). */
		co_store(&vcpu->wanted, 0);
		/* Before the crossing, which flushes all that was cached. */
		co_store(&vcpu->area->event.state, 0);
		next = burst(vcpu, req, &t);
		end = host_time_ns();
		co_watch_leave(vcpu, end, progress(&t));
		account(vcpu, start, end, next);
		co_store(&vcpu->mode, CO_VCPU_OUT);
		co_store(&vcpu->area->event.state, state_out(vcpu, next));
		replay(vcpu, &t, next);
	}
	co_store(&vcpu->mode, CO_VCPU_OUT);
	host_unpin();
	if (next == CO_NEXT_MOVE)
		co_memory_move(vcpu, &t.call);
	if (next == CO_NEXT_IDLE && host_wait(&vcpu->wait, wake_reason, vcpu))
		return exit_with(req, CO_EXIT_INTR);
	return next;
}

int co_vcpu_run(struct co_vm *vm, struct co_req_vcpu_run *req)
{
	struct co_vcpu *vcpu;

	if (req->vcpu >= vm->vcpus || !co_load(&vm->loaded))
		return -CO_EINVAL;
	vcpu = &vm->vcpu[req->vcpu];
	if (!co_compare_exchange(&vcpu->running, 0, 1))
		return -CO_EBUSY;
	if (vcpu->waiting) {
		vcpu->waiting = false;
		vcpu->area->passage.result = req->result;
	}
	req->size = 0;
	while (turn(vcpu, req) != CO_NEXT_EXIT)
		;
	co_store(&vcpu->running, 0);
	return 0;
}
