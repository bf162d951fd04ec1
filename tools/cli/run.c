// SPDX-License-Identifier: GPL-2.0
/* colinux run: a daemon of its own session under this process, and its console. */
#include "cli.h"

#include <stdlib.h>

#include "../os/background.h"

/* A daemon that ended has said why if its status isn't 0. */
static int at_console(const char *name, struct background *b,
		      struct error **err)
{
	struct client c;
	json_t *verdict = NULL;
	int rc = client_connect_new(&c, name, &verdict, err);

	if (rc < 0)
		return -1;
	if (rc) {
		rc = SESSION_ENDED;
	} else {
		rc = session_run(&c, 0, &verdict, err);
		client_close(&c);
	}
	if (rc == SESSION_ENDED) {
		session_verdict(name, verdict);
		rc = background_wait(b);
	} else if (rc == SESSION_DETACHED) {
		rc = 0;
	}
	json_decref(verdict);
	return rc;
}

int verb_run(int argc, char **argv, struct error **err)
{
	struct background b;
	char *name;
	int rc;

	if (daemon_start(&b, argv + 1, argc - 1, NULL, &name, err))
		return -1;
	if (!name)
		return background_wait(&b);
	rc = at_console(name, &b, err);
	free(name);
	return rc;
}
