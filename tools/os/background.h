/* SPDX-License-Identifier: GPL-2.0 */
/* Daemons that aren't of the session of whoever starts them. */
#ifndef CO_TOOLS_OS_BACKGROUND_H
#define CO_TOOLS_OS_BACKGROUND_H

#include <stdbool.h>

#include "../lib/error.h"

struct background {
	long long process; /* as the host has it */
	int ready;	   /* descriptor: what the daemon writes to its --ready-fd */
	long long errors;  /* who passes its standard error on, where somebody has to */
};

/* Starts argv[0], found by PATH, with `--ready-fd N` behind it and then the rest of
 * argv; it has no input and output, only our standard error. */
int background_start(struct background *b, char *const argv[],
		     struct error **err);
/* Has it written to its --ready-fd, or ended? Waits for that, at most so long. */
bool background_spoke(const struct background *b, unsigned int ms);
/* Ends it at once, whatever it does, and with it its VM; for who waits next. */
void background_kill(const struct background *b);
/* Waits for its end, and until all that it said is out; the exit status. */
int background_wait(struct background *b);
/* Becomes that program: returns its exit status, or doesn't return, or -1 and
 * an error. */
int background_become(char *const argv[], struct error **err);

/* For --background: the rest of the program runs in a process of its own, this one
 * ends with status 0 as soon as something was written to *ready there, otherwise
 * with 1. Returns in the other. argv is what main() got. */
int background_leave(int *ready, int argc, char *const argv[],
		     struct error **err);

#endif
