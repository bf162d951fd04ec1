/* SPDX-License-Identifier: GPL-2.0 */
/* cobd's options: one partition of an image, limits, another size. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "../../tools/devices/block_device.h"

/* ---- part= ------------------------------------------------------------------ */

/* sfdisk writes the table, the oracle takes it over. */
static struct disk *with_table(const char *table)
{
	struct disk *d = disk_begin();
	char command[512];

	snprintf(command, sizeof(command),
		 "printf '%s' | PATH=$PATH:/sbin:/usr/sbin sfdisk -q %s >/dev/null",
		 table, d->path);
	if (system(command))
		fail_msg("failed: %s", command);
	assert_int_equal(pread(d->fd, d->oracle, BYTES, 0), BYTES);
	return d;
}

/* All of the partition can be read and written, and nothing around it. */
static void check_part(const char *table, unsigned int part, uint64_t start,
		       uint64_t sectors)
{
	struct disk *d = with_table(table);
	struct block_options opt = { .path = d->path, .part = part };
	uint32_t n = (uint32_t)sectors * 512;

	disk_add(d, &opt);
	disk_start(d, 64, FEATURES | RING);
	assert_int_equal(config_read(&d->rig, 0, 0, 8), sectors);
	assert_int_equal(request(d, IN, 0, d->data, n, 2), OK);
	assert_memory_equal(rig_at(&d->rig, d->data), d->oracle + 512 * start, n);
	assert_int_equal(request(d, IN, sectors, d->data, 512, 1), IOERR);
	assert_int_equal(request(d, OUT, sectors - 1, d->data, 1024, 1), IOERR);
	memset(rig_at(&d->rig, d->data), 0x5a, n);
	memset(d->oracle + 512 * start, 0x5a, n);
	assert_int_equal(request(d, OUT, 0, d->data, n, 3), OK);
	assert_int_equal(range(d, ZEROES, 0, 8, 0), OK);
	memset(d->oracle + 512 * start, 0, 8 * 512);
	assert_int_equal(range(d, DISCARD, sectors - 8, 16, 0), IOERR);
	check_image(d);
	disk_free(d);
}

#define MBR "label: dos\\n64,512,83\\n1024,2048,5\\n3500,100,83\\n\\n1100,256,83\\n1500,512,83\\n"
#define GPT "label: gpt\\nstart=64,size=512\\nstart=1024,size=777\\n"

static void test_mbr(void **state)
{
	(void)state;
	check_part(MBR, 1, 64, 512);
	check_part(MBR, 3, 3500, 100);
}

static void test_logical(void **state)
{
	(void)state;
	check_part(MBR, 5, 1100, 256);
	check_part(MBR, 6, 1500, 512);
}

static void test_gpt(void **state)
{
	(void)state;
	check_part(GPT, 1, 64, 512);
	check_part(GPT, 2, 1024, 777);
}

static void refused(struct disk *d, unsigned int part, const char *said)
{
	struct block_options opt = { .path = d->path, .part = part };
	struct error *err = NULL;

	assert_null(block_create(d->rig.m, "cobd0", &opt, &err));
	if (!strstr(err->text, said))
		fail_msg("'%s' isn't in: %s", said, err->text);
	error_free(&err);
}

static void spoil(struct disk *d, off_t at)
{
	uint8_t byte;

	assert_int_equal(pread(d->fd, &byte, 1, at), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(d->fd, &byte, 1, at), 1);
}

static void test_bad_tables(void **state)
{
	struct disk *d = disk_begin();

	(void)state;
	refused(d, 1, "no partition table that is right");
	disk_free(d);
	d = with_table(MBR);
	refused(d, 2, "is the extended partition");
	refused(d, 9, "no such partition");
	assert_int_equal(truncate(d->path, 3550 * 512), 0);
	refused(d, 3, "ends behind the image's end");
	disk_free(d);
	/* Partition 1's entry: the first header's sum is wrong, the second
	 * one is used; then that one, too. */
	d = with_table(GPT);
	spoil(d, 2 * 512 + 32);
	refused(d, 3, "no such partition");
	spoil(d, (off_t)BYTES - 33 * 512 + 32);
	refused(d, 1, "no partition table that is right");
	disk_free(d);
}

/* ---- limits ----------------------------------------------------------------- */

#define MS 1000000ull

/* Requests that are let in within `ns`, asked for as fast as they may. */
static unsigned int let_in(struct throttle *t, uint64_t bytes, uint64_t now,
			   uint64_t ns)
{
	uint64_t end = now + ns;
	unsigned int n = 0;

	while ((now += throttle_wait_at(t, now)) < end) {
		throttle_take_at(t, bytes, now);
		n++;
	}
	return n;
}

static void test_throttle(void **state)
{
	uint64_t start = 1ull << 50;
	struct throttle t;

	(void)state;
	throttle_init(&t, 0, 0);
	assert_int_equal(throttle_wait(&t), 0);
	/* What a rest has saved, then the rate. */
	throttle_init(&t, 100, 0);
	assert_in_range(let_in(&t, 1 << 20, start, 1000 * MS), 109, 111);
	assert_in_range(let_in(&t, 0, start + 1000 * MS, 1000 * MS), 99, 101);
	assert_in_range(let_in(&t, 0, start + 9000 * MS, 1000 * MS), 109, 111);
	throttle_init(&t, 0, 1 << 20);
	assert_in_range(let_in(&t, 4096, start, 1000 * MS), 280, 283);
	/* One that is larger than all that can be saved. */
	throttle_init(&t, 0, 1 << 20);
	assert_in_range(let_in(&t, 1 << 20, start, 10000 * MS), 10, 11);
	/* Whichever is stricter. */
	throttle_init(&t, 10, 1 << 30);
	assert_in_range(let_in(&t, 4096, start, 1000 * MS), 10, 12);
}

/* Sizes that only a liar has don't make it cheap, nor keep a disk from its turn for
 * longer than an hour. */
static void test_throttle_absurd(void **state)
{
	static const uint64_t bytes[] = { 1ull << 40, 1ull << 45, UINT64_MAX / 1000,
					  UINT64_MAX };
	uint64_t start = 1ull << 50, hour = 3600 * 1000 * MS;
	struct throttle t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		throttle_init(&t, 0, 1 << 20);
		throttle_take_at(&t, bytes[i], start);
		assert_in_range(throttle_wait_at(&t, start), hour - 100 * MS,
				hour);
		throttle_init(&t, UINT64_MAX, UINT64_MAX);
		throttle_take_at(&t, bytes[i], start);
		assert_int_equal(throttle_wait_at(&t, start + 1000 * MS), 0);
	}
	throttle_init(&t, 0, 1ull << 60);
	throttle_take_at(&t, 1ull << 60, start);
	assert_in_range(throttle_wait_at(&t, start), 899 * MS, 900 * MS);
	throttle_init(&t, 0, 1ull << 40);
	throttle_take_at(&t, 3ull << 38, start);
	assert_in_range(throttle_wait_at(&t, start), 649 * MS, 650 * MS);
}

/* What a request is charged, at 1 MiB/s; each costs 1 ms as one of 1000. */
static void check_charge(uint32_t type, uint32_t sectors, uint64_t ms)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .iops = 1000,
				     .bps = 1 << 20 };
	const struct throttle *t;

	disk_add(d, &opt);
	disk_start(d, 128, FEATURES | RING);
	if (type == ZEROES || type == DISCARD)
		assert_int_equal(range(d, type, 0, sectors, 0), OK);
	else
		assert_int_equal(request(d, type, 0, d->data, 512 * sectors, 1),
				 OK);
	t = &block_of(d->dev)->throttle;
	assert_int_equal(t->bytes_at + MS - t->ops_at, ms * MS);
	disk_free(d);
}

static void test_charges(void **state)
{
	(void)state;
	check_charge(IN, 1024, 500);
	check_charge(OUT, 512, 250);
	check_charge(ZEROES, 2048, 1000);
	check_charge(DISCARD, SECTORS, 0);
	check_charge(T_FLUSH, 0, 0);
}

/* A limit holds: it can't be faster, however fast the machine is. */
static void test_throttled_disk(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .iops = 100 };
	uint64_t start;
	uint32_t written;
	unsigned int i;

	(void)state;
	disk_add(d, &opt);
	disk_start(d, 128, FEATURES | RING);
	start = uv_hrtime();
	for (i = 0; i < 60; i++)
		assert_true(put(d, i, IN, i, d->data + 512 * i, 512, 1) >= 0);
	gring_kick(&d->g);
	for (i = 0; i < 60; i++)
		assert_true(gring_await(&d->g, &written) >= 0);
	/* 10 from the saved tenth of a second, 1 on credit, 49 by the clock */
	assert_true(uv_hrtime() - start >= 480 * MS);
	assert_memory_equal(rig_at(&d->rig, d->data), d->oracle, 60 * 512);
	/* It can be stopped while requests wait. */
	for (i = 0; i < 60; i++)
		assert_true(put(d, i, IN, i, d->data, 512, 1) >= 0);
	gring_kick(&d->g);
	reg_write(&d->rig, 0, CO_DEV_STATUS, 0, 0);
	disk_free(d);
}

/* ---- size ------------------------------------------------------------------- */

static void resized(struct disk *d, uint64_t size, bool shrink, uint64_t now)
{
	unsigned int told = d->rig.configs[0];
	struct error *err = NULL;
	uint64_t said;

	if (block_resize(d->rig.m, "cobd0", size, shrink, &said, &err))
		fail_msg("%s", err->text);
	assert_int_equal(said, now);
	assert_int_equal(d->rig.configs[0], told + 1);
	assert_int_equal(config_read(&d->rig, 0, 0, 8), now / 512);
}

static void not_resized(struct disk *d, uint64_t size, const char *said)
{
	struct error *err = NULL;
	uint64_t now;

	assert_int_equal(block_resize(d->rig.m, "cobd0", size, false, &now, &err),
			 -1);
	if (!strstr(err->text, said))
		fail_msg("'%s' isn't in: %s", said, err->text);
	error_free(&err);
}

static void test_resize(void **state)
{
	struct disk *d = disk_new(false);
	struct stat st;

	(void)state;
	disk_start(d, 64, FEATURES | RING);
	assert_int_equal(request(d, IN, SECTORS, d->data, 512, 1), IOERR);
	resized(d, 2 * BYTES, false, 2 * BYTES);
	assert_int_equal(stat(d->path, &st), 0);
	assert_int_equal(st.st_size, 2 * BYTES);
	assert_int_equal(request(d, IN, SECTORS, d->data, 512, 1), OK);
	not_resized(d, BYTES, "--shrink");
	not_resized(d, 2 * BYTES + 1, "no multiple of 512");
	resized(d, BYTES, true, BYTES);
	assert_int_equal(request(d, OUT, SECTORS, d->data, 512, 1), IOERR);
	check_image(d);
	/* By other hands. */
	assert_int_equal(truncate(d->path, 3 * BYTES), 0);
	resized(d, 0, false, 3 * BYTES);
	assert_null(why(&d->rig, 0));
	disk_free(d);
}

static void test_no_resize(void **state)
{
	struct disk *d = disk_new(true);
	struct error *err = NULL;
	uint64_t now;

	(void)state;
	not_resized(d, 2 * BYTES, "is read-only");
	assert_int_equal(block_resize(d->rig.m, "cobd7", 0, false, &now, &err), -1);
	assert_non_null(strstr(err->text, "no such disk"));
	error_free(&err);
	disk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mbr),
		cmocka_unit_test(test_logical),
		cmocka_unit_test(test_gpt),
		cmocka_unit_test(test_bad_tables),
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_throttle_absurd),
		cmocka_unit_test(test_charges),
		cmocka_unit_test(test_throttled_disk),
		cmocka_unit_test(test_resize),
		cmocka_unit_test(test_no_resize),
	};

	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
