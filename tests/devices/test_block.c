/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd against an oracle, through both engines, and through one that fails,
 * shortens and delays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"

/* ---- tests ------------------------------------------------------------------ */

static void test_config(void **state)
{
	struct disk *d = disk_new(false);

	(void)state;
	assert_int_equal(reg_read(&d->rig, 0, CO_DEV_ID, 0), 2);
	assert_int_equal(config_read(&d->rig, 0, 0, 8), SECTORS);
	assert_int_equal(config_read(&d->rig, 0, 12, 4), 254);
	assert_int_equal(config_read(&d->rig, 0, 20, 4), 512);
	assert_int_equal(config_read(&d->rig, 0, 56, 1), 1);
	assert_true(config_read(&d->rig, 0, 60, 8) == CO_ERROR_ARG);
	assert_true(config_read(&d->rig, 0, 0, 3) == CO_ERROR_ARG);
	assert_true(reg_read(&d->rig, 0, CO_DEV_FEATURES, 0) ==
		    (FEATURES | 1ull << 2 | 1ull << 6 | FEATURES_COMMON));
	assert_non_null(strstr(detail(&d->rig, 0), d->path));
	assert_non_null(strstr(detail(&d->rig, 0), "2048 KiB, io_uring"));
	disk_free(d);
}

static void oracle(const struct block_engine *engine, uint16_t size,
		   uint64_t features)
{
	struct disk *d = disk_new(false);
	unsigned int i;

	srand(1);
	block_use_engine(d->dev, engine);
	disk_start(d, size, features);
	for (i = 0; i < 1500; i++)
		disk_random(d);
	check_image(d);
	assert_null(why(&d->rig, 0));
	disk_free(d);
}

static void test_oracle_uring(void **state)
{
	(void)state;
	oracle(&block_uring, 128, FEATURES | RING);
}

static void test_oracle_uring_direct(void **state)
{
	(void)state;
	oracle(&block_uring, 32, FEATURES);
}

static void test_oracle_plain(void **state)
{
	(void)state;
	oracle(&block_plain, 128, FEATURES | RING);
}

/* No FLUSH negotiated: writes must be durable by themselves. */
static void test_oracle_no_flush(void **state)
{
	(void)state;
	oracle(&block_uring, 64, RING);
	oracle(&block_plain, 64, RING);
}

/* Many at once, in any order. */
static void in_flight(const struct block_engine *engine)
{
	struct disk *d = disk_new(false);
	unsigned int round, i;
	uint32_t written;

	block_use_engine(d->dev, engine);
	disk_start(d, 256, FEATURES | RING);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 128; i++) {
			uint64_t pa = d->data + i * 4096;
			uint64_t at = (i * 37 + round) % 512;

			memset(rig_at(&d->rig, pa), (int)(i + round), 4096);
			assert_true(put(d, i, OUT, at * 8, pa, 4096, 2) >= 0);
			memset(d->oracle + at * 4096, (int)(i + round), 4096);
			if (i % 16 == 0)
				gring_kick(&d->g);
		}
		gring_kick(&d->g);
		for (i = 0; i < 128; i++)
			assert_true(gring_await(&d->g, &written) >= 0);
		for (i = 0; i < 128; i++)
			assert_int_equal(status_of(d, i), OK);
	}
	check_image(d);
	disk_free(d);
}

static void test_in_flight(void **state)
{
	(void)state;
	in_flight(&block_uring);
	in_flight(&block_plain);
}

static void test_wrap(void **state)
{
	struct disk *d = disk_new(false);
	uint32_t written;
	unsigned int i;

	(void)state;
	disk_start(d, 256, FEATURES | RING);
	for (i = 0; i < 70016; i++) {
		assert_true(put(d, i % 32, IN, i % SECTORS,
				d->data + 512 * (i % 32), 512, 1) >= 0);
		if (i % 32 != 31)
			continue;
		gring_kick(&d->g);
		for (unsigned int k = 0; k < 32; k++)
			assert_true(gring_await(&d->g, &written) >= 0);
		assert_memory_equal(rig_at(&d->rig, d->data),
				    d->oracle + 512 * ((i - 31) % SECTORS),
				    512);
	}
	assert_int_equal(d->g.last_used, (uint16_t)70016);
	disk_free(d);
}

/* Data only, and only what was done. */
static void test_counters(void **state)
{
	struct disk *d = disk_new(false);
	struct device_io io;

	(void)state;
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(request(d, IN, 3, d->data, 4096, 2), OK);
	assert_int_equal(request(d, OUT, 3, d->data, 1024, 1), OK);
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), OK);
	assert_int_equal(request(d, IN, SECTORS, d->data, 512, 1), IOERR);
	io = io_of(&d->rig, 0);
	assert_int_equal(io.requests, 4);
	assert_int_equal(io.read, 4096);
	assert_int_equal(io.written, 1024);
	disk_free(d);
}

static void test_get_id(void **state)
{
	struct disk *d = disk_new(false);

	(void)state;
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(request(d, GET_ID, 0, d->data, 20, 3), OK);
	assert_memory_equal(rig_at(&d->rig, d->data),
			    "cobd0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	assert_int_equal(request(d, GET_ID, 0, d->data, 19, 1), IOERR);
	disk_free(d);
}

/* Errors of one request: the device works on, the image is as before. */
static void test_refused(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t sector;
		uint32_t size;
		uint8_t status;
	} row[] = {
		{ IN, SECTORS, 512, IOERR },
		{ OUT, SECTORS, 512, IOERR },
		{ IN, SECTORS - 1, 1024, IOERR },
		{ OUT, SECTORS - 1, 1024, IOERR },
		{ IN, UINT64_MAX, 512, IOERR },
		{ OUT, UINT64_MAX / 512, 512, IOERR },
		{ OUT, 1ull << 55, 512, IOERR },
		{ IN, 0, 511, IOERR },
		{ OUT, 0, 513, IOERR },
		{ IN, 0, 0, OK },
		{ OUT, SECTORS, 0, OK },
		{ DISCARD, 0, 15, IOERR },
		{ DISCARD, 0, 32, IOERR },
		{ ZEROES, 0, 0, IOERR },
		{ 14, 0, 16, UNSUPP },
		{ 2, 0, 0, UNSUPP },
		{ 0xffffffff, 0, 0, UNSUPP },
	};
	struct disk *d = disk_new(false);
	size_t i;

	(void)state;
	disk_start(d, 128, FEATURES | RING);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (request(d, row[i].type, row[i].sector, d->data, row[i].size,
			    1) != row[i].status)
			fail_msg("row %zu: status %u", i, status_of(d, 0));
	assert_int_equal(range(d, DISCARD, SECTORS, 1, 0), IOERR);
	assert_int_equal(range(d, DISCARD, 0, 0xffffffff, 0), IOERR);
	assert_int_equal(range(d, DISCARD, UINT64_MAX, 1, 0), IOERR);
	assert_int_equal(range(d, DISCARD, 0, 8, 1), UNSUPP);
	assert_int_equal(range(d, ZEROES, 0, 8, 2), UNSUPP);
	assert_int_equal(range(d, ZEROES, 0, SECTORS + 1, 0), IOERR);
	assert_int_equal(range(d, ZEROES, 0, 0, 0), OK);
	check_image(d);
	assert_null(why(&d->rig, 0));
	disk_free(d);
}

static void test_malformed(void **state)
{
	static const struct {
		uint32_t out, in; /* bytes of the two buffers */
	} row[] = { { 15, 513 }, { 16, 0 }, { 0, 1 } };
	struct disk *d = disk_new(false);
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct buffer b[2];

		n = 0;
		if (row[i].out)
			b[n++] = (struct buffer){ d->data, row[i].out, false };
		if (row[i].in)
			b[n++] = (struct buffer){ d->data, row[i].in, true };
		disk_start(d, 128, FEATURES | RING);
		gring_add(&d->g, b, n);
		gring_kick(&d->g);
		assert_true(rig_wait(&d->rig));
		assert_non_null(strstr(why(&d->rig, 0), "without header"));
	}
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(request(d, IN, 0, d->data, 512, 1), OK);
	disk_free(d);
}

static void test_read_only(void **state)
{
	struct disk *d = disk_new(true);

	(void)state;
	assert_true(reg_read(&d->rig, 0, CO_DEV_FEATURES, 0) & 1 << 5);
	disk_start(d, 128, FLUSH | RING | 1 << 5);
	assert_int_equal(request(d, OUT, 0, d->data, 512, 1), IOERR);
	assert_int_equal(range(d, DISCARD, 0, 8, 0), IOERR);
	assert_int_equal(range(d, ZEROES, 0, 8, 0), IOERR);
	assert_int_equal(request(d, IN, 0, d->data, 512, 1), OK);
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), OK);
	check_image(d);
	assert_non_null(strstr(detail(&d->rig, 0), "read-only"));
	/* Refused by the device, not by the file. */
	assert_null(strstr(detail(&d->rig, 0), "errors"));
	disk_free(d);
}

static void test_discard_gives_space(void **state)
{
	struct disk *d = disk_new(false);
	struct stat before, after;

	(void)state;
	disk_start(d, 128, FEATURES | RING);
	fsync(d->fd);
	fstat(d->fd, &before);
	assert_int_equal(range(d, DISCARD, 0, SECTORS / 2, 0), OK);
	assert_int_equal(range(d, ZEROES, SECTORS / 2, SECTORS / 4, 1), OK);
	fstat(d->fd, &after);
	assert_true(after.st_blocks < before.st_blocks);
	assert_int_equal(after.st_size, BYTES);
	memset(d->oracle, 0, BYTES / 4 * 3);
	check_image(d);
	assert_int_equal(request(d, IN, 0, d->data, BYTES / 2, 3), OK);
	assert_memory_equal(rig_at(&d->rig, d->data), d->oracle, BYTES / 2);
	disk_free(d);
}

/* A flush is one fdatasync, after the writes that were done before. */
static void test_flush_order(void **state)
{
	struct disk *d = hooked_disk();
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_int_equal(request(d, OUT, i, d->data, 512, 1), OK);
	assert_int_equal(atomic_load(&hook.count[BLOCK_SYNC]), 0);
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), OK);
	assert_int_equal(atomic_load(&hook.count[BLOCK_SYNC]), 1);
	assert_int_equal(atomic_load(&hook.count[BLOCK_WRITE]), 5);
	assert_int_equal(hook.order[5], BLOCK_SYNC);
	hook.fail_op = BLOCK_SYNC;
	disk_start(d, 128, RING);
	assert_int_equal(request(d, OUT, 0, d->data, 512, 1), OK);
	assert_int_equal(atomic_load(&hook.count[BLOCK_WRITE_DURABLE]), 1);
	assert_int_equal(range(d, ZEROES, 0, 8, 0), OK);
	assert_int_equal(atomic_load(&hook.count[BLOCK_WRITE_DURABLE]), 2);
	disk_free(d);
}

static void test_io_error(void **state)
{
	struct disk *d = hooked_disk();

	(void)state;
	hook.fail_op = BLOCK_SYNC;
	hook.fail = EIO;
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), IOERR);
	assert_int_equal(request(d, OUT, 0, d->data, 512, 1), OK);
	hook.fail_op = BLOCK_WRITE;
	hook.fail = ENOSPC;
	assert_int_equal(request(d, OUT, 0, d->data, 512, 1), IOERR);
	assert_int_equal(request(d, IN, 0, d->data, 512, 1), OK);
	assert_non_null(strstr(detail(&d->rig, 0),
			       "2 I/O errors, the last: No space left"));
	assert_null(why(&d->rig, 0));
	disk_free(d);
}

/* What the file system can't do is done otherwise, or was advice anyway. */
static void test_unsupported(void **state)
{
	struct disk *d = hooked_disk();

	(void)state;
	hook.fail_op = BLOCK_PUNCH;
	hook.fail = EOPNOTSUPP;
	assert_int_equal(range(d, DISCARD, 0, 64, 0), OK);
	check_image(d);
	assert_int_equal(range(d, ZEROES, 0, 64, 1), OK);
	memset(d->oracle, 0, 64 * 512);
	check_image(d);
	hook.fail_op = BLOCK_ZERO;
	assert_int_equal(range(d, ZEROES, 64, 1000, 0), OK);
	memset(d->oracle + 64 * 512, 0, 1000 * 512);
	check_image(d);
	assert_int_equal(atomic_load(&hook.count[BLOCK_WRITE]), 1);
	hook.fail_op = BLOCK_SYNC;
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), IOERR);
	disk_free(d);
}

static void test_short(void **state)
{
	static const size_t most[] = { 1, 511, 512, 1000, 4096 };
	struct disk *d = hooked_disk();
	uint8_t *p = rig_at(&d->rig, d->data);
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		hook.short_bytes = most[i];
		random_data(p, 8192);
		memcpy(d->oracle + 512 * i, p, 8192);
		assert_int_equal(request(d, OUT, i, d->data, 8192, 5), OK);
		check_image(d);
		memset(p, 0, 8192);
		assert_int_equal(request(d, IN, i, d->data, 8192, 7), OK);
		assert_memory_equal(p, d->oracle + 512 * i, 8192);
	}
	disk_free(d);
}

/* The file became shorter than the guest was told. */
static void test_truncated(void **state)
{
	struct disk *d = disk_new(false);

	(void)state;
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(ftruncate(d->fd, 1024), 0);
	assert_int_equal(request(d, IN, 1, d->data, 1024, 1), IOERR);
	assert_int_equal(request(d, IN, 0, d->data, 1024, 1), OK);
	disk_free(d);
}

/* Reads that are under way when the device is reset. */
static void reset_round(struct disk *d, unsigned int round)
{
	uint8_t *p = rig_at(&d->rig, d->data);
	unsigned int i;

	disk_start(d, 128, FEATURES | RING);
	for (i = 0; i < 64; i++) {
		put(d, i, IN, i * 8, d->data + i * 4096, 4096, 3);
		if (i % 8 == 0)
			gring_kick(&d->g);
	}
	gring_kick(&d->g);
	usleep(500 * round);
	reg_write(&d->rig, 0, CO_DEV_STATUS, 0, 0);
	assert_int_equal(atomic_load(&hook.under_way), 0);
	assert_int_equal(reg_read(&d->rig, 0, CO_DEV_STATUS, 0), 0);
	memset(p, 0xa5, 64 * 4096);
	usleep(2000);
	for (i = 0; i < 64 * 4096; i++)
		assert_int_equal(p[i], 0xa5);
}

/* A reset comes back when nothing touches guest memory any more. */
static void test_reset_in_flight(void **state)
{
	struct disk *d = disk_new(false);
	unsigned int round;

	(void)state;
	block_use_engine(d->dev, &hooked);
	for (round = 0; round < 20; round++) {
		uint64_t next = d->rig.next;

		atomic_store(&hook.slow, round % 2);
		atomic_store(&hook.delay_us, 3000 * !(round % 2));
		reset_round(d, round / 2);
		d->rig.next = next;
	}
	atomic_store(&hook.slow, false);
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(request(d, IN, 0, d->data, 512, 1), OK);
	disk_free(d);
}

/* The guest makes chains available again that the device still has. */
static void test_too_many(void **state)
{
	struct disk *d = disk_new(false);
	unsigned int i;

	(void)state;
	block_use_engine(d->dev, &hooked);
	atomic_store(&hook.slow, true);
	atomic_store(&hook.frozen, true);
	disk_start(d, 8, FEATURES | RING);
	for (i = 0; i < 8; i++)
		assert_true(put(d, i, IN, i, d->data, 512, 1) >= 0);
	gring_kick(&d->g);
	for (i = 0; i < 5000 && atomic_load(&hook.under_way) < 8; i++)
		usleep(1000);
	__atomic_store_n(&d->g.avail[1], 16, __ATOMIC_RELEASE);
	queue_ring(d->dev->queue[0]);
	for (i = 0; i < 5000 && !why(&d->rig, 0); i++)
		usleep(1000);
	assert_non_null(why(&d->rig, 0));
	assert_non_null(strstr(why(&d->rig, 0), "more chains than"));
	atomic_store(&hook.frozen, false);
	disk_free(d);
}

/* Freeing the machine with I/O under way is a reset, too. */
static void test_free_in_flight(void **state)
{
	struct disk *d = hooked_disk();
	unsigned int i;

	(void)state;
	atomic_store(&hook.delay_us, 5000);
	for (i = 0; i < 32; i++)
		put(d, i, IN, i, d->data, 4096, 1);
	gring_kick(&d->g);
	disk_free(d);
	assert_int_equal(atomic_load(&hook.under_way), 0);
}

/* ---- io_uring forbidden ----------------------------------------------------- */

static void forbid_io_uring(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(2);
}

static int without_uring(void)
{
	struct disk *d;

	forbid_io_uring();
	d = disk_new(false);
	if (!strstr(detail(&d->rig, 0), "pread/pwrite"))
		return 3;
	disk_start(d, 128, FEATURES | RING);
	if (request(d, IN, 3, d->data, 4096, 2) != OK ||
	    memcmp(rig_at(&d->rig, d->data), d->oracle + 3 * 512, 4096))
		return 4;
	disk_free(d);
	return 0;
}

static void test_without_uring(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (!pid)
		_exit(without_uring());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_oracle_uring),
		cmocka_unit_test(test_oracle_uring_direct),
		cmocka_unit_test(test_oracle_plain),
		cmocka_unit_test(test_oracle_no_flush),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_get_id),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_discard_gives_space),
		cmocka_unit_test(test_flush_order),
		cmocka_unit_test(test_io_error),
		cmocka_unit_test(test_unsupported),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_reset_in_flight),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_free_in_flight),
		cmocka_unit_test(test_without_uring),
	};

	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
