// SPDX-License-Identifier: GPL-2.0
#include "daemon.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../lib/version.h"
#include "../os/guard.h"
#include "../os/service.h"
#include "../os/process.h"
#include "helpers.h"

#define STOP_SECONDS 60

void say(const struct daemon *d, int level, const char *format, ...)
{
	va_list args;

	if (level > d->options.verbose)
		return;
	va_start(args, format);
	fprintf(stderr, "colinux-daemon: ");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static void on_end_signal(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;

	say(d, 1, "signal %d: %s", number,
	    d->ending == ENDING_NO ? "asking the guest to power off" :
				     "stopping the VM");
	vm_end(d, false, (unsigned int)d->options.stop_seconds);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	(void)number;
	say(handle->data, 2, "the terminal has gone, the VM goes on");
}

static void watch(struct daemon *d, uv_signal_t *handle, uv_signal_cb cb,
		  int number)
{
	uv_signal_init(&d->loop, handle);
	handle->data = d;
	uv_signal_start(handle, cb, number);
}

/* The system wants us to end; any thread. */
static void ask_to_end(void *arg)
{
	uv_async_send(arg);
}

static void on_ask(uv_async_t *handle)
{
	struct daemon *d = handle->data;

	say(d, 1, "the system asks us to end: asking the guest to power off");
	vm_end(d, false, (unsigned int)d->options.stop_seconds);
}

static void watch_signals(struct daemon *d)
{
	uv_async_init(&d->loop, &d->asked_to_end, on_ask);
	d->asked_to_end.data = d;
	ending_watch(ask_to_end, &d->asked_to_end);
	watch(d, &d->sigterm, on_end_signal, SIGTERM);
	watch(d, &d->sigint, on_end_signal, SIGINT);
	watch(d, &d->sighup, on_hangup, SIGHUP);
}

static void print_notes(struct daemon *d)
{
	const struct config *c = &d->config;
	size_t i;
	char *text;

	for (i = 0; i < c->messages; i++) {
		text = config_message_text(&c->message[i]);
		say(d, 0, "note: %s", text);
		free(text);
	}
}

/* What comes before the loop: a fork would leave it with the parent's. */
static int prepare(struct daemon *d, int argc, char **argv, struct error **err)
{
	if (options_parse(d, argc, argv, err))
		return -1;
	if (d->options.help || d->options.version)
		return 0;
	if (config_finish(&d->config, err))
		return -1;
	/* Who was started by --background in its turn has said so. */
	if (!d->options.background || d->options.ready_fd < 0)
		print_notes(d);
	return d->options.background ? instance_background(d, argc, argv, err) :
				       0;
}

static int start(struct daemon *d, struct error **err)
{
	d->started = (uint64_t)time(NULL);
	if (instance_lock(d, err) || programs_check(d, err) || vm_start(d, err))
		return error_wrap(err, "cannot start %s", d->config.name);
	d->in_loop = true;
	if (verdict_prepare(d, err) || control_start(d, err) ||
	    instance_ready(d, err))
		return error_wrap(err, "cannot start %s", d->config.name);
	ending_ready();
	return 0;
}

/* Closes what is left on the loop, then the loop itself. */
static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int run(struct daemon *d)
{
	struct error *err = NULL;
	int status = 1;

	if (start(d, &err)) {
		fprintf(stderr, "colinux-daemon: %s\n", err->text);
		error_free(&err);
	} else {
		programs_start(d);
		uv_run(&d->loop, UV_RUN_DEFAULT);
		status = verdict_good(d->final.verdict) ? 0 : 1;
		if (status)
			say(d, 0, "%s ended: %s: %s", d->config.name,
			    verdict_name(d->final.verdict),
			    (const char *)d->final.text);
	}
	helpers_end(d);
	vm_free(d);
	ending_watch(NULL, NULL);
	uv_walk(&d->loop, close_handle, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	helpers_free(d);
	return status;
}

static int only_text(const struct daemon *d)
{
	if (d->options.help)
		fputs(daemon_usage, stdout);
	else
		puts("colinux-daemon " COLINUX_VERSION);
	return fflush(stdout) ? 1 : 0;
}

static struct daemon *new_daemon(void)
{
	struct daemon *d = need(sizeof(*d));

	d->lock_fd = d->options.ready_fd = -1;
	d->options.stop_seconds = STOP_SECONDS;
	config_init(&d->config);
	return d;
}

static int check_words(int argc, char **argv, struct error **err)
{
	struct daemon *d = new_daemon();
	int rc = options_parse(d, argc, argv, err);

	if (!rc)
		rc = config_finish(&d->config, err);
	config_free(&d->config);
	free(d);
	return rc;
}

static int run_daemon(int argc, char **argv)
{
	struct daemon *d = new_daemon();
	struct error *err = NULL;
	int status;

	if (prepare(d, argc, argv, &err)) {
		fprintf(stderr, "colinux-daemon: %s\n", err->text);
		error_free(&err);
		status = 1;
	} else if (d->options.help || d->options.version) {
		status = only_text(d);
	} else {
		log_init(&d->log);
		log_init(&d->kernel_log);
		uv_loop_init(&d->loop);
		watch_signals(d);
		status = run(d);
		instance_release(d);
		log_free(&d->log);
		log_free(&d->kernel_log);
	}
	config_free(&d->config);
	free(d);
	ending_done();
	return status;
}

int main(int argc, char **argv)
{
	static const struct service_program program = { check_words, run_daemon };
	int status;

	process_begin();
	if (argc > 1 && !strcmp(argv[1], GUARD_OPTION))
		return guard_main(argc - 2, argv + 2);
	status = service_switch(argc, argv, &program);
	return status >= 0 ? status : run_daemon(argc, argv);
}
