// SPDX-License-Identifier: GPL-2.0
/*
 * Local stream sockets.
 */
#include "fast.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../../tools/os/local_socket.h"

short fake_events(const struct fake *f)
{
	bool end = !f->peer || f->no_receive;

	if (f->kind == FAKE_EVENT)
		return f->count ? POLLIN | POLLOUT : POLLOUT;
	if (f->kind == FAKE_LISTENER)
		return f->waiters ? POLLIN : 0;
	return (short)((f->used || end ? POLLIN : 0) |
		       (!f->peer || f->peer->used < FAKE_STREAM ? POLLOUT : 0) |
		       (!f->peer || (f->no_receive && f->no_send) ? POLLHUP : 0) |
		       (f->broken ? POLLERR : 0));
}

/* Who hasn't read all breaks off; the other side hears of that. */
void fake_socket_close(struct fake *f)
{
	if (f->peer) {
		f->peer->broken = f->used;
		f->peer->peer = NULL;
	}
	free(f->data);
}

static int new_socket(struct fake **f)
{
	int fd = fake_open(FAKE_SOCKET, f);

	(*f)->data = malloc(FAKE_STREAM);
	fake_must((*f)->data, "no memory");
	return fd;
}

/* ---- instead of tools/os/linux/local_socket.c and the C library's ----------- */

int __wrap_local_listen(const char *path, struct error **err);
int __wrap_local_connect(const char *path);
int __wrap_local_accept(int fd);
ssize_t __wrap_send(int fd, const void *data, size_t n, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t n, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_unlink(const char *path);

int __wrap_local_listen(const char *path, struct error **err)
{
	struct fake *f;
	int fd;

	(void)err;
	fake_must(!fake_listener(path), "a second listener on one path");
	fd = fake_open(FAKE_LISTENER, &f);
	strncpy(f->path, path, sizeof(f->path) - 1);
	return fd;
}

int __wrap_unlink(const char *path)
{
	(void)path;
	return 0;
}

int __wrap_local_connect(const char *path)
{
	struct fake *listener = fake_listener(path), *a, *b;
	int fd;

	if (!listener)
		return -ENOENT;
	if (listener->waiters == FAKE_WAITING)
		return -EAGAIN;
	fd = new_socket(&a);
	listener->waiting[listener->waiters++] = new_socket(&b);
	a->peer = b;
	b->peer = a;
	return fd;
}

int __wrap_local_accept(int fd)
{
	struct fake *listener = fake_find(fd);
	int first;

	if (!listener->waiters)
		return -EAGAIN;
	first = listener->waiting[0];
	listener->waiters--;
	memmove(listener->waiting, listener->waiting + 1,
		listener->waiters * sizeof(first));
	return first;
}

static int fails(struct fake *f)
{
	errno = f->broken ? ECONNRESET : EPIPE;
	f->broken = false;
	return -1;
}

ssize_t __wrap_send(int fd, const void *data, size_t n, int flags)
{
	struct fake *f = fake_find(fd), *to = f->peer;

	fake_must(flags & MSG_NOSIGNAL, "a send() that may kill");
	if (f->broken || f->no_send || !to)
		return fails(f);
	if (n > FAKE_STREAM - to->used)
		n = FAKE_STREAM - to->used;
	if (!n) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(to->data + to->used, data, n);
	to->used += n;
	return (ssize_t)n;
}

ssize_t __wrap_recv(int fd, void *data, size_t n, int flags)
{
	struct fake *f = fake_find(fd);

	if (f->broken)
		return fails(f);
	if (!f->used) {
		if (!f->peer || f->no_receive)
			return 0;
		errno = EAGAIN;
		return -1;
	}
	n = n < f->used ? n : f->used;
	memcpy(data, f->data, n);
	if (flags & MSG_PEEK)
		return (ssize_t)n;
	f->used -= n;
	memmove(f->data, f->data + n, f->used);
	return (ssize_t)n;
}

int __wrap_shutdown(int fd, int how)
{
	struct fake *f = fake_find(fd);

	fake_must(how == SHUT_WR, "a shutdown() that isn't known here");
	f->no_send = true;
	if (f->peer)
		f->peer->no_receive = true;
	return 0;
}
