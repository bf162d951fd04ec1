// SPDX-License-Identifier: GPL-2.0
/* A terminal at the guest's console. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ESCAPE 0x1d /* Ctrl-] */

struct session {
	struct client *c;
	struct client control; /* for a wish while the console has the other */
	bool asked;
	bool tty, input_open;
	bool escape; /* Ctrl-] was typed */
	bool detached;
	struct terminal terminal;
	struct user *user;
	json_t *verdict;
	bool ended;
	/* Who only watches: what is said goes to it, too. */
	void (*said)(void *arg, const char *data, size_t n);
	void *arg;
	struct error **err;
};

static const char escape_help[] =
	"\r\n[Ctrl-] then: d detach, s ask the guest to power off, k stop it at once, Ctrl-] send Ctrl-]]\r\n";

/* ---- the terminal ------------------------------------------------------------ */

static int send_size(struct session *s)
{
	unsigned int columns, rows;
	uint8_t size[4];

	if (!user_size(s->user, &columns, &rows))
		return 0;
	size[0] = (uint8_t)columns;
	size[1] = (uint8_t)(columns >> 8);
	size[2] = (uint8_t)rows;
	size[3] = (uint8_t)(rows >> 8);
	return client_frame(s->c, FRAME_RESIZE, size, sizeof(size), s->err);
}

/* ---- what the user types ----------------------------------------------------- */

/* A stop goes over a connection of its own; its answer is the VM's end, which the
 * console sees, too. */
static int ask_stop(struct session *s, bool force)
{
	if (!s->asked && client_connect(&s->control, s->c->name, s->err))
		return -1;
	s->asked = true;
	return client_send(&s->control, "stop",
			   json_pack("{s:b}", "force", force), s->err);
}

static int escape_key(struct session *s, uint8_t key)
{
	switch (key) {
	case 'd':
	case 'q':
	case '.':
		s->detached = true;
		return 0;
	case 's':
		return ask_stop(s, false);
	case 'k':
		return ask_stop(s, true);
	case ESCAPE:
		return client_frame(s->c, FRAME_INPUT, &key, 1, s->err);
	default:
		return write_all(STDERR_FILENO, escape_help,
				 sizeof(escape_help) - 1) ?
			       error_set(s->err, errno, "standard error") : 0;
	}
}

/* Sends typed bytes; the escape counts on a terminal only. */
static int typed(struct session *s, const uint8_t *data, size_t n)
{
	const uint8_t *end;
	size_t part;

	while (n && !s->detached) {
		if (s->escape) {
			s->escape = false;
			if (escape_key(s, *data))
				return -1;
			data++;
			n--;
			continue;
		}
		end = s->tty ? memchr(data, ESCAPE, n) : NULL;
		part = end ? (size_t)(end - data) : n;
		if (part && client_frame(s->c, FRAME_INPUT, data, part, s->err))
			return -1;
		s->escape = end;
		part += end ? 1 : 0;
		data += part;
		n -= part;
	}
	return 0;
}

static int from_user(struct session *s)
{
	uint8_t buffer[4096];
	ssize_t n = user_read(s->user, buffer, sizeof(buffer));

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n > 0)
		return typed(s, buffer, (size_t)n);
	/* The end of a file isn't the end of the console; that of a terminal is. */
	s->input_open = false;
	s->detached = s->tty;
	return 0;
}

/* ---- what the daemon sends --------------------------------------------------- */

static bool output(struct session *s, const struct frame *f)
{
	if (s->said)
		s->said(s->arg, (const char *)f->data, f->length);
	if (!write_all(STDOUT_FILENO, f->data, f->length))
		return true;
	error_set(s->err, errno, "standard output");
	return false;
}

static bool from_daemon(void *arg, const struct frame *f)
{
	struct session *s = arg;

	if (f->type == FRAME_OUTPUT && !output(s, f))
		return false;
	if (f->type == FRAME_END) {
		s->ended = true;
		s->verdict = json_loadb((const char *)f->data, f->length, 0,
					NULL);
	}
	return true;
}

static int take_word(struct session *s)
{
	switch (user_word(s->user)) {
	case 0:
		return 0;
	case USER_WINCH:
		return send_size(s);
	case USER_HUP:
		s->detached = !s->said;
		return s->said ? ask_stop(s, true) : 0;
	default:
		return ask_stop(s, s->asked || s->said);
	}
}

static int step(struct session *s)
{
	int ready = s->c->in.length ?
			    USER_PEER :
			    user_wait(s->user, s->c->peer, s->input_open);
	int rc;

	if (ready < 0)
		return error_set(s->err, errno, "cannot wait");
	/* Before what is to be written: where the terminal has gone that fails. */
	if (ready & USER_WORD && take_word(s))
		return -1;
	if (ready & USER_PEER) {
		rc = client_frames(s->c, from_daemon, s, s->err);
		if (rc < 0)
			return -1;
		if (!rc && !s->ended)
			return error_set(s->err, 0,
					 "the daemon of %s is gone; `colinux info %s` says more",
					 s->c->name, s->c->name);
		if (s->ended)
			return 0;
	}
	return ready & USER_INPUT ? from_user(s) : 0;
}

static int loop(struct session *s, unsigned int console)
{
	json_t *result = client_request(
		s->c, "attach", json_pack("{s:i}", "port", (int)console),
		s->err);

	if (!result)
		return -1;
	terminal_begin(&s->terminal, result);
	json_decref(result);
	if (send_size(s))
		return -1;
	while (!s->ended && !s->detached)
		if (step(s))
			return -1;
	return s->ended ? SESSION_ENDED : SESSION_DETACHED;
}

static int run(struct session *s, unsigned int console)
{
	int rc = loop(s, console);

	terminal_end(&s->terminal);
	client_close(&s->control);
	return rc;
}

int session_run(struct client *c, unsigned int console, json_t **verdict,
		struct error **err)
{
	struct session s = { .c = c, .input_open = true, .err = err };
	int rc;

	s.user = user_watch(false);
	if (!s.user)
		return error_set(err, errno, "cannot watch signals");
	if (isatty(STDIN_FILENO))
		fprintf(stderr,
			"[console of %s; to leave: Ctrl-] then d; Ctrl-] then ? for more]\n",
			c->name);
	s.tty = user_raw(s.user);
	rc = run(&s, console);
	user_unwatch(s.user);
	*verdict = s.verdict;
	if (rc == SESSION_DETACHED)
		fprintf(stderr,
			"\n[detached; %s goes on: `colinux attach %s`, `colinux stop %s`]\n",
			c->name, c->name, c->name);
	return rc;
}

int session_watch(struct client *c, struct user *user,
		  void (*said)(void *arg, const char *data, size_t n), void *arg,
		  json_t **verdict, struct error **err)
{
	struct session s = { .c = c, .user = user, .said = said, .arg = arg,
			     .err = err };
	int rc = run(&s, 0);

	*verdict = s.verdict;
	return rc == SESSION_ENDED && s.asked ? SESSION_STOPPED : rc;
}

int session_verdict(const char *name, json_t *verdict)
{
	bool good = json_is_true(json_object_get(verdict, "good"));

	fprintf(stderr, "[%s ended: %s%s%s]\n", name, text_of(verdict, "name"),
		*text_of(verdict, "text") ? ": " : "", text_of(verdict, "text"));
	return good ? 0 : 1;
}
