/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd on images that qemu-storage-daemon serves, the real one: formats, overlay,
 * NBD. What becomes of it is in test_helper.c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "../../tools/devices/storage.h"

/* The image in raw is what the oracle says. */
static void check_raw(struct disk *d, const char *path)
{
	char *raw = disk_path(d, ".raw");
	uint8_t *now = malloc(BYTES);
	FILE *f;

	disk_shell("qemu-img convert -O raw %s %s", path, raw);
	f = fopen(raw, "r");
	assert_non_null(f);
	assert_int_equal(fread(now, 1, BYTES, f), BYTES);
	assert_memory_equal(now, d->oracle, BYTES);
	fclose(f);
	unlink(raw);
	free(now);
}

static void random_requests(struct disk *d, uint16_t ring, uint64_t features)
{
	unsigned int i;

	srand(2);
	d->discards_some = true;
	disk_start(d, ring, features);
	for (i = 0; i < 600; i++)
		disk_random(d);
	assert_null(why(&d->rig, 0));
	assert_null(strstr(detail(&d->rig, 0), "I/O error"));
}

static void oracle(const char *format, uint64_t features)
{
	struct disk *d = disk_begin();
	char *path = disk_path(d, format), command[64];
	struct block_options opt = { .path = path, .format = format };

	snprintf(command, sizeof(command),
		 "qemu-img convert -f raw -O %s %%s %%s", format);
	disk_shell(command, d->path, path);
	disk_add(d, &opt);
	assert_non_null(strstr(detail(&d->rig, 0), "qemu-storage-daemon"));
	assert_int_equal(config_read(&d->rig, 0, 0, 8), SECTORS);
	random_requests(d, 128, features);
	disk_stop(d);
	check_raw(d, path);
	unlink(path);
	disk_free(d);
}

static void test_qcow2(void **state)
{
	(void)state;
	oracle("qcow2", FEATURES | RING);
}

static void test_vmdk(void **state)
{
	(void)state;
	oracle("vmdk", FEATURES | RING);
}

static void test_vhdx(void **state)
{
	(void)state;
	oracle("vhdx", FEATURES);
}

/* Each write is durable by itself: a write and a flush for the helper. */
static void test_no_flush(void **state)
{
	(void)state;
	oracle("qcow2", RING);
}

/* The base stays as it was, and two may share it. */
static void test_overlay(void **state)
{
	struct disk *d = disk_begin(), *other;
	struct block_options opt = { .path = d->path };
	uint8_t *base = malloc(BYTES);

	(void)state;
	memcpy(base, d->oracle, BYTES);
	opt.overlay = disk_path(d, ".mine");
	disk_add(d, &opt);
	other = disk_begin();
	opt.overlay = disk_path(d, ".other");
	disk_add(other, &opt);
	memcpy(other->oracle, base, BYTES);
	random_requests(d, 128, FEATURES | RING);
	random_requests(other, 64, FEATURES | RING);
	disk_stop(d);
	disk_stop(other);
	check_raw(d, disk_path(d, ".mine"));
	check_raw(other, disk_path(d, ".other"));
	memcpy(d->oracle, base, BYTES);
	check_image(d);
	unlink(disk_path(d, ".mine"));
	unlink(disk_path(d, ".other"));
	disk_free(d);
	disk_free(other);
	free(base);
}

/* What is discarded is given back by the file. */
static void test_discard(void **state)
{
	struct disk *d = disk_begin();
	char *path = disk_path(d, ".qcow2");
	struct block_options opt = { .path = path, .format = "qcow2" };
	struct stat full, trimmed;

	(void)state;
	disk_shell("qemu-img convert -f raw -O qcow2 %s %s", d->path, path);
	disk_add(d, &opt);
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(stat(path, &full), 0);
	assert_int_equal(range(d, DISCARD, 0, SECTORS / 2, 0), OK);
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), OK);
	assert_int_equal(stat(path, &trimmed), 0);
	assert_in_range(full.st_blocks - trimmed.st_blocks, SECTORS / 2 - 256,
			SECTORS / 2);
	memset(d->oracle, 0, BYTES / 2);
	disk_stop(d);
	check_raw(d, path);
	unlink(path);
	disk_free(d);
}

/* More at once than the helper has room for, each larger than its pieces. */
static void test_many(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path };
	unsigned int i;
	uint32_t written;

	(void)state;
	opt.overlay = disk_path(d, ".mine");
	disk_add(d, &opt);
	disk_start(d, 256, FEATURES | RING);
	for (i = 0; i < 100; i++)
		assert_true(put(d, i, IN, 0, d->data, BYTES, 3) >= 0);
	gring_kick(&d->g);
	for (i = 0; i < 100; i++) {
		assert_true(gring_await(&d->g, &written) >= 0);
		assert_int_equal(written, BYTES + 1);
	}
	for (i = 0; i < 100; i++)
		assert_int_equal(status_of(d, i), OK);
	assert_memory_equal(rig_at(&d->rig, d->data), d->oracle, BYTES);
	unlink(opt.overlay);
	disk_free(d);
}

/* A reset connects anew. */
static void test_reset(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path };
	unsigned int i;

	(void)state;
	opt.overlay = disk_path(d, ".mine");
	disk_add(d, &opt);
	for (i = 0; i < 20; i++) {
		disk_start(d, 64, FEATURES | RING);
		assert_int_equal(request(d, IN, 8, d->data, 4096, 1), OK);
		reg_write(&d->rig, 0, CO_DEV_STATUS, 0, 0);
	}
	assert_null(why(&d->rig, 0));
	unlink(opt.overlay);
	disk_free(d);
}

/* ---- what can't be opened --------------------------------------------------- */

static void test_refused(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .format = "qcow2" };
	static const char *const urls[] = {
		"nbd://h:1,server.type=unix/x", "nbd://h:0/x", "nbd://h:65536/x",
		"nbd://h:/x", "nbd://h:1x/y", "nbd://h:99999999999/x",
		"nbd://[::1]x/y", "nbd://[::1],y=z",
	};
	size_t i;

	(void)state;
	disk_refused(&opt, "not in qcow2 format");
	opt.part = 1;
	disk_refused(&opt, "part= is for raw images");
	disk_refused(&(struct block_options){ .path = "/nowhere/x", .format = "vmdk" },
		"No such file");
	disk_refused(&(struct block_options){ .path = "nbd://" }, "is none of nbd://");
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		disk_refused(&(struct block_options){ .path = urls[i] },
			"is none of nbd://");
	/* A comma is the host's, not the beginning of another word for the helper. */
	disk_refused(&(struct block_options){ .path = "nbd://no,such=host:1/x,y" },
		"no,such=host");
	disk_refused(&(struct block_options){ .path = "nbd+unix:///x?socket=/nowhere" },
		"nowhere");
	opt = (struct block_options){ .path = d->path,
				      .overlay = "/nowhere/overlay" };
	disk_refused(&opt, "overlay=/nowhere/overlay");
	disk_free(d);
}

/* A VM that isn't started after all leaves no overlay, but one that was there. */
static void test_nothing_left(void **state)
{
	struct disk *d = disk_begin();
	char *over = disk_path(d, ".mine");
	struct block_options opt = { .path = d->path, .overlay = over };
	struct error *err = NULL;
	int i;

	(void)state;
	assert_non_null(block_create(d->rig.m, "cobd0", &opt, &err));
	assert_int_equal(access(over, F_OK), 0);
	disk_stop(d);
	assert_int_equal(access(over, F_OK), -1);
	for (i = 0; i < 2; i++) {
		rig_free(&d->rig);
		rig_init(&d->rig);
		d->dev = block_create(d->rig.m, "cobd0", &opt, &err);
		assert_non_null(d->dev);
		if (!i)
			block_keep(d->rig.m);
		disk_stop(d);
		assert_int_equal(access(over, F_OK), 0);
	}
	unlink(over);
	disk_free(d);
}

/* NBD by another qemu-storage-daemon. */
static void test_nbd(void **state)
{
	struct disk *d = disk_begin();
	char url[200], file[200], server[200], *socket = disk_path(d, ".nbd");
	char *const argv[] = { "qemu-storage-daemon", "--blockdev", file,
			       "--nbd-server", server, "--export",
			       "type=nbd,id=e,node-name=disk,name=disk,writable=on",
			       NULL };
	struct block_options opt = { .path = url };
	unsigned int patience = 500;
	struct error *err = NULL;
	struct child h;

	(void)state;
	snprintf(url, sizeof(url), "nbd+unix:///disk?socket=%s", socket);
	snprintf(file, sizeof(file),
		 "driver=file,node-name=disk,discard=unmap,filename=%s", d->path);
	snprintf(server, sizeof(server), "addr.type=unix,addr.path=%s", socket);
	assert_int_equal(child_listen(&h, &err), 0);
	assert_int_equal(child_start(&h, argv, &err), 0);
	while (access(socket, F_OK) && patience--)
		usleep(10000);
	disk_add(d, &opt);
	random_requests(d, 128, FEATURES | RING);
	disk_stop(d);
	child_free(&h);
	check_image(d);
	unlink(socket);
	disk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qcow2),
		cmocka_unit_test(test_vmdk),
		cmocka_unit_test(test_vhdx),
		cmocka_unit_test(test_no_flush),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_discard),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nbd),
		cmocka_unit_test(test_nothing_left),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
