// SPDX-License-Identifier: GPL-2.0
#include "throttle.h"

#include <uv.h>

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define WAIT_MAX_MS 1000
/* What a single request owes at most: a rate that makes it longer is no rate. */
#define DEBT_MAX_NS (3600 * NS_PER_S)

void throttle_init(struct throttle *t, uint64_t iops, uint64_t bps)
{
	*t = (struct throttle){ .iops = iops, .bps = bps };
}

uint64_t throttle_wait_at(const struct throttle *t, uint64_t now)
{
	uint64_t at = t->ops_at > t->bytes_at ? t->ops_at : t->bytes_at;

	return at > now ? at - now : 0;
}

/* n / rate seconds in ns, and no more than DEBT_MAX_NS, whatever n is. */
static uint64_t cost(uint64_t n, uint64_t rate)
{
	uint64_t seconds = n / rate, rest = n % rate;

	if (seconds >= DEBT_MAX_NS / NS_PER_S)
		return DEBT_MAX_NS;
	/* Half of a rate that large is exact enough. */
	while (rest > UINT64_MAX / NS_PER_S) {
		rest /= 2;
		rate /= 2;
	}
	return seconds * NS_PER_S + rest * NS_PER_S / rate;
}

static void pay(uint64_t *at, uint64_t n, uint64_t rate, uint64_t now)
{
	if (!rate)
		return;
	if (*at + THROTTLE_BURST_NS < now)
		*at = now - THROTTLE_BURST_NS;
	*at += cost(n, rate);
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
