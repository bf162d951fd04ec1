/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cofs on a small directory.
 */
#include <stdlib.h>

#include "../../tools/share/server.h"
#include "fuzz.h"
#include "fuzz_dir.h"

static struct device *dev;
bool fuzz_share_changed = true;

void target_make(struct rig *rig)
{
	struct share_options opt = { { fuzz_dir(), FS_KEEP, FS_KEEP, false },
				     false };
	struct error *err = NULL;

	dev = cofs_create(rig->m, "cofs0", "cofs0", &opt, &err);
	if (!dev)
		abort();
}

static unsigned int rests(void)
{
	return cofs_rests(dev);
}

void target_work(struct rig *rig)
{
	(void)rig;
	fuzz_let_work(rests);
}

void target_host(struct rig *rig, uint8_t what)
{
	(void)what;
	machine_reset(rig->m);
}

void target_end(void)
{
	if (fuzz_share_changed)
		fuzz_dir_reset();
	fuzz_share_changed = !fuzz_share_looks;
}
