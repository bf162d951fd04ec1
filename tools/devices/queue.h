/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split virtqueues (virtio 1.2, section 2.7) as a device sees them.
 *
 * All that lies in guest memory is read once, into a local, and checked before
 * it is used. A guest that breaks the rules breaks its device (device_break());
 * queue_pop() then says so, and finds nothing more until the next reset.
 *
 * No locks in here: one thread at a time uses a queue, which is the device's
 * lock for devices on the loop, and the device's thread for those that have one.
 */
#ifndef CO_TOOLS_QUEUE_H
#define CO_TOOLS_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct device;
struct ring_desc;
struct ring_avail;
struct ring_used;

/* The largest ring, and the longest chain, with or without an indirect table. The
 * fuzzers take less, to come to the end of it. */
#ifndef QUEUE_SIZE_MAX
#define QUEUE_SIZE_MAX 256
#endif

struct queue {
	struct device *dev;
	unsigned int index; /* in the device */
	uint32_t number;    /* in the VM */
	uint16_t size_max;
	atomic_uint vcpu; /* whom its events go to */
	int doorbell;		  /* a bell (os/bell.h) */
	struct bell_watch *watch; /* the loop's, if it watches the doorbell */

	/* As the guest wrote them. */
	uint16_t size;
	uint64_t desc_address, avail_address, used_address;

	/* Valid while ready. */
	bool ready;
	bool event_idx, indirect;
	struct ring_desc *desc;
	struct ring_avail *avail;
	struct ring_used *used;
	uint16_t last_avail; /* next entry to take */
	uint16_t used_idx;   /* next entry to fill */
	uint16_t signalled;  /* used_idx when the guest was last told */
	uint16_t in_flight;  /* taken, not yet given back */
};

/*
 * One request of the guest. `out` is what the device reads, `in` what it writes.
 * chain_read() and chain_write() use the buffers up from the front.
 */
struct chain {
	uint16_t head;
	struct iovec *out, *in;
	unsigned int out_n, in_n;
	uint64_t out_size, in_size; /* bytes left */
	struct iovec iov[QUEUE_SIZE_MAX];
};

/* Checks what the guest wrote and makes the queue ready. False: it broke a rule
 * (and the device says so). */
bool queue_start(struct queue *q);
/* Back to the state after creation. */
void queue_reset(struct queue *q);

/* The next chain. False: none there (or the device is broken). */
bool queue_pop(struct queue *q, struct chain *c);
/* Gives a chain back; `written` bytes of its `in` part were filled. */
void queue_push(struct queue *q, uint16_t head, uint32_t written);
/* The same for several, which the guest sees all at once. */
struct chain_done {
	uint16_t head;
	uint32_t written;
};
void queue_push_all(struct queue *q, const struct chain_done *done,
		    unsigned int n);
/* The last n chains weren't taken after all: they come again. */
void queue_unpop(struct queue *q, unsigned int n);
/* Somebody else has served the queue; his next entry to take is `last_avail`. */
void queue_resume(struct queue *q, uint16_t last_avail);
/* Tells the guest about what was pushed, if it wants to know. */
void queue_signal(struct queue *q);

/* "Don't ring, I'm looking": a hint that saves the guest calls. */
void queue_quiet(struct queue *q);
/* "Ring again." True: something came in between, look once more. */
bool queue_listen(struct queue *q);

/* Empties the doorbell; rings it oneself, to be called again. */
void queue_hush(struct queue *q);
void queue_ring(struct queue *q);

/* Copy from the front of a chain; return how much there was, at most n. */
size_t chain_read(struct chain *c, void *data, size_t n);
size_t chain_write(struct chain *c, const void *data, size_t n);
/* Leaves out the first n bytes of an I/O vector; returns the entries left. */
unsigned int iov_skip(struct iovec **iov, unsigned int entries, size_t n);

#endif
