/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that the daemon starts and that end with it: programs of execN=, back
 * ends of devices. Each has a guard (os/guard.h), so that nothing of it is left
 * even when the daemon is killed. All of this is for the loop's thread.
 */
#ifndef CO_TOOLS_DAEMON_HELPERS_H
#define CO_TOOLS_DAEMON_HELPERS_H

#include "daemon.h"

struct helper;

struct helper_options {
	const char *name;  /* for messages and `info`: "exec0"; copied */
	char *const *argv; /* NULL-terminated; argv[0] is looked for in PATH */
	/* Where its output goes: a descriptor, -1 for the daemon's standard error. */
	int output;
	/* It has ended (never called from helper_start()); NULL: nobody cares. */
	void (*ended)(void *context, struct helper *h);
	void *context;
};

/* Starts it with standard input from /dev/null and, beyond the daemon's own
 * environment, COLINUX_NAME, COLINUX_PID (the daemon's), COLINUX_SOCKET and
 * COLINUX_RUNTIME_DIR. It belongs to the daemon until helpers_free(). NULL and an
 * error: there is no such program, or the host has no room for a process. */
struct helper *helper_start(struct daemon *d, const struct helper_options *o,
			    struct error **err);
/* Is there such a program? 0, or -1 and an error. */
int helper_check(const char *program, struct error **err);
bool helper_running(const struct helper *h);
/* "ended with status 1"; "" while it runs. */
const char *helper_fate(const struct helper *h);
/* Asks it to end; after GUARD_SECONDS it's killed. */
void helper_stop(struct helper *h);
/* Asks all and waits until they are gone; what isn't by then is killed and left. */
void helpers_end(struct daemon *d);
/* After the loop is closed. */
void helpers_free(struct daemon *d);
/* What `info` tells: name, program, pid, running, fate. */
json_t *helpers_json(const struct daemon *d);

/* Before the VM runs: are the programs of execN= there? */
int programs_check(const struct daemon *d, struct error **err);
/* When it runs: starts them. One that can't be started is noted. */
void programs_start(struct daemon *d);

#endif
