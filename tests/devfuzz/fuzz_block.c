/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd on a file in memory. The engine tells when the device's thread has come
 * to rest, so that a script does the same each time.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "../../tools/devices/block.h"

#define IMAGE_SIZE (1 << 18)

static atomic_uint rests;
static int image;

static struct block_io *wait_and_tell(void *state, int ms)
{
	atomic_fetch_add(&rests, 1);
	return block_plain.wait(state, ms);
}

static struct block_engine engine;

void target_make(struct rig *rig)
{
	struct error *err = NULL;
	struct device *dev;
	char path[64];
	struct block_options opt = { .path = path };

	image = memfd_create("image", MFD_CLOEXEC);
	if (image < 0 || ftruncate(image, IMAGE_SIZE))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	dev = block_create(rig->m, "cobd0", &opt, &err);
	if (!dev)
		abort();
	engine = block_plain;
	engine.wait = wait_and_tell;
	block_use_engine(dev, &engine);
}

/* The thread rests twice after a ring at most: once with operations done. */
void target_work(struct rig *rig)
{
	unsigned int before = atomic_load(&rests), patience = 10000;

	if (!(reg_read(rig, 0, CO_DEV_STATUS, 0) & STATUS_DRIVER_OK))
		return;
	while (atomic_load(&rests) - before < 1 && patience--)
		sched_yield();
}

void target_host(struct rig *rig, uint8_t what)
{
	(void)what;
	machine_reset(rig->m);
}

void target_end(void)
{
	close(image);
}
