/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split virtqueues: descriptors in, used entries out.
 */
#include <errno.h>
#include <string.h>

#include "../os/bell.h"
#include "virtio.h"

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY	   1

struct ring_desc {
	uint64_t address;
	uint32_t size;
	uint16_t flags;
	uint16_t next;
};
CO_ASSERT_SIZE(struct ring_desc, 16);

struct ring_avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[]; /* then used_event */
};

struct ring_used_entry {
	uint32_t head;
	uint32_t written;
};

struct ring_used {
	uint16_t flags;
	uint16_t idx;
	struct ring_used_entry ring[]; /* then avail_event */
};

/* Descriptors, in the ring or in an indirect table. */
struct desc_table {
	const struct ring_desc *desc;
	uint32_t size;
	bool indirect;
};

static uint16_t load16(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void store16(uint16_t *p, uint16_t value)
{
	__atomic_store_n(p, value, __ATOMIC_RELAXED);
}

/* Orders our store before our next load, as the guest does (2.7.7, 2.7.10). */
static void full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The copy is ours: the guest can't change it after the check. */
static struct ring_desc read_desc(const struct desc_table *t, uint16_t i)
{
	struct ring_desc d;

	memcpy(&d, (const char *)t->desc + i * sizeof(d), sizeof(d));
	__asm__ volatile("" : "+m"(d) : : "memory");
	return d;
}

static uint16_t *used_event(struct queue *q)
{
	return &q->avail->ring[q->size];
}

static uint16_t *avail_event(struct queue *q)
{
	return (uint16_t *)&q->used->ring[q->size];
}

/* ---- set-up ----------------------------------------------------------------- */

static void *ring_area(struct queue *q, const char *what, uint64_t address,
		       uint64_t size, uint64_t align)
{
	void *p = guest_at(device_memory(q->dev), address, size);

	if (address % align || !p) {
		device_break(q->dev, "queue %u: %s area at 0x%llx is %s",
			     q->index, what, (unsigned long long)address,
			     p ? "not aligned" : "not in guest memory");
		return NULL;
	}
	return p;
}

bool queue_start(struct queue *q)
{
	uint64_t n = q->size;

	if (!n) {
		device_break(q->dev, "queue %u: no size was set", q->index);
		return false;
	}
	q->desc = ring_area(q, "descriptor", q->desc_address, 16 * n, 16);
	if (!q->desc)
		return false;
	q->avail = ring_area(q, "driver", q->avail_address, 6 + 2 * n, 2);
	if (!q->avail)
		return false;
	q->used = ring_area(q, "device", q->used_address, 6 + 8 * n, 4);
	if (!q->used)
		return false;
	q->event_idx = device_has(q->dev, FEATURE_EVENT_IDX);
	q->indirect = device_has(q->dev, FEATURE_INDIRECT);
	q->last_avail = q->used_idx = q->signalled = q->in_flight = 0;
	q->ready = true;
	return true;
}

void queue_reset(struct queue *q)
{
	q->ready = false;
	atomic_store(&q->vcpu, 0);
	q->size = 0;
	q->desc_address = q->avail_address = q->used_address = 0;
	q->desc = NULL;
	q->avail = NULL;
	q->used = NULL;
}

/* ---- chains ----------------------------------------------------------------- */

/* Adds one buffer to the chain. NULL, or the rule that it breaks. */
static const char *add_buffer(struct queue *q, struct chain *c,
			      const struct ring_desc *d)
{
	unsigned int n = c->out_n + c->in_n;
	void *p;

	if (!(d->flags & DESC_WRITE) && c->in_n)
		return "has a buffer to read behind one to write";
	if (!d->size)
		return NULL;
	p = guest_at(device_memory(q->dev), d->address, d->size);
	if (!p)
		return "has a buffer that is not in guest memory";
	if (n == QUEUE_SIZE_MAX)
		return "has too many buffers";
	c->iov[n].iov_base = p;
	c->iov[n].iov_len = d->size;
	if (d->flags & DESC_WRITE) {
		c->in_n++;
		c->in_size += d->size;
	} else {
		c->out_n++;
		c->out_size += d->size;
	}
	return NULL;
}

static const char *enter_indirect(struct queue *q, struct desc_table *t,
				  const struct ring_desc *d)
{
	if (!q->indirect)
		return "has an indirect table without the feature";
	if (t->indirect)
		return "has an indirect table in an indirect table";
	if (d->flags & DESC_NEXT)
		return "goes on behind an indirect table";
	if (!d->size || d->size % sizeof(*d) ||
	    d->size / sizeof(*d) > QUEUE_SIZE_MAX)
		return "has an indirect table of a wrong size";
	t->desc = guest_at(device_memory(q->dev), d->address, d->size);
	if (!t->desc)
		return "has an indirect table that is not in guest memory";
	t->size = d->size / sizeof(*d);
	t->indirect = true;
	return NULL;
}

/* Follows the chain from `head`. NULL, or the rule that it breaks. */
static const char *gather(struct queue *q, struct chain *c, uint16_t head)
{
	struct desc_table t = { .desc = q->desc, .size = q->size };
	uint32_t i = head, seen = 0;
	const char *rule;

	for (;;) {
		struct ring_desc d;

		if (i >= t.size)
			return "has a descriptor outside its table";
		if (seen++ == t.size)
			return "loops";
		d = read_desc(&t, i);
		if (d.flags & DESC_INDIRECT) {
			rule = enter_indirect(q, &t, &d);
			i = seen = 0;
		} else {
			rule = add_buffer(q, c, &d);
			if (!rule && !(d.flags & DESC_NEXT))
				return NULL;
			i = d.next;
		}
		if (rule)
			return rule;
	}
}

/* Is a new entry there? Breaks the device on an index that can't be. */
static bool entry_there(struct queue *q)
{
	uint16_t idx = __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
	uint16_t ahead = idx - q->last_avail;

	if (!ahead)
		return false;
	if (ahead > q->size) {
		device_break(q->dev,
			     "queue %u: index %u is %u ahead in a ring of %u",
			     q->index, idx, ahead, q->size);
		return false;
	}
	if (q->in_flight == q->size) {
		device_break(q->dev, "queue %u: more chains than descriptors",
			     q->index);
		return false;
	}
	return true;
}

bool queue_pop(struct queue *q, struct chain *c)
{
	const char *rule;

	if (!q->ready || !device_running(q->dev) || !entry_there(q))
		return false;
	c->head = load16(&q->avail->ring[q->last_avail & (q->size - 1)]);
	c->out_n = c->in_n = 0;
	c->out_size = c->in_size = 0;
	rule = gather(q, c, c->head);
	if (rule) {
		device_break(q->dev, "queue %u: chain %u %s", q->index, c->head,
			     rule);
		return false;
	}
	c->out = c->iov;
	c->in = c->iov + c->out_n;
	q->last_avail++;
	q->in_flight++;
	return true;
}

void queue_push_all(struct queue *q, const struct chain_done *done,
		    unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct ring_used_entry *e =
			&q->used->ring[q->used_idx & (q->size - 1)];

		e->head = done[i].head;
		e->written = done[i].written;
		q->used_idx++;
		q->in_flight--;
	}
	__atomic_store_n(&q->used->idx, q->used_idx, __ATOMIC_RELEASE);
}

void queue_push(struct queue *q, uint16_t head, uint32_t written)
{
	struct chain_done done = { head, written };

	queue_push_all(q, &done, 1);
}

void queue_unpop(struct queue *q, unsigned int n)
{
	q->last_avail -= n;
	q->in_flight -= n;
}

void queue_resume(struct queue *q, uint16_t last_avail)
{
	q->last_avail = last_avail;
	q->used_idx = q->signalled = load16(&q->used->idx);
	q->in_flight = 0;
}

/* ---- who tells whom --------------------------------------------------------- */

/* Does the guest want to hear of entries [signalled, used_idx)? */
static bool wants_interrupt(struct queue *q)
{
	uint16_t event;

	full_barrier();
	if (!q->event_idx)
		return !(load16(&q->avail->flags) & AVAIL_NO_INTERRUPT);
	event = load16(used_event(q));
	return (uint16_t)(q->used_idx - event - 1) <
	       (uint16_t)(q->used_idx - q->signalled);
}

void queue_signal(struct queue *q)
{
	if (!q->ready || q->used_idx == q->signalled)
		return;
	if (wants_interrupt(q))
		device_raise_queue(q);
	q->signalled = q->used_idx;
}

/* With EVENT_IDX an avail_event left behind is quiet enough. */
void queue_quiet(struct queue *q)
{
	if (q->ready && !q->event_idx)
		store16(&q->used->flags, USED_NO_NOTIFY);
}

bool queue_listen(struct queue *q)
{
	if (!q->ready || !device_running(q->dev))
		return false;
	if (q->event_idx)
		store16(avail_event(q), q->last_avail);
	else
		store16(&q->used->flags, 0);
	full_barrier();
	return __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE) !=
	       q->last_avail;
}

void queue_hush(struct queue *q)
{
	bell_hush(q->doorbell);
}

void queue_ring(struct queue *q)
{
	bell_ring(q->doorbell);
}

/* ---- I/O vectors ------------------------------------------------------------ */

unsigned int iov_skip(struct iovec **iov, unsigned int entries, size_t n)
{
	while (entries && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		entries--;
	}
	if (n) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
	return entries;
}

static size_t part(const struct iovec *iov, size_t left)
{
	return iov->iov_len < left ? iov->iov_len : left;
}

size_t chain_read(struct chain *c, void *data, size_t n)
{
	size_t done = 0;

	while (done < n && c->out_n) {
		size_t some = part(c->out, n - done);

		memcpy((char *)data + done, c->out->iov_base, some);
		c->out_n = iov_skip(&c->out, c->out_n, some);
		done += some;
	}
	c->out_size -= done;
	return done;
}

size_t chain_write(struct chain *c, const void *data, size_t n)
{
	size_t done = 0;

	while (done < n && c->in_n) {
		size_t some = part(c->in, n - done);

		memcpy(c->in->iov_base, (const char *)data + done, some);
		c->in_n = iov_skip(&c->in, c->in_n, some);
		done += some;
	}
	c->in_size -= done;
	return done;
}
