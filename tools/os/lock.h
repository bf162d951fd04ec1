/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TOOLS_OS_LOCK_H
#define CO_TOOLS_OS_LOCK_H

#include <stdbool.h>

/* Locks the file that is open as fd, until it is closed or the process ends; who
 * only reads needs no lock. 0, or -1 and errno: EWOULDBLOCK, another has it. */
int lock_file(int fd, bool shared);
/* The same, against whoever has locked some bytes of it (qemu's programs do). */
int lock_contents(int fd);

#endif
