/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue that a helper serves over vhost-user, as its driver has it: we are that.
 * Queue and data lie in a piece of memory of their own, which is shared with the
 * helper, not in the guest's. That costs a copy. It buys that a program which reads
 * what others wrote can't write guest memory, which would be the host's ring 0; and
 * that we know each request that is under way, so that its end is an error and not a
 * guest that waits for ever.
 *
 * Whoever made memory and rings closes them, rings first. One thread at a time uses
 * them. Functions return 0 or a negative errno.
 */
#ifndef CO_TOOLS_VHOST_RING_H
#define CO_TOOLS_VHOST_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vhost_user.h"

#define VHOST_RING_SIZE 256

#define VHOST_RING_NEXT	 1 /* the chain goes on with the next descriptor */
#define VHOST_RING_WRITE 2 /* the helper writes it */

struct vhost_ring_desc {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};

/* The ring itself, somewhere in the shared memory. */
struct vhost_ring_area {
	struct vhost_ring_desc desc[VHOST_RING_SIZE];
	struct {
		uint16_t flags, idx, ring[VHOST_RING_SIZE], event;
	} avail __attribute__((aligned(4096)));
	struct {
		uint16_t flags, idx;
		struct {
			uint32_t head, written;
		} ring[VHOST_RING_SIZE];
		uint16_t event;
	} used __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));

/* Zeroed; at address 0 of the helper's view. */
struct vhost_memory {
	void *base; /* NULL: none */
	size_t size;
	int fd;
};

int vhost_memory_open(struct vhost_memory *m, const char *name, size_t size);
void vhost_memory_close(struct vhost_memory *m);

struct vhost_ring {
	const struct vhost_memory *memory;
	struct vhost_ring_area *area; /* NULL: none */
	int kick, call;		      /* eventfds; `call` is the helper's */
	uint16_t avail, used;	      /* next entries */
};

int vhost_ring_open(struct vhost_ring *r, const struct vhost_memory *m,
		    struct vhost_ring_area *area);
void vhost_ring_close(struct vhost_ring *r);
/* Tells the helper of the memory and of n rings, queues 0 and so on: it works. */
int vhost_ring_start(const struct vhost_ring *r, unsigned int n,
		     struct vhost_user *vu);

/* Descriptor i is `size` bytes at p, in the shared memory. */
void vhost_ring_describe(struct vhost_ring *r, unsigned int i, const void *p,
			 uint64_t size, unsigned int flags);
/* The chain from descriptor `head` on is the helper's; a kick tells it. */
void vhost_ring_push(struct vhost_ring *r, unsigned int head);
void vhost_ring_kick(struct vhost_ring *r);
/* The next chain that came back. False: none. The helper may write anything, since
 * it's another program: both numbers are to be checked. */
bool vhost_ring_pop(struct vhost_ring *r, uint32_t *head, uint32_t *written);

#endif
