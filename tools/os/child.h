/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that serve a device from a process of their own (qemu-storage-daemon,
 * later virtiofsd): started with a listening socket that nobody else can reach,
 * gone when the daemon is gone. One thread at a time uses a helper.
 */
#ifndef CO_TOOLS_OS_CHILD_H
#define CO_TOOLS_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/error.h"

struct child {
	int listener; /* until child_start(): for the program, by this number */
	int address;  /* the way to it */
	int said;     /* what it wrote to stderr */
	long pid;     /* 0: not started, or ended and told so */
	int status;   /* of its end, as waitpid() tells it */
};

/* Makes the socket. On error nothing is left. */
int child_listen(struct child *h, struct error **err);
/* argv[0] is looked for in PATH. That it can't be executed is seen later, by
 * child_ended(). */
int child_start(struct child *h, char *const argv[], struct error **err);
/* A new connection, for the caller to close; -1 and errno. */
int child_connect(const struct child *h);
/* Has it ended? `text` gets how, and the last line that it said. */
bool child_ended(struct child *h, char *text, size_t size);
/* Kills it and frees all; what is -1 or 0 is left out. */
void child_free(struct child *h);

/* Runs a program to its end; anything but status 0 is an error with the last line
 * that it said. */
int child_run(char *const argv[], struct error **err);

#endif
