/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cofs on a small directory.
 */
#include <sched.h>
#include <stdlib.h>

#include "../../tools/share/server.h"
#include "fuzz.h"
#include "fuzz_dir.h"

static struct device *dev;

void target_make(struct rig *rig)
{
	struct share_options opt = { { fuzz_dir(), FS_KEEP, FS_KEEP, false },
				     false };
	struct error *err = NULL;

	dev = cofs_create(rig->m, "cofs0", "cofs0", &opt, &err);
	if (!dev)
		abort();
}

/* The thread rests once it has answered what was there. */
void target_work(struct rig *rig)
{
	unsigned int before = cofs_rests(dev), patience = 10000;

	if (!(reg_read(rig, 0, CO_DEV_STATUS, 0) & STATUS_DRIVER_OK))
		return;
	while (cofs_rests(dev) == before && patience--)
		sched_yield();
}

void target_host(struct rig *rig, uint8_t what)
{
	(void)what;
	machine_reset(rig->m);
}

void target_end(void)
{
	fuzz_dir_reset();
}
