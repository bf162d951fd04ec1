/* SPDX-License-Identifier: GPL-2.0 */
/* Where the files of running VMs are, and the addresses of their daemons. */
#ifndef CO_TOOLS_OS_PLACE_H
#define CO_TOOLS_OS_PLACE_H

#include "../lib/error.h"

/* The runtime directory if the user names none. NULL and an error. Caller frees. */
char *place_runtime(struct error **err);
/* Makes a directory for this user alone; one that is there is right, too. 0, or -1
 * and errno. */
int place_make(const char *path);
/* All names in a directory, sorted, to fn. 0, or -1 and errno. */
int place_list(const char *path, void (*fn)(void *arg, const char *name),
	       void *arg);

/* The control socket of VM `name`, whose files are in `directory`. Caller frees. */
char *place_control(const char *directory, const char *name);
/* -1 and an error: it can't be one. */
int place_control_check(const char *address, struct error **err);
/* It was made: keeps it to this user. 0 or an errno. */
int place_control_guard(const char *address);
/* Takes away what a daemon left there. */
void place_control_remove(const char *address);

#endif
