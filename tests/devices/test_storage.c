/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd on images that qemu-storage-daemon serves, the real one: formats, overlay,
 * NBD; and its death.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "../../tools/devices/block_device.h"
#include "../../tools/devices/storage.h"

static void run(const char *format, const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), format, a, b);
	if (system(command))
		fail_msg("failed: %s", command);
}

static char *with_suffix(const struct disk *d, const char *suffix)
{
	static char path[4][100];
	static unsigned int next;
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s%s", d->path, suffix);
	return p;
}

/* The image in raw is what the oracle says. */
static void check_raw(struct disk *d, const char *path)
{
	char *raw = with_suffix(d, ".raw");
	uint8_t *now = malloc(BYTES);
	FILE *f;

	run("qemu-img convert -O raw %s %s", path, raw);
	f = fopen(raw, "r");
	assert_non_null(f);
	assert_int_equal(fread(now, 1, BYTES, f), BYTES);
	assert_memory_equal(now, d->oracle, BYTES);
	fclose(f);
	unlink(raw);
	free(now);
}

/* Ends the helper, too: the image is nobody's then. */
static void stop(struct disk *d)
{
	machine_free(d->rig.m);
	d->rig.m = NULL;
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
	char *path = with_suffix(d, format), command[64];
	struct block_options opt = { .path = path, .format = format };

	snprintf(command, sizeof(command),
		 "qemu-img convert -f raw -O %s %%s %%s", format);
	run(command, d->path, path);
	disk_add(d, &opt);
	assert_non_null(strstr(detail(&d->rig, 0), "qemu-storage-daemon"));
	assert_int_equal(config_read(&d->rig, 0, 0, 8), SECTORS);
	random_requests(d, 128, features);
	stop(d);
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
	opt.overlay = with_suffix(d, ".mine");
	disk_add(d, &opt);
	other = disk_begin();
	opt.overlay = with_suffix(d, ".other");
	disk_add(other, &opt);
	memcpy(other->oracle, base, BYTES);
	random_requests(d, 128, FEATURES | RING);
	random_requests(other, 64, FEATURES | RING);
	stop(d);
	stop(other);
	check_raw(d, with_suffix(d, ".mine"));
	check_raw(other, with_suffix(d, ".other"));
	memcpy(d->oracle, base, BYTES);
	check_image(d);
	unlink(with_suffix(d, ".mine"));
	unlink(with_suffix(d, ".other"));
	disk_free(d);
	disk_free(other);
	free(base);
}

/* What is discarded is given back by the file. */
static void test_discard(void **state)
{
	struct disk *d = disk_begin();
	char *path = with_suffix(d, ".qcow2");
	struct block_options opt = { .path = path, .format = "qcow2" };
	struct stat full, trimmed;

	(void)state;
	run("qemu-img convert -f raw -O qcow2 %s %s", d->path, path);
	disk_add(d, &opt);
	disk_start(d, 128, FEATURES | RING);
	assert_int_equal(stat(path, &full), 0);
	assert_int_equal(range(d, DISCARD, 0, SECTORS / 2, 0), OK);
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), OK);
	assert_int_equal(stat(path, &trimmed), 0);
	assert_in_range(full.st_blocks - trimmed.st_blocks, SECTORS / 2 - 256,
			SECTORS / 2);
	memset(d->oracle, 0, BYTES / 2);
	stop(d);
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
	opt.overlay = with_suffix(d, ".mine");
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
	opt.overlay = with_suffix(d, ".mine");
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

/* What it had, and what comes: I/O errors, and the device lives. */
static void test_killed(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path };
	uint32_t written;
	unsigned int i;
	pid_t helper;

	(void)state;
	opt.overlay = with_suffix(d, ".mine");
	disk_add(d, &opt);
	disk_start(d, 64, FEATURES | RING);
	assert_int_equal(request(d, IN, 8, d->data, 4096, 1), OK);
	helper = (pid_t)block_of(d->dev)->image.storage->helper.pid;
	assert_int_equal(kill(helper, SIGSTOP), 0);
	for (i = 0; i < 20; i++)
		assert_true(put(d, i, i % 2 ? IN : OUT, 0, d->data, 8192, 2) >=
			    0);
	gring_kick(&d->g);
	usleep(50000);
	assert_int_equal(gring_get(&d->g, &written), -1);
	assert_int_equal(kill(helper, SIGKILL), 0);
	for (i = 0; i < 20; i++)
		assert_true(gring_await(&d->g, &written) >= 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(status_of(d, i), IOERR);
	assert_int_equal(request(d, OUT, 8, d->data, 4096, 1), IOERR);
	assert_int_equal(request(d, T_FLUSH, 0, 0, 0, 0), IOERR);
	assert_null(why(&d->rig, 0));
	assert_non_null(strstr(detail(&d->rig, 0), "ended by signal 9, "));
	assert_non_null(strstr(detail(&d->rig, 0), "I/O errors"));
	unlink(opt.overlay);
	disk_free(d);
}

static void stop_helper(struct disk *d)
{
	pid_t helper = (pid_t)block_of(d->dev)->image.storage->helper.pid;
	int status;

	assert_int_equal(kill(helper, SIGSTOP), 0);
	assert_int_equal(waitpid(helper, &status, WUNTRACED), helper);
}

static struct disk *overlay_disk(void)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path };

	opt.overlay = with_suffix(d, ".mine");
	disk_add(d, &opt);
	disk_start(d, 64, FEATURES | RING);
	assert_int_equal(request(d, IN, 8, d->data, 4096, 1), OK);
	return d;
}

static void overlay_disk_free(struct disk *d)
{
	unlink(with_suffix(d, ".mine"));
	disk_free(d);
}

/* A helper that hangs and keeps its socket. `colinux info` tells of it; a device that
 * stops gives it up, and the requests have failed. */
static void test_hangs(void **state)
{
	struct disk *d = overlay_disk();
	unsigned int i;

	(void)state;
	stop_helper(d);
	for (i = 0; i < 20; i++)
		assert_true(put(d, i, i % 2 ? IN : OUT, 0, d->data, 8192, 2) >=
			    0);
	gring_kick(&d->g);
	assert_null(strstr(detail(&d->rig, 0), "wait"));
	sleep(3);
	assert_non_null(strstr(detail(&d->rig, 0), "20 requests wait for "));
	reg_write(&d->rig, 0, CO_DEV_STATUS, 0, 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(status_of(d, i), IOERR);
	assert_non_null(strstr(detail(&d->rig, 0),
			       "qemu-storage-daemon didn't answer and was killed, 20 I/O errors"));
	disk_start(d, 64, FEATURES | RING);
	assert_non_null(strstr(why(&d->rig, 0), "cannot start I/O: "));
	overlay_disk_free(d);
}

/* The same with nothing under way: the next start finds it out. */
static void test_hangs_idle(void **state)
{
	struct disk *d = overlay_disk();

	(void)state;
	stop_helper(d);
	reg_write(&d->rig, 0, CO_DEV_STATUS, 0, 0);
	disk_start(d, 64, FEATURES | RING);
	assert_non_null(strstr(why(&d->rig, 0), "cannot start I/O: "));
	assert_non_null(strstr(detail(&d->rig, 0), "didn't answer and was killed"));
	overlay_disk_free(d);
}

/* One that isn't gone when it's killed: here because somebody else traces it, else
 * because the host's kernel waits for a disk. */
static void test_does_not_go(void **state)
{
	struct disk *d = overlay_disk();
	pid_t helper = (pid_t)block_of(d->dev)->image.storage->helper.pid;
	pid_t tracer = fork();
	int status;

	(void)state;
	if (!tracer) {
		if (ptrace(PTRACE_SEIZE, helper, 0, 0))
			_exit(1);
		kill(getpid(), SIGSTOP);
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(tracer, &status, WUNTRACED), tracer);
	assert_true(WIFSTOPPED(status));
	stop(d);
	assert_int_equal(kill(helper, 0), 0);
	kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, &status, 0), tracer);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	overlay_disk_free(d);
}

/* A program that is run and doesn't come to its end. */
static void test_endless(void **state)
{
	char *const endless[] = { "sleep", "1000", NULL };
	char *const quick[] = { "true", NULL };
	struct error *err = NULL;

	(void)state;
	assert_int_equal(child_run(quick, 0, &err), 0);
	assert_int_equal(child_run(quick, 10, &err), 0);
	assert_int_equal(child_run(endless, 1, &err), -1);
	assert_string_equal(err->text, "sleep: hasn't ended after 1 seconds, and was killed");
	error_free(&err);
}

/* A zombie, if init leaves one, is dead enough. */
static bool alive(pid_t pid)
{
	char path[64], line[200] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = 0;
	fclose(f);
	return *line && !strstr(line, ") Z");
}

/* The helper goes with a daemon that dies without a word. */
static void test_orphan(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .format = "raw" };
	unsigned int patience = 500;
	int fds[2], status;
	pid_t child, helper;

	(void)state;
	opt.overlay = with_suffix(d, ".mine");
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		disk_add(d, &opt);
		helper = (pid_t)block_of(d->dev)->image.storage->helper.pid;
		if (write(fds[1], &helper, sizeof(helper)) == sizeof(helper))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(read(fds[0], &helper, sizeof(helper)), sizeof(helper));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (alive(helper) && patience--)
		usleep(10000);
	assert_false(alive(helper));
	close(fds[0]);
	close(fds[1]);
	unlink(opt.overlay);
	disk_free(d);
}

/* ---- what can't be opened --------------------------------------------------- */

static void refused(const struct block_options *opt, const char *said)
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
	refused(&opt, "not in qcow2 format");
	opt.part = 1;
	refused(&opt, "part= is for raw images");
	refused(&(struct block_options){ .path = "/nowhere/x", .format = "vmdk" },
		"No such file");
	refused(&(struct block_options){ .path = "nbd://" }, "is none of nbd://");
	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		refused(&(struct block_options){ .path = urls[i] },
			"is none of nbd://");
	/* A comma is the host's, not the beginning of another word for the helper. */
	refused(&(struct block_options){ .path = "nbd://no,such=host:1/x,y" },
		"no,such=host");
	refused(&(struct block_options){ .path = "nbd+unix:///x?socket=/nowhere" },
		"nowhere");
	opt = (struct block_options){ .path = d->path,
				      .overlay = "/nowhere/overlay" };
	refused(&opt, "overlay=/nowhere/overlay");
	disk_free(d);
}

/* ---- a helper that lies ------------------------------------------------------ */

static char lies_folder[64];

static int remove_lies(void **state)
{
	(void)state;
	run("rm -r '%s'%s", lies_folder, "");
	return 0;
}

static void set_lie(const char *lie)
{
	static char path[4096];

	if (!*path) {
		char *here = realpath(getenv("LYING_HELPER"), NULL);

		assert_non_null(here);
		strcpy(lies_folder, "/tmp/lying-XXXXXX");
		assert_non_null(mkdtemp(lies_folder));
		run("ln -s %s %s/qemu-storage-daemon", here,
		    lies_folder);
		snprintf(path, sizeof(path), "%s:%s", lies_folder,
			 getenv("PATH"));
		free(here);
	}
	setenv("PATH", path, 1);
	setenv("LIE", lie, 1);
}

/* A lie about the queue: I/O errors, for that and all that comes. */
static void test_lies(void **state)
{
	static const char *const lies[] = { "head", "unaligned", "stranger",
					    "twice", "ahead", "garbage",
					    "speaks" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct disk *d = disk_begin();
		struct block_options opt = { .path = d->path, .format = "qcow2" };

		set_lie(lies[i]);
		disk_add(d, &opt);
		disk_start(d, 64, FEATURES | RING);
		assert_int_equal(request(d, OUT, 8, d->data, 4096, 1), IOERR);
		assert_int_equal(request(d, IN, 8, d->data, 4096, 1), IOERR);
		assert_null(why(&d->rig, 0));
		disk_free(d);
	}
}

/* What it writes into the requests doesn't make us ask again and again. */
static void test_lie_type(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .format = "qcow2" };

	(void)state;
	set_lie("type");
	disk_add(d, &opt);
	disk_start(d, 64, RING);
	assert_int_equal(request(d, OUT, 8, d->data, 4096, 1), OK);
	assert_int_equal(request(d, OUT, 8, d->data, 4096, 1), OK);
	disk_free(d);
}

/* One about itself: it isn't taken at all. */
static void test_lies_at_first(void **state)
{
	static const char *const lie[][2] = {
		{ "empty", "its size can't be" },
		{ "huge", "its size can't be" },
		{ "block", "its size can't be" },
		{ "answer", "Protocol error" },
		{ "size", "Protocol error" },
		{ "leaves", "ended with status 1: I don't like this image" },
	};
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path, .format = "qcow2" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
		set_lie(lie[i][0]);
		refused(&opt, lie[i][1]);
	}
	disk_free(d);
}

/* A VM that isn't started after all leaves no overlay, but one that was there. */
static void test_nothing_left(void **state)
{
	struct disk *d = disk_begin();
	char *over = with_suffix(d, ".mine");
	struct block_options opt = { .path = d->path, .overlay = over };
	struct error *err = NULL;
	int i;

	(void)state;
	assert_non_null(block_create(d->rig.m, "cobd0", &opt, &err));
	assert_int_equal(access(over, F_OK), 0);
	stop(d);
	assert_int_equal(access(over, F_OK), -1);
	for (i = 0; i < 2; i++) {
		rig_free(&d->rig);
		rig_init(&d->rig);
		d->dev = block_create(d->rig.m, "cobd0", &opt, &err);
		assert_non_null(d->dev);
		if (!i)
			block_keep(d->rig.m);
		stop(d);
		assert_int_equal(access(over, F_OK), 0);
	}
	unlink(over);
	/* The helper doesn't take it. */
	set_lie("leaves");
	refused(&opt, "I don't like this image");
	assert_int_equal(access(over, F_OK), -1);
	disk_free(d);
}

/* NBD by another qemu-storage-daemon. */
static void test_nbd(void **state)
{
	struct disk *d = disk_begin();
	char url[200], file[200], server[200], *socket = with_suffix(d, ".nbd");
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
	stop(d);
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
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_hangs_idle),
		cmocka_unit_test(test_does_not_go),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nbd),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_lie_type),
		cmocka_unit_test(test_lies_at_first),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL,
					   remove_lies);
}
