/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cofs on a small directory.
 */
#include <stdlib.h>

#include "../../tools/share/server.h"
#include "fuzz.h"
#include "fuzz_dir.h"
#include "p9_dice.h"
#include "../../tools/share/p9.h"

static struct device *dev;
bool fuzz_share_changed = true;

void target_make(struct rig *rig, uint8_t variant)
{
	struct share_options opt = { { fuzz_dir(), FS_KEEP, FS_KEEP, false },
				     variant == 3 };
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
	if (what & 0x80) {
		fuzz_share_changed = true;
		fuzz_dir_meddle(what);
		fuzz_time_pass(1100);
	} else {
		machine_reset(rig->m);
	}
}

void target_end(void)
{
	if (fuzz_share_changed)
		fuzz_dir_reset();
	fuzz_share_changed = !fuzz_share_looks;
}

/* A message with its header: size, type, tag. */
void target_head(struct head *h, struct dice *dice)
{
	struct message m = { h->data + P9_HEADER, 0, HEAD_MAX - P9_HEADER };

	h->data[4] = p9_dice_body(&m, dice);
	h->n = P9_HEADER + m.used;
	h->data[0] = (uint8_t)h->n;
	h->room = 180;
	h->more = h->data[4] == P9_TREAD ? 40 : 0;
	h->more_in = true;
}
