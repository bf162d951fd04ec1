/* SPDX-License-Identifier: GPL-2.0 */
/* Options of a share, and what the host does to its directory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"

/* ---- options ---------------------------------------------------------------- */

static void test_read_only(void **state)
{
	struct attributes a = { 0 };
	char data[8];

	(void)state;
	run("mkdir share/d && echo x >share/f");
	client_free(c);
	c = client_new(dir, true);
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(open_fid(c, 1, P9_O_WRONLY), -EROFS);
	assert_int_equal(open_fid(c, 1, P9_O_RDWR), -EROFS);
	assert_int_equal(open_fid(c, 1, P9_O_TRUNC), -EROFS);
	assert_int_equal(open_fid(c, 1, 0), 0);
	assert_int_equal(read_fid(c, 1, 0, data, 8), 2);
	assert_int_equal(write_fid(c, 1, 0, "x", 1), -EROFS);
	assert_int_equal(create(c, ROOT, "n", P9_O_RDWR, 0600), -EROFS);
	assert_int_equal(set_attributes(c, 1, P9_SET_MODE, &a), -EROFS);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", ROOT, "n", 0755u, 0u), -EROFS);
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", ROOT, "n", 0100644u, 0u, 0u,
			     0u), -EROFS);
	assert_int_equal(ask(c, P9_TSYMLINK, "dssd", ROOT, "n", "x", 0u), -EROFS);
	assert_int_equal(ask(c, P9_TLINK, "dds", ROOT, 1u, "n"), -EROFS);
	assert_int_equal(ask(c, P9_TRENAME, "dds", 1u, ROOT, "n"), -EROFS);
	assert_int_equal(ask(c, P9_TRENAMEAT, "dsds", ROOT, "f", ROOT, "n"),
			 -EROFS);
	assert_int_equal(ask(c, P9_TUNLINKAT, "dsd", ROOT, "f", 0u), -EROFS);
	assert_int_equal(set_xattr(1, "user.a", "x", 1, 0), -EROFS);
	assert_int_equal(ask(c, P9_TREMOVE, "d", 1u), -EROFS);
	assert_int_equal(clunk(c, 1), -EBADF);
	run("[ $(ls share | xargs | tr -d ' ') = df ] && [ $(cat share/f) = x ]");
}

/* In a process of its own, since rights are lost. */
static void in_process(void (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As another user: what is his can be used and seems to be the guest's, what
 * isn't can't, whatever the guest says. */
static void as_user(void)
{
	struct share_options opt = { { dir, 1234, FS_KEEP, false }, false };
	struct attributes a = { .mode = 04755, .uid = 1 };

	client_free(c);
	c = client_with(&opt);
	assert_int_equal(walk(c, ROOT, 1, "theirs"), 0);
	assert_int_equal(open_fid(c, 1, 0), -EACCES);
	assert_int_equal(set_attributes(c, 1, P9_SET_MODE, &a), -EPERM);
	assert_int_equal(get_attributes(c, 1, &a), 0);
	assert_int_equal(a.uid, 1234);
	assert_int_equal(a.gid, 1234);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", ROOT, "n", 0755u, 0u),
			 -EACCES);
	assert_int_equal(walk(c, ROOT, 2, "his"), 0);
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", 2u, "dev", S_IFCHR | 0600u,
			     1u, 1u, 0u), -EPERM);
	assert_int_equal(set_xattr(2, "trusted.a", "x", 1, 0), -EPERM);
	assert_int_equal(set_xattr(2, "security.capability",
				   "\1\0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20,
				   0), -EPERM);
	assert_int_equal(create(c, 2, "new", P9_O_RDWR, 0600), 0);
	a.uid = 1;
	assert_int_equal(set_attributes(c, 2, P9_SET_UID, &a), -EPERM);
	a.uid = 1234;
	assert_int_equal(set_attributes(c, 2, P9_SET_UID, &a), 0);
}

static void test_user(void **state)
{
	struct stat st;

	(void)state;
	run("chmod 755 . share && mkdir share/his && chown 1234 share/his && echo x >share/theirs && chmod 600 share/theirs");
	in_process(as_user);
	assert_int_equal(stat(in("his/new"), &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 1234);
}

/* With a group alone: new files are the group's, whatever the guest says, and stay so. */
static void as_group(void)
{
	struct share_options opt = { { dir, FS_KEEP, 100, false }, false };
	struct attributes a = { .gid = 77, .uid = 5 };

	client_free(c);
	c = client_with(&opt);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", ROOT, "d", 0755u, 1000u), 0);
	assert_int_equal(walk(c, ROOT, 1, "d"), 0);
	assert_int_equal(set_attributes(c, 1, P9_SET_GID, &a), -EPERM);
	assert_int_equal(set_attributes(c, 1, P9_SET_UID, &a), 0);
	a.gid = 100;
	assert_int_equal(set_attributes(c, 1, P9_SET_GID, &a), 0);
	assert_int_equal(get_attributes(c, 1, &a), 0);
	assert_int_equal(a.gid, 100);
	assert_int_equal(a.uid, 5);
}

static void test_group(void **state)
{
	struct stat st;

	(void)state;
	in_process(as_group);
	assert_int_equal(stat(in("d"), &st), 0);
	assert_int_equal(st.st_gid, 100);
	assert_int_equal(st.st_uid, 5);
}

/* uid=0 is a user like any: his files, and none of root's privileges. */
static void as_root(void)
{
	struct share_options opt = { { dir, 0, FS_KEEP, false }, false };
	struct attributes a = { .uid = 5 };

	client_free(c);
	c = client_with(&opt);
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", ROOT, "dev", S_IFCHR | 0600u,
			     1u, 1u, 0u), -EPERM);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", ROOT, "d", 0755u, 0u), 0);
	assert_int_equal(walk(c, ROOT, 1, "d"), 0);
	assert_int_equal(set_attributes(c, 1, P9_SET_UID, &a), -EPERM);
}

static void test_root(void **state)
{
	(void)state;
	in_process(as_root);
}

/* Where the host gives files to nobody (vfat), what can't be the guest's isn't made. */
static void without_chown(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective &= ~(1u << CAP_CHOWN);
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
	assert_int_equal(ask(c, P9_TMKDIR, "dsdd", ROOT, "d", 0755u, 5u), -EPERM);
	assert_int_equal(ask(c, P9_TMKNOD, "dsdddd", ROOT, "p", S_IFIFO | 0600u,
			     0u, 0u, 5u), -EPERM);
	assert_int_equal(ask(c, P9_TSYMLINK, "dssd", ROOT, "l", "x", 5u), -EPERM);
	assert_int_equal(walk(c, ROOT, 1, ""), 0);
	assert_int_equal(ask(c, P9_TLCREATE, "dsddd", 1u, "f", P9_O_RDWR, 0600u,
			     5u), -EPERM);
}

static void test_not_given(void **state)
{
	(void)state;
	in_process(without_chown);
	run("[ -z \"$(ls -A share)\" ]");
}

/* O_DIRECT where it can be, the page cache where it can't. */
static void test_direct(void **state)
{
	struct share_options opt = { { dir, FS_KEEP, FS_KEEP, true }, false };
	char data[5000];

	(void)state;
	client_free(c);
	c = client_with(&opt);
	assert_int_equal(walk(c, ROOT, 1, ""), 0);
	assert_int_equal(create(c, 1, "f", P9_O_RDWR | P9_O_DIRECT, 0600), 0);
	memset(data, 'd', sizeof(data));
	assert_int_equal(write_fid(c, 1, 3, data, sizeof(data)), sizeof(data));
	memset(data, 0, sizeof(data));
	assert_int_equal(read_fid(c, 1, 3, data, sizeof(data)), sizeof(data));
	assert_true(data[0] == 'd' && data[4999] == 'd');
}

/* On a file system that knows no O_DIRECT (ramfs) a file is made all the same, once,
 * and is its user's. */
static void test_direct_refused(void **state)
{
	struct share_options opt = { { dir, FS_KEEP, FS_KEEP, true }, false };
	struct attributes a;

	(void)state;
	client_free(c);
	run("mount -t ramfs none share");
	c = client_with(&opt);
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 5u, P9_NOFID, "", "", 1000u), 0);
	assert_int_equal(walk(c, 5, 1, ""), 0);
	assert_int_equal(create(c, 1, "f", P9_O_RDWR | P9_O_EXCL | P9_O_DIRECT, 0600), 0);
	assert_int_equal(get_attributes(c, 1, &a), 0);
	assert_int_equal(a.uid, 1000);
	assert_int_equal(write_fid(c, 1, 3, "x", 1), 1);
	assert_int_equal(clunk(c, 1), 0);
	client_free(c);
	run("umount share");
	c = client_with(&opt);
}

static void test_refused(void **state)
{
	struct share_options opt = { { "", FS_KEEP, FS_KEEP, false }, false };
	struct error *err = NULL;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/none", top);
	opt.fs.path = path;
	assert_null(share_create(&opt, &err));
	assert_non_null(strstr(err->text, "none: No such file"));
	error_free(&err);
	snprintf(path, sizeof(path), "%s/canary", top);
	assert_null(share_create(&opt, &err));
	assert_non_null(strstr(err->text, "canary: Not a directory"));
	error_free(&err);
}

/* ---- the host --------------------------------------------------------------- */

static void check_gone(void)
{
	struct share_state state;
	char data[8];

	share_look(c->s);
	share_get_state(c->s, &state);
	assert_true(state.gone);
	assert_int_equal(read_fid(c, 1, 0, data, 8), -ESTALE);
	assert_int_equal(walk(c, ROOT, 9, "f"), -ESTALE);
	assert_int_equal(walk(c, ROOT, 9, ""), -ESTALE);
	assert_int_equal(create(c, ROOT, "n", P9_O_RDWR, 0600), -ESTALE);
	share_get_state(c->s, &state);
	assert_true(state.errors >= 4);
	assert_int_equal(state.last_error, ESTALE);
	assert_int_equal(clunk(c, 1), 0);
	assert_int_equal(clunk(c, ROOT), 0);
}

static void test_deleted(void **state)
{
	struct share_state s;

	(void)state;
	run("echo x >share/f");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(open_fid(c, 1, 0), 0);
	share_look(c->s);
	share_get_state(c->s, &s);
	assert_false(s.gone);
	run("rm -r share");
	check_gone();
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", ROOT, P9_NOFID, "", "", 0u),
			 -ENOENT);
	/* It comes back: whoever attaches anew has it. */
	run("mkdir share && echo y >share/f");
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", ROOT, P9_NOFID, "", "", 0u),
			 0);
	share_look(c->s);
	share_get_state(c->s, &s);
	assert_false(s.gone);
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
}

/* Who can write to the directory above puts a link in its place. */
static void test_link_in_place(void **state)
{
	(void)state;
	run("echo x >share/f");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(open_fid(c, 1, 0), 0);
	run("mv share old && ln -s / share");
	check_gone();
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 9u, P9_NOFID, "", "", 0u),
			 -ELOOP);
	run("rm share && mv old share");
	assert_int_equal(ask(c, P9_TATTACH, "ddssd", 9u, P9_NOFID, "", "", 0u), 0);
	/* Links of the time when it's made are the host's. */
	client_free(c);
	run("mv share real && ln -s real share");
	c = client_new(dir, false);
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
}

/* Mount points inside belong to it, and have files of their own; a share that is
 * a mount point can be unmounted. */
static void test_mounts(void **state)
{
	struct attributes a, b;

	(void)state;
	client_free(c);
	run("unshare -m true 2>/dev/null && mount -t tmpfs none share && mkdir share/m share/d && mount -t tmpfs none share/m && mkdir share/m/d && echo x >share/f");
	c = client_new(dir, false);
	assert_int_equal(walk(c, ROOT, 1, "m/d"), 0);
	assert_int_equal(get_attributes(c, 1, &a), 0);
	assert_int_equal(walk(c, ROOT, 2, "d"), 0);
	assert_int_equal(get_attributes(c, 2, &b), 0);
	assert_true(a.qid.path != b.qid.path);
	assert_true(a.qid.path > 1u << 20);
	assert_int_equal(clunk(c, 1), 0);
	assert_int_equal(clunk(c, 2), 0);
	run("umount share/m");
	assert_int_equal(walk(c, ROOT, 1, "f"), 0);
	assert_int_equal(open_fid(c, 1, 0), 0);
	run("! umount share 2>/dev/null && umount -l share");
	check_gone();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_read_only),
		T(test_user),
		T(test_group),
		T(test_root),
		T(test_not_given),
		T(test_direct),
		T(test_direct_refused),
		T(test_refused),
		T(test_deleted),
		T(test_link_in_place),
		T(test_mounts),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
