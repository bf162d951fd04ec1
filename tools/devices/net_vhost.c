/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost-net: the host kernel moves frames between the guest's rings and a tap.
 *
 * It gets the guest's memory as one region, from the lowest to the highest address
 * of the mapping; what isn't the guest's there faults, and vhost-net takes that
 * for a broken ring. The guest's kicks go to eventfds that vhost-net alone
 * watches, its calls come to the loop, which raises the queue's event.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net.h"

#define DATA_QUEUES NET_PER_PAIR

/* One descriptor that vhost-net signals, on the loop. */
struct signal {
	uv_poll_t poll;
	struct net_vhost *v;
	unsigned int queue;
};

struct net_vhost {
	struct net_pair *p;
	int fd; /* -1: the host has none */
	bool active;
	bool gave_up; /* an error, until the guest resets the device */
	char why[80];
	uint64_t features; /* of the host's */
	int kick[DATA_QUEUES], call[DATA_QUEUES], error[DATA_QUEUES];
	struct signal called[DATA_QUEUES], failed[DATA_QUEUES];
	int open_handles;
	bool closing;
};

/* ---- signals ---------------------------------------------------------------- */

static void raise_queue(struct net *n, struct queue *q)
{
	bool entered = net_enter(n);

	if (device_running(&n->dev) && q->ready)
		device_raise_queue(q);
	net_leave(n, entered);
}

static void on_call(uv_poll_t *poll, int status, int events)
{
	struct signal *s = poll->data;
	eventfd_t count;

	(void)status;
	(void)events;
	if (!eventfd_read(s->v->call[s->queue], &count))
		raise_queue(s->v->p->n, net_queue(s->v->p, s->queue));
}

/* A ring that is wrong, or a tap that is gone: our own code finds out which, and
 * says it better. */
static void on_error(uv_poll_t *poll, int status, int events)
{
	struct signal *s = poll->data;
	struct net *n = s->v->p->n;
	eventfd_t count;
	bool entered;

	(void)status;
	(void)events;
	if (eventfd_read(s->v->error[s->queue], &count))
		return;
	entered = net_enter(n);
	s->v->gave_up = true;
	net_vhost_stop(s->v);
	net_leave(n, entered);
}

/* ---- starting --------------------------------------------------------------- */

static int tell(struct net_vhost *v, unsigned long request, void *arg)
{
	return ioctl(v->fd, request, arg) < 0 ? -errno : 0;
}

static int set_features(struct net_vhost *v)
{
	uint64_t features = v->p->n->dev.driver_features & v->features &
			    (FEATURES_COMMON | NET_F_MRG_RXBUF);

	return tell(v, VHOST_SET_FEATURES, &features);
}

static int set_memory(struct net_vhost *v)
{
	const struct guest_memory *mem = device_memory(&v->p->n->dev);
	uint64_t table[(sizeof(struct vhost_memory) +
			sizeof(struct vhost_memory_region)) / 8];
	const struct vhost_memory head = { .nregions = 1 };
	const struct vhost_memory_region region = {
		.guest_phys_addr = mem->lowest,
		.memory_size = mem->highest - mem->lowest,
		.userspace_addr = (uintptr_t)mem->base,
	};

	memcpy(table, &head, sizeof(head));
	memcpy((char *)table + sizeof(head), &region, sizeof(region));
	return tell(v, VHOST_SET_MEM_TABLE, table);
}

static int set_file(struct net_vhost *v, unsigned long request, unsigned int i,
		    int fd)
{
	struct vhost_vring_file file = { .index = i, .fd = fd };

	return tell(v, request, &file);
}

static int set_ring(struct net_vhost *v, unsigned int i)
{
	struct queue *q = net_queue(v->p, i);
	struct vhost_vring_state size = { i, q->size };
	struct vhost_vring_state base = { i, q->last_avail };
	struct vhost_vring_addr address = {
		.index = i,
		.desc_user_addr = (uintptr_t)q->desc,
		.avail_user_addr = (uintptr_t)q->avail,
		.used_user_addr = (uintptr_t)q->used,
	};
	int rc = tell(v, VHOST_SET_VRING_NUM, &size);

	if (!rc)
		rc = tell(v, VHOST_SET_VRING_BASE, &base);
	if (!rc)
		rc = tell(v, VHOST_SET_VRING_ADDR, &address);
	if (!rc)
		rc = set_file(v, VHOST_SET_VRING_KICK, i, v->kick[i]);
	if (!rc)
		rc = set_file(v, VHOST_SET_VRING_CALL, i, v->call[i]);
	if (!rc)
		rc = set_file(v, VHOST_SET_VRING_ERR, i, v->error[i]);
	return rc;
}

/* What the guest put there before has nobody rung for. */
static int set_going(struct net_vhost *v, unsigned int i, int tap)
{
	int rc = device_redirect_doorbell(net_queue(v->p, i), v->kick[i]);

	if (!rc)
		rc = set_file(v, VHOST_NET_SET_BACKEND, i, tap);
	if (!rc)
		eventfd_write(v->kick[i], 1);
	return rc;
}

static int hand_over(struct net_vhost *v)
{
	struct net_backend *b = v->p->backend;
	int tap = b->ops->descriptor(b), rc = set_features(v);
	unsigned int i;

	if (!rc)
		rc = set_memory(v);
	for (i = 0; i < DATA_QUEUES && !rc; i++)
		rc = set_ring(v, i);
	for (i = 0; i < DATA_QUEUES && !rc; i++)
		rc = set_going(v, i, tap);
	return rc;
}

/* Each step can be undone, whether it was done or not. */
static void take_back(struct net_vhost *v)
{
	unsigned int i;

	for (i = 0; i < DATA_QUEUES; i++)
		(void)set_file(v, VHOST_NET_SET_BACKEND, i, -1);
	for (i = 0; i < DATA_QUEUES; i++) {
		struct queue *q = net_queue(v->p, i);
		struct vhost_vring_state base = { i, 0 };
		int rc = tell(v, VHOST_GET_VRING_BASE, &base);

		if (!q->ready)
			continue;
		if (rc)
			device_break(&v->p->n->dev, "vhost-net doesn't give back queue %u: %s",
				     q->index, strerror(-rc));
		else
			queue_resume(q, (uint16_t)base.num);
		rc = device_redirect_doorbell(q, -1);
		if (rc)
			device_break(&v->p->n->dev, "queue %u: the host refused its doorbell: %s",
				     q->index, strerror(-rc));
		queue_ring(q);
	}
}

void net_vhost_start(struct net_vhost *v)
{
	struct net_backend *b = v->p->backend;
	int rc;

	if (v->fd < 0 || v->active || v->gave_up)
		return;
	net_put_back(v->p);
	b->ops->hands_off(b, true);
	rc = hand_over(v);
	v->active = !rc;
	if (!rc)
		return;
	snprintf(v->why, sizeof(v->why), "no vhost-net: %s", strerror(-rc));
	take_back(v);
	b->ops->hands_off(b, false);
	close(v->fd);
	v->fd = -1;
}

void net_vhost_stop(struct net_vhost *v)
{
	struct net_backend *b = v->p->backend;

	if (!v->active)
		return;
	take_back(v);
	v->active = false;
	b->ops->hands_off(b, false);
}

void net_vhost_reset(struct net_vhost *v)
{
	v->gave_up = false;
}

bool net_vhost_active(const struct net_vhost *v)
{
	return v->active;
}

const char *net_vhost_state(const struct net_vhost *v)
{
	if (v->fd < 0)
		return v->why;
	if (v->gave_up)
		return "vhost-net gave up";
	return v->active ? "vhost-net" : "vhost-net waits";
}

/* ---- making ----------------------------------------------------------------- */

/* Without it frames go through the daemon, and `colinux info` says why. */
static void open_host(struct net_vhost *v)
{
	int rc;

	v->fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	rc = v->fd < 0 ? -errno : tell(v, VHOST_SET_OWNER, NULL);
	if (!rc)
		rc = tell(v, VHOST_GET_FEATURES, &v->features);
	if (!rc && !(v->features & FEATURE_VERSION_1))
		rc = -EOPNOTSUPP;
	if (!rc)
		return;
	snprintf(v->why, sizeof(v->why), "no vhost-net: %s", strerror(-rc));
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

static int watch(struct net_vhost *v, struct signal *s, unsigned int queue,
		 int *fd, uv_poll_cb cb)
{
	int rc;

	s->v = v;
	s->queue = queue;
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	rc = uv_poll_init(device_loop(&v->p->n->dev), &s->poll, *fd);
	if (rc)
		return rc;
	v->open_handles++;
	s->poll.data = s;
	return uv_poll_start(&s->poll, UV_READABLE, cb);
}

static int open_queue(struct net_vhost *v, unsigned int i)
{
	int rc = watch(v, &v->called[i], i, &v->call[i], on_call);

	if (!rc)
		rc = watch(v, &v->failed[i], i, &v->error[i], on_error);
	v->kick[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return rc ? rc : v->kick[i] < 0 ? -errno : 0;
}

static void free_if_last(struct net_vhost *v)
{
	if (v->closing && !v->open_handles)
		free(v);
}

static void closed(uv_handle_t *handle)
{
	struct signal *s = handle->data;

	s->v->open_handles--;
	free_if_last(s->v);
}

static void close_signal(struct signal *s, int fd)
{
	if (s->poll.data)
		uv_close((uv_handle_t *)&s->poll, closed);
	if (fd >= 0)
		close(fd);
}

void net_vhost_free(struct net_vhost *v)
{
	unsigned int i;

	if (!v)
		return;
	if (v->fd >= 0)
		close(v->fd);
	for (i = 0; i < DATA_QUEUES; i++) {
		close_signal(&v->called[i], v->call[i]);
		close_signal(&v->failed[i], v->error[i]);
		if (v->kick[i] >= 0)
			close(v->kick[i]);
	}
	v->closing = true;
	free_if_last(v);
}

struct net_vhost *net_vhost_open(struct net_pair *p, struct error **err)
{
	struct net_vhost *v = calloc(1, sizeof(*v));
	unsigned int i;
	int rc = 0;

	if (!v) {
		error_set(err, ENOMEM, "cannot be made");
		return NULL;
	}
	v->p = p;
	v->fd = -1;
	for (i = 0; i < DATA_QUEUES; i++)
		v->kick[i] = v->call[i] = v->error[i] = -1;
	for (i = 0; i < DATA_QUEUES && !rc; i++)
		rc = open_queue(v, i);
	if (!rc) {
		open_host(v);
		return v;
	}
	error_set(err, -rc, "cannot make a signal for vhost-net");
	net_vhost_free(v);
	return NULL;
}
