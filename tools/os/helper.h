/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that serve a device from a process of their own (qemu-storage-daemon,
 * later virtiofsd): started with a listening socket that nobody else can reach,
 * gone when the daemon is gone. One thread at a time uses a helper.
 */
#ifndef CO_TOOLS_OS_HELPER_H
#define CO_TOOLS_OS_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/error.h"

struct helper {
	int listener; /* until helper_start(): for the program, by this number */
	int address;  /* the way to it */
	int said;     /* what it wrote to stderr */
	long pid;     /* 0: not started, or ended and told so */
	int status;   /* of its end, as waitpid() tells it */
};

/* Makes the socket. On error nothing is left. */
int helper_listen(struct helper *h, struct error **err);
/* argv[0] is looked for in PATH. That it can't be executed is seen later, by
 * helper_ended(). */
int helper_start(struct helper *h, char *const argv[], struct error **err);
/* A new connection, for the caller to close; -1 and errno. */
int helper_connect(const struct helper *h);
/* Has it ended? `text` gets how, and the last line that it said. */
bool helper_ended(struct helper *h, char *text, size_t size);
/* Kills it and frees all; what is -1 or 0 is left out. */
void helper_free(struct helper *h);

/* Runs a program to its end; anything but status 0 is an error with the last line
 * that it said. */
int helper_run(char *const argv[], struct error **err);

#endif
