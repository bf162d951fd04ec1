// SPDX-License-Identifier: GPL-2.0
#include "helpers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/guard.h"
#include "../os/path.h"
#include "../os/place.h"
#include "../os/process.h"

struct helper {
	uv_process_t process;
	struct daemon *d;
	struct helper *next;
	char *name, *program;
	char *fate; /* NULL: it runs */
	bool asked; /* to end */
	void (*ended)(void *context, struct helper *h);
	void *context;
};

/* ---- looking for it --------------------------------------------------------- */

int helper_check(const char *program, struct error **err)
{
	char *path = path_program(program, err);

	free(path);
	return path ? 0 : -1;
}

/* ---- start ------------------------------------------------------------------ */

static char *copy(const char *s)
{
	return need_copy(s, strlen(s));
}

static void forget(uv_handle_t *handle)
{
	(void)handle; /* the helper stays for `info` */
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
	struct helper *h = process->data;

	h->fate = signal ? need_format("ended by signal %d (%s)", signal,
				       strsignal(signal)) :
			   need_format("ended with status %lld",
				       (long long)status);
	say(h->d, h->asked ? 2 : 0, "%s: %s %s", h->name, h->program, h->fate);
	uv_close((uv_handle_t *)process, forget);
	if (h->ended)
		h->ended(h->context, h);
}

/* The guard's words, then the program's. Only the pid is to be freed. */
static char **guard_argv(char *path, char *const *argv)
{
	size_t n = 0;
	char **words;

	while (argv[n])
		n++;
	words = need((n + 5) * sizeof(*words));
	words[0] = "colinux-guard";
	words[1] = GUARD_OPTION;
	words[2] = need_format("%d", (int)getpid());
	words[3] = path;
	memcpy(words + 4, argv, n * sizeof(*words));
	return words;
}

#define OWN_WORDS 4

/* The first OWN_WORDS are to be freed. */
static char **environment(const struct daemon *d)
{
	char **words, *socket, **all = process_environment();
	size_t n = 0;

	while (all[n])
		n++;
	words = need((n + OWN_WORDS + 1) * sizeof(*words));
	socket = place_control(d->directory, d->config.name);
	words[0] = need_format("COLINUX_NAME=%s", d->config.name);
	words[1] = need_format("COLINUX_PID=%d", (int)getpid());
	words[2] = need_format("COLINUX_SOCKET=%s", socket);
	words[3] = need_format("COLINUX_RUNTIME_DIR=%s", d->directory);
	memcpy(words + OWN_WORDS, all, n * sizeof(*words));
	free(socket);
	return words;
}

static int spawn(struct helper *h, char *path, const struct helper_options *o)
{
	int output = o->output < 0 ? STDERR_FILENO : o->output;
	char **argv = guard_argv(path, o->argv), **env = environment(h->d);
	uv_stdio_container_t stdio[] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = output },
		{ .flags = UV_INHERIT_FD, .data.fd = output },
	};
	uv_process_options_t options = {
		.exit_cb = on_exit_of,
		.file = guard_program(),
		.args = argv,
		.env = env,
		.flags = UV_PROCESS_DETACHED, /* a terminal's Ctrl-C isn't its */
		.stdio = stdio,
		.stdio_count = 3,
	};
	int rc = uv_spawn(&h->d->loop, &h->process, &options), i;

	free(argv[2]);
	free(argv);
	for (i = 0; i < OWN_WORDS; i++)
		free(env[i]);
	free(env);
	return rc;
}

static struct helper *new_helper(struct daemon *d,
				 const struct helper_options *o)
{
	struct helper *h = need(sizeof(*h));

	h->d = d;
	h->name = copy(o->name);
	h->program = copy(o->argv[0]);
	h->ended = o->ended;
	h->context = o->context;
	h->process.data = h;
	h->next = d->helpers;
	d->helpers = h;
	return h;
}

struct helper *helper_start(struct daemon *d, const struct helper_options *o,
			    struct error **err)
{
	char *path = path_program(o->argv[0], err);
	struct helper *h;
	int rc;

	if (!path)
		return NULL;
	h = new_helper(d, o);
	rc = spawn(h, path, o);
	free(path);
	if (!rc)
		return h;
	error_set(err, 0, "%s: cannot be started: %s", h->program,
		  uv_strerror(rc));
	h->fate = need_format("couldn't be started: %s", uv_strerror(rc));
	uv_close((uv_handle_t *)&h->process, forget);
	return NULL;
}

/* ---- while it runs, and the end ---------------------------------------------- */

bool helper_running(const struct helper *h)
{
	return !h->fate;
}

const char *helper_fate(const struct helper *h)
{
	return h->fate ? h->fate : "";
}

void helper_stop(struct helper *h)
{
	if (!helper_running(h) || h->asked)
		return;
	h->asked = true;
	uv_process_kill(&h->process, SIGTERM);
}

void helpers_end(struct daemon *d)
{
	struct helper *h;

	for (h = d->helpers; h; h = h->next)
		helper_stop(h);
	for (h = d->helpers; h; h = h->next)
		while (helper_running(h))
			uv_run(&d->loop, UV_RUN_ONCE);
}

void helpers_free(struct daemon *d)
{
	struct helper *h, *next;

	for (h = d->helpers; h; h = next) {
		next = h->next;
		free(h->name);
		free(h->program);
		free(h->fate);
		free(h);
	}
	d->helpers = NULL;
}

json_t *helpers_json(const struct daemon *d)
{
	json_t *all = json_array();
	const struct helper *h;

	for (h = d->helpers; h; h = h->next)
		json_array_insert_new(
			all, 0,
			json_pack("{s:s, s:o, s:i, s:b, s:s}", "name", h->name,
				  "program",
				  json_text(h->program, strlen(h->program)),
				  "pid", (int)h->process.pid, "running",
				  helper_running(h), "fate", helper_fate(h)));
	return all;
}

/* ---- execN= ------------------------------------------------------------------ */

int programs_check(const struct daemon *d, struct error **err)
{
	const struct config_program *p = d->config.program;
	int i;

	for (i = 0; i < CONFIG_PROGRAMS; i++)
		if (p[i].path && helper_check(p[i].path, err))
			return error_wrap(err, "exec%d", i);
	return 0;
}

static void start_program(struct daemon *d, int index)
{
	struct helper_options o = { .output = -1 };
	struct error *err = NULL;
	char name[16];
	char **words = config_program_words(&d->config.program[index], &err);

	snprintf(name, sizeof(name), "exec%d", index);
	o.name = name;
	o.argv = words;
	if (!words || !helper_start(d, &o, &err)) {
		say(d, 0, "%s: %s", name, err->text);
		error_free(&err);
	}
	config_words_free(words);
}

void programs_start(struct daemon *d)
{
	int i;

	for (i = 0; i < CONFIG_PROGRAMS; i++)
		if (d->config.program[i].path)
			start_program(d, i);
}
