// SPDX-License-Identifier: GPL-2.0
/* The client's end of a daemon's control socket. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/paths.h"
#include "../lib/version.h"
#include "../os/lock.h"
#include "../os/place.h"

#define GONE_TRIES 500 /* of 20 ms */

static int lost(struct client *c, struct error **err)
{
	c->gone = true;
	return error_set(err, 0,
			 "the daemon of %s closed the connection; `colinux info %s` says more",
			 c->name, c->name);
}

/* More bytes into c->in. 1, 0 at the end, -1 and an error. */
static int fill(struct client *c, struct error **err)
{
	char buffer[65536];
	ssize_t n = peer_read(c->peer, buffer, sizeof(buffer));

	if (n < 0)
		return error_set(err, errno, "%s: cannot read from its daemon",
				 c->name);
	if (n <= 0)
		return 0;
	text_add(&c->in, buffer, (size_t)n);
	return 1;
}

static json_t *read_line(struct client *c, struct error **err)
{
	json_error_t why;
	json_t *o;
	char *end;
	int rc;

	while (!c->in.length || !memchr(c->in.data, '\n', c->in.length)) {
		rc = fill(c, err);
		if (rc < 0)
			return NULL;
		if (!rc) {
			lost(c, err);
			return NULL;
		}
	}
	end = memchr(c->in.data, '\n', c->in.length);
	o = json_loadb(c->in.data, (size_t)(end - c->in.data), 0, &why);
	text_drop(&c->in, (size_t)(end - c->in.data) + 1);
	if (!o)
		error_set(err, 0, "%s: its daemon sent no JSON: %s", c->name,
			  why.text);
	return o;
}

static int check_hello(struct client *c, struct error **err)
{
	json_t *hello = read_line(c, err);
	json_int_t protocol;
	json_t *error;

	if (!hello)
		return -1;
	error = json_object_get(hello, "error");
	protocol = json_integer_value(json_object_get(hello, "protocol"));
	if (error)
		error_set(err, 0, "%s: %s", c->name, json_string_value(error));
	else if (protocol != COLINUX_PROTOCOL)
		error_set(err, 0,
			  "the daemon of %s (version %s) speaks protocol %lld, this program %d: restart the VM with the installed daemon",
			  c->name, text_of(hello, "version"),
			  (long long)protocol, COLINUX_PROTOCOL);
	json_decref(hello);
	return *err ? -1 : 0;
}

/* -1 with errno, -2 with an error. */
static int dial(struct client *c, struct error **err)
{
	char *dir = NULL, *address;
	int saved;

	if (!name_valid(c->name)) {
		error_set(err, 0, "'%s' is no name for a VM: " NAME_RULE,
			  c->name);
		return -2;
	}
	dir = runtime_directory(err);
	if (!dir)
		return -2;
	address = place_control(dir, c->name);
	c->peer = peer_connect(address);
	saved = errno;
	free(address);
	free(dir);
	errno = saved;
	return c->peer ? 0 : -1;
}

static int dial_error(struct client *c, int code, struct error **err)
{
	c->gone = code == ENOENT || code == ECONNREFUSED;
	if (c->gone)
		return error_set(err, 0,
				 "no VM named %s runs; `colinux list` shows all",
				 c->name);
	if (code == EACCES)
		return error_set(err, 0,
				 "%s: no permission for its control socket: it is another user's",
				 c->name);
	return error_set(err, code, "%s: cannot reach its daemon", c->name);
}

int client_connect(struct client *c, const char *name, struct error **err)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->name = need_copy(name, strlen(name));
	rc = dial(c, err);
	if (rc == -1)
		dial_error(c, errno, err);
	if (!rc)
		rc = check_hello(c, err);
	if (rc)
		client_close(c);
	return rc ? -1 : 0;
}

int client_connect_new(struct client *c, const char *name, json_t **verdict,
		       struct error **err)
{
	struct error *ignored = NULL;
	json_t *last;

	if (!client_connect(c, name, err))
		return 0;
	last = c->gone && client_wait_gone(name) ?
		       client_last(name, &ignored) : NULL;
	error_free(&ignored);
	if (!last)
		return -1;
	error_free(err);
	*verdict = json_incref(json_object_get(last, "verdict"));
	json_decref(last);
	return 1;
}

bool client_try(struct client *c, const char *name)
{
	struct error *err = NULL;

	if (!client_connect(c, name, &err))
		return true;
	error_free(&err);
	return false;
}

void client_close(struct client *c)
{
	peer_close(c->peer);
	c->peer = NULL;
	free(c->name);
	c->name = NULL;
	text_free(&c->in);
}

int client_send(struct client *c, const char *verb, json_t *args,
		struct error **err)
{
	json_t *o = json_pack("{s:i, s:s, s:o}", "id", 1, "verb", verb, "args",
			      args ? args : json_object());
	char *text = json_dumps(o, JSON_COMPACT);
	struct text line = { 0 };
	int rc = 0;

	json_decref(o);
	if (!text)
		return error_set(err, 0, "a word is not valid UTF-8");
	text_format(&line, "%s\n", text);
	if (peer_write(c->peer, line.data, line.length))
		rc = lost(c, err);
	text_free(&line);
	free(text);
	return rc;
}

json_t *client_request(struct client *c, const char *verb, json_t *args,
		       struct error **err)
{
	json_t *answer, *result = NULL;

	if (client_send(c, verb, args, err))
		return NULL;
	answer = read_line(c, err);
	if (!answer)
		return NULL;
	if (json_is_true(json_object_get(answer, "ok")))
		result = json_incref(json_object_get(answer, "result"));
	else
		error_set(err, 0, "%s: %s", c->name, text_of(answer, "error"));
	json_decref(answer);
	return result;
}

int client_frame(struct client *c, enum frame_type type, const void *data,
		 size_t n, struct error **err)
{
	uint8_t buffer[FRAME_HEADER + FRAME_MAX];

	if (peer_write(c->peer, buffer, frame_put(buffer, type, 0, data, n)))
		return lost(c, err);
	return 0;
}

int client_frames(struct client *c,
		  bool (*fn)(void *arg, const struct frame *f), void *arg,
		  struct error **err)
{
	int rc = c->in.length ? 1 : fill(c, err);
	bool good;

	if (rc <= 0)
		return rc;
	good = frame_feed(&c->frames, (uint8_t *)c->in.data, c->in.length, fn,
			  arg);
	c->in.length = 0;
	if (!good && !*err)
		return error_set(err, 0, "%s: its daemon sent no frame", c->name);
	return good ? 1 : -1;
}

json_t *client_last(const char *name, struct error **err)
{
	char *path = runtime_path(name, ".json", err);
	json_error_t why;
	json_t *o;

	if (!path)
		return NULL;
	if (access(path, F_OK)) {
		error_set(err, 0, "no VM named %s; `colinux list` shows all",
			  name);
		free(path);
		return NULL;
	}
	o = json_load_file(path, 0, &why);
	if (!o)
		error_set(err, 0, "cannot read %s: %s", path, why.text);
	free(path);
	return o;
}

bool client_wait_gone(const char *name)
{
	struct error *err = NULL;
	bool gone = false;
	char *path = runtime_path(name, ".lock", &err);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	int i;

	for (i = 0; fd >= 0 && !gone && i < GONE_TRIES; i++) {
		gone = !lock_file(fd, true);
		if (!gone)
			usleep(20000);
	}
	if (fd >= 0)
		close(fd);
	free(path);
	error_free(&err);
	return gone;
}
