/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client's connection to a daemon, and the user at the client's terminal: what
 * `colinux attach` and `colinux exec` wait for. One thread.
 */
#ifndef CO_TOOLS_OS_PEER_H
#define CO_TOOLS_OS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer;

/* NULL and errno: ENOENT or ECONNREFUSED, nobody answers there. */
struct peer *peer_connect(const char *address);
void peer_close(struct peer *p); /* NULL is allowed */
/* What has come, at least a byte; 0: the end; -1 and errno. */
ssize_t peer_read(struct peer *p, void *data, size_t n);
int peer_write(struct peer *p, const void *data, size_t n); /* all; -1, errno */

/* What a user can say beside typing: Linux's numbers of signals, wherever he is. */
enum user_word {
	USER_HUP = 1,
	USER_INT = 2,
	USER_QUIT = 3,
	USER_TERM = 15,
	USER_WINCH = 28,
};

/* From here to user_unwatch() those words are for user_word(); `quit`: Ctrl-\ is,
 * but a new size isn't. NULL and errno. */
struct user;
struct user *user_watch(bool quit);
void user_unwatch(struct user *u);
int user_word(struct user *u); /* 0: nothing was said */

/* Is standard input a terminal? Then each key comes as it is until user_unwatch(). */
bool user_raw(struct user *u);
bool user_size(struct user *u, unsigned int *columns, unsigned int *rows);
/* Standard input: bytes, 0 at its end; -1 and errno, EAGAIN: none now. */
ssize_t user_read(struct user *u, void *data, size_t n);

#define USER_PEER  1
#define USER_WORD  2
#define USER_INPUT 4
/* Waits for the peer, a word, or (with `input`) standard input: who has something.
 * -1 and errno. */
int user_wait(struct user *u, struct peer *p, bool input);

/* Does the terminal at standard output know xterm's sequences? */
bool user_knows_escapes(void);

#endif
