/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standard input, to be waited for: of files, pipes and consoles, none of which can
 * be in Windows. A thread reads it, from the first time that somebody waits.
 */
#ifndef CO_NT_USER_INPUT_H
#define CO_NT_USER_INPUT_H

#include <sys/types.h>
#include <windows.h>

struct user_input;

struct user_input *user_input_open(void); /* NULL: GetLastError() */
void user_input_close(struct user_input *u); /* NULL is allowed */
/* Set as long as there is something to be read, or the end. Starts the thread. */
HANDLE user_input_event(struct user_input *u);
/* Bytes (UTF-8 from a console), 0 at the end; -1 and errno, EAGAIN: none now. */
ssize_t user_input_read(struct user_input *u, void *data, size_t n);

#endif
