/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cofs: a directory of the host for the guest, by 9P over virtio.
 *
 * One thread, alive from DRIVER_OK to reset, takes messages from the queue and
 * has the server (tools/share) answer them, one after the other. Data of files
 * goes straight between guest memory and the host's page cache.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/bell.h"
#include "../share/server.h"
#include "virtio.h"

#define VIRTIO_ID_9P	  9
#define FEATURE_MOUNT_TAG (1ull << 0)

_Static_assert(QUEUE_SIZE_MAX <= SHARE_VECTOR_MAX, "chains fit");

/* Virtio 1.2 leaves the device to Linux: include/uapi/linux/virtio_9p.h. */
struct tag_config {
	uint16_t length;
	char tag[COFS_TAG_MAX];
} __attribute__((packed));

struct cofs {
	struct device dev;
	struct tag_config config;
	char *path;
	bool read_only;
	struct share_server *server;
	struct share_state told; /* thread */
	uint64_t looked;	 /* thread: seconds, when the directory was there */
	struct chain chain;	 /* thread */
	atomic_uint rests;	 /* for tests: how often the thread had nothing to do */

	/* From start to stop. */
	bool started;
	pthread_t thread;
	int wake; /* bell: look at `stopping` */
	atomic_bool stopping;
};

static struct cofs *to_cofs(struct device *dev)
{
	return container_of(dev, struct cofs, dev);
}

/* For `colinux info`. */
static void describe(struct cofs *c)
{
	char *to = c->dev.detail;
	size_t size = sizeof(c->dev.detail);
	int n;

	pthread_mutex_lock(&c->dev.why_lock);
	n = snprintf(to, size, "%.90s, tag %.*s%s", c->path,
		     (int)c->config.length, c->config.tag,
		     c->read_only ? ", read-only" : "");
	if (c->told.gone)
		n += snprintf(to + n, size - (size_t)n,
			      ", gone: the directory was moved, deleted or unmounted");
	if (c->told.errors)
		snprintf(to + n, size - (size_t)n, ", %llu errors, the last: %.30s",
			 (unsigned long long)c->told.errors,
			 strerror(c->told.last_error));
	pthread_mutex_unlock(&c->dev.why_lock);
}

/* ---- the thread ------------------------------------------------------------- */

static void look_now_and_then(struct cofs *c)
{
	uint64_t now = uv_hrtime() / 1000000000;

	if (now == c->looked)
		return;
	c->looked = now;
	share_look(c->server);
}

static void tell_state(struct cofs *c)
{
	struct share_state state;

	share_get_state(c->server, &state);
	if (state.gone == c->told.gone && state.errors == c->told.errors)
		return;
	c->told = state;
	describe(c);
}

/* False: the guest broke a rule. */
static bool serve(struct cofs *c, struct queue *q)
{
	struct chain *chain = &c->chain;
	struct share_call call = {
		.request = chain->out,
		.answer = chain->in,
		.request_n = chain->out_n,
		.answer_n = chain->in_n,
		.request_size = chain->out_size,
		.answer_size = chain->in_size,
	};
	const char *rule;
	size_t n;

	look_now_and_then(c);
	n = share_serve(c->server, &call, &rule);
	tell_state(c);
	if (!n) {
		device_break(&c->dev, "%s", rule);
		return false;
	}
	device_count(&c->dev, call.read, call.written);
	queue_push(q, chain->head, (uint32_t)n);
	queue_signal(q);
	return true;
}

static void serve_all(struct cofs *c, struct queue *q)
{
	do {
		queue_quiet(q);
		while (!atomic_load(&c->stopping) && queue_pop(q, &c->chain))
			if (!serve(c, q))
				return;
	} while (!atomic_load(&c->stopping) && queue_listen(q));
}

static void rest(struct cofs *c, struct queue *q)
{
	const int bells[2] = { q->doorbell, c->wake };

	atomic_fetch_add(&c->rests, 1);
	bell_wait(bells, -1);
	bell_hush(c->wake);
	queue_hush(q);
}

static void *work(void *arg)
{
	struct cofs *c = arg;
	struct queue *q = c->dev.queue[0];
	int rc = share_enter(c->server);

	if (rc)
		device_break(&c->dev, "the host gives no rights: %s",
			     strerror(-rc));
	while (!atomic_load(&c->stopping)) {
		if (!rc)
			serve_all(c, q);
		rest(c, q);
	}
	share_reset(c->server);
	return NULL;
}

static void cofs_start(struct device *dev)
{
	struct cofs *c = to_cofs(dev);
	int rc;

	if (c->started || !dev->queue[0]->ready)
		return;
	atomic_store(&c->stopping, false);
	rc = device_thread(&c->thread, work, c);
	if (rc)
		device_break(dev, "the host cannot start a thread: %s",
			     strerror(rc));
	else
		c->started = true;
}

static void cofs_stop(struct device *dev)
{
	struct cofs *c = to_cofs(dev);

	if (!c->started)
		return;
	atomic_store(&c->stopping, true);
	bell_ring(c->wake);
	pthread_join(c->thread, NULL);
	c->started = false;
}

/* ---- making ----------------------------------------------------------------- */

static void cofs_free(struct device *dev)
{
	struct cofs *c = to_cofs(dev);

	share_free(c->server);
	if (c->wake >= 0)
		bell_close(c->wake);
	free(c->path);
	free(c);
}

static const struct device_ops cofs_ops = {
	.id = VIRTIO_ID_9P,
	.type = "9p",
	.start = cofs_start,
	.stop = cofs_stop,
	.free = cofs_free,
};

static int fill_config(struct cofs *c, const char *tag, struct error **err)
{
	size_t n = strlen(tag);

	if (!n || n > COFS_TAG_MAX)
		return error_set(err, 0, "tag '%s' must have 1 to %d characters",
				 tag, COFS_TAG_MAX);
	c->config.length = (uint16_t)n;
	memcpy(c->config.tag, tag, n);
	c->dev.features = FEATURE_MOUNT_TAG;
	c->dev.config = &c->config;
	c->dev.config_size = (uint32_t)(sizeof(c->config.length) + n);
	return 0;
}

static int open_all(struct cofs *c, const char *tag,
		    const struct share_options *opt, struct error **err)
{
	c->read_only = opt->read_only;
	c->path = strdup(opt->fs.path);
	c->wake = bell_open();
	if (!c->path || c->wake < 0)
		return error_set(err, errno, "cannot be made");
	if (fill_config(c, tag, err))
		return -1;
	c->server = share_create(opt, err);
	return c->server ? 0 : -1;
}

struct device *cofs_create(struct machine *m, const char *name, const char *tag,
			   const struct share_options *opt, struct error **err)
{
	struct cofs *c = calloc(1, sizeof(*c));

	if (!c) {
		error_set(err, ENOMEM, "cannot be made");
		return NULL;
	}
	c->dev.ops = &cofs_ops;
	c->wake = -1;
	if (open_all(c, tag, opt, err) || device_add(m, &c->dev, name, err)) {
		cofs_free(&c->dev);
		return NULL;
	}
	describe(c);
	/* From here on the machine frees it, with its devices. */
	return device_add_queue(&c->dev, QUEUE_SIZE_MAX, err) ? &c->dev : NULL;
}

unsigned int cofs_rests(struct device *dev)
{
	return atomic_load(&to_cofs(dev)->rests);
}
