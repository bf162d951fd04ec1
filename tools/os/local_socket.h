/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets of this machine that have a path. Descriptors don't block and aren't
 * inherited. Any thread. */
#ifndef CO_TOOLS_OS_LOCAL_SOCKET_H
#define CO_TOOLS_OS_LOCAL_SOCKET_H

#include "../lib/error.h"

/* For this user only. A socket that a dead program left there gives way; one in use
 * or any other file is an error. -1 and an error. */
int local_listen(const char *path, struct error **err);
/* A negative errno if nobody answers there; -EAGAIN: he is busy. */
int local_connect(const char *path);
/* The next who wants to be connected; a negative errno: none. */
int local_accept(int listener);

#endif
