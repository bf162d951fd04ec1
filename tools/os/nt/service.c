// SPDX-License-Identifier: GPL-2.0
/* The switches of the daemon that aren't about a VM of its own (../service.h). */
#include "../service.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "driver_control.h"
#include "service_install.h"
#include "service_run.h"

struct call {
	int argc;
	char **argv;
	const struct service_program *program;
};

/* The name, and where the words begin. */
static const char *take_name(const struct call *c, int *words)
{
	const char *first = c->argc > 2 ? c->argv[2] : "-";

	*words = 2;
	if (*first == '-' || *first == '@' || strchr(first, '='))
		return SERVICE_NAME;
	*words = 3;
	return first;
}

static int install_service(const struct call *c, struct error **err)
{
	int at;
	const char *name = take_name(c, &at);
	char **words = c->argv + at;

	/* The word in front of them takes the program's place for the check. */
	if (c->program->check(c->argc - at + 1, words - 1, err) ||
	    service_install(name, c->argc - at, words, err))
		return -1;
	printf("Service '%s' is installed. `sc start \"%s\"` starts it; `sc config \"%s\" start= delayed-auto`: with Windows.\n",
	       name, name, name);
	return 0;
}

static int remove_service(const struct call *c, struct error **err)
{
	int at;
	const char *name = take_name(c, &at);

	if (at < c->argc)
		return error_set(err, 0, "%s takes one name: '%s' is too much",
				 c->argv[1], c->argv[at]);
	return service_remove(name, err);
}

static int install_driver(const struct call *c, struct error **err)
{
	(void)c;
	return driver_install(err);
}

static int remove_driver(const struct call *c, struct error **err)
{
	(void)c;
	return driver_remove(err);
}

static int status_driver(const struct call *c, struct error **err)
{
	(void)c;
	(void)err;
	return driver_status();
}

/* For the uninstaller. */
static int remove_all(const struct call *c, struct error **err)
{
	(void)c;
	return service_remove_all(err) || driver_remove(err) ? -1 : 0;
}

static int run_service(const struct call *c, struct error **err)
{
	return service_run(c->argc, c->argv, c->program, err);
}

/* An exit status, or -1 and an error. */
static const struct {
	const char *word;
	int (*fn)(const struct call *c, struct error **err);
	bool words;
} switches[] = {
	{ "--install-service", install_service, true },
	{ "--remove-service", remove_service, true },
	{ "--install-driver", install_driver, false },
	{ "--remove-driver", remove_driver, false },
	{ "--status-driver", status_driver, false },
	{ "--remove-all", remove_all, false },
	{ RUN_SERVICE, run_service, true },
};

static int do_switch(size_t i, const struct call *c)
{
	struct error *err = NULL;
	int status;

	if (c->argc > 2 && !switches[i].words)
		status = error_set(&err, 0, "%s stands alone: '%s' is too much",
				   c->argv[1], c->argv[2]);
	else
		status = switches[i].fn(c, &err);
	if (status >= 0)
		return fflush(stdout) ? 1 : status;
	fprintf(stderr, "colinux-daemon: %s\n", err->text);
	error_free(&err);
	return 1;
}

int service_switch(int argc, char **argv, const struct service_program *program)
{
	struct call c = { argc, argv, program };
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(switches) / sizeof(switches[0]); i++)
		if (!strcmp(argv[1], switches[i].word))
			return do_switch(i, &c);
	return -1;
}
