/* SPDX-License-Identifier: GPL-2.0 */
/* cobd's cache=none: what goes past the page cache, and what can't. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>

#include "disk.h"
#include "../../tools/devices/block_device.h"

static struct disk *direct_disk(void)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .direct = true };

	disk_add(d, &opt);
	return d;
}

static const struct block_image *image_of(struct disk *d)
{
	return &block_of(d->dev)->image;
}

static int fd_for(struct disk *d, enum block_op op, uint64_t offset,
		  size_t base, size_t length)
{
	struct iovec iov = { (void *)base, length };
	struct block_io io = { .op = op, .offset = offset, .iov = &iov,
			       .iov_n = 1 };

	return block_fd_for(image_of(d), &io);
}

static void test_choice(void **state)
{
	struct disk *d = direct_disk();
	int direct = image_of(d)->direct_fd, cached = image_of(d)->fd;

	(void)state;
	assert_true(fcntl(direct, F_GETFL) & O_DIRECT);
	assert_false(fcntl(cached, F_GETFL) & O_DIRECT);
	assert_int_equal(fd_for(d, BLOCK_READ, 4096, 8192, 4096), direct);
	assert_int_equal(fd_for(d, BLOCK_WRITE, 4096, 8192, 4096), direct);
	assert_int_equal(fd_for(d, BLOCK_WRITE_DURABLE, 0, 8192, 4096), direct);
	assert_int_equal(fd_for(d, BLOCK_READ, 4096, 8193, 4096), cached);
	assert_int_equal(fd_for(d, BLOCK_READ, 4096, 8192, 4095), cached);
	assert_int_equal(fd_for(d, BLOCK_READ, 4097, 8192, 4096), cached);
	assert_int_equal(fd_for(d, BLOCK_SYNC, 4096, 8192, 4096), cached);
	assert_int_equal(fd_for(d, BLOCK_PUNCH, 4096, 8192, 4096), cached);
	disk_free(d);
}

/* The oracle compares all of the image after requests of all kinds and sizes. */
static void test_random(void **state)
{
	struct disk *d = direct_disk();
	int i;

	(void)state;
	disk_start(d, 64, FEATURES | RING);
	for (i = 0; i < 300; i++)
		disk_random(d);
	check_image(d);
	disk_free(d);
}

/* Data that lies anywhere comes and goes all the same, beside what is aligned. */
static void test_unaligned(void **state)
{
	struct disk *d = direct_disk();
	uint8_t *data;

	(void)state;
	disk_start(d, 64, FEATURES | RING);
	data = rig_at(&d->rig, d->data);
	random_data(data + 1, 8192);
	memcpy(d->oracle + 512, data + 1, 8192);
	assert_int_equal(request(d, OUT, 1, d->data + 1, 8192, 3), OK);
	random_data(data, 4096);
	memcpy(d->oracle + 4096, data, 4096);
	assert_int_equal(request(d, OUT, 8, d->data, 4096, 1), OK);
	assert_int_equal(request(d, IN, 1, d->data + 3, 8192, 1), OK);
	assert_memory_equal(data + 3, d->oracle + 512, 8192);
	check_image(d);
	disk_free(d);
}

/* A file system that has no direct I/O at all. */
static void test_none(void **state)
{
	struct block_options opt = { .path = "/sys/kernel/uevent_seqnum",
				     .read_only = true,
				     .direct = true };
	struct error *err = NULL;
	struct rig rig;

	(void)state;
	rig_init(&rig);
	assert_null(block_create(rig.m, "cobd0", &opt, &err));
	assert_non_null(strstr(err->text, "uevent_seqnum: cache=none: its file system has no direct I/O"));
	error_free(&err);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
