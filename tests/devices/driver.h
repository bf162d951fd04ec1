/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other side for the devices' tests: memory that stands for a guest's, a
 * machine_driver that counts, and a virtio driver that does what Linux's do.
 */
#ifndef CO_TESTS_DRIVER_H
#define CO_TESTS_DRIVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../tools/devices/virtio.h"

#define RIG_LOWEST 0x10000000ull
#ifndef RIG_MEMORY
#define RIG_MEMORY (32ull << 20)
#endif
#define RIG_VCPUS 4
/* The last chunk lies behind a hole of this many bytes. */
#define RIG_HOLE (2ull << 20)

struct rig {
	uv_loop_t loop;
	atomic_uint asked; /* how often whose memory that is */
	struct co_chunk chunk[3]; /* two that touch, a hole, one more */
	struct guest_memory mem;
	uint64_t next; /* machine address of free memory */
	struct machine_driver driver;
	struct machine *m;
	/* Recorded: */
	atomic_int doorbell[CO_QUEUES_MAX];
	atomic_uint raised[CO_QUEUES_MAX];
	atomic_uint configs[CO_DEVICES_MAX];
	atomic_uint raises;
	atomic_uint told; /* the vCPU of the last one */
	/* Called for a queue that is raised, or NULL. Any thread. */
	void (*on_queue)(struct rig *rig, uint64_t queue);
	unsigned int heard; /* of them, by rig_wait() */
	int event, never;   /* bells: something was raised; the other one never rings */
	atomic_int fail_doorbell, fail_raise; /* errno to return */
};

void rig_init(struct rig *rig);
void rig_free(struct rig *rig);
/* For cmocka: a rig with corng. */
int rig_setup_rng(void **state);
int rig_teardown(void **state);
/* Zeroed guest memory, and its pointer. */
uint64_t rig_alloc(struct rig *rig, uint64_t size, uint64_t align);
void *rig_at(struct rig *rig, uint64_t pa);
/* Turns the loop until `done` says so; false after five seconds. */
bool rig_turn(struct rig *rig, bool (*done)(void *arg), void *arg);
/* Turns it until every doorbell was heard, and a few times more: nothing is expected
 * to be left over. Five seconds at most. */
void rig_settle(struct rig *rig);
/* Waits for a raise; false after five seconds. */
bool rig_wait(struct rig *rig);

uint64_t reg_read(struct rig *rig, uint32_t dev, uint32_t reg, uint32_t index);
uint64_t reg_write(struct rig *rig, uint32_t dev, uint32_t reg, uint32_t index,
		   uint64_t value);
uint64_t config_read(struct rig *rig, uint32_t dev, uint32_t offset,
		     uint32_t bytes);

/* Acknowledge, features, FEATURES_OK. `features` are added to VERSION_1. */
void negotiate(struct rig *rig, uint32_t dev, uint64_t features);
void driver_ok(struct rig *rig, uint32_t dev);
/* machine_for_each() for one device; the text of `why` (static), or NULL. */
const char *why(struct rig *rig, uint32_t dev);
const char *detail(struct rig *rig, uint32_t dev);
struct device_io io_of(struct rig *rig, uint32_t dev);

/* ---- a split ring, as the guest drives it ----------------------------------- */

struct gdesc {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};
#define G_NEXT	   1
#define G_WRITE	   2
#define G_INDIRECT 4

struct gring {
	struct rig *rig;
	uint32_t dev, index, number;
	uint16_t size;
	bool event_idx, indirect;
	uint64_t desc_pa, avail_pa, used_pa;
	struct gdesc *desc;
	uint16_t *avail;     /* flags, idx, ring[], used_event */
	uint16_t *used;	     /* flags, idx, {u32, u32}[], avail_event */
	uint64_t table[256]; /* indirect tables, one per head */
	uint16_t next_free[256];
	int free;		    /* -1: none */
	uint16_t chain_length[256]; /* descriptors of the ring in use */
	uint16_t avail_idx, kicked, last_used;
	unsigned int notifies; /* done */
	unsigned int spared;   /* the device didn't want them */
};

struct buffer {
	uint64_t pa;
	uint32_t size;
	bool in; /* the device writes it */
};

/* Allocates the areas and sets the queue ready. */
void gring_init(struct gring *g, struct rig *rig, uint32_t dev, uint32_t index,
		uint16_t size, uint64_t features);
/* Returns the head, or -1 when the ring is full. */
int gring_add(struct gring *g, const struct buffer *b, unsigned int n);
void gring_kick(struct gring *g);
/* The next used head, or -1. */
int gring_get(struct gring *g, uint32_t *written);
/* gring_get() that waits, for devices with a thread. */
int gring_await(struct gring *g, uint32_t *written);
/* The same for those on the loop. */
int gring_turn(struct gring *g, uint32_t *written);

#endif
