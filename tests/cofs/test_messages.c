/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of 9P2000.L: the session, walking, files. What they do to a directory,
 * what they answer, and what they refuse.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

/* ---- session ---------------------------------------------------------------- */

static void test_version(void **state)
{
	char version[32];

	(void)state;
	assert_int_equal(ask(c, P9_TVERSION, "ds", 100000u, "9P2000.L"), 0);
	assert_int_equal(p9_get32(&c->in), 100000);
	assert_int_equal(p9_get_string(&c->in, version, 31), 0);
	assert_string_equal(version, "9P2000.L");
	/* A new session knows nothing of the one before. */
	assert_int_equal(clunk(c, ROOT), -EBADF);
	assert_int_equal(ask(c, P9_TVERSION, "ds", UINT32_MAX, "9P2000.L"), 0);
	assert_int_equal(p9_get32(&c->in), SHARE_MESSAGE_MAX);
	assert_int_equal(ask(c, P9_TVERSION, "ds", 100000u, "9P2000.u"), 0);
	p9_get32(&c->in);
	assert_int_equal(p9_get_string(&c->in, version, 31), 0);
	assert_string_equal(version, "unknown");
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 0u, P9_NOFID, "", "", 0u),
			 -EPROTO);
	assert_int_equal(ask(c, P9_TVERSION, "ds", 100u, "9P2000.L"), 0);
	assert_int_equal(clunk(c, ROOT), -EPROTO);
}

static void test_attach(void **state)
{
	struct p9_qid qid;
	struct stat st;

	(void)state;
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(ask(c, P9_TAUTH, "dssd", 9u, "root", "", 0u),
			 -EOPNOTSUPP);
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 9u, 8u, "", "", 0u),
			 -EBADF);
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", ROOT, P9_NOFID, "", "", 0u),
			 -EBADF);
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 9u, P9_NOFID, "", "/etc",
			     0u), -ENOENT);
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 9u, P9_NOFID, "", "/", 0u),
			 0);
	get_qid(&c->in, &qid);
	assert_int_equal(qid.type, P9_QID_DIR);
	assert_true(qid.path == st.st_ino);
	assert_int_equal(ask(c, P9_TFLUSH, "w", 1), 0);
	assert_int_equal(ask(c, P9_TFLUSH, ""), -EPROTO);
	assert_int_equal(ask(c, 127, ""), -EOPNOTSUPP);
	assert_int_equal(ask(c, 112, "db", ROOT, 0), -EOPNOTSUPP);
}

/* What is no message at all breaks the device, so it has a reason. */
static void test_no_message(void **state)
{
	static const uint8_t tooshort[] = { 11, 0, 0, 0, P9_TCLUNK, 0, 0, 0, 0, 0 };
	static const uint8_t small[] = { 6, 0, 0, 0, P9_TCLUNK, 0, 0 };
	static uint8_t large[SHARE_MESSAGE_MAX + 64] = { 1, 0, 8, 0, P9_TCLUNK };
	static const uint8_t good[] = { 9, 0, 0, 0, P9_TFLUSH, 0, 0, 0, 0 };

	(void)state;
	assert_int_equal(client_raw(c, tooshort, 3), 0);
	assert_non_null(strstr(c->rule, "without a header"));
	assert_int_equal(client_raw(c, tooshort, sizeof(tooshort)), 0);
	assert_non_null(strstr(c->rule, "shorter"));
	assert_int_equal(client_raw(c, small, sizeof(small)), 0);
	assert_non_null(strstr(c->rule, "shorter"));
	assert_int_equal(client_raw(c, large, sizeof(large)), 0);
	assert_non_null(strstr(c->rule, "longer"));
	c->room = 10;
	assert_int_equal(client_raw(c, good, sizeof(good)), 0);
	assert_non_null(strstr(c->rule, "room"));
	c->room = 11;
	assert_int_equal(client_raw(c, good, sizeof(good)), 7);
	assert_int_equal(walk(c, ROOT, 1, ""), 0);
	/* An answer that doesn't fit is an error. */
	assert_int_equal(ask(c, P9_TGETATTR, "dq", ROOT, (uint64_t)0), -EMSGSIZE);
	c->room = ANSWER_MAX;
}

/* Each message, cut at each of its bytes, is refused and does nothing. */
static void test_cut_messages(void **state)
{
	static uint8_t whole[200];
	uint8_t type;
	size_t n;

	(void)state;
	memset(whole, 0, sizeof(whole));
	for (type = 8; type < 123; type += 2) {
		for (n = 7; n < 11; n++) {
			whole[0] = (uint8_t)n;
			whole[4] = type;
			if (type != P9_TVERSION && type != P9_TFLUSH &&
			    type != P9_TCLUNK && type != P9_TREMOVE) {
				assert_int_equal(client_raw(c, whole, n), 11);
				assert_int_equal(c->answer[4], P9_RLERROR);
			}
		}
	}
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
}

/* ---- walking ---------------------------------------------------------------- */

static void test_walk(void **state)
{
	struct p9_qid qid;
	struct stat st;

	(void)state;
	run("mkdir -p share/a/b && echo x >share/a/b/f && ln -s ../canary share/l");
	assert_int_equal(walk(c, ROOT, 1, "a/b/f"), 0);
	assert_int_equal(lstat(in("a/b/f"), &st), 0);
	get_qid(&c->in, &qid);
	assert_int_equal(qid.type, P9_QID_DIR);
	get_qid(&c->in, &qid);
	get_qid(&c->in, &qid);
	assert_int_equal(qid.type, 0);
	assert_true(qid.path == st.st_ino);
	/* Part of the way: the number of names that went well, no fid. */
	assert_int_equal(ask(c, P9_TWALK, "ddwsss", ROOT, 2u, 3, "a", "no", "b"),
			 0);
	assert_int_equal(p9_get16(&c->in), 1);
	assert_int_equal(c->in.left, P9_QID_SIZE);
	assert_int_equal(clunk(c, 2), -EBADF);
	assert_int_equal(walk(c, ROOT, 2, "no"), -ENOENT);
	assert_int_equal(walk(c, ROOT, 1, "a"), -EBADF); /* known already */
	assert_int_equal(walk(c, 7, 2, "a"), -EBADF);
	assert_int_equal(walk(c, ROOT, P9_NOFID, "a"), -ENFILE);
	assert_int_equal(ask(c, P9_TWALK, "ddw", ROOT, 2u, 17), -EPROTO);
	/* The fid itself moves. */
	assert_int_equal(walk(c, ROOT, 2, ""), 0);
	assert_int_equal(walk(c, 2, 2, "a"), 0);
	assert_int_equal(walk(c, 2, 2, "b/f"), 0);
	assert_int_equal(open_fid(c, 2, 0), 0);
	assert_int_equal(walk(c, 2, 2, "x"), -EBADF); /* it's open */
}

static void test_names_refused(void **state)
{
	static const char *const names[] = { "..", ".", "", "a/b", "/", "../canary" };
	char name[300];
	size_t i;

	(void)state;
	run("mkdir -p share/a/b");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *n = names[i];

		assert_int_equal(ask(c, P9_TWALK, "ddws", ROOT, 1u, 1, n),
				 -EINVAL);
		assert_int_equal(create(c, ROOT, n, P9_O_RDWR, 0644), -EINVAL);
		assert_int_equal(ask(c, P9_TMKDIR, "dsdd", ROOT, n, 0755u, 0u),
				 -EINVAL);
		assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", ROOT, n, 0100644u,
				     0u, 0u, 0u), -EINVAL);
		assert_int_equal(ask(c, P9_TSYMLINK, "dssd", ROOT, n, "x", 0u),
				 -EINVAL);
		assert_int_equal(ask(c, P9_TLINK, "dds", ROOT, ROOT, n), -EINVAL);
		assert_int_equal(ask(c, P9_TRENAME, "dds", ROOT, ROOT, n),
				 -EINVAL);
		assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, n, ROOT, "x"),
				 -EINVAL);
		assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, "a", ROOT, n),
				 -EINVAL);
		assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", ROOT, n, 0x200u),
				 -EINVAL);
	}
	memset(name, 'x', sizeof(name));
	name[256] = 0;
	assert_int_equal(walk(c, ROOT, 1, name), -ENAMETOOLONG);
	name[255] = 0;
	assert_int_equal(walk(c, ROOT, 1, name), -ENOENT);
	/* A zero byte in a name would cut it. */
	assert_int_equal(ask(c, P9_TWALK, "ddwwD", ROOT, 1u, 1, 3, "a\0b",
			     (size_t)3), -EINVAL);
}

/* A symbolic link is for the guest to follow. */
static void test_links_not_followed(void **state)
{
	char data[16];

	(void)state;
	run("mkdir share/d && ln -s .. share/up && ln -s ../canary share/out && ln -s d share/in");
	assert_int_equal(walk(c, ROOT, 1, "up"), 0);
	assert_int_equal(open_fid(c, 1, 0), -ELOOP);
	assert_int_equal(walk(c, 1, 2, "canary"), -ENOTDIR);
	assert_int_equal(walk(c, ROOT, 2, "up/canary"), -ENOENT);
	assert_int_equal(walk(c, ROOT, 2, "in/x"), -ENOENT);
	assert_int_equal(create(c, 1, "new", P9_O_RDWR, 0644), -ENOTDIR);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", 1u, "new", 0755u, 0u),
			 -ENOTDIR);
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", 1u, "canary", 0u),
			 -ENOTDIR);
	assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", 1u, "canary", ROOT, "x"),
			 -ENOTDIR);
	assert_int_equal(walk(c, ROOT, 3, ""), 0);
	assert_int_equal(create(c, 3, "out", P9_O_RDWR, 0644), -ELOOP);
	assert_int_equal(create(c, 3, "out", P9_O_RDWR | P9_O_EXCL, 0644),
			 -EEXIST);
	assert_int_equal(read_fid(c, 3, 0, data, 16), -EBADF);
	run("[ $(cat canary) = secret ] && [ $(ls | wc -l) = 2 ]");
}

static void test_fid_limit(void **state)
{
	struct rlimit limit;
	uint32_t id;
	int rc = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	run("touch share/f");
	/* Copies of a fid cost no descriptor. */
	for (id = 1; id < SHARE_FIDS_MAX; id++)
		if (walk(c, ROOT, id, ""))
			break;
	assert_int_equal(id, SHARE_FIDS_MAX);
	assert_int_equal(walk(c, ROOT, id, ""), -ENFILE);
	assert_int_equal(clunk(c, 5), 0);
	assert_int_equal(walk(c, ROOT, id, ""), 0);
	for (id = 1; id <= SHARE_FIDS_MAX; id++)
		if (id != 5)
			assert_int_equal(clunk(c, id), 0);
	/* The process has descriptors left when the guest gets no more. */
	limit.rlim_cur = 2000;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (id = 1; !rc && id < 3000; id++)
		rc = walk(c, ROOT, id, "f");
	assert_int_equal(rc, -EMFILE);
	assert_int_equal(clunk(c, 1), 0);
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- files ------------------------------------------------------------------ */

static void test_create_read_write(void **state)
{
	char data[64];
	struct stat st;

	(void)state;
	assert_int_equal(walk(c, ROOT, 1, ""), 0);
	assert_int_equal(create(c, 1, "f", P9_O_RDWR, 0640), 0);
	assert_int_equal(write_fid(c, 1, 3, "hello", 5), 5);
	assert_int_equal(c->written, 5);
	assert_int_equal(read_fid(c, 1, 0, data, 64), 8);
	assert_int_equal(c->read, 8);
	assert_memory_equal(data, "\0\0\0hello", 8);
	assert_int_equal(read_fid(c, 1, 8, data, 64), 0);
	assert_int_equal(read_fid(c, 1, 1ull << 63, data, 64), -EINVAL);
	assert_int_equal(write_fid(c, 1, UINT64_MAX, "x", 1), -EINVAL);
	assert_int_equal(read_fid(c, 1, 4, data, 0), 0);
	assert_int_equal(ask(c, P9_TWRITE, "dqdD", 1u, (uint64_t)0, 100u, "x",
			     (size_t)1), -EPROTO);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(ask(c, P9_TFSYNC, "dd", 1u, 0u), 0);
	assert_int_equal(ask(c, P9_TFSYNC, "dd", 1u, 1u), 0);
	assert_int_equal(ask(c, P9_TFSYNC, "dd", ROOT, 0u), -EBADF);
	assert_int_equal(open_fid(c, 1, 0), -EBADF); /* is open */
	/* What is there keeps its mode; EXCL says that it's there. */
	assert_int_equal(walk(c, ROOT, 2, ""), 0);
	assert_int_equal(create(c, 2, "f", P9_O_EXCL, 0600), -EEXIST);
	assert_int_equal(create(c, 2, "f", P9_O_WRONLY | P9_O_TRUNC, 0600), 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(read_fid(c, 2, 0, data, 4), -EBADF);
	assert_int_equal(walk(c, ROOT, 3, "f"), 0);
	assert_int_equal(open_fid(c, 3, 0), 0);
	assert_int_equal(write_fid(c, 3, 0, "x", 1), -EBADF);
}

/* A whole message, and one more byte than fits. */
static void test_large(void **state)
{
	uint32_t most = SHARE_MESSAGE_MAX - P9_WRITE_HEADER, i;
	uint8_t *data = malloc(SHARE_MESSAGE_MAX), *back;

	(void)state;
	back = malloc(SHARE_MESSAGE_MAX);
	for (i = 0; i < SHARE_MESSAGE_MAX; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(walk(c, ROOT, 1, ""), 0);
	assert_int_equal(create(c, 1, "f", P9_O_RDWR | P9_O_SYNC, 0640), 0);
	assert_int_equal(write_fid(c, 1, 1, data, most), most);
	assert_int_equal(write_fid(c, 1, 1 + most, data + most, 12), 12);
	assert_int_equal(read_fid(c, 1, 1, back, SHARE_MESSAGE_MAX),
			 SHARE_MESSAGE_MAX - P9_DATA_HEADER);
	assert_memory_equal(data, back, SHARE_MESSAGE_MAX - P9_DATA_HEADER);
	/* No more than the guest has room for. */
	c->room = 100;
	assert_int_equal(read_fid(c, 1, 1, back, 1000), 100 - P9_DATA_HEADER);
	c->room = ANSWER_MAX;
	free(data);
	free(back);
}

/* Unlinked and renamed: an open file is the one it was. */
static void test_survives(void **state)
{
	struct attributes a;
	char data[8];

	(void)state;
	run("mkdir share/d && echo one >share/f && echo two >share/d/g");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(open_fid(c, 1, P9_O_RDWR), 0);
	assert_int_equal(walk(c, ROOT, 2, "d/g"), 0);
	run("rm share/f && mv share/d share/e");
	assert_int_equal(read_fid(c, 1, 0, data, 8), 4);
	assert_memory_equal(data, "one\n", 4);
	assert_int_equal(get_attributes(c, 1, &a), 0);
	assert_int_equal(a.links, 0);
	a.size = 2;
	assert_int_equal(set_attributes(c, 1, P9_SET_SIZE, &a), 0);
	assert_int_equal(read_fid(c, 1, 0, data, 8), 2);
	assert_int_equal(open_fid(c, 2, 0), 0);
	assert_int_equal(read_fid(c, 2, 0, data, 8), 4);
	assert_memory_equal(data, "two\n", 4);
	/* Neither is where it was: not to be removed by its old name. */
	run("mkdir share/d && echo new >share/d/g");
	assert_int_equal(walk(c, ROOT, 3, "d/g"), 0);
	run("rm share/d/g && echo newer >share/d/g");
	assert_int_equal(ask(c, P9_TREMOVE, "d", 3u), -ESTALE);
	run("[ $(cat share/d/g) = newer ]");
}

/* Devices and pipes of the host can be seen, not opened. */
static void test_special(void **state)
{
	struct attributes a;

	(void)state;
	run("mkfifo share/p && mknod share/z c 1 5 && python3 -c \"import socket;socket.socket(socket.AF_UNIX).bind('share/s')\"");
	assert_int_equal(walk(c, ROOT, 1, "p"), 0);
	assert_int_equal(open_fid(c, 1, 0), -ENXIO);
	assert_int_equal(walk(c, ROOT, 2, "z"), 0);
	assert_int_equal(open_fid(c, 2, 0), -ENXIO);
	assert_int_equal(get_attributes(c, 2, &a), 0);
	assert_int_equal(a.rdev, 0x105);
	assert_int_equal(walk(c, ROOT, 3, ""), 0);
	assert_int_equal(create(c, 3, "z", P9_O_RDWR, 0600), -ENXIO);
	assert_int_equal(create(c, 3, "p", P9_O_RDWR, 0600), -ENXIO);
	assert_int_equal(create(c, 3, "s", P9_O_RDWR, 0600), -ENXIO);
	a.size = 0;
	assert_int_equal(set_attributes(c, 2, P9_SET_SIZE, &a), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_version),
		T(test_attach),
		T(test_no_message),
		T(test_cut_messages),
		T(test_walk),
		T(test_names_refused),
		T(test_links_not_followed),
		T(test_fid_limit),
		T(test_create_read_write),
		T(test_large),
		T(test_survives),
		T(test_special),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
