/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd and its helper when that ends, hangs, or lies: qemu-storage-daemon itself, and
 * lying-qemu-storage-daemon in its place.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "lies.h"
#include "../../tools/devices/block_device.h"
#include "../../tools/devices/storage.h"

/* What it had, and what comes: I/O errors, and the device lives. */
static void test_killed(void **state)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path };
	uint32_t written;
	unsigned int i;
	pid_t helper;

	(void)state;
	opt.overlay = disk_path(d, ".mine");
	disk_add(d, &opt);
	disk_start(d, 64, FEATURES | RING);
	assert_int_equal(request(d, IN, 8, d->data, 4096, 1), OK);
	helper = (pid_t)block_of(d->dev)->image.storage->helper.child.pid;
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
	pid_t helper = (pid_t)block_of(d->dev)->image.storage->helper.child.pid;
	int status;

	assert_int_equal(kill(helper, SIGSTOP), 0);
	assert_int_equal(waitpid(helper, &status, WUNTRACED), helper);
}

static struct disk *overlay_disk(void)
{
	struct disk *d = disk_begin();
	struct block_options opt = { .path = d->path };

	opt.overlay = disk_path(d, ".mine");
	disk_add(d, &opt);
	disk_start(d, 64, FEATURES | RING);
	assert_int_equal(request(d, IN, 8, d->data, 4096, 1), OK);
	return d;
}

static void overlay_disk_free(struct disk *d)
{
	unlink(disk_path(d, ".mine"));
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
	pid_t helper = (pid_t)block_of(d->dev)->image.storage->helper.child.pid;
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
	disk_stop(d);
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
	opt.overlay = disk_path(d, ".mine");
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		disk_add(d, &opt);
		helper = (pid_t)block_of(d->dev)->image.storage->helper.child.pid;
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

/* ---- a helper that lies ------------------------------------------------------ */

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

		set_lie("qemu-storage-daemon", lies[i]);
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
	set_lie("qemu-storage-daemon", "type");
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
		set_lie("qemu-storage-daemon", lie[i][0]);
		disk_refused(&opt, lie[i][1]);
	}
	disk_free(d);
}

/* An overlay that was made for a helper which then doesn't take it goes again. */
static void test_nothing_left(void **state)
{
	struct disk *d = disk_begin();
	char *over = disk_path(d, ".mine");
	struct block_options opt = { .path = d->path, .overlay = over };

	(void)state;
	set_lie("qemu-storage-daemon", "leaves");
	disk_refused(&opt, "I don't like this image");
	assert_int_equal(access(over, F_OK), -1);
	disk_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_hangs_idle),
		cmocka_unit_test(test_does_not_go),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_lie_type),
		cmocka_unit_test(test_lies_at_first),
		cmocka_unit_test(test_nothing_left),
	};

	return cmocka_run_group_tests_name("helper", tests, NULL, remove_lies);
}
