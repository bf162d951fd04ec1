/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bells: what the driver or a thread rings and another one hears, once for any
 * number of rings. A bell is a number, which CO_REQ_DOORBELL takes, too: an eventfd
 * on Linux, an event on NT. All but watching: any thread.
 */
#ifndef CO_TOOLS_OS_BELL_H
#define CO_TOOLS_OS_BELL_H

#include <uv.h>

int bell_open(void); /* -1 and errno */
void bell_close(int bell);
void bell_ring(int bell);
/* Forgets the rings so far. */
void bell_hush(int bell);
/* Until one of the two has rung, or `ms` are over (-1: without end); it may end
 * without that, too. They are not hushed. */
void bell_wait(const int bells[2], int ms);

/* Calls fn on the loop's thread when it rang, again and again until it's hushed.
 * `status`: 0, or libuv's word for why it can't be heard any more. NULL and errno.
 * The bell outlives its watch; the loop must turn once more behind unwatch. */
struct bell_watch;
struct bell_watch *bell_watch(uv_loop_t *loop, int bell,
			      void (*fn)(void *arg, int status), void *arg);
void bell_unwatch(struct bell_watch *w); /* NULL is allowed */

#endif
