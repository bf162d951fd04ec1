// SPDX-License-Identifier: GPL-2.0
/* Connections of the control socket. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/version.h"
#include "../os/place.h"

#define LINGER_MS 2000 /* for the last words to clients that read slowly */

struct write {
	uv_write_t request;
	struct connection *c;
	char data[];
};

/* ---- closing --------------------------------------------------------------- */

static void unlist(struct connection *c)
{
	struct connection **at = &c->d->connections;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	c->d->connection_count--;
}

static void handle_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	struct daemon *d = c->d;
	unsigned int i;

	if (--c->handles)
		return;
	unlist(c);
	for (i = 0; i < c->stop_ids; i++)
		json_decref(c->stop_id[i]);
	json_decref(c->set_id);
	json_decref(c->exec_id);
	json_decref(c->exec_args);
	text_free(&c->line);
	text_free(&c->input);
	free(c->frames);
	free(c);
	if (d->ended && !d->connections)
		uv_stop(&d->loop);
}

static void flushed(uv_shutdown_t *request, int status)
{
	struct connection *c = request->data;

	(void)status;
	free(request);
	connection_close(c, false);
}

static void shut_down(struct connection *c)
{
	uv_shutdown_t *request = need(sizeof(*request));

	request->data = c;
	uv_read_stop((uv_stream_t *)&c->pipe);
	if (uv_shutdown(request, (uv_stream_t *)&c->pipe, flushed)) {
		free(request);
		connection_close(c, false);
	}
}

static void leave_stream(struct connection *c)
{
	const struct stream_ops *ops = c->stream;

	c->stream = NULL;
	if (ops)
		ops->closed(c);
}

void connection_close(struct connection *c, bool flush)
{
	if (flush && !c->closing) {
		c->closing = true;
		leave_stream(c);
		shut_down(c);
		return;
	}
	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	c->closing = true;
	leave_stream(c);
	uv_close((uv_handle_t *)&c->pipe, handle_closed);
	uv_close((uv_handle_t *)&c->timer, handle_closed);
}

/* ---- writing --------------------------------------------------------------- */

static void written(uv_write_t *request, int status)
{
	struct write *w = (struct write *)request;

	if (status < 0 && status != UV_ECANCELED)
		connection_close(w->c, false);
	free(w);
}

void connection_write(struct connection *c, const void *data, size_t n)
{
	struct write *w;
	uv_buf_t buf;

	if (c->closing)
		return;
	if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) + n >
	    WRITE_QUEUE_MAX) {
		say(c->d, 0, "a client doesn't read its connection: closed");
		connection_close(c, false);
		return;
	}
	w = need(sizeof(*w) + n);
	w->c = c;
	memcpy(w->data, data, n);
	buf = uv_buf_init(w->data, (unsigned int)n);
	if (uv_write(&w->request, (uv_stream_t *)&c->pipe, &buf, 1, written)) {
		free(w);
		connection_close(c, false);
	}
}

void connection_frame(struct connection *c, enum frame_type type,
		      const void *data, size_t n)
{
	uint8_t buffer[FRAME_HEADER + FRAME_MAX];
	const uint8_t *at = data;
	size_t part;

	do {
		part = n < FRAME_MAX ? n : FRAME_MAX;
		connection_write(c, buffer, frame_put(buffer, type, 0, at, part));
		at += part;
		n -= part;
	} while (n);
}

static void send_json(struct connection *c, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	struct text line = { 0 };

	text_format(&line, "%s\n", text);
	connection_write(c, line.data, line.length);
	text_free(&line);
	free(text);
	json_decref(o);
}

void reply(struct connection *c, json_t *id, json_t *result)
{
	if (!result)
		result = json_object();
	send_json(c, json_pack("{s:O, s:b, s:o}", "id", id, "ok", 1, "result",
			       result));
}

void reply_error(struct connection *c, json_t *id, const char *text)
{
	send_json(c, json_pack("{s:O, s:b, s:o}", "id", id, "ok", 0, "error",
			       json_text(text, strlen(text))));
}

static void send_hello(struct connection *c)
{
	send_json(c, json_pack("{s:s, s:i, s:s, s:s, s:i}", "hello", "colinux",
			       "protocol", COLINUX_PROTOCOL, "version",
			       COLINUX_VERSION, "name", c->d->config.name, "pid",
			       (int)getpid()));
}

/* ---- reading --------------------------------------------------------------- */

static void line_end(struct connection *c)
{
	if (c->skipping) {
		reply_error(c, json_null(),
			    "line longer than 65536 bytes: not evaluated");
		c->skipping = false;
	} else if (c->line.length) {
		verbs_line(c, c->line.data, c->line.length);
	}
	c->line.length = 0;
}

static bool deliver_frame(void *arg, const struct frame *f)
{
	struct connection *c = arg;

	return !c->stream || c->stream->frame(c, f);
}

static void take_frames(struct connection *c, const char *data, size_t n)
{
	if (!frame_feed(c->frames, (const uint8_t *)data, n, deliver_frame, c)) {
		say(c->d, 1, "a client sent something that is no frame");
		connection_close(c, false);
	}
}

/* Takes lines until a request makes the connection a stream. */
static void take_bytes(struct connection *c, const char *data, size_t n)
{
	const char *end;
	size_t part;

	while (n && !c->closing && !c->stream) {
		end = memchr(data, '\n', n);
		part = end ? (size_t)(end - data) : n;
		if (c->line.length + part > LINE_MAX_BYTES)
			c->skipping = true;
		if (!c->skipping)
			text_add(&c->line, data, part);
		data += part + (end ? 1 : 0);
		n -= part + (end ? 1 : 0);
		if (end)
			line_end(c);
	}
	if (n && !c->closing)
		take_frames(c, data, n);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	static char buffer[65536];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(buffer, sizeof(buffer));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct connection *c = stream->data;

	if (n < 0)
		connection_close(c, false);
	else if (n > 0)
		take_bytes(c, buf->base, (size_t)n);
}

void connection_pause(struct connection *c)
{
	uv_read_stop((uv_stream_t *)&c->pipe);
}

void connection_resume(struct connection *c)
{
	if (!c->closing)
		uv_read_start((uv_stream_t *)&c->pipe, give_buffer, on_read);
}

bool connection_stream(struct connection *c, const struct stream_ops *ops)
{
	if (c->closing)
		return false;
	if (!c->frames)
		c->frames = need(sizeof(*c->frames));
	c->stream = ops;
	return true;
}

/* ---- listening ------------------------------------------------------------- */

static void on_connection(uv_stream_t *listener, int status)
{
	struct daemon *d = listener->data;
	struct connection *c;

	if (status < 0) {
		say(d, 0, "control socket: %s", uv_strerror(status));
		return;
	}
	c = need(sizeof(*c));
	c->d = d;
	c->handles = 2;
	c->next = d->connections;
	d->connections = c;
	d->connection_count++;
	uv_pipe_init(&d->loop, &c->pipe, 0);
	uv_timer_init(&d->loop, &c->timer);
	c->pipe.data = c->timer.data = c;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe)) {
		connection_close(c, false);
		return;
	}
	if (d->connection_count > CONNECTIONS_MAX) {
		reply_error(c, json_null(), "too many connections (64)");
		connection_close(c, true);
		return;
	}
	send_hello(c);
	connection_resume(c);
}

int control_start(struct daemon *d, struct error **err)
{
	char *path = place_control(d->directory, d->config.name);
	int rc;

	uv_pipe_init(&d->loop, &d->listener, 0);
	d->listener.data = d;
	if (place_control_check(path, err)) {
		free(path);
		return -1;
	}
	place_control_remove(path); /* a dead daemon's: we hold the lock */
	rc = uv_pipe_bind(&d->listener, path);
	if (!rc)
		rc = -place_control_guard(path);
	if (!rc)
		rc = uv_listen((uv_stream_t *)&d->listener, 16, on_connection);
	if (rc)
		error_set(err, -rc, "cannot listen on control socket %s", path);
	free(path);
	return rc ? -1 : 0;
}

static void answer_stops(struct connection *c, json_t *info)
{
	unsigned int i;

	for (i = 0; i < c->stop_ids; i++) {
		reply(c, c->stop_id[i], json_incref(info));
		json_decref(c->stop_id[i]);
	}
	c->stop_ids = 0;
}

static void say_goodbye(struct connection *c, json_t *info)
{
	char *text = json_dumps(json_object_get(info, "verdict"), JSON_COMPACT);

	answer_stops(c, info);
	if (c->stream)
		connection_frame(c, FRAME_END, text, strlen(text));
	else if (c->exec_id || c->set_id)
		reply_error(c, c->exec_id ? c->exec_id : c->set_id,
			    "the VM has ended");
	free(text);
	connection_close(c, true);
}

static void lingered(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	struct connection *c, *next;

	for (c = d->connections; c; c = next) {
		next = c->next;
		connection_close(c, false);
	}
}

void control_finish(struct daemon *d)
{
	char *path = place_control(d->directory, d->config.name);
	json_t *info = info_json(d);
	struct connection *c, *next;

	place_control_remove(path);
	free(path);
	uv_close((uv_handle_t *)&d->listener, NULL);
	for (c = d->connections; c; c = next) {
		next = c->next;
		say_goodbye(c, info);
	}
	json_decref(info);
	uv_timer_init(&d->loop, &d->linger_timer);
	d->linger_timer.data = d;
	uv_timer_start(&d->linger_timer, lingered, LINGER_MS, 0);
	if (!d->connections)
		uv_stop(&d->loop);
}
