/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core's objects: a VM, its memory, its vCPUs.
 *
 * Locking: vm->lock (a mutex) orders requests that change the VM (load, doorbell,
 * chunk list); memory.moves orders the guest's own changes to its memory, and
 * memory.lock each look at it with the map; vcpu->running is taken by compare-exchange for the length of a
 * RUN; the event words are atomics; the verdict is written once under
 * vm->verdict_lock. The VM is destroyed only after its last request has ended,
 * which the port guarantees by its file reference.
 */
#ifndef CO_CORE_VM_H
#define CO_CORE_VM_H

#include "../abi/driver.h"
#include "host.h"

struct co_vm;

/* Processor state that is switched by C code, once per burst. */
#define CO_MSR_SLOTS 32
#define CO_XSTATE_MAX 16384 /* bytes; AMX alone is 8 KiB, the guest masks it */
struct co_cpu_state {
	co_u32 msr_present; /* bit n: this CPU has entry n of the table in state.c */
	bool xsave; /* else FXSAVE */
	bool pke;
	bool quiet; /* this burst is of a vCPU's first steps */
	co_u64 msr[CO_MSR_SLOTS]; /* guest's values */
	co_u64 host_msr[CO_MSR_SLOTS];
	co_u64 dr[4], dr6; /* the guest's */
	co_u64 host_dr[4], host_dr6, host_dr7;
	co_u64 xcr0, host_xcr0;
	co_u32 pkru, host_pkru;
	void *fpu; /* XSAVE/FXSAVE image, 64-byte aligned */
	void *fpu_alloc; /* what host_free() gets */
};

/* The passage: page tables of its own and the host's passage page. */
#define CO_PASSAGE_PAGES 48
struct co_passage {
	co_u64 cr3;
	void *table[CO_PASSAGE_PAGES]; /* [0] is the top */
	co_u64 table_pa[CO_PASSAGE_PAGES];
	co_u32 tables;
	struct co_passage_page *host; /* host-private */
	struct co_passage_page *guest; /* host's mapping of the guest's page */
};

/* Looks after a vCPU while it has a processor: watchdog.c. */
struct co_watch {
	struct host_timer timer;
	struct host_lock lock; /* timer, armed, away, seen */
	co_u32 armed;
	co_u32 away;	/* the processor on which the timer shall not be */
	co_u32 entries; /* into the guest */
	co_u32 seen;	/* of them, at the last look */
	co_u32 kicked;	/* an interrupt was tried first */
	co_u32 began;	/* left by itself since its start: it has its own tables */
	co_u64 since;	/* when it entered, host_time_ns(); 0: it's out */
	co_u64 stuck_ns; /* in the guest before that, with NMIs as the only exits */
};

enum co_vcpu_mode { CO_VCPU_OUT, CO_VCPU_IN_GUEST };

struct co_vcpu {
	struct co_vm *vm;
	co_u32 index;
	co_u32 running; /* a RUN is in progress */
	co_u32 mode; /* enum co_vcpu_mode */
	co_u32 cpu; /* host CPU while CO_VCPU_IN_GUEST */
	co_u64 left_ns; /* when it had to leave and wants back, 0: by itself */
	bool entered; /* the guest's own save area is valid */
	bool looks; /* it will look at its events by itself */
	bool waiting; /* a DEVICE_* call waits for its result */
	bool spins; /* it waits for someone: others first */
	co_u32 replayed; /* an interrupt that it has yet to forward; 0: none */
	co_u32 off; /* not started, or gone down */
	co_u64 wanted; /* events that end its sleep, 0: any */
	struct co_passage passage;
	struct co_cpu_state state;
	struct co_vcpu_area *area; /* in guest memory, host's mapping */
	struct host_timer timer;
	struct host_wait wait;
	struct co_watch watch;
};

/* The map of blocks: machine addresses below 128 TiB, 64 GiB in a leaf. */
#define CO_MAP_LEAF   (1ULL << 36)
#define CO_MAP_LEAVES 2048
#define CO_MAP_END    (CO_MAP_LEAF * CO_MAP_LEAVES)

struct co_memory {
	struct co_chunk *chunk; /* at the start; ascending; [0..count) */
	co_u32 count;
	co_u32 main; /* index of the chunk that holds image, initrd, areas */
	co_u64 size; /* now */
	co_u64 peak; /* the largest `size` so far */
	co_u64 lowest, highest; /* where blocks can lie */
	struct host_lock lock; /* the map changes, or a block is read */
	struct host_mutex moves; /* one GIVE or TAKE at a time */
	co_u64 *leaf[CO_MAP_LEAVES]; /* a bit per block */
};

/* What load.c found out about the image. */
struct co_image {
	co_u64 entry; /* physical */
	co_u64 load; /* physical minus link-time physical */
	struct co_guest_note note;
	co_u64 passage_pa; /* physical address of note.passage_start */
	co_u64 boot_params; /* physical, %rsi at entry */
	co_u64 areas; /* physical, struct co_vcpu_area[] */
	/* Physical ranges that stay as long as the VM does. */
	co_u64 start, end;
	co_u64 reserved_start, reserved_end;
};

struct co_stats {
	co_u64 switches, bursts, forwarded, nmis, nmis_passage, mces, idles,
		notifies, events, kicks, guest_ns, rescues;
};

/* Counters may be a little late, never torn. */
static inline void co_count_by(co_u64 *counter, co_u64 n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

static inline void co_count(co_u64 *counter)
{
	co_count_by(counter, 1);
}

struct co_file;

struct co_vm {
	struct co_file *file; /* whose mappings show its memory */
	struct host_mutex lock;
	struct host_lock verdict_lock;
	co_u32 verdict; /* CO_VERDICT_NONE: none yet */
	char text[256];
	char name[64];
	co_u32 devices;
	bool loaded;
	struct co_memory memory;
	struct co_image image;
	void *doorbell[CO_QUEUES_MAX];
	struct host_lock doorbell_lock;
	struct co_stats stats;
	co_u64 memory_max;
	co_u64 memory_limit; /* what it shall have at most */
	co_u64 watchdog_ns; /* 0: a guest may keep a processor for good */
	co_u32 online; /* vCPUs that the guest may have up */
	co_u32 vcpus;
	struct co_vcpu vcpu[]; /* [vcpus] */
};

/* One open file of the driver's device. */
struct co_file {
	struct co_vm *vm; /* NULL until VM_CREATE; never changes afterwards */
	struct host_mutex lock;
	co_u64 owner; /* the port's number for the process that made the VM */
};

/* ---- vm.c ----------------------------------------------------------------- */

/* Makes a VM in `file`, whose lock is held. Errors: EPROTO, EINVAL, EBUSY (file
 * has one), ENOMEM, E2BIG (more than the host can spare), ENODEV (blockers).
 * [sleep] */
int co_vm_create(struct co_file *file, struct co_req_vm_create *req);
/* Frees all of it. No RUN may be in progress. NULL is allowed. [sleep] */
void co_vm_destroy(struct co_vm *vm);
/* The first verdict stays; every vCPU leaves its RUN. [atomic] */
void co_vm_stop(struct co_vm *vm, co_u32 verdict, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void co_vm_info(struct co_vm *vm, struct co_req_vm_info *req);
/* The host is about to sleep, and its clocks with it: tells the guest. [atomic] */
void co_vm_sleep(struct co_vm *vm);
/* Nothing is left to wait for: the guest's clocks stand, or there is none that
 * runs. [atomic] */
bool co_vm_asleep(struct co_vm *vm);
/* The host is back: the guest's clocks and timers go on. [atomic] */
void co_vm_wake(struct co_vm *vm);
/* The host goes down: asks the guest to power off. [atomic] */
void co_vm_power_off(struct co_vm *vm);
/* All CO_BLOCK_* bits of this machine. [sleep] */
co_u64 co_blockers(void);
/* host_vformat() with the arguments themselves. [atomic] */
int co_format(char *buf, co_size size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- memory.c ------------------------------------------------------------- */

/* 128 MiB-aligned pieces first, down to 2 MiB; the largest becomes main. The
 * host keeps 10 % of its memory and at least 256 MiB: -CO_E2BIG. [sleep] */
int co_memory_alloc(struct co_memory *mem, co_u64 size);
void co_memory_free(struct co_memory *mem);
/* Bytes that a VM could get now. [atomic] */
co_u64 co_memory_available(void);
co_u64 co_memory_reserve(void);
/* Host address of [pa, pa + size) if all of it lies in one chunk that the guest
 * started with, else NULL. Until it runs: then blocks come and go. [atomic] */
void *co_memory_at(const struct co_memory *mem, co_u64 pa, co_u64 size);

/* ---- map.c ---------------------------------------------------------------- */

/* Is all of [pa, pa + size) the guest's at this moment? [atomic] */
bool co_memory_has(const struct co_memory *mem, co_u64 pa, co_u64 size);
/* Any of its blocks? Whole blocks below CO_MAP_END. [atomic] */
bool co_memory_has_any(const struct co_memory *mem, co_u64 pa, co_u64 size);
/* Copies what a running guest names; false if it isn't all its own. For pieces
 * of some KiB: interrupts are off. [atomic] */
bool co_memory_read(struct co_memory *mem, co_u64 pa, void *to, co_u64 size);
/* Room for the bits of these blocks. 0 or -CO_ENOMEM. [sleep] */
int co_map_prepare(struct co_memory *mem, co_u64 pa, co_u64 size);
/* They come or go. [atomic] */
void co_map_set(struct co_memory *mem, co_u64 pa, co_u64 size, bool present);
/* Gives all blocks to the host, and the map. [sleep] */
void co_map_free(struct co_memory *mem);

/* ---- move.c --------------------------------------------------------------- */

/* CO_CALL_MEMORY_GIVE and _TAKE; sets the guest's result. [sleep] */
void co_memory_move(struct co_vcpu *vcpu, const struct co_call *call);
/* Bytes that the guest has and doesn't use, as it said last. [atomic] */
co_u64 co_memory_idle(struct co_vm *vm);
/* Tells the guest that the host is short of so much. [atomic] */
void co_memory_ask(struct co_vm *vm, co_u64 bytes);

/* ---- load.c, boot.c ------------------------------------------------------- */

/* Image, initrd, boot parameters and areas into guest memory. -CO_ENOEXEC with
 * req->error and req->detail for a bad image. [sleep] */
int co_vm_load(struct co_vm *vm, struct co_req_vm_load *req);
/* Bytes that co_boot_setup() takes at the end of the main chunk. */
co_u64 co_boot_size(const struct co_vm *vm);
/* boot_params, e820, boot info, areas. `top`: first byte of the main chunk above
 * the image, `initrd` already placed. 0 or -CO_ENOMEM (no room). [sleep] */
int co_boot_setup(struct co_vm *vm, co_u64 top, co_u64 initrd,
		  co_u64 initrd_size, const char *command_line);

/* ---- vcpu.c, run.c, call.c ------------------------------------------------ */

int co_vcpu_init(struct co_vcpu *vcpu, struct co_vm *vm, co_u32 index);
void co_vcpu_destroy(struct co_vcpu *vcpu);
/* After the image is loaded: passage and first register state. An error leaves
 * nothing behind: the load may be tried again. */
int co_vcpu_load(struct co_vcpu *vcpu);
/* From OFF to running, with the state that the guest put into its passage page.
 * False: it isn't OFF, or more than vm->online would be up. [atomic] */
bool co_vcpu_up(struct co_vcpu *vcpu);
/* The caller's own; it's OFF for the guest when its burst has ended. [pinned] */
void co_vcpu_down(struct co_vcpu *vcpu);
/* How many aren't OFF. [atomic] */
co_u32 co_vcpus_up(const struct co_vm *vm);
/* -CO_EBUSY when this vCPU runs already, -CO_EINVAL when nothing is loaded. */
int co_vcpu_run(struct co_vm *vm, struct co_req_vcpu_run *req);

/* What the run loop does after a call. */
enum co_next {
	CO_NEXT_FAST,	 /* back into the guest at once */
	CO_NEXT_BREATHE, /* host interrupts and scheduler first */
	CO_NEXT_IDLE,	 /* sleep until an event, then back */
	CO_NEXT_OFF,	 /* the next turn waits until it is started again */
	CO_NEXT_REPLAY,	 /* hand call->arg[0] to the host as an interrupt */
	CO_NEXT_MOVE,	 /* co_memory_move(), then back */
	CO_NEXT_EXIT,	 /* to user space with req filled */
};
/* Interrupts off. Sets the guest's result. [pinned] */
enum co_next co_call(struct co_vcpu *vcpu, const struct co_call *call,
		     struct co_req_vcpu_run *req);

/* ---- watchdog.c ----------------------------------------------------------- */

/* Around a burst. [pinned] */
void co_watch_enter(struct co_vcpu *vcpu, co_u64 now);
/* `progress`: the guest left by itself or by an interrupt, not just by an NMI. */
void co_watch_leave(struct co_vcpu *vcpu, co_u64 now, bool progress);
/* The timer's function. */
void co_watch_look(void *vcpu);
/* A processor has gone offline, and the host moved its timers, maybe to one that
 * they look after: they are set anew. Called by the port. [atomic] */
void co_watch_moved(struct co_vm *vm);

/* ---- event.c -------------------------------------------------------------- */

/* Sets bits, wakes or kicks. [atomic] */
void co_event_set(struct co_vcpu *vcpu, co_u64 events);
bool co_event_pending(struct co_vcpu *vcpu);
/* vCPU 0 hears of the queues in its place. [atomic] */
void co_event_hand_on(struct co_vcpu *vcpu);
/* Checks and sets. 0 or -CO_EINVAL. [atomic] */
int co_event_raise(struct co_vm *vm, const struct co_req_vm_raise *req);
void co_doorbell_ring(struct co_vm *vm, co_u32 queue); /* [atomic] */
int co_doorbell_set(struct co_vm *vm, const struct co_req_doorbell *req);
void co_doorbell_free(struct co_vm *vm);
/* Deadline in guest TSC, CO_TIMER_OFF: none. [atomic] */
void co_timer_set(struct co_vcpu *vcpu, co_u64 deadline);
void co_timer_fire(void *vcpu);

/* ---- clock.c -------------------------------------------------------------- */

/* The host's wall clock, in ns since 1970; the fields clock_* of the vCPU's event
 * page get what belongs to it. [atomic] */
co_u64 co_clock_read(struct co_vcpu *vcpu);
/* The host's wall clock was stepped or runs at another rate: tells the guest.
 * Called by the port. [atomic] */
void co_clock_changed(struct co_vm *vm);

/* ---- request.c ------------------------------------------------------------ */

/* The one switch over all requests. `buf` holds the structure of `nr`, `size`
 * bytes, in and out; `owner` is the caller's process. 0 or -CO_E*; unknown
 * numbers and sizes are -CO_EINVAL. [sleep] */
int co_request(struct co_file *file, co_u32 nr, void *buf, co_size size,
	       co_u64 owner);
/* Size of the structure of request `nr`, 0 if there is none. */
co_size co_request_size(co_u32 nr);
void co_file_init(struct co_file *file);
void co_file_release(struct co_file *file);

#endif
