/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A switch without a process of its own, and without root.
 *
 * Each member binds a datagram socket in the switch's folder. A frame goes to the
 * member that was heard with its destination as source, otherwise to all. Nobody
 * waits for anybody: what a member's socket has no room for is lost, as with any
 * switch. A member that died leaves a socket that refuses, which the first one to
 * notice removes.
 *
 * Whoever can write into the folder is a member; it's the user's own.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/text.h"
#include "backend.h"

#define SWITCH_TURN 128
/* Addresses heard, by a hash: a clash makes one of two be forgotten. */
#define HEARD	    1024
/* A guest that moved is found again after that, at the latest. */
#define HEARD_NS    (300 * UINT64_C(1000000000))

struct heard {
	uint8_t mac[MAC_BYTES];
	uint64_t when; /* 0: never */
	struct sockaddr_un from;
};

struct member {
	struct net_backend b;
	char *folder;
	struct sockaddr_un own;
	int fd;
	uv_loop_t *loop;
	uv_poll_t poll;
	bool full, failed;
	size_t held;
	unsigned int peers; /* when last all were written to */
	struct heard heard[HEARD];
	uint8_t frame[NET_FRAME_MAX], out[NET_FRAME_MAX];
};

static struct member *to_member(const struct net_backend *b)
{
	return (struct member *)((char *)b - offsetof(struct member, b));
}

/* ---- who is where ----------------------------------------------------------- */

static struct heard *place_of(struct member *m, const uint8_t mac[MAC_BYTES])
{
	unsigned int h = 0, i;

	for (i = 0; i < MAC_BYTES; i++)
		h = h * 31 + mac[i];
	return &m->heard[h % HEARD];
}

/* Addresses outside the folder are nobody's: we would write to them. */
static bool from_member(const struct member *m, const struct sockaddr_un *from,
			socklen_t size)
{
	size_t n = strlen(m->folder);

	return size > offsetof(struct sockaddr_un, sun_path) + n + 1 &&
	       size <= sizeof(*from) && from->sun_family == AF_UNIX &&
	       !strncmp(from->sun_path, m->folder, n) &&
	       from->sun_path[n] == '/' &&
	       !memchr(from->sun_path + n + 1, '/',
		       size - offsetof(struct sockaddr_un, sun_path) - n - 1);
}

static void learn(struct member *m, const struct sockaddr_un *from)
{
	const uint8_t *source = m->frame + MAC_BYTES;
	struct heard *h = place_of(m, source);

	if (source[0] & 1)
		return;
	memcpy(h->mac, source, MAC_BYTES);
	h->when = uv_now(m->loop) * 1000000 + 1;
	h->from = *from;
}

/* NULL: not known, or a group. */
static struct heard *find(struct member *m, const uint8_t mac[MAC_BYTES])
{
	struct heard *h = place_of(m, mac);
	uint64_t now = uv_now(m->loop) * 1000000 + 1;

	if ((mac[0] & 1) || !h->when || now - h->when > HEARD_NS ||
	    memcmp(h->mac, mac, MAC_BYTES))
		return NULL;
	return h;
}

/* ---- from the guest --------------------------------------------------------- */

/* False: nobody is there any more. */
static bool send_to(struct member *m, const struct sockaddr_un *to, size_t bytes)
{
	ssize_t n = sendto(m->fd, m->out, bytes, MSG_DONTWAIT | MSG_NOSIGNAL,
			   (const struct sockaddr *)to, sizeof(*to));

	if (n >= 0)
		return true;
	if (errno == ECONNREFUSED) {
		unlink(to->sun_path);
		return false;
	}
	if (errno == ENOENT)
		return false;
	m->b.dropped++; /* it doesn't read */
	return true;
}

/* False: it doesn't fit. */
static bool member_path(const struct member *m, const char *name,
			struct sockaddr_un *to)
{
	memset(to, 0, sizeof(*to));
	to->sun_family = AF_UNIX;
	return (size_t)snprintf(to->sun_path, sizeof(to->sun_path), "%s/%s",
				m->folder, name) < sizeof(to->sun_path);
}

static void send_to_all(struct member *m, size_t bytes)
{
	DIR *dir = opendir(m->folder);
	struct sockaddr_un to;
	struct dirent *e;

	m->peers = 0;
	if (!dir) {
		m->b.dropped++;
		return;
	}
	while ((e = readdir(dir)))
		if (*e->d_name != '.' && member_path(m, e->d_name, &to) &&
		    strcmp(to.sun_path, m->own.sun_path))
			m->peers += send_to(m, &to, bytes);
	closedir(dir);
}

/* The copy makes sure that all get the same frame, whatever the guest does. */
static bool switch_send(struct net_backend *b, const struct net_header *header,
			const struct iovec *frame, unsigned int n)
{
	struct member *m = to_member(b);
	struct heard *h;
	size_t bytes = 0;
	unsigned int i;

	(void)header; /* without offloads there's nothing in it */
	for (i = 0; i < n && bytes + frame[i].iov_len <= sizeof(m->out); i++) {
		memcpy(m->out + bytes, frame[i].iov_base, frame[i].iov_len);
		bytes += frame[i].iov_len;
	}
	h = find(m, m->out);
	if (h && send_to(m, &h->from, bytes))
		return true;
	if (h)
		h->when = 0;
	send_to_all(m, bytes);
	return true;
}

/* ---- to the guest ----------------------------------------------------------- */

static bool give(struct member *m)
{
	static const struct net_header header;
	struct iovec iov = { m->frame, m->held };

	if (!m->b.user->ops->receive(m->b.user, &header, &iov, 1))
		return false;
	m->held = 0;
	return true;
}

/* False: nothing there. What is no frame, or nobody's, is passed over. */
static bool read_frame(struct member *m)
{
	struct sockaddr_un from;
	struct iovec iov = { m->frame, sizeof(m->frame) };
	struct msghdr msg = { .msg_name = &from, .msg_iov = &iov,
			      .msg_iovlen = 1 };
	ssize_t n;

	for (;;) {
		memset(&from, 0, sizeof(from));
		msg.msg_namelen = sizeof(from);
		n = recvmsg(m->fd, &msg, MSG_DONTWAIT);
		if (n < 0)
			return false;
		if (n < NET_FRAME_MIN || (msg.msg_flags & MSG_TRUNC) ||
		    !from_member(m, &from, msg.msg_namelen))
			continue;
		m->held = (size_t)n;
		learn(m, &from);
		return true;
	}
}

static void take_frames(struct member *m)
{
	unsigned int left = SWITCH_TURN;

	while (left-- && !m->full) {
		if (!m->held && !read_frame(m))
			break;
		m->full = !give(m);
	}
	m->b.user->ops->flush(m->b.user);
}

static void on_event(uv_poll_t *poll, int status, int events);

static void watch(struct member *m)
{
	if (m->full)
		uv_poll_stop(&m->poll);
	else if (uv_poll_start(&m->poll, UV_READABLE, on_event))
		m->failed = true;
	if (m->failed && m->b.user)
		m->b.user->ops->link(m->b.user, false);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct member *m = poll->data;

	(void)events;
	if (status < 0)
		m->failed = true;
	else
		take_frames(m);
	watch(m);
}

static void switch_ready(struct net_backend *b)
{
	struct member *m = to_member(b);

	m->full = false;
	take_frames(m);
	watch(m);
}

/* ---- opening and closing ---------------------------------------------------- */

static void switch_describe(const struct net_backend *b, char *text, size_t room)
{
	const struct member *m = to_member(b);
	const char *name = strrchr(m->folder, '/');

	snprintf(text, room, "%s, %u other member%s%s", name ? name + 1 : m->folder,
		 m->peers, m->peers == 1 ? "" : "s",
		 m->failed ? ", its socket failed" : "");
}

static void free_member(struct member *m)
{
	if (m->fd >= 0)
		close(m->fd);
	if (*m->own.sun_path)
		unlink(m->own.sun_path);
	rmdir(m->folder); /* stays as long as anybody is in it */
	free(m->folder);
	free(m);
}

static void closed(uv_handle_t *handle)
{
	free_member(handle->data);
}

static void switch_close(struct net_backend *b)
{
	uv_close((uv_handle_t *)&to_member(b)->poll, closed);
}

static const struct net_backend_ops switch_ops = {
	.send = switch_send,
	.ready = switch_ready,
	.describe = switch_describe,
	.close = switch_close,
};

/* The last one to leave may take the folder away in between. */
static int bind_in_folder(struct member *m)
{
	int tries = 10, rc;

	do {
		if (mkdir(m->folder, 0700) && errno != EEXIST)
			return -1;
		rc = bind(m->fd, (struct sockaddr *)&m->own, sizeof(m->own));
	} while (rc && errno == ENOENT && tries--);
	return rc;
}

static int join(struct member *m, const char *name, struct error **err)
{
	int bytes = 4 << 20; /* some dozen of the largest frames, if the host lets us */

	m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->fd < 0)
		return error_set(err, errno, "cannot make a socket");
	(void)setsockopt(m->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (!member_path(m, name, &m->own)) {
		m->own.sun_path[0] = 0;
		return error_set(err, ENAMETOOLONG, "%s/%s", m->folder, name);
	}
	unlink(m->own.sun_path); /* of a dead process with our number */
	if (!bind_in_folder(m))
		return 0;
	error_set(err, errno, "cannot join: %s", m->own.sun_path);
	m->own.sun_path[0] = 0;
	return -1;
}

struct net_backend *switch_open(uv_loop_t *loop, const char *folder,
				const char *name, struct error **err)
{
	struct member *m = need(sizeof(*m));
	int rc;

	m->b.ops = &switch_ops;
	m->b.mtu = NET_MTU_LOCAL;
	m->loop = loop;
	m->folder = need_copy(folder, strlen(folder));
	m->fd = -1;
	if (join(m, name, err)) {
		free_member(m);
		return NULL;
	}
	m->poll.data = m;
	rc = uv_poll_init(loop, &m->poll, m->fd);
	if (rc) {
		free_member(m);
		error_set(err, -rc, "the switch's socket can't be watched");
		return NULL;
	}
	watch(m);
	return &m->b;
}
