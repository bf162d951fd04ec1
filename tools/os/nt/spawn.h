/* SPDX-License-Identifier: GPL-2.0 */
/* Starts programs. */
#ifndef CO_NT_SPAWN_H
#define CO_NT_SPAWN_H

#include <windows.h>

#include "../../lib/error.h"

struct spawn {
	char *const *argv; /* argv[0] is found by PATH */
	const char *program; /* its path; NULL: argv[0]'s */
	/* Inheritable; NULL: as ours. More than these and `also` isn't inherited. */
	HANDLE input, output, errors, also;
	DWORD flags; /* of CreateProcess() */
	HANDLE process, thread; /* thread: with CREATE_SUSPENDED only */
};

int spawn_start(struct spawn *s, struct error **err);
/* Its status, when it has ended; the handles are closed. */
int spawn_wait(struct spawn *s);
/* Words as one line, as programs of Windows part it. Caller frees. */
wchar_t *spawn_line(char *const argv[]);

#endif
