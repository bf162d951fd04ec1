// SPDX-License-Identifier: GPL-2.0
/* colinux run: a daemon of its own session under this process, and its console. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/background.h"

/* Reads "ready NAME"; NULL when the daemon ended instead. */
static char *wait_ready(int fd)
{
	struct text t = { 0 };
	char c;
	ssize_t n;

	do {
		n = read(fd, &c, 1);
		if (n == 1)
			text_add(&t, &c, 1);
	} while ((n < 0 && errno == EINTR) || (n == 1 && c != '\n'));
	if (n == 1 && !strncmp(t.data, "ready ", 6)) {
		t.data[t.length - 1] = 0;
		text_drop(&t, 6);
		return t.data;
	}
	text_free(&t);
	return NULL;
}

/* A daemon that ended has said why if its status isn't 0. */
static int at_console(const char *name, struct background *b,
		      struct error **err)
{
	struct client c;
	json_t *verdict = NULL;
	int rc;

	if (client_connect(&c, name, err))
		return -1;
	rc = session_run(&c, 0, &verdict, err);
	client_close(&c);
	if (rc == SESSION_ENDED) {
		session_verdict(name, verdict);
		rc = background_wait(b);
	} else if (rc == SESSION_DETACHED) {
		rc = 0;
	}
	json_decref(verdict);
	return rc;
}

/* The daemon isn't of this session: see background_start(). */
static int start(struct background *b, int argc, char **argv, struct error **err)
{
	char **arguments = need(((size_t)argc + 2) * sizeof(*arguments));
	int i, rc;

	arguments[0] = daemon_path();
	arguments[1] = "-k";
	for (i = 1; i < argc; i++)
		arguments[i + 1] = argv[i];
	rc = background_start(b, arguments, err);
	free(arguments[0]);
	free(arguments);
	return rc;
}

int verb_run(int argc, char **argv, struct error **err)
{
	struct background b;
	char *name;
	int rc;

	if (start(&b, argc, argv, err))
		return -1;
	name = wait_ready(b.ready);
	close(b.ready);
	if (!name)
		return background_wait(&b);
	rc = at_console(name, &b, err);
	free(name);
	return rc;
}
