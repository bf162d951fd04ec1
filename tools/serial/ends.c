// SPDX-License-Identifier: GPL-2.0
/* What a line can lead to on the host, and how it is found again. */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/line.h"
#include "../os/local_socket.h"

#define RETRY_MS 1000
/* A pseudo terminal doesn't tell that it was opened. */
#define PTY_LOOK_MS 100

static void stop_nothing(struct serial *s)
{
	(void)s;
}

/* One descriptor is both directions: the loop wants two. */
static int connect_both(struct serial *s, int fd)
{
	int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (other < 0) {
		snprintf(s->why, sizeof(s->why), "%s", strerror(errno));
		close(fd);
		return -1;
	}
	serial_connect(s, fd, other);
	return 0;
}

/* ---- a device --------------------------------------------------------------- */

static int device_start(struct serial *s, struct error **err)
{
	int fd = line_open(s->line->path, &s->line->mode, err);

	if (fd < 0)
		return -1;
	return connect_both(s, fd) ? error_set(err, 0, "%s", s->why) : 0;
}

/* Its plug was pulled, perhaps. */
static void device_retry(uv_timer_t *timer)
{
	struct serial *s = timer->data;
	struct error *err = NULL;

	if (!device_start(s, &err))
		return;
	snprintf(s->why, sizeof(s->why), "%s", err->text);
	error_free(&err);
}

static void device_again(struct serial *s)
{
	uv_timer_start(s->retry, device_retry, RETRY_MS, RETRY_MS);
}

/* ---- a pseudo terminal ------------------------------------------------------ */

static void pty_look(uv_timer_t *timer)
{
	struct serial *s = timer->data;
	int fd;

	if (line_hung_up(s->end_fd))
		return;
	fd = fcntl(s->end_fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		connect_both(s, fd);
}

static void pty_again(struct serial *s)
{
	uv_timer_start(s->retry, pty_look, PTY_LOOK_MS, PTY_LOOK_MS);
}

/* The first n bytes of what the link leads to are those of `to`. */
static bool links_to(const char *path, const char *to, size_t n)
{
	char target[64] = "";

	return readlink(path, target, sizeof(target) - 1) > 0 &&
	       !strncmp(target, to, n);
}

/* A link of ours from an earlier life gives way, anything else doesn't. */
static int pty_link(struct serial *s, struct error **err)
{
	const char *path = s->line->path;

	if (!path)
		return 0;
	if (links_to(path, "/dev/pts/", 9))
		unlink(path);
	if (symlink(s->place, path))
		return error_set(err, errno, "cannot make the link %s", path);
	s->link = need_copy(path, strlen(path));
	return 0;
}

static int pty_start(struct serial *s, struct error **err)
{
	s->end_fd = line_open_pty(&s->place, err);
	if (s->end_fd < 0 || pty_link(s, err))
		return -1;
	pty_again(s);
	return 0;
}

/* Another VM may have put its own in the place of our link. */
static void pty_stop(struct serial *s)
{
	if (s->link && links_to(s->link, s->place, strlen(s->place) + 1))
		unlink(s->link);
}

/* ---- a socket that others come to ------------------------------------------- */

static void listen_come(uv_poll_t *poll, int status, int events);

static void listen_again(struct serial *s)
{
	uv_poll_start(s->listening, UV_READABLE, listen_come);
}

static void listen_retry(uv_timer_t *timer)
{
	listen_again(timer->data);
}

/* Whoever comes while another is there is sent away. Who can't be let in, for want of
 * descriptors, would make the loop turn until there are some. */
static void listen_come(uv_poll_t *poll, int status, int events)
{
	struct serial *s = poll->data;
	int fd = local_accept(s->end_fd);

	(void)status;
	(void)events;
	if (fd < 0) {
		snprintf(s->why, sizeof(s->why), "%s", strerror(-fd));
		uv_poll_stop(poll);
		uv_timer_start(s->retry, listen_retry, RETRY_MS, 0);
		return;
	}
	if (serial_connected(s))
		close(fd);
	else
		connect_both(s, fd);
}

static int listen_start(struct serial *s, struct error **err)
{
	s->end_fd = local_listen(s->line->path, err);
	if (s->end_fd < 0)
		return -1;
	s->link = need_copy(s->line->path, strlen(s->line->path));
	s->listening = serial_watch(s, s->end_fd);
	if (!s->listening ||
	    uv_poll_start(s->listening, UV_READABLE, listen_come))
		return error_set(err, 0, "cannot wait for clients on %s",
				 s->line->path);
	return 0;
}

/* ---- somebody else's socket ------------------------------------------------- */

static void connect_try(uv_timer_t *timer)
{
	struct serial *s = timer->data;
	int fd = local_connect(s->line->path);

	if (fd >= 0 && !connect_both(s, fd))
		return;
	if (fd < 0)
		snprintf(s->why, sizeof(s->why), "%s", strerror(-fd));
	uv_timer_start(s->retry, connect_try, RETRY_MS, 0);
}

static int connect_start(struct serial *s, struct error **err)
{
	if (strlen(s->line->path) > 107)
		return error_set(err, 0,
				 "%s: a socket's path has at most 107 bytes",
				 s->line->path);
	connect_try(s->retry);
	return 0;
}

static void connect_again(struct serial *s)
{
	uv_timer_start(s->retry, connect_try, RETRY_MS, 0);
}

/* ---- the daemon's own input and output -------------------------------------- */

/* The loop makes them non-blocking, and others may have them, too. */
static int stdio_start(struct serial *s, struct error **err)
{
	int fd[2], i;

	for (i = 0; i < 2; i++)
		s->stdio_flags[i] = fcntl(i, F_GETFL);
	for (i = 0; i < 2; i++) {
		fd[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
		if (fd[i] < 0)
			return error_set(err, errno, "standard %s",
					 i ? "output" : "input");
	}
	serial_connect(s, fd[0], fd[1]);
	if (serial_connected(s))
		return 0;
	return error_set(err, 0,
			 "stdio: standard input or output is a file or /dev/null: only terminals, pipes and sockets go");
}

static void stdio_again(struct serial *s)
{
	(void)s; /* there is no other */
}

static void stdio_stop(struct serial *s)
{
	int i;

	for (i = 0; i < 2; i++)
		fcntl(i, F_SETFL, s->stdio_flags[i]);
}

static void listen_stop(struct serial *s)
{
	if (s->link)
		unlink(s->link);
}

const struct serial_end serial_ends[] = {
	[SERIAL_DEVICE] = { "device", device_start, device_again, stop_nothing,
			    false },
	[SERIAL_PTY] = { "pty", pty_start, pty_again, pty_stop, false },
	[SERIAL_LISTEN] = { "unix", listen_start, listen_again, listen_stop,
			    false },
	[SERIAL_CONNECT] = { "unix-connect", connect_start, connect_again,
			     stop_nothing, false },
	[SERIAL_STDIO] = { "stdio", stdio_start, stdio_again, stdio_stop,
			   true },
};
