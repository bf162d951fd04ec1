/* SPDX-License-Identifier: GPL-2.0 */
/* Doorbells that the driver tells of by answers (host/nt/ioctl.h), as events. */
#ifndef CO_NT_DRIVER_BELLS_H
#define CO_NT_DRIVER_BELLS_H

#include <windows.h>

struct driver_bells;

/* A thread waits for the driver from now on. NULL: no memory. */
struct driver_bells *driver_bells_open(HANDLE driver);
void driver_bells_close(struct driver_bells *b); /* NULL is allowed */
/* The driver's number for a bell (os/bell.h), the same each time; -1: too many. */
int driver_bells_number(struct driver_bells *b, int bell);

#endif
