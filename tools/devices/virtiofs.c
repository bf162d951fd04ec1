// SPDX-License-Identifier: GPL-2.0
/*
 * cofs by virtiofsd: a directory of the host for the guest, by FUSE over virtio
 * (virtio 1.2, 5.11).
 *
 * We don't read FUSE, but hand each message on: virtiofsd is a helper (virtiofsd.c)
 * of which we are the driver, and vhost_ring.h says why. One thread, alive from
 * DRIVER_OK to reset, does that for both queues; and one virtiofsd is there for that
 * time, since it ends with its connection. The first is started when the device is
 * made, so that a VM whose directory it can't serve doesn't start.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/bell.h"
#include "vhost_ring.h"
#include "virtio.h"
#include "virtiofsd.h"

#define VIRTIO_ID_FS 26
#define TAG_BYTES    36

/* Queue 0 is for what must not wait behind requests: FORGET. */
#define LANES 2

/* Requests of a queue that virtiofsd has at once, each with two descriptors and room
 * for its message and the answer; more of them wait. It does them one after the
 * other. FUSE's largest message is 1 MiB of data and what is said of it. */
#define SLOTS	   16
#define SLOT_BYTES ((1u << 20) + 4096)

#define MS_NS UINT64_C(1000000)
/* How long nothing may end, before `colinux info` tells of it. */
#define TELL_WAITING_MS 2000

struct fs_config {
	char tag[TAG_BYTES]; /* padded with NUL */
	uint32_t request_queues;
};
CO_ASSERT_SIZE(struct fs_config, 40);

/* The beginning of each message, and of each answer: include/uapi/linux/fuse.h. */
struct fuse_in_header {
	uint32_t length, opcode;
	uint64_t unique, node;
	uint32_t uid, gid, pid, padding;
};
CO_ASSERT_SIZE(struct fuse_in_header, 40);

struct fuse_out_header {
	uint32_t length;
	int32_t error;
	uint64_t unique;
};
CO_ASSERT_SIZE(struct fuse_out_header, 16);

/* What is shared with virtiofsd. */
struct shared {
	struct vhost_ring_area ring[LANES];
	uint8_t data[LANES][SLOTS][SLOT_BYTES] __attribute__((aligned(4096)));
};

struct slot {
	bool busy; /* virtiofsd has it */
	struct chain chain;
	uint64_t unique;
	uint32_t out, in; /* bytes of the message, and of room for the answer */
};

/* A queue of the guest, and ours that it's handed on to. */
struct lane {
	struct queue *q;
	struct slot slot[SLOTS];
	unsigned int free[SLOTS], frees;
	uint8_t (*data)[SLOT_BYTES];
};

struct virtiofs {
	struct device dev;
	struct fs_config config;
	char *path, *cache; /* cache: NULL is its default */
	char trouble[200];  /* why requests end with errors; under why_lock */
	int wake;	    /* bell: look at `stopping` */
	atomic_uint under_way;
	/* uv_hrtime() when a request ended last, or began with none under way, or the
	 * device was to stop: who waits, waits since then. */
	_Atomic uint64_t since;

	/* From start to stop. */
	bool started;
	pthread_t thread;
	atomic_bool stopping;

	/* The thread's, while there is one. */
	struct virtiofsd fsd;
	struct vhost_memory memory;
	struct vhost_ring ring[LANES];
	struct lane lane[LANES];
	bool dead; /* virtiofsd serves no more: requests end with an error */
};

static struct virtiofs *to_virtiofs(struct device *dev)
{
	return container_of(dev, struct virtiofs, dev);
}

/* ---- for `colinux info` ----------------------------------------------------- */

static void append_waiting(struct virtiofs *v, char *to, size_t size)
{
	unsigned int n = atomic_load(&v->under_way);
	uint64_t since = atomic_load(&v->since), now = uv_hrtime();

	if (n && now > since && now - since >= TELL_WAITING_MS * MS_NS)
		snprintf(to, size, ", %u requests wait for %llu s", n,
			 (unsigned long long)((now - since) / MS_NS / 1000));
}

static void virtiofs_describe(struct device *dev)
{
	struct virtiofs *v = to_virtiofs(dev);
	size_t size = sizeof(dev->detail);
	int n;

	pthread_mutex_lock(&dev->why_lock);
	n = snprintf(dev->detail, size, "%.60s, tag %s, virtiofs%s%.120s",
		     v->path, v->config.tag, *v->trouble ? ", gone: " : "",
		     v->trouble);
	append_waiting(v, dev->detail + n, size - (size_t)n);
	pthread_mutex_unlock(&dev->why_lock);
}

static void set_trouble(struct virtiofs *v, const char *who, const char *text)
{
	pthread_mutex_lock(&v->dev.why_lock);
	snprintf(v->trouble, sizeof(v->trouble), "%s%s", who, text);
	pthread_mutex_unlock(&v->dev.why_lock);
}

/* ---- one request ------------------------------------------------------------ */

static void give_back(struct virtiofs *v, struct lane *l, struct slot *s,
		      uint32_t written)
{
	queue_push(l->q, s->chain.head, written);
	device_count(&v->dev, written, s->out);
	l->free[l->frees++] = (unsigned int)(s - l->slot);
	if (!s->busy)
		return;
	s->busy = false;
	atomic_fetch_sub(&v->under_way, 1);
	atomic_store(&v->since, uv_hrtime());
}

/* What wants no answer has no room for one. */
static void fail(struct virtiofs *v, struct lane *l, struct slot *s)
{
	struct fuse_out_header h = { sizeof(h), -ENOTCONN, s->unique };

	if (s->in < sizeof(h))
		give_back(v, l, s, 0);
	else
		give_back(v, l, s, (uint32_t)chain_write(&s->chain, &h, sizeof(h)));
}

/* Copies the message out of guest memory. False: the guest broke a rule. */
static bool take_message(struct virtiofs *v, struct lane *l, struct slot *s)
{
	struct chain *c = &s->chain;
	struct fuse_in_header h;
	uint8_t *data = l->data[s - l->slot];

	if (c->out_size < sizeof(h) || c->out_size + c->in_size > SLOT_BYTES) {
		device_break(&v->dev, "queue %u: chain %u, %llu bytes to read and %llu to write, is no FUSE message",
			     l->q->index, c->head, (unsigned long long)c->out_size,
			     (unsigned long long)c->in_size);
		return false;
	}
	s->out = (uint32_t)c->out_size;
	s->in = (uint32_t)c->in_size;
	/* First by itself: what virtiofsd makes of the shared copy is nothing to us. */
	chain_read(c, &h, sizeof(h));
	s->unique = h.unique;
	memcpy(data, &h, sizeof(h));
	chain_read(c, data + sizeof(h), s->out - sizeof(h));
	return true;
}

static void hand_on(struct virtiofs *v, struct lane *l, struct slot *s)
{
	struct vhost_ring *r = &v->ring[l - v->lane];
	unsigned int i = (unsigned int)(s - l->slot);

	vhost_ring_describe(r, 2 * i, l->data[i], s->out,
			    s->in ? VHOST_RING_NEXT : 0);
	if (s->in)
		vhost_ring_describe(r, 2 * i + 1, l->data[i] + s->out, s->in,
				    VHOST_RING_WRITE);
	s->busy = true;
	if (!atomic_fetch_add(&v->under_way, 1))
		atomic_store(&v->since, uv_hrtime());
	vhost_ring_push(r, 2 * i);
}

/* False: there is none, or it's no request. */
static bool take_one(struct virtiofs *v, struct lane *l)
{
	struct slot *s = &l->slot[l->free[l->frees - 1]];

	if (!queue_pop(l->q, &s->chain) || !take_message(v, l, s))
		return false;
	l->frees--;
	if (v->dead)
		fail(v, l, s);
	else
		hand_on(v, l, s);
	return true;
}

static bool may_take(const struct virtiofs *v, const struct lane *l)
{
	return l->frees && !atomic_load(&v->stopping);
}

/* With no free slot the queue stays quiet: it's looked at when one comes back. */
static void take_all(struct virtiofs *v, struct lane *l)
{
	bool any = false;

	do {
		queue_quiet(l->q);
		while (may_take(v, l) && take_one(v, l))
			any = true;
	} while (may_take(v, l) && queue_listen(l->q));
	if (!any)
		return;
	if (v->dead)
		queue_signal(l->q);
	else
		vhost_ring_kick(&v->ring[l - v->lane]);
}

/* ---- the helper's end ------------------------------------------------------- */

static void fail_lane(struct virtiofs *v, struct lane *l)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		if (l->slot[i].busy)
			fail(v, l, &l->slot[i]);
	queue_signal(l->q);
}

/* All that it had has failed; so does what comes, until the next reset. */
static void die(struct virtiofs *v, const char *who, const char *text)
{
	unsigned int i;

	v->dead = true;
	set_trouble(v, who, text);
	for (i = 0; i < LANES; i++)
		fail_lane(v, &v->lane[i]);
}

/* `why` as in vhost_helper_lost(). */
static void bury(struct virtiofs *v, const char *why)
{
	vhost_helper_lost(&v->fsd.helper, why);
	die(v, "virtiofsd ", v->fsd.helper.why);
}

/* virtiofsd may write anything: it's another program. */
static bool answer_possible(const struct lane *l, uint32_t head,
			    uint32_t written)
{
	return head % 2 == 0 && head / 2 < SLOTS && l->slot[head / 2].busy &&
	       written <= l->slot[head / 2].in;
}

static void reap(struct virtiofs *v, struct lane *l)
{
	struct vhost_ring *r = &v->ring[l - v->lane];
	uint32_t head, written;
	struct slot *s;

	while (!v->dead && vhost_ring_pop(r, &head, &written)) {
		if (!answer_possible(l, head, written)) {
			bury(v, "broke the rules of its queue");
			return;
		}
		s = &l->slot[head / 2];
		chain_write(&s->chain, l->data[head / 2] + s->out, written);
		give_back(v, l, s, written);
	}
	queue_signal(l->q);
}

static void reap_all(struct virtiofs *v)
{
	unsigned int i;

	for (i = 0; i < LANES; i++)
		reap(v, &v->lane[i]);
}

/* ---- the thread ------------------------------------------------------------- */

static int share_memory(struct virtiofs *v)
{
	int rc = vhost_memory_open(&v->memory, "cofs", sizeof(struct shared));
	struct shared *s = v->memory.base;
	unsigned int i;

	for (i = 0; i < LANES && !rc; i++) {
		v->lane[i].data = s->data[i];
		rc = vhost_ring_open(&v->ring[i], &v->memory, &s->ring[i]);
	}
	return rc;
}

static void reset_lanes(struct virtiofs *v)
{
	unsigned int i, j;

	for (i = 0; i < LANES; i++) {
		v->lane[i].q = v->dev.queue[i];
		v->lane[i].frees = 0;
		for (j = SLOTS; j; j--)
			v->lane[i].free[v->lane[i].frees++] = j - 1;
	}
}

static int open_fsd(struct virtiofs *v, struct error **err)
{
	const struct virtiofs_options opt = { v->path, v->cache };

	return virtiofsd_open(&v->fsd, &opt, err);
}

/* What fails here is told, and each request gets an error: a guest whose directory
 * can't be had goes on without it. */
static void begin(struct virtiofs *v)
{
	struct error *err = NULL;
	int rc;

	if (v->fsd.vu.fd < 0 && open_fsd(v, &err)) {
		die(v, "", err->text);
		error_free(&err);
		return;
	}
	rc = vhost_ring_start(v->ring, LANES, &v->fsd.vu);
	vhost_helper_failed(&v->fsd.helper, rc);
	if (atomic_load(&v->fsd.helper.lost))
		die(v, "virtiofsd ", v->fsd.helper.why);
	else if (rc)
		die(v, "the host cannot start its queues: ", strerror(-rc));
}

static int ms_until_give_up(const struct virtiofs *v)
{
	uint64_t ms = (uv_hrtime() - atomic_load(&v->since)) / MS_NS;

	return ms < VHOST_HELPER_GIVE_UP_MS ?
		       (int)(VHOST_HELPER_GIVE_UP_MS - ms) : 0;
}

static bool at_end(struct virtiofs *v)
{
	if (!atomic_load(&v->stopping))
		return false;
	if (atomic_load(&v->under_way) && !ms_until_give_up(v))
		bury(v, "didn't answer");
	return !atomic_load(&v->under_way);
}

/* virtiofsd says nothing on the socket: whatever is there to read is its end. */
static void rest(struct virtiofs *v)
{
	struct pollfd fds[] = {
		{ .fd = v->wake, .events = POLLIN },
		{ .fd = v->lane[0].q->doorbell, .events = POLLIN },
		{ .fd = v->lane[1].q->doorbell, .events = POLLIN },
		{ .fd = v->dead ? -1 : v->ring[0].call, .events = POLLIN },
		{ .fd = v->dead ? -1 : v->ring[1].call, .events = POLLIN },
		{ .fd = v->dead ? -1 : v->fsd.vu.fd, .events = POLLIN },
	};
	unsigned int i;

	poll(fds, 6, atomic_load(&v->stopping) ? ms_until_give_up(v) : -1);
	for (i = 0; i < 5; i++)
		if (fds[i].revents & POLLIN)
			bell_hush(fds[i].fd);
	reap_all(v);
	if (fds[5].revents && !v->dead)
		bury(v, NULL);
}

static void *work(void *arg)
{
	struct virtiofs *v = arg;

	begin(v);
	while (!at_end(v)) {
		take_all(v, &v->lane[0]);
		take_all(v, &v->lane[1]);
		rest(v);
	}
	virtiofsd_close(&v->fsd);
	return NULL;
}

/* ---- start and stop --------------------------------------------------------- */

static void unshare_memory(struct virtiofs *v)
{
	vhost_ring_close(&v->ring[0]);
	vhost_ring_close(&v->ring[1]);
	vhost_memory_close(&v->memory);
}

static void virtiofs_start(struct device *dev)
{
	struct virtiofs *v = to_virtiofs(dev);
	int rc;

	if (v->started || !dev->queue[0]->ready || !dev->queue[1]->ready)
		return;
	atomic_store(&v->stopping, false);
	v->dead = false;
	set_trouble(v, "", "");
	reset_lanes(v);
	rc = -share_memory(v);
	if (!rc)
		rc = device_thread(&v->thread, work, v);
	v->started = !rc;
	if (!rc)
		return;
	unshare_memory(v);
	device_break(dev, "the host cannot start virtiofsd's thread: %s",
		     strerror(rc));
}

static void virtiofs_stop(struct device *dev)
{
	struct virtiofs *v = to_virtiofs(dev);

	if (!v->started)
		return;
	atomic_store(&v->since, uv_hrtime());
	atomic_store(&v->stopping, true);
	bell_ring(v->wake);
	pthread_join(v->thread, NULL);
	unshare_memory(v);
	v->started = false;
}

/* ---- making ----------------------------------------------------------------- */

static void virtiofs_free(struct device *dev)
{
	struct virtiofs *v = to_virtiofs(dev);

	virtiofsd_close(&v->fsd);
	if (v->wake >= 0)
		bell_close(v->wake);
	free(v->path);
	free(v->cache);
	free(v);
}

static const struct device_ops virtiofs_ops = {
	.id = VIRTIO_ID_FS,
	.type = "fs",
	.start = virtiofs_start,
	.stop = virtiofs_stop,
	.describe = virtiofs_describe,
	.free = virtiofs_free,
};

static int fill_config(struct virtiofs *v, const char *tag, struct error **err)
{
	size_t n = strlen(tag);

	if (!n || n >= TAG_BYTES)
		return error_set(err, 0, "tag '%s' must have 1 to %d characters",
				 tag, TAG_BYTES - 1);
	memcpy(v->config.tag, tag, n);
	v->config.request_queues = LANES - 1;
	v->dev.config = &v->config;
	v->dev.config_size = sizeof(v->config);
	return 0;
}

static int open_all(struct virtiofs *v, const char *tag,
		    const struct virtiofs_options *opt, struct error **err)
{
	v->path = strdup(opt->path);
	v->cache = opt->cache ? strdup(opt->cache) : NULL;
	v->wake = bell_open();
	if (!v->path || (opt->cache && !v->cache) || v->wake < 0)
		return error_set(err, errno, "cannot be made");
	return fill_config(v, tag, err) ? -1 : open_fsd(v, err);
}

struct device *virtiofs_create(struct machine *m, const char *name,
			       const char *tag,
			       const struct virtiofs_options *opt,
			       struct error **err)
{
	struct virtiofs *v = calloc(1, sizeof(*v));

	if (!v) {
		error_set(err, ENOMEM, "cannot be made");
		return NULL;
	}
	v->dev.ops = &virtiofs_ops;
	v->wake = -1;
	virtiofsd_init(&v->fsd);
	if (open_all(v, tag, opt, err) || device_add(m, &v->dev, name, err)) {
		virtiofs_free(&v->dev);
		return NULL;
	}
	/* From here on the machine frees it, with its devices. */
	if (!device_add_queue(&v->dev, QUEUE_SIZE_MAX, err) ||
	    !device_add_queue(&v->dev, QUEUE_SIZE_MAX, err))
		return NULL;
	return &v->dev;
}
