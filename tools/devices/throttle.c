// SPDX-License-Identifier: GPL-2.0
#include "throttle.h"

#include <uv.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define WAIT_MAX_MS 1000

void throttle_init(struct throttle *t, uint64_t iops, uint64_t bps)
{
	*t = (struct throttle){ .iops = iops, .bps = bps };
}

uint64_t throttle_wait_at(const struct throttle *t, uint64_t now)
{
	uint64_t at = t->ops_at > t->bytes_at ? t->ops_at : t->bytes_at;

	return at > now ? at - now : 0;
}

/* A request has less than 4 GiB: the product has its room. */
static void pay(uint64_t *at, uint64_t n, uint64_t rate, uint64_t now)
{
	if (!rate)
		return;
	if (*at + THROTTLE_BURST_NS < now)
		*at = now - THROTTLE_BURST_NS;
	*at += n * NS_PER_S / rate;
}

void throttle_take_at(struct throttle *t, uint64_t bytes, uint64_t now)
{
	pay(&t->ops_at, 1, t->iops, now);
	pay(&t->bytes_at, bytes, t->bps, now);
}

int throttle_wait(const struct throttle *t)
{
	uint64_t ns;

	if (!t->iops && !t->bps)
		return 0;
	ns = throttle_wait_at(t, uv_hrtime());
	/* Whoever waits asks again. */
	if (ns > WAIT_MAX_MS * NS_PER_MS)
		return WAIT_MAX_MS;
	return (int)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

void throttle_take(struct throttle *t, uint64_t bytes)
{
	if (t->iops || t->bps)
		throttle_take_at(t, bytes, uv_hrtime());
}
