/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What may be an image, and that two can't have it at once.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "driver.h"

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%.63s/%.40s", folder, name);
	return path;
}

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%.40s/image-XXXXXX",
		 tmp ? tmp : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

static void make_file(const char *name, off_t size)
{
	int fd = open(in_folder(name), O_CREAT | O_RDWR | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

/* Creates and frees a device; the error's text (static), or NULL. */
static const char *try_image(const char *path, bool read_only)
{
	struct block_options opt = { .path = path, .read_only = read_only };
	static char text[300];
	struct error *err = NULL;
	struct device *dev;
	struct rig rig;

	rig_init(&rig);
	dev = block_create(rig.m, "cobd3", &opt, &err);
	assert_int_equal(!dev, err != NULL);
	assert_int_equal(machine_devices(rig.m), dev ? 1 : 0);
	rig_free(&rig);
	if (!err)
		return NULL;
	snprintf(text, sizeof(text), "%s", err->text);
	error_free(&err);
	return text;
}

static void expect(const char *path, bool read_only, const char *wanted)
{
	const char *text = try_image(path, read_only);

	if (!text || !strstr(text, wanted))
		fail_msg("'%s', not '%s'", text ? text : "no error", wanted);
	assert_memory_equal(text, path, strlen(path));
}

static void test_sizes(void **state)
{
	(void)state;
	make_file("good", 512);
	assert_null(try_image(in_folder("good"), false));
	assert_null(try_image(in_folder("good"), true));
	make_file("odd", 513);
	expect(in_folder("odd"), false, "513 bytes is not a multiple of 512");
	make_file("empty", 0);
	expect(in_folder("empty"), false, "is empty");
}

static void test_types(void **state)
{
	(void)state;
	expect(in_folder("missing"), false, "No such file");
	expect(folder, false, "is a directory");
	expect(folder, true, "is a directory");
	assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
	expect(in_folder("pipe"), false, "is a named pipe");
	expect("/dev/null", false, "is a character device");
}

static void as_nobody(const char *path)
{
	if (geteuid() == 0 && setuid(65534))
		_exit(2);
	expect(path, false, "cannot be opened for writing; make it writable");
	assert_null(try_image(path, true));
	_exit(0);
}

static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void test_not_writable(void **state)
{
	pid_t pid;

	(void)state;
	make_file("ro", 1024);
	chmod(in_folder("ro"), 0444);
	chmod(folder, 0755);
	pid = fork();
	if (!pid)
		as_nobody(in_folder("ro"));
	assert_int_equal(wait_for(pid), 0);
}

/* Another process that holds the image until its pipe is closed. */
static pid_t hold(const char *path, bool read_only, int *release)
{
	int ready[2], end[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready) | pipe(end), 0);
	pid = fork();
	if (!pid) {
		struct block_options opt = { .path = path, .read_only = read_only };
		struct error *err = NULL;
		struct rig rig;

		close(end[1]);
		rig_init(&rig);
		if (!block_create(rig.m, "cobd0", &opt, &err))
			_exit(1);
		if (write(ready[1], "x", 1) != 1 || read(end[0], &c, 1) != 0)
			_exit(2);
		rig_free(&rig);
		_exit(0);
	}
	close(end[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*release = end[1];
	return pid;
}

static void test_lock(void **state)
{
	char wanted[64];
	int release;
	pid_t pid;

	(void)state;
	make_file("locked", 4096);
	pid = hold(in_folder("locked"), false, &release);
	snprintf(wanted, sizeof(wanted), ": locked by process %d", pid);
	expect(in_folder("locked"), false, wanted);
	expect(in_folder("locked"), true, wanted);
	close(release);
	assert_int_equal(wait_for(pid), 0);
	assert_null(try_image(in_folder("locked"), false));
}

static void test_shared_lock(void **state)
{
	char wanted[64];
	int release;
	pid_t pid;

	(void)state;
	make_file("shared", 4096);
	pid = hold(in_folder("shared"), true, &release);
	assert_null(try_image(in_folder("shared"), true));
	snprintf(wanted, sizeof(wanted), ": locked by process %d", pid);
	expect(in_folder("shared"), false, wanted);
	close(release);
	assert_int_equal(wait_for(pid), 0);
}

/* The lock is the file's, whatever its name; and one VM can't have it twice. */
static void test_own_lock(void **state)
{
	char path[128], link_path[128];
	struct block_options opt = { .path = path };
	struct block_options again = { .path = link_path };
	struct error *err = NULL;
	struct rig rig;

	(void)state;
	make_file("twice", 4096);
	strcpy(path, in_folder("twice"));
	strcpy(link_path, in_folder("other-name"));
	assert_int_equal(link(path, link_path), 0);
	rig_init(&rig);
	assert_non_null(block_create(rig.m, "cobd0", &opt, &err));
	assert_null(block_create(rig.m, "cobd1", &again, &err));
	assert_non_null(strstr(err->text, "another device of this VM"));
	error_free(&err);
	rig_free(&rig);
}

/* A loop device of the host; false where there is none to be had. */
static bool make_loop(const char *image, const char *options, char *device,
		      int size)
{
	char command[200], *end;
	FILE *f;

	snprintf(command, sizeof(command), "losetup %s -f --show '%.120s' 2>&1",
		 options, image);
	f = popen(command, "r");
	if (!f)
		return false;
	end = fgets(device, size, f);
	if (pclose(f) || !end)
		return false;
	device[strcspn(device, "\n")] = 0;
	return true;
}

static void drop_loop(const char *device)
{
	char command[200];

	snprintf(command, sizeof(command), "losetup -d '%.120s'", device);
	assert_int_equal(system(command), 0);
}

/* O_EXCL is what a mount has. */
static void test_host_device(void **state)
{
	char device[128];
	int fd;

	(void)state;
	make_file("disk", 1 << 20);
	if (!make_loop(in_folder("disk"), "", device, sizeof(device)))
		skip();
	assert_null(try_image(device, false));
	fd = open(device, O_RDWR | O_EXCL);
	assert_true(fd >= 0);
	expect(device, false, "in use by the host (mounted");
	assert_null(try_image(device, true));
	close(fd);
	drop_loop(device);
}

static void test_read_only_host_device(void **state)
{
	char device[128];

	(void)state;
	make_file("disk", 1 << 20);
	if (!make_loop(in_folder("disk"), "-r", device, sizeof(device)))
		skip();
	expect(device, false, "cannot be opened for writing; make it writable");
	assert_null(try_image(device, true));
	drop_loop(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_not_writable),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_shared_lock),
		cmocka_unit_test(test_own_lock),
		cmocka_unit_test(test_host_device),
		cmocka_unit_test(test_read_only_host_device),
	};

	return cmocka_run_group_tests_name("image", tests, make_folder,
					   remove_folder);
}
