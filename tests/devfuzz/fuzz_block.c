/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd on a file in memory. The host's file may fail, or do a part only, as the
 * script says.
 */
#define _GNU_SOURCE /* memfd_create() */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../tools/devices/block.h"
#include "fuzz.h"

#define IMAGE_SIZE (1 << 18)

static atomic_uint rest_count;
static int image = -1;
static char path[64];
static bool changed;
static struct block_engine engine;
/* What becomes of the next operation; 0: what the file says. */
static atomic_int fate;

static struct block_io *wait_and_tell(void *state, int ms)
{
	atomic_fetch_add(&rest_count, 1);
	return block_plain.wait(state, ms);
}

static void submit(void *state, struct block_io *io)
{
	int how = atomic_exchange(&fate, 0);

	if (io->op != BLOCK_READ && io->op != BLOCK_SYNC)
		changed = true;
	block_plain.submit(state, io);
	if (how < 0)
		io->result = how;
	else if (how && io->result > how)
		io->result = how;
}

/* Once for all scripts, which find it full of zeroes. */
static void make_image(void)
{
	image = memfd_create("image", MFD_CLOEXEC);
	if (image < 0 || ftruncate(image, IMAGE_SIZE))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	engine = block_plain;
	engine.wait = wait_and_tell;
	engine.submit = submit;
}

void target_make(struct rig *rig, uint8_t variant)
{
	struct block_options opt = { .path = path, .read_only = variant == 3 };
	struct error *err = NULL;
	struct device *dev;

	if (image < 0)
		make_image();
	atomic_store(&fate, 0);
	dev = block_create(rig->m, "cobd0", &opt, &err);
	if (!dev)
		abort();
	block_use_engine(dev, &engine);
}

static unsigned int rests(void)
{
	return atomic_load(&rest_count);
}

void target_work(struct rig *rig)
{
	(void)rig;
	fuzz_let_work(rests);
}

/* Others cut the file as well, without a word. */
static void change_size(struct rig *rig, uint8_t what)
{
	uint64_t size = (what % 8) * 32768u, now;
	struct error *err = NULL;

	changed = true;
	if (what & 8) {
		if (ftruncate(image, (off_t)size))
			abort();
		return;
	}
	if (block_resize(rig->m, "cobd0", size, what & 16, &now, &err))
		error_free(&err);
}

void target_host(struct rig *rig, uint8_t what)
{
	static const int fates[] = { -EIO, -EOPNOTSUPP, -EAGAIN, -EINTR,
				     1,	   511,		512,	 1000 };

	if (what & 0x80)
		atomic_store(&fate, fates[what % 8]);
	else if (what & 0x40)
		change_size(rig, what);
	else
		machine_reset(rig->m);
}

void target_end(void)
{
	if (changed && (ftruncate(image, 0) || ftruncate(image, IMAGE_SIZE)))
		abort();
	changed = false;
}

void target_head(struct head *h, struct dice *dice)
{
	static const uint8_t types[] = { 0, 1, 4, 8, 11, 13, 1, 0 };
	struct message m = { h->data, 0, HEAD_MAX };
	uint8_t type = types[dice_roll(dice, 8)];

	memset(h->data, 0, 32);
	put8(&m, type);
	h->n = 16;
	h->data[8] = (uint8_t)dice_roll(dice, 4); /* sector */
	h->more = (uint8_t)(0xf0 + dice_roll(dice, 14));
	h->more_in = type == 0 || type == 8;
	h->room = 1;
	if (type < 11)
		return;
	/* The range in one piece with the header: sector, sectors, flags. */
	h->data[16] = (uint8_t)dice_roll(dice, 4);
	h->data[24] = (uint8_t)dice_roll(dice, 64);
	h->data[28] = (uint8_t)dice_roll(dice, 2);
	h->n = 32;
	h->more = 0;
}
