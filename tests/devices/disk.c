/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

/* ---- an engine with a mind of its own --------------------------------------- */

struct hook hook;

static int hook_open(void **state, const struct block_image *image,
		     const int wake[2])
{
	hook.fd = image->fd;
	return block_uring.open(state, image, wake);
}

static bool moves(const struct block_io *io)
{
	return io->op <= BLOCK_WRITE_DURABLE;
}

static void hook_submit(void *state, struct block_io *io)
{
	unsigned int n = atomic_fetch_add(&hook.ordered, 1);

	if (n < 64)
		hook.order[n] = io->op;
	atomic_fetch_add(&hook.count[io->op], 1);
	atomic_fetch_add(&hook.under_way, 1);
	if (hook.fail && io->op == hook.fail_op) {
		io->result = -hook.fail;
		io->next = hook.failed;
		hook.failed = io;
		return;
	}
	if (atomic_load(&hook.slow)) {
		io->next = hook.held;
		hook.held = io;
		return;
	}
	if (hook.short_bytes && moves(io)) {
		hook.cut = io->iov[0];
		if (hook.cut.iov_len > hook.short_bytes)
			hook.cut.iov_len = hook.short_bytes;
		io->iov = &hook.cut;
		io->iov_n = 1;
	}
	block_uring.submit(state, io);
}

static struct block_io *release_held(void)
{
	struct block_io *io = hook.held;

	if (!io || atomic_load(&hook.frozen))
		return NULL;
	hook.held = io->next;
	usleep(300);
	block_io_now(hook.fd, io);
	io->next = NULL;
	return io;
}

static struct block_io *hook_wait(void *state, int ms)
{
	struct block_io *io, *done = hook.failed;

	hook.failed = NULL;
	if (!done)
		done = release_held();
	if (!done)
		done = block_uring.wait(state, ms);
	if (done && atomic_load(&hook.delay_us))
		usleep(atomic_load(&hook.delay_us));
	for (io = done; io; io = io->next)
		atomic_fetch_sub(&hook.under_way, 1);
	return done;
}

static void hook_close(void *state)
{
	block_uring.close(state);
}

const struct block_engine hooked = {
	.name = "hook",
	.open = hook_open,
	.submit = hook_submit,
	.wait = hook_wait,
	.close = hook_close,
};

/* ---- a disk ----------------------------------------------------------------- */

static void make_image(struct disk *d)
{
	const char *folder = getenv("TMPDIR");
	uint64_t i;

	snprintf(d->path, sizeof(d->path), "%.40s/cobd-XXXXXX",
		 folder ? folder : "/tmp");
	d->fd = mkstemp(d->path);
	assert_true(d->fd >= 0);
	for (i = 0; i < BYTES; i++)
		d->oracle[i] = (uint8_t)(i / 512 + i * 7);
	assert_int_equal(pwrite(d->fd, d->oracle, BYTES, 0), BYTES);
}

struct disk *disk_begin(void)
{
	struct disk *d = calloc(1, sizeof(*d));

	memset(&hook, 0, sizeof(hook));
	rig_init(&d->rig);
	make_image(d);
	return d;
}

void disk_add(struct disk *d, const struct block_options *opt)
{
	struct error *err = NULL;

	d->dev = block_create(d->rig.m, "cobd0", opt, &err);
	if (!d->dev)
		fail_msg("%s", err->text);
	block_keep(d->rig.m);
	d->data = rig_alloc(&d->rig, BYTES, 4096);
	d->header = rig_alloc(&d->rig, 256 * 32, 16);
}

struct disk *disk_new(bool read_only)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .read_only = read_only };

	disk_add(d, &opt);
	return d;
}

void disk_free(struct disk *d)
{
	rig_free(&d->rig);
	close(d->fd);
	unlink(d->path);
	free(d);
}

void disk_start(struct disk *d, uint16_t size, uint64_t features)
{
	negotiate(&d->rig, 0, features);
	gring_init(&d->g, &d->rig, 0, 0, size, features);
	driver_ok(&d->rig, 0);
}

struct disk *hooked_disk(void)
{
	struct disk *d = disk_new(false);

	block_use_engine(d->dev, &hooked);
	disk_start(d, 128, FEATURES | RING);
	return d;
}

static uint64_t header_at(struct disk *d, unsigned int slot)
{
	return d->header + 32 * slot;
}

uint8_t status_of(struct disk *d, unsigned int slot)
{
	return ((uint8_t *)rig_at(&d->rig, header_at(d, slot)))[16];
}

int put(struct disk *d, unsigned int slot, uint32_t type, uint64_t sector,
	uint64_t pa, uint32_t size, unsigned int parts)
{
	uint8_t *h = rig_at(&d->rig, header_at(d, slot));
	struct buffer b[40] = { { header_at(d, slot), 16, false } };
	bool in = type == IN || type == GET_ID;
	unsigned int n = 1, i;
	uint32_t done = 0;

	memcpy(h, &type, 4);
	memset(h + 4, 0, 4);
	memcpy(h + 8, &sector, 8);
	h[16] = NOTHING;
	for (i = 0; size && i < parts; i++) {
		uint32_t end = i + 1 == parts ? size : size / parts * (i + 1);

		b[n++] = (struct buffer){ pa + done, end - done, in };
		done = end;
	}
	b[n++] = (struct buffer){ header_at(d, slot) + 16, 1, true };
	return gring_add(&d->g, b, n);
}

uint8_t request(struct disk *d, uint32_t type, uint64_t sector, uint64_t pa,
		uint32_t size, unsigned int parts)
{
	uint32_t written;

	assert_true(put(d, 0, type, sector, pa, size, parts) >= 0);
	gring_kick(&d->g);
	assert_true(gring_await(&d->g, &written) >= 0);
	return status_of(d, 0);
}

uint8_t range(struct disk *d, uint32_t type, uint64_t sector, uint32_t sectors,
	      uint32_t flags)
{
	uint8_t *p = rig_at(&d->rig, d->data);

	memcpy(p, &sector, 8);
	memcpy(p + 8, &sectors, 4);
	memcpy(p + 12, &flags, 4);
	return request(d, type, 0, d->data, 16, 1);
}

void check_image(struct disk *d)
{
	uint8_t *now = malloc(BYTES);

	assert_int_equal(pread(d->fd, now, BYTES, 0), BYTES);
	assert_memory_equal(now, d->oracle, BYTES);
	free(now);
}

void random_data(uint8_t *p, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)rand();
}

void disk_random(struct disk *d)
{
	uint64_t sector = (uint64_t)rand() % (SECTORS - 64);
	uint32_t n = 512 * (1 + (uint32_t)rand() % 64);
	unsigned int parts = 1 + (unsigned int)rand() % 20;
	uint8_t *p = rig_at(&d->rig, d->data + 1);

	switch (rand() % 6) {
	case 0:
	case 1:
		memset(p, 0xcc, n);
		assert_int_equal(request(d, IN, sector, d->data + 1, n, parts),
				 OK);
		assert_memory_equal(p, d->oracle + 512 * sector, n);
		break;
	case 2:
	case 3:
		random_data(p, n);
		memcpy(d->oracle + 512 * sector, p, n);
		assert_int_equal(request(d, OUT, sector, d->data + 1, n, parts),
				 OK);
		break;
	case 4:
		assert_int_equal(range(d,
				       !d->discards_some && rand() % 2 ?
					       DISCARD : ZEROES, sector,
				       n / 512, 0),
				 OK);
		memset(d->oracle + 512 * sector, 0, n);
		break;
	case 5:
		assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), OK);
		break;
	}
}

/* ---- images of other formats ------------------------------------------------- */

void disk_shell(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	if (system(command))
		fail_msg("failed: %s", command);
}

char *disk_path(const struct disk *d, const char *suffix)
{
	static char path[4][100];
	static unsigned int next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s%s", d->path, suffix);
	return p;
}

/* Ends the helper, too: the image is nobody's then. */
void disk_stop(struct disk *d)
{
	machine_free(d->rig.m);
	d->rig.m = NULL;
}

void disk_refused(const struct block_options *opt, const char *said)
{
	struct error *err = NULL;
	struct rig rig;

	rig_init(&rig);
	assert_null(block_create(rig.m, "cobd0", opt, &err));
	if (!strstr(err->text, said))
		fail_msg("'%s' isn't in: %s", said, err->text);
	error_free(&err);
	rig_free(&rig);
}
