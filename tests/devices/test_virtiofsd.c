/* SPDX-License-Identifier: GPL-2.0 */
/* cofs by the real virtiofsd, spoken to by hand. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"

/* How many have `words` in their command line. With `kill_all` they are killed, at once
 * since they are a group. */
static unsigned int processes(const char *words, bool kill_all)
{
	char command[256], line[64];
	unsigned int n = 0;
	pid_t group;
	FILE *list;

	snprintf(command, sizeof(command), "grep -lsaF '%s' /proc/[0-9]*/cmdline",
		 words);
	list = popen(command, "r");
	while (fgets(line, sizeof(line), list)) {
		int pid = atoi(line + strlen("/proc/"));
		char exe[64], target[64] = "";

		snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
		if (readlink(exe, target, sizeof(target) - 1) < 0 ||
		    !strstr(target, "virtiofsd"))
			continue;
		n++;
		group = kill_all ? getpgid(pid) : 0;
		if (group > 1)
			kill(-group, SIGKILL);
	}
	pclose(list);
	return n;
}

static bool begin_real(const char *cache)
{
	if (geteuid()) {
		print_message("# virtiofsd needs root\n");
		return false;
	}
	begin();
	if (make(cache))
		return true;
	assert_non_null(strstr(f->err->text, "there is no virtiofsd"));
	print_message("# %s\n", f->err->text);
	error_free(&f->err);
	end();
	return false;
}

#define SKIP_UNLESS(real) \
	do {              \
		if (!(real)) \
			skip(); \
	} while (0)

static void init(void)
{
	const uint32_t in[4] = { 7, 36, 1 << 20, 0 };
	struct answer *a = say(26, in, sizeof(in), 16 + 64, 4096);

	assert_int_equal(a->error, 0);
	assert_int_equal(((uint32_t *)a->body)[0], 7);
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static uint32_t mode_of_root(void)
{
	uint64_t in[2] = { 0 };
	struct answer *a = say(3, in, sizeof(in), 16 + 104, 4096);
	uint32_t mode;

	assert_int_equal(a->error, 0);
	memcpy(&mode, a->body + 16 + 60, sizeof(mode));
	return mode;
}

/* LOOKUP, OPEN, READ, and FORGET by the queue for that. */
static void read_file(const char *name, const char *text)
{
	uint32_t open_in[2] = { 0 }, read_in[10] = { 0 }, length;
	uint64_t once = 1;
	struct answer *a = say(1, name, (uint32_t)strlen(name) + 1, 16 + 128, 50);

	assert_int_equal(a->error, 0);
	memcpy(&f->node, a->body, sizeof(f->node));
	a = say(14, open_in, sizeof(open_in), 32, 64);
	assert_int_equal(a->error, 0);
	memcpy(read_in, a->body, 8);
	read_in[4] = 4096;
	a = say(15, read_in, sizeof(read_in), 16 + 4096, 1000);
	assert_int_equal(a->length, 16 + strlen(text));
	assert_memory_equal(a->body, text, strlen(text));
	put(0, 0, FORGET, &once, sizeof(once), 0, 64);
	await_answer(0, &length);
	assert_int_equal(length, 0);
	f->node = 1;
}

static void test_real(void **state)
{
	struct stat st;
	int i;

	(void)state;
	SKIP_UNLESS(begin_real(NULL));
	write_file("hello", "from the host");
	assert_int_equal(stat(f->path, &st), 0);
	/* A reset has a new one. */
	for (i = 0; i < 3; i++) {
		start(i % 2 ? 0 : RING);
		init();
		assert_int_equal(mode_of_root(), st.st_mode);
		read_file("hello", "from the host");
		assert_int_equal(say(1, "none", 5, 16 + 128, 64)->error, -2);
		stop();
	}
	assert_null(why(&f->rig, 0));
	assert_null(strstr(detail(&f->rig, 0), "gone"));
	end();
}

/* It serves from a child of its own: nothing of both is left. */
static void test_real_leaves_nothing(void **state)
{
	char word[80];

	(void)state;
	SKIP_UNLESS(begin_real("none"));
	snprintf(word, sizeof(word), "%s", strchr(f->path, ',') + 1);
	start(RING);
	init();
	assert_int_equal(processes(word, false), 2);
	stop();
	assert_int_equal(processes(word, false), 0);
	start(RING);
	init();
	end();
	assert_int_equal(processes(word, false), 0);
}

static void test_real_killed(void **state)
{
	(void)state;
	SKIP_UNLESS(begin_real("always"));
	start(RING);
	init();
	assert_int_not_equal(processes(strchr(f->path, ',') + 1, true), 0);
	fails_now();
	fails_now();
	detail_has(", gone: virtiofsd ended by signal 9");
	assert_null(why(&f->rig, 0));
	stop();
	start(RING);
	init();
	assert_null(strstr(detail(&f->rig, 0), "gone"));
	end();
}

/* What it says itself is in the error, with the path. */
static void test_real_refuses(void **state)
{
	(void)state;
	SKIP_UNLESS(begin_real(NULL));
	end();
	begin();
	assert_null(make("sometimes"));
	assert_non_null(strstr(f->err->text, f->path));
	assert_non_null(strstr(f->err->text, "virtiofsd ended with status 1"));
	print_message("# %s\n", f->err->text);
	error_free(&f->err);
	end();
}

/* A daemon that isn't root is told so. */
static void test_real_needs_root(void **state)
{
	pid_t child;
	int status;

	(void)state;
	SKIP_UNLESS(begin_real(NULL));
	end();
	begin();
	assert_int_equal(chmod(f->path, 0755), 0);
	child = fork();
	if (!child) {
		if (setgid(65534) || setuid(65534) || make(NULL))
			_exit(1);
		fprintf(stderr, "# %s\n", f->err->text);
		_exit(!strstr(f->err->text, "; it needs root, which this daemon isn't"));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_real_leaves_nothing),
		cmocka_unit_test(test_real_killed),
		cmocka_unit_test(test_real_refuses),
		cmocka_unit_test(test_real_needs_root),
	};

	return cmocka_run_group_tests_name("virtiofsd", tests, NULL, NULL);
}
