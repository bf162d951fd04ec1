// SPDX-License-Identifier: GPL-2.0
/* The line: bytes between a port of the guest and descriptors of the host. */
#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/line.h"

#define READ_BYTES 65536
/* How often somebody who only writes no more is asked whether he's gone. */
#define GONE_MS 200

/* ---- handles of the loop ---------------------------------------------------- */

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

uv_poll_t *serial_watch(struct serial *s, int fd)
{
	uv_poll_t *p = need(sizeof(*p));

	if (uv_poll_init(s->loop, p, fd)) {
		free(p);
		return NULL;
	}
	p->data = s;
	return p;
}

void serial_unwatch(uv_poll_t **p)
{
	if (*p)
		uv_close((uv_handle_t *)*p, free_handle);
	*p = NULL;
}

uv_timer_t *serial_timer(struct serial *s)
{
	uv_timer_t *t = need(sizeof(*t));

	uv_timer_init(s->loop, t);
	t->data = s;
	return t;
}

void serial_untimer(uv_timer_t **p)
{
	if (*p)
		uv_close((uv_handle_t *)*p, free_handle);
	*p = NULL;
}

/* ---- towards the host ------------------------------------------------------- */

static size_t kept(const struct serial *s)
{
	return s->kept.length - s->kept_at;
}

static void forget_kept(struct serial *s)
{
	s->lost += kept(s);
	text_free(&s->kept);
	s->kept_at = 0;
}

static void release(struct serial *s)
{
	if (!s->held)
		return;
	s->held = false;
	uv_timer_stop(s->patience);
	console_hold(s->port, false);
}

static void lose_patience(uv_timer_t *timer)
{
	struct serial *s = timer->data;

	s->stalled = true;
	release(s);
}

/* A plain port's writers sleep: they are held as long as it takes. */
static void have_patience(struct serial *s)
{
	if (!s->line->port)
		uv_timer_start(s->patience, lose_patience, SERIAL_PATIENCE_MS,
			       0);
}

static void hold(struct serial *s)
{
	s->held = true;
	console_hold(s->port, true);
	have_patience(s);
}

static void drop_written(struct serial *s, size_t n)
{
	s->kept_at += n;
	if (s->kept_at == s->kept.length) {
		text_free(&s->kept);
		s->kept_at = 0;
	} else if (s->kept_at > s->kept.length / 2) {
		text_drop(&s->kept, s->kept_at);
		s->kept_at = 0;
	}
	if (kept(s) < SERIAL_KEPT / 2)
		s->stalled = false;
	if (kept(s) < SERIAL_KEPT)
		release(s);
	else if (s->held)
		have_patience(s);
}

static void on_writable(uv_poll_t *poll, int status, int events);

/* Writes what goes; the rest waits for the end to take more. */
static void flush(struct serial *s)
{
	ssize_t n = 1;

	while (n > 0 && kept(s)) {
		n = write(s->out_fd, s->kept.data + s->kept_at, kept(s));
		if (n > 0)
			drop_written(s, (size_t)n);
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		serial_disconnect(s, strerror(errno));
		return;
	}
	if (kept(s))
		uv_poll_start(s->out, UV_WRITABLE, on_writable);
	else
		uv_poll_stop(s->out);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct serial *s = poll->data;

	(void)events;
	if (status < 0)
		serial_disconnect(s, uv_strerror(status));
	else
		flush(s);
}

static void on_output(struct console_reader *r, const uint8_t *data, size_t n)
{
	struct serial *s = (struct serial *)((char *)r -
					     offsetof(struct serial, reader));
	bool idle = !kept(s);

	if (!serial_connected(s) || s->stalled) {
		s->lost += n;
		return;
	}
	text_add(&s->kept, data, n);
	if (idle)
		flush(s);
	if (kept(s) >= SERIAL_KEPT && !s->held)
		hold(s);
}

/* ---- towards the guest ------------------------------------------------------ */

static void on_readable(uv_poll_t *poll, int status, int events);

/* Hands over what waits; nothing is read meanwhile. */
static void push_pending(struct serial *s)
{
	size_t n = s->pending_end - s->pending_at;

	if (n)
		s->pending_at += console_input(s->port,
					       s->pending + s->pending_at, n);
	if (!s->in || s->input_ended)
		return;
	if (s->pending_at < s->pending_end)
		uv_poll_stop(s->in);
	else
		uv_poll_start(s->in, UV_READABLE, on_readable);
}

static void on_input_ready(struct console_reader *r)
{
	push_pending((struct serial *)((char *)r -
				       offsetof(struct serial, reader)));
}

static void ask_gone(uv_timer_t *timer)
{
	struct serial *s = timer->data;

	if (line_hung_up(s->in_fd))
		serial_disconnect(s, NULL);
}

/* He writes no more, but may read: what is on its way to him still goes. */
static void end_of_input(struct serial *s)
{
	bool apart = s->end->input_apart;

	if (!apart && line_hung_up(s->in_fd)) {
		serial_disconnect(s, NULL);
		return;
	}
	s->input_ended = true;
	uv_poll_stop(s->in);
	if (!apart)
		uv_timer_start(s->retry, ask_gone, GONE_MS, GONE_MS);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct serial *s = poll->data;
	ssize_t n;

	(void)events;
	if (status < 0) {
		serial_disconnect(s, uv_strerror(status));
		return;
	}
	n = read(s->in_fd, s->pending, READ_BYTES);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0) {
		end_of_input(s);
		return;
	}
	/* EIO: a pseudo terminal that everyone has closed. */
	if (n < 0) {
		serial_disconnect(s, errno == EIO ? NULL : strerror(errno));
		return;
	}
	s->pending_at = 0;
	s->pending_end = (size_t)n;
	push_pending(s);
}

/* ---- the connection --------------------------------------------------------- */

static void close_fds(struct serial *s)
{
	serial_unwatch(&s->in);
	serial_unwatch(&s->out);
	if (s->in_fd >= 0)
		close(s->in_fd);
	if (s->out_fd >= 0)
		close(s->out_fd);
	s->in_fd = s->out_fd = -1;
}

void serial_connect(struct serial *s, int in_fd, int out_fd)
{
	s->in_fd = in_fd;
	s->out_fd = out_fd;
	s->in = serial_watch(s, in_fd);
	s->out = serial_watch(s, out_fd);
	if (!s->in || !s->out) {
		close_fds(s);
		snprintf(s->why, sizeof(s->why),
			 "it can't be waited for: is it a regular file?");
		return;
	}
	s->why[0] = 0;
	s->input_ended = s->stalled = false;
	uv_timer_stop(s->retry);
	console_set_host(s->port, true);
	push_pending(s);
}

void serial_disconnect(struct serial *s, const char *why)
{
	close_fds(s);
	uv_timer_stop(s->retry);
	forget_kept(s);
	release(s);
	snprintf(s->why, sizeof(s->why), "%s", why ? why : "");
	console_set_host(s->port, false);
	s->end->again(s);
}

/* ---- life ------------------------------------------------------------------- */

static struct serial *make(uv_loop_t *loop, struct console *port,
			   const char *name, const struct config_serial *line)
{
	struct serial *s = need(sizeof(*s));

	s->loop = loop;
	s->port = port;
	s->name = need_copy(name, strlen(name));
	s->line = line;
	s->end = &serial_ends[line->kind];
	s->in_fd = s->out_fd = s->end_fd = -1;
	s->pending = need(READ_BYTES);
	s->patience = serial_timer(s);
	s->retry = serial_timer(s);
	s->reader.output = on_output;
	s->reader.input_ready = on_input_ready;
	console_set_host(port, false);
	console_attach(port, &s->reader);
	return s;
}

struct serial *serial_open(uv_loop_t *loop, struct console *port,
			   const char *name, const struct config_serial *line,
			   struct error **err)
{
	struct serial *s = make(loop, port, name, line);

	if (!s->end->start(s, err))
		return s;
	serial_close(s);
	error_wrap(err, "%s", name);
	return NULL;
}

void serial_close(struct serial *s)
{
	if (!s)
		return;
	console_detach(s->port, &s->reader);
	close_fds(s);
	s->end->stop(s);
	serial_unwatch(&s->listening);
	serial_untimer(&s->patience);
	serial_untimer(&s->retry);
	if (s->end_fd >= 0)
		close(s->end_fd);
	text_free(&s->kept);
	free(s->pending);
	free(s->place);
	free(s->link);
	free(s->name);
	free(s);
}

void serial_describe(const struct serial *s, struct serial_info *info)
{
	const char *path = s->line->path ? s->line->path : "";

	*info = (struct serial_info){
		.name = s->name,
		.place = s->place ? s->place : path,
		.kind = s->end->kind,
		.connected = serial_connected(s),
		.why = s->stalled ? "stands still, output is lost" : s->why,
		.lost = s->lost,
	};
}
