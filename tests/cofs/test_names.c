/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of 9P2000.L: attributes, names, locks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"

/* ---- attributes ------------------------------------------------------------- */

static void test_getattr(void **state)
{
	struct attributes a;
	struct stat st;

	(void)state;
	run("echo 12345 >share/f && chmod 4755 share/f && ln share/f share/g && touch -d @1000000.5 share/f");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(get_attributes(c, 1, &a), 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_true((a.valid & 0x7ff) == 0x7ff);
	assert_true(a.qid.path == st.st_ino);
	assert_int_equal(a.mode, S_IFREG | 04755);
	assert_int_equal(a.uid, st.st_uid);
	assert_int_equal(a.gid, st.st_gid);
	assert_int_equal(a.links, 2);
	assert_int_equal(a.size, 6);
	assert_int_equal(a.blocks, st.st_blocks);
	assert_true(a.block_size > 400000 && a.block_size < SHARE_MESSAGE_MAX);
	assert_int_equal(a.mtime[0], 1000000);
	assert_int_equal(a.mtime[1], 500000000);
	assert_int_equal(a.ctime[0], st.st_ctim.tv_sec);
	assert_int_equal(a.ctime[1], st.st_ctim.tv_nsec);
	/* The other name is the same file. */
	assert_int_equal(walk(c, ROOT, 2, "g"), 0);
	st.st_ino = a.qid.path;
	assert_int_equal(get_attributes(c, 2, &a), 0);
	assert_true(a.qid.path == st.st_ino);
}

static void test_setattr(void **state)
{
	struct attributes a = { .mode = 06751, .uid = 12, .gid = 34, .size = 3,
				.atime = { 5, 6 }, .mtime = { 7, 8 } };
	struct timespec before;
	struct stat st;

	(void)state;
	run("echo 12345 >share/f && ln -s f share/l");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	/* All at once: the mode is set after the owner took bits away. */
	assert_int_equal(set_attributes(c, 1, 0x1bf, &a), 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 06751);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_atim.tv_sec, 5);
	assert_int_equal(st.st_atim.tv_nsec, 6);
	assert_int_equal(st.st_mtim.tv_sec, 7);
	assert_int_equal(st.st_mtim.tv_nsec, 8);
	/* To now, and only one of the two. */
	assert_int_equal(set_attributes(c, 1, P9_SET_MTIME, &a), 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 5);
	assert_true(st.st_mtim.tv_sec > 1000000000);
	before = st.st_ctim;
	usleep(20000);
	assert_int_equal(set_attributes(c, 1, P9_SET_CTIME, &a), 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_true(memcmp(&before, &st.st_ctim, sizeof(before)));
	a.mtime[1] = UTIME_OMIT;
	assert_int_equal(set_attributes(c, 1, P9_SET_MTIME | 0x100, &a), -EINVAL);
	a.mtime[1] = 1ull << 40;
	assert_int_equal(set_attributes(c, 1, P9_SET_MTIME | 0x100, &a), -EINVAL);
	a.size = 1ull << 63;
	a.mtime[1] = 0;
	assert_int_equal(set_attributes(c, 1, P9_SET_SIZE, &a), -EINVAL);
	assert_int_equal(set_attributes(c, ROOT, P9_SET_SIZE, &a), -EINVAL);
	a.size = 0;
	assert_int_equal(set_attributes(c, ROOT, P9_SET_SIZE, &a), -EISDIR);
	/* A link: its own owner and times, no mode. */
	assert_int_equal(walk(c, ROOT, 2, "l"), 0);
	a.mode = 0;
	a.uid = 55;
	assert_int_equal(set_attributes(c, 2, P9_SET_MODE, &a), -EOPNOTSUPP);
	assert_int_equal(set_attributes(c, 2, P9_SET_UID | 0x120, &a), 0);
	assert_int_equal(lstat(in("l"), &st), 0);
	assert_int_equal(st.st_uid, 55);
	assert_int_equal(st.st_mtim.tv_sec, 7);
	assert_int_equal(stat(in("l"), &st), 0);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_mode & 07777, 06751);
}

static void test_statfs(void **state)
{
	struct statfs s;

	(void)state;
	assert_int_equal(statfs(dir, &s), 0);
	assert_int_equal(ask(c, P9_TSTATFS, "d", ROOT), 0);
	assert_int_equal(p9_get32(&c->in), P9_FS_MAGIC);
	assert_int_equal(p9_get32(&c->in), s.f_bsize);
	assert_true(p9_get64(&c->in) == s.f_blocks);
	p9_get64(&c->in);
	p9_get64(&c->in);
	assert_true(p9_get64(&c->in) == s.f_files);
	p9_get64(&c->in);
	p9_get64(&c->in);
	assert_int_equal(p9_get32(&c->in), s.f_namelen);
	assert_int_equal(c->in.left, 0);
}

/* ---- names ------------------------------------------------------------------ */

static void test_make(void **state)
{
	char target[32];
	struct stat st;

	(void)state;
	/* Of a guest's user, with all bits. */
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 1u, P9_NOFID, "", "", 77u),
			 0);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", 1u, "d", 03755u, 88u), 0);
	assert_int_equal(stat(in("d"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 03755);
	assert_int_equal(st.st_uid, 77);
	assert_int_equal(st.st_gid, 88);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", 1u, "d", 0755u, 0u), -EEXIST);
	assert_int_equal(ask(c, P9_TSYMLINK, "dssd", 1u, "l", "to/there", 88u),
			 0);
	assert_int_equal(c->in.at[0], P9_QID_SYMLINK);
	assert_int_equal(lstat(in("l"), &st), 0);
	assert_int_equal(st.st_uid, 77);
	assert_int_equal(walk(c, ROOT, 2, "l"), 0);
	assert_int_equal(ask(c, P9_TREADLINK, "d", 2u), 0);
	assert_int_equal(p9_get_string(&c->in, target, 31), 0);
	assert_string_equal(target, "to/there");
	assert_int_equal(ask(c, P9_TREADLINK, "d", ROOT), -EINVAL);
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", 1u, "p", S_IFIFO | 0622u,
			     0u, 0u, 88u), 0);
	assert_int_equal(lstat(in("p"), &st), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0622);
	assert_int_equal(st.st_uid, 77);
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", 1u, "b", S_IFBLK | 0600u,
			     300u, 70000u, 0u), 0);
	assert_int_equal(lstat(in("b"), &st), 0);
	assert_true(st.st_rdev == makedev(300, 70000));
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", 1u, "x", S_IFDIR | 0600u,
			     0u, 0u, 0u), -EINVAL);
	assert_int_equal(walk(c, 1, 3, ""), 0);
	assert_int_equal(ask(c, P9_TLCREATE, "dsddd", 3u, "f", 2u, 04711u, 88u),
			 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04711);
	assert_int_equal(st.st_uid, 77);
	assert_int_equal(st.st_gid, 88);
	/* What is there already stays whose it is. */
	assert_int_equal(walk(c, ROOT, 4, ""), 0);
	assert_int_equal(create(c, 4, "f", P9_O_RDWR, 0600), 0);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(st.st_uid, 77);
}

static void test_link_and_remove(void **state)
{
	struct stat st;

	(void)state;
	run("mkdir share/d && echo x >share/f && ln -s f share/l");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(walk(c, ROOT, 2, "d"), 0);
	assert_int_equal(walk(c, ROOT, 3, "l"), 0);
	assert_int_equal(ask(c, P9_TLINK, "dds", 2u, 1u, "g"), 0);
	assert_int_equal(stat(in("d/g"), &st), 0);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(ask(c, P9_TLINK, "dds", 2u, 1u, "g"), -EEXIST);
	assert_int_equal(ask(c, P9_TLINK, "dds", ROOT, 2u, "e"), -EPERM);
	/* The link itself, not what it leads to. */
	assert_int_equal(ask(c, P9_TLINK, "dds", 2u, 3u, "m"), 0);
	assert_int_equal(lstat(in("d/m"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", ROOT, "d", 0u), -EISDIR);
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", ROOT, "d", 0x200u),
			 -ENOTEMPTY);
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", 2u, "g", 0x200u), -ENOTDIR);
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", 2u, "g", 0u), 0);
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", 2u, "m", 0u), 0);
	assert_int_equal(ask(c, P9_TREMOVE, "d", 2u), 0);
	assert_int_equal(clunk(c, 2), -EBADF);
	assert_int_equal(stat(in("d"), &st), -1);
	assert_int_equal(ask(c, P9_TREMOVE, "d", 3u), 0);
	assert_int_equal(lstat(in("l"), &st), -1);
	assert_int_equal(stat(in("f"), &st), 0);
	assert_int_equal(ask(c, P9_TREMOVE, "d", ROOT), -EBUSY);
	assert_int_equal(clunk(c, ROOT), -EBADF);
}

static void test_rename(void **state)
{
	struct stat st;

	(void)state;
	run("mkdir share/d share/e && echo x >share/f && echo y >share/g");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(walk(c, ROOT, 2, "d"), 0);
	assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, "f", 2u, "h"), 0);
	assert_int_equal(stat(in("d/h"), &st), 0);
	/* fid 1 isn't "f" any more. */
	assert_int_equal(ask(c, P9_TRENAME, "dds", 1u, ROOT, "k"), -ESTALE);
	assert_int_equal(walk(c, 2, 3, "h"), 0);
	assert_int_equal(ask(c, P9_TRENAME, "dds", 3u, ROOT, "k"), 0);
	assert_int_equal(ask(c, P9_TRENAME, "dds", 3u, 2u, "m"), 0);
	assert_int_equal(stat(in("d/m"), &st), 0);
	assert_int_equal(ask(c, P9_TRENAME, "dds", ROOT, 2u, "m"), -EBUSY);
	assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, "d", 2u, "x"),
			 -EINVAL);
	assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, "g", ROOT, "e"),
			 -EISDIR);
	assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, "no", ROOT, "e"),
			 -ENOENT);
}

static void test_readdir(void **state)
{
	bool seen[501] = { 0 };
	char name[P9_NAME_MAX + 1], outer = 0;
	uint64_t offset = 0;
	struct p9_qid qid, root;
	struct attributes a;
	unsigned int i, n = 0;

	(void)state;
	run("for i in $(seq 500); do echo >share/file-$i; done; mkdir share/file-0");
	assert_int_equal(get_attributes(c, ROOT, &a), 0);
	root = a.qid;
	assert_int_equal(walk(c, ROOT, 1, ""), 0);
	assert_int_equal(open_fid(c, 1, P9_O_DIRECTORY), 0);
	assert_int_equal(ask(c, P9_TREADDIR, "dqd", 1u, (uint64_t)0, 10u),
			 -EINVAL);
	for (;;) {
		assert_int_equal(ask(c, P9_TREADDIR, "dqd", 1u, offset, 1000u),
				 0);
		assert_int_equal(p9_get32(&c->in), c->in.left);
		if (!c->in.left)
			break;
		while (c->in.left) {
			uint8_t type;

			get_qid(&c->in, &qid);
			offset = p9_get64(&c->in);
			type = p9_get8(&c->in);
			assert_int_equal(p9_get_string(&c->in, name, 255), 0);
			if (!strcmp(name, "."))
				assert_true(qid.path == root.path);
			if (!strcmp(name, "..")) {
				/* Outside is nothing. */
				assert_true(qid.path == root.path);
				outer++;
			}
			if (sscanf(name, "file-%u", &i) != 1)
				continue;
			assert_false(seen[i]);
			seen[i] = true;
			assert_int_equal(type, i ? 8 : 4);
			assert_int_equal(qid.type, i ? 0 : P9_QID_DIR);
			n++;
		}
	}
	assert_int_equal(n, 501);
	assert_int_equal(outer, 1);
	/* From the start again; and a file has no entries. */
	assert_int_equal(ask(c, P9_TREADDIR, "dqd", 1u, (uint64_t)0, 1000u), 0);
	assert_true(p9_get32(&c->in) > 900);
	assert_int_equal(read_fid(c, 1, 0, name, 10), -EISDIR);
	assert_int_equal(walk(c, ROOT, 2, "file-1"), 0);
	assert_int_equal(open_fid(c, 2, 0), 0);
	assert_int_equal(ask(c, P9_TREADDIR, "dqd", 2u, (uint64_t)0, 1000u),
			 -ENOTDIR);
}

/* ---- attributes, locks ------------------------------------------------------ */

static void test_xattr(void **state)
{
	char value[64], big[2000];

	(void)state;
	run("echo x >share/f");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(set_xattr(1, "user.a", "hello", 5, 0), 0);
	assert_int_equal(getxattr(in("f"), "user.a", value, 64), 5);
	assert_memory_equal(value, "hello", 5);
	assert_int_equal(set_xattr(1, "user.a", "x", 1, P9_XATTR_CREATE), -EEXIST);
	assert_int_equal(set_xattr(1, "user.b", "x", 1, P9_XATTR_REPLACE),
			 -ENODATA);
	assert_int_equal(set_xattr(1, "user.b", "", 0, 0), 0);
	assert_int_equal(getxattr(in("f"), "user.b", value, 64), 0);
	assert_int_equal(ask(c, P9_TXATTRWALK, "dds", 1u, 2u, "user.a"), 0);
	assert_int_equal(p9_get64(&c->in), 5);
	assert_int_equal(read_fid(c, 2, 1, value, 64), 4);
	assert_memory_equal(value, "ello", 4);
	assert_int_equal(read_fid(c, 2, 1ull << 60, value, 64), 0);
	assert_int_equal(write_fid(c, 2, 0, "x", 1), -EBADF);
	assert_int_equal(clunk(c, 2), 0);
	assert_int_equal(ask(c, P9_TXATTRWALK, "dds", 1u, 2u, ""), 0);
	assert_int_equal(p9_get64(&c->in), 14);
	assert_int_equal(read_fid(c, 2, 0, value, 64), 14);
	assert_int_equal(clunk(c, 2), 0);
	assert_int_equal(ask(c, P9_TXATTRWALK, "dds", 1u, 2u, "user.no"),
			 -ENODATA);
	assert_int_equal(set_xattr(1, "user.a", "", 0, P9_XATTR_REPLACE), 0);
	assert_int_equal(getxattr(in("f"), "user.a", value, 64), -1);
	/* Not all of it was written: nothing is set. */
	assert_int_equal(walk(c, 1, 3, ""), 0);
	assert_int_equal(ask(c, P9_TXATTRCREATE, "dsqd", 3u, "user.c",
			     (uint64_t)2000, 0u), 0);
	memset(big, 'b', sizeof(big));
	assert_int_equal(write_fid(c, 3, 0, big, 500), 500);
	assert_int_equal(write_fid(c, 3, 0, big, 500), -EINVAL);
	assert_int_equal(write_fid(c, 3, 500, big, 1501), -EINVAL);
	assert_int_equal(read_fid(c, 3, 0, value, 5), -EBADF);
	assert_int_equal(clunk(c, 3), -EINVAL);
	assert_int_equal(getxattr(in("f"), "user.c", value, 64), -1);
	assert_int_equal(walk(c, 1, 3, ""), 0);
	assert_int_equal(ask(c, P9_TXATTRCREATE, "dsqd", 3u, "user.c",
			     (uint64_t)65537, 0u), -E2BIG);
	assert_int_equal(ask(c, P9_TXATTRCREATE, "dsqd", 3u, "user.c",
			     (uint64_t)5, 4u), -EINVAL);
}

/* What a guest can have under way is bounded. */
static void test_xattr_memory(void **state)
{
	uint32_t id;
	int rc = 0;

	(void)state;
	for (id = 1; !rc && id < 1000; id++) {
		assert_int_equal(walk(c, ROOT, id, ""), 0);
		rc = ask(c, P9_TXATTRCREATE, "dsqd", id, "user.x",
			 (uint64_t)65536, 0u);
	}
	assert_int_equal(rc, -ENOMEM);
	assert_in_range(id, 100, 130);
	assert_int_equal(clunk(c, 1), -EINVAL);
	assert_int_equal(ask(c, P9_TXATTRCREATE, "dsqd", id - 1, "user.x",
			     (uint64_t)65536, 0u), 0);
}

static int lock(uint32_t fid, int type, uint64_t start, uint64_t n)
{
	int rc = ask(c, P9_TLOCK, "dbdqqds", fid, type, 1u, start, n, 100u,
		     "guest");

	return rc ? rc : p9_get8(&c->in);
}

static void test_locks(void **state)
{
	struct flock host = { F_WRLCK, SEEK_SET, 100, 10, 0 };
	char client[32];
	int fd;

	(void)state;
	run("echo x >share/f");
	fd = open(in("f"), O_RDWR);
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(walk(c, ROOT, 2, "f"), 0);
	assert_int_equal(lock(1, P9_LOCK_WRITE, 0, 10), -EBADF);
	assert_int_equal(open_fid(c, 1, P9_O_RDWR), 0);
	assert_int_equal(open_fid(c, 2, P9_O_RDWR), 0);
	assert_int_equal(lock(1, P9_LOCK_WRITE, 0, 10), P9_LOCK_SUCCESS);
	assert_int_equal(lock(2, P9_LOCK_READ, 9, 1), P9_LOCK_BLOCKED);
	assert_int_equal(lock(2, P9_LOCK_READ, 10, 0), P9_LOCK_SUCCESS);
	/* The host's locks are the same ones. */
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &host), -1);
	assert_int_equal(lock(2, P9_LOCK_UNLOCK, 0, 0), P9_LOCK_SUCCESS);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &host), 0);
	assert_int_equal(lock(2, P9_LOCK_READ, 0, 0), P9_LOCK_BLOCKED);
	assert_int_equal(ask(c, P9_TGETLOCK, "dbqqds", 2u, P9_LOCK_READ,
			     (uint64_t)50, (uint64_t)0, 100u, "guest"), 0);
	assert_int_equal(p9_get8(&c->in), P9_LOCK_WRITE);
	assert_int_equal(p9_get64(&c->in), 100);
	assert_int_equal(p9_get64(&c->in), 10);
	p9_get32(&c->in);
	assert_int_equal(p9_get_string(&c->in, client, 31), 0);
	assert_int_equal(ask(c, P9_TGETLOCK, "dbqqds", 2u, P9_LOCK_READ,
			     (uint64_t)50, (uint64_t)50, 100u, "guest"), 0);
	assert_int_equal(p9_get8(&c->in), P9_LOCK_UNLOCK);
	assert_int_equal(clunk(c, 1), 0); /* gives its lock up */
	assert_int_equal(lock(2, P9_LOCK_WRITE, 0, 10), P9_LOCK_SUCCESS);
	assert_int_equal(lock(2, 3, 0, 10), -EINVAL);
	assert_int_equal(lock(2, 0, 1ull << 63, 10), -EINVAL);
	close(fd);
}

/* Locks are memory of the host's kernel. Those that are gone don't count. */
static void test_many_locks(void **state)
{
	uint64_t i;
	int rc = 0;

	(void)state;
	run("echo x >share/f");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(open_fid(c, 1, 0), 0);
	for (i = 0; i < 20000; i++) {
		assert_int_equal(lock(1, P9_LOCK_READ, 7, 1), P9_LOCK_SUCCESS);
		assert_int_equal(lock(1, P9_LOCK_UNLOCK, 7, 1), P9_LOCK_SUCCESS);
	}
	for (i = 0; i < 20000 && !rc; i++)
		rc = lock(1, P9_LOCK_READ, 2 * i, 1);
	assert_int_equal(rc, -ENOLCK);
	assert_int_equal(i - 1, 8192);
	assert_int_equal(lock(1, P9_LOCK_READ, 2 * i, 1), -ENOLCK);
	/* One may go, and another one come; but not each fall into pieces. */
	assert_int_equal(lock(1, P9_LOCK_UNLOCK, 2, 1), P9_LOCK_SUCCESS);
	assert_int_equal(lock(1, P9_LOCK_READ, 2, 1), P9_LOCK_SUCCESS);
	assert_int_equal(lock(1, P9_LOCK_UNLOCK, 0, 0), P9_LOCK_SUCCESS);
	assert_int_equal(lock(1, P9_LOCK_READ, 0, 0), P9_LOCK_SUCCESS);
	for (i = 0, rc = 0; i < 40000 && !rc; i++)
		rc = lock(1, P9_LOCK_UNLOCK, 2 * i + 1, 1);
	assert_int_equal(rc, -ENOLCK);
	assert_int_equal(i, 16384);
	assert_int_equal(lock(1, P9_LOCK_UNLOCK, 0, 0), P9_LOCK_SUCCESS);
	assert_int_equal(lock(1, P9_LOCK_READ, 0, 1), P9_LOCK_SUCCESS);
	assert_int_equal(clunk(c, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_getattr),
		T(test_setattr),
		T(test_statfs),
		T(test_make),
		T(test_link_and_remove),
		T(test_rename),
		T(test_readdir),
		T(test_xattr),
		T(test_xattr_memory),
		T(test_locks),
		T(test_many_locks),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
