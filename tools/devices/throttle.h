/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits of a device's requests and bytes per second: a bucket for each (the
 * generic cell rate algorithm of ITU-T I.371: a time instead of a level). What
 * wasn't used is kept for THROTTLE_BURST_NS. A request is let in when its buckets
 * aren't overdrawn, however large it is; the next ones pay for it, an hour at most.
 *
 * One thread uses a throttle.
 */
#ifndef CO_TOOLS_THROTTLE_H
#define CO_TOOLS_THROTTLE_H

#include <stdint.h>

#define THROTTLE_BURST_NS 100000000ull

struct throttle {
	uint64_t iops, bps;	  /* per second, 0: no limit */
	uint64_t ops_at, bytes_at; /* ns: when all that was let in is paid */
};

void throttle_init(struct throttle *t, uint64_t iops, uint64_t bps);
/* How long until the next request may go, in ms from 1 on; 0: now. */
int throttle_wait(const struct throttle *t);
/* One of so many bytes goes; any number. */
void throttle_take(struct throttle *t, uint64_t bytes);

/* The same at a given time, ns of the monotonic clock. */
uint64_t throttle_wait_at(const struct throttle *t, uint64_t now);
void throttle_take_at(struct throttle *t, uint64_t bytes, uint64_t now);

#endif
