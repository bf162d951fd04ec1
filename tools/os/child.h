/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs that serve a device from a process of their own (qemu-storage-daemon,
 * virtiofsd): started with a listening socket that nobody else can reach,
 * gone when the daemon is gone. One thread at a time uses a helper; the one that
 * starts it lives as long as the helper shall, for Linux ends it with that thread.
 */
#ifndef CO_TOOLS_OS_CHILD_H
#define CO_TOOLS_OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/error.h"

#define CHILD_CONNECT_SECONDS 10
#define CHILD_GONE_SECONDS    3

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
/* A new connection, for the caller to close; -1 and errno: EAGAIN when it took none
 * for CHILD_CONNECT_SECONDS. */
int child_connect(const struct child *h);
/* Has it ended? `text` gets how, and the last line that it said. */
bool child_ended(struct child *h, char *text, size_t size);
/* Kills it and what it started, without a wait for its end. */
void child_kill(struct child *h);
/* Kills it and frees all; what is -1 or 0 is left out. One that isn't gone after
 * CHILD_GONE_SECONDS hangs in the host's kernel: it's left to init. */
void child_free(struct child *h);

/* Runs a program to its end; anything but status 0 is an error with the last line
 * that it said. After `seconds` it's killed, and that is an error; 0: it may take as
 * long as it likes. */
int child_run(char *const argv[], unsigned int seconds, struct error **err);

#endif
