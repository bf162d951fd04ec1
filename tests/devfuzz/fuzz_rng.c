/* SPDX-License-Identifier: GPL-2.0 */
/*
 * corng, which is little more than its queue.
 */
#include <stdlib.h>

#include "fuzz.h"

void target_make(struct rig *rig, uint8_t variant)
{
	struct error *err = NULL;

	(void)variant;
	if (!rng_create(rig->m, "corng", &err))
		abort();
}

void target_work(struct rig *rig)
{
	uv_run(&rig->loop, UV_RUN_NOWAIT);
}

void target_host(struct rig *rig, uint8_t what)
{
	(void)what;
	machine_reset(rig->m);
}

void target_end(void)
{
}

void target_head(struct head *h, struct dice *dice)
{
	h->room = (uint8_t)dice_roll(dice, 255);
}
