// SPDX-License-Identifier: GPL-2.0
#include "vhost_user.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../abi/types.h"

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
};

#define FEATURE_PROTOCOL   (1ull << 30)
#define PROTOCOL_REPLY_ACK (1ull << 3)
#define PROTOCOL_CONFIG	   (1ull << 9)

#define FLAG_VERSION	1u
#define FLAG_VERSIONS	3u
#define FLAG_REPLY	4u
#define FLAG_NEED_REPLY 8u

struct state {
	uint32_t index, value;
};

struct address {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};
CO_ASSERT_SIZE(struct address, 40);

struct region {
	uint64_t address, size, user_address, offset;
};

struct memory {
	uint32_t regions, padding;
	struct region region[VHOST_USER_REGIONS_MAX];
};
CO_ASSERT_SIZE(struct memory, 264);

struct config {
	uint32_t offset, size, flags;
	uint8_t data[VHOST_USER_CONFIG_MAX];
};

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t value;
		struct state state;
		struct address address;
		struct memory memory;
		struct config config;
	} __attribute__((packed)) payload;
} __attribute__((packed));
#define HEADER offsetof(struct message, payload)

/* ---- messages --------------------------------------------------------------- */

static int send_message(int fd, const struct message *m, const int *fds,
			unsigned int n)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(VHOST_USER_REGIONS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)m, HEADER + m->size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = &control.header;
	ssize_t done;

	if (n) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	do {
		done = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	return (size_t)done == iov.iov_len ? 0 : -EIO;
}

static int receive(int fd, void *data, size_t n)
{
	ssize_t done;

	do {
		done = recv(fd, data, n, MSG_WAITALL);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)done == n ? 0 : -ECONNRESET;
}

static int receive_answer(int fd, struct message *m, uint32_t size)
{
	uint32_t request = m->request;
	int rc = receive(fd, m, HEADER);

	if (rc)
		return rc;
	if (m->request != request || !(m->flags & FLAG_REPLY) ||
	    (m->flags & FLAG_VERSIONS) != FLAG_VERSION || m->size != size)
		return -EPROTO;
	return receive(fd, &m->payload, size);
}

/* The size of question and answer is the same for all that answer. */
static int ask(struct vhost_user *vu, struct message *m)
{
	uint32_t size = m->size ? m->size : sizeof(m->payload.value);
	int rc;

	m->flags = FLAG_VERSION;
	rc = send_message(vu->fd, m, NULL, 0);
	return rc ? rc : receive_answer(vu->fd, m, size);
}

/* With REPLY_ACK the back end says whether it did it. */
static int tell_with(struct vhost_user *vu, struct message *m, const int *fds,
		     unsigned int n)
{
	bool ack = vu->protocol & PROTOCOL_REPLY_ACK;
	int rc;

	m->flags = FLAG_VERSION | (ack ? FLAG_NEED_REPLY : 0);
	rc = send_message(vu->fd, m, fds, n);
	if (rc || !ack)
		return rc;
	rc = receive_answer(vu->fd, m, sizeof(m->payload.value));
	if (rc)
		return rc;
	return m->payload.value ? -EREMOTEIO : 0;
}

static int tell(struct vhost_user *vu, struct message *m)
{
	return tell_with(vu, m, NULL, 0);
}

static int tell_value(struct vhost_user *vu, uint32_t request, uint64_t value)
{
	struct message m = { .request = request,
			     .size = sizeof(value),
			     .payload.value = value };

	return tell(vu, &m);
}

static int tell_state(struct vhost_user *vu, uint32_t request, uint32_t index,
		      uint32_t value)
{
	struct message m = { .request = request,
			     .size = sizeof(struct state),
			     .payload.state = { index, value } };

	return tell(vu, &m);
}

/* A queue's eventfd. */
static int tell_fd(struct vhost_user *vu, uint32_t request, uint32_t index,
		   int fd)
{
	struct message m = { .request = request,
			     .size = sizeof(uint64_t),
			     .payload.value = index };

	return tell_with(vu, &m, &fd, 1);
}

static int ask_value(struct vhost_user *vu, uint32_t request, uint64_t *value)
{
	struct message m = { .request = request };
	int rc = ask(vu, &m);

	*value = m.payload.value;
	return rc;
}

/* ---- the life of a connection ----------------------------------------------- */

static int agree(struct vhost_user *vu, uint64_t features)
{
	uint64_t offered, protocol;
	int rc = ask_value(vu, GET_FEATURES, &offered);

	if (rc)
		return rc;
	if (!(offered & FEATURE_PROTOCOL))
		return -EPROTONOSUPPORT;
	rc = ask_value(vu, GET_PROTOCOL_FEATURES, &protocol);
	if (rc)
		return rc;
	protocol &= PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG;
	rc = tell_value(vu, SET_PROTOCOL_FEATURES, protocol);
	vu->protocol = protocol;
	vu->features = offered & features;
	return rc ? rc : tell_value(vu, SET_OWNER, 0);
}

int vhost_user_open(struct vhost_user *vu, int fd, uint64_t features)
{
	struct timeval limit = { .tv_sec = VHOST_USER_SECONDS };
	int rc;

	*vu = (struct vhost_user){ .fd = fd };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	rc = agree(vu, features);
	if (rc)
		vhost_user_close(vu);
	return rc;
}

void vhost_user_close(struct vhost_user *vu)
{
	if (vu->fd >= 0)
		close(vu->fd);
	vu->fd = -1;
}

int vhost_user_config(struct vhost_user *vu, void *config, uint32_t size)
{
	struct message m = { .request = GET_CONFIG,
			     .size = offsetof(struct config, data) + size,
			     .payload.config.size = size };
	int rc;

	if (!(vu->protocol & PROTOCOL_CONFIG) || size > VHOST_USER_CONFIG_MAX)
		return -EPROTONOSUPPORT;
	rc = ask(vu, &m);
	if (!rc)
		memcpy(config, m.payload.config.data, size);
	return rc;
}

int vhost_user_memory(struct vhost_user *vu,
		      const struct vhost_user_region *region, uint32_t n)
{
	struct message m = { .request = SET_MEM_TABLE };
	int fds[VHOST_USER_REGIONS_MAX], rc;
	uint32_t i;

	if (n > VHOST_USER_REGIONS_MAX)
		return -E2BIG;
	/* A new connection knows the features before it has memory. */
	rc = tell_value(vu, SET_FEATURES, vu->features | FEATURE_PROTOCOL);
	if (rc)
		return rc;
	m.size = (uint32_t)(offsetof(struct memory, region) +
			    n * sizeof(struct region));
	m.payload.memory.regions = n;
	for (i = 0; i < n; i++) {
		m.payload.memory.region[i] = (struct region){
			region[i].address, region[i].size, region[i].address,
			region[i].offset
		};
		fds[i] = region[i].fd;
	}
	return tell_with(vu, &m, fds, n);
}

static int tell_areas(struct vhost_user *vu, const struct vhost_user_queue *q)
{
	struct message m = { .request = SET_VRING_ADDR,
			     .size = sizeof(struct address),
			     .payload.address = { .index = q->index,
						  .desc = q->desc,
						  .avail = q->avail,
						  .used = q->used } };

	return tell(vu, &m);
}

int vhost_user_start_queue(struct vhost_user *vu,
			   const struct vhost_user_queue *q)
{
	int rc = tell_state(vu, SET_VRING_NUM, q->index, q->size);

	if (!rc)
		rc = tell_state(vu, SET_VRING_BASE, q->index, q->base);
	if (!rc)
		rc = tell_areas(vu, q);
	if (!rc)
		rc = tell_fd(vu, SET_VRING_CALL, q->index, q->call);
	if (!rc)
		rc = tell_fd(vu, SET_VRING_KICK, q->index, q->kick);
	return rc ? rc : tell_state(vu, SET_VRING_ENABLE, q->index, 1);
}
