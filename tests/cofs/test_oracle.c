/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random operations through the server on one directory, and by system calls on
 * another: both answer the same, and both trees stay equal.
 *
 *	test_oracle [SEED [OPERATIONS]]
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "oracle.h"

#define NAMES	   12 /* in each directory */
#define DEPTH	   3
#define LOOK_EVERY 250
#define SPARE	   2 /* fids of an operation */
#define OTHER	   3
#define HELD	   10 /* fids and descriptors that stay open */
#define HELDS	   8

char mine[80], theirs[80];
static char top[64];
static struct client *c;
static int mine_fd;
static struct {
	int fd; /* -1: none */
} held[HELDS];
static unsigned long seed, done, agreed_errors;

static void fail(const char *what, const char *path, long a, long b)
{
	printf("not ok - oracle: seed %lu, operation %lu: %s of %s: %ld by system call, %ld by the server\n",
	       seed, done, what, path, a, b);
	exit(1);
}

void same(const char *what, const char *path, long a, long b)
{
	if (a != b)
		fail(what, path, a, b);
	if (a < 0)
		agreed_errors++;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand() % n;
}

/* ---- places ----------------------------------------------------------------- */

struct place {
	char path[64], dir[64], name[8];
};

static struct place random_place(void)
{
	unsigned int depth = below(DEPTH), i;
	struct place p = { "", "", "" };
	char name[8];

	for (i = 0; i <= depth; i++) {
		snprintf(name, sizeof(name), "n%u", below(NAMES));
		strcpy(p.dir, p.path);
		if (i)
			strcat(p.path, "/");
		strcat(p.path, name);
	}
	strcpy(p.name, name);
	return p;
}

static int result(int rc)
{
	return rc < 0 ? -errno : rc;
}

/* A name or fid on the server's side: walks to the path's directory or itself.
 * ENOENT in the middle of a walk tells less than the kernel does (ENOTDIR, ELOOP):
 * so step by step, as Linux's client does. */
static int go(uint32_t fid, const char *path)
{
	char name[8];
	int rc = walk(c, ROOT, fid, "");

	while (!rc && *path) {
		size_t n = strcspn(path, "/");
		struct attributes a;

		memcpy(name, path, n);
		name[n] = 0;
		path += n + (path[n] == '/');
		rc = walk(c, fid, fid, name);
		/* A link on the way is the client's to follow: here it's an
		 * error, and with O_NOFOLLOW everywhere also for the kernel. */
		if (!rc && *path && !get_attributes(c, fid, &a) &&
		    !S_ISDIR(a.mode))
			rc = -ENOTDIR;
		if (rc)
			clunk(c, fid);
	}
	return rc;
}

/* The directory's descriptor, no link on the way. */
static int mine_dir(const char *path)
{
	char name[8];
	int fd = dup(mine_fd), next;

	while (fd >= 0 && *path) {
		size_t n = strcspn(path, "/");

		memcpy(name, path, n);
		name[n] = 0;
		path += n + (path[n] == '/');
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
		close(fd);
		fd = next;
	}
	return fd;
}

/* Both directories of a place; false: neither can be reached. */
static bool both(const struct place *p, int *fd, uint32_t fid)
{
	int a, b;

	*fd = mine_dir(p->dir);
	a = *fd < 0 ? -errno : 0;
	b = go(fid, p->dir);
	if (!b) {
		struct attributes at;

		get_attributes(c, fid, &at);
		if (!S_ISDIR(at.mode)) {
			clunk(c, fid);
			b = -ENOTDIR;
		}
	}
	same("the way", p->dir, a, b);
	return !a;
}

static bool both_files(const struct place *p, int *fd, uint32_t fid)
{
	int dir = mine_dir(p->dir), a, b;

	*fd = -1;
	a = dir < 0 ? -errno : 0;
	if (!a) {
		*fd = openat(dir, p->name, O_PATH | O_NOFOLLOW);
		a = *fd < 0 ? -errno : 0;
		close(dir);
	}
	b = go(fid, p->path);
	same("the way", p->path, a, b);
	return !a;
}

static const char *self(int fd)
{
	static char path[2][40];
	static unsigned int i;

	snprintf(path[++i % 2], 40, "/proc/self/fd/%d", fd);
	return path[i % 2];
}

/* ---- operations ------------------------------------------------------------- */

static void random_bytes(uint8_t *p, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)rand();
}

/* What opening gave, with one difference: the server opens no pipe. */
static int opened(int fd)
{
	struct stat st;

	if (fd < 0)
		return -errno;
	fstat(fd, &st);
	return S_ISFIFO(st.st_mode) ? -ENXIO : 0;
}

/* The group of a new file as Linux's client says it: that of a directory with the
 * set-group-ID bit, which directories in it get, too. */
static unsigned int new_group(int dir, unsigned int *mode)
{
	struct stat st;

	fstat(dir, &st);
	if (!(st.st_mode & S_ISGID))
		return 0;
	if (mode)
		*mode |= S_ISGID;
	return st.st_gid;
}

/* The kernel asks whose a link in a sticky directory is, and the server has said
 * before that it's a link. */
static int created(int dir, const char *name, int fd)
{
	int rc = opened(fd);
	struct stat st;

	if (rc != -EACCES || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return rc;
	return S_ISLNK(st.st_mode) ? -ELOOP : rc;
}

static void op_create(void)
{
	struct place p = random_place();
	unsigned int excl = below(3) ? 0 : P9_O_EXCL;
	unsigned int trunc = below(4) ? 0 : P9_O_TRUNC;
	unsigned int mode = below(excl ? 010000 : 01000);
	int dir, fd, a, b;

	if (!both(&p, &dir, SPARE))
		return;
	fd = openat(dir, p.name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			(excl ? O_EXCL : 0) | (trunc ? O_TRUNC : 0), mode);
	if (fd >= 0 && excl)
		fchmod(fd, mode);
	a = created(dir, p.name, fd);
	b = ask(c, P9_TLCREATE, "dsddd", SPARE, p.name,
		P9_O_RDWR | excl | trunc, mode, new_group(dir, NULL));
	same("creating", p.path, a, b);
	if (fd >= 0)
		close(fd);
	close(dir);
	clunk(c, SPARE);
}

static void op_data(void)
{
	static uint8_t data[FILE_MAX], back[FILE_MAX];
	struct place p = random_place();
	unsigned int n = 1 + below(below(4) ? 3000 : FILE_MAX - 1);
	unsigned int at = below(FILE_MAX);
	int path_fd, fd, a, b;

	if (!both_files(&p, &path_fd, SPARE))
		return;
	fd = open(self(path_fd), O_RDWR | O_NONBLOCK);
	a = opened(fd);
	b = open_fid(c, SPARE, P9_O_RDWR);
	same("opening", p.path, a, b);
	if (!a && below(2)) {
		random_bytes(data, n);
		same("writing", p.path, result((int)pwrite(fd, data, n, at)),
		     write_fid(c, SPARE, at, data, n));
	} else if (!a) {
		memset(data, 1, n);
		memset(back, 1, n);
		same("reading", p.path, result((int)pread(fd, data, n, at)),
		     read_fid(c, SPARE, at, back, n));
		same("what was read", p.path, 0, memcmp(data, back, n));
	}
	if (fd >= 0)
		close(fd);
	close(path_fd);
	clunk(c, SPARE);
}

/* Files that stay open while their names go. */
static void op_hold(void)
{
	static uint8_t data[4000], back[4000];
	unsigned int i = below(HELDS), n = 1 + below(sizeof(data) - 1);
	unsigned int at = below(FILE_MAX);
	struct place p = random_place();
	int path_fd, a;

	if (held[i].fd >= 0 && below(4)) {
		random_bytes(data, n);
		same("writing to what is held", "it",
		     result((int)pwrite(held[i].fd, data, n, at)),
		     write_fid(c, HELD + i, at, data, n));
		same("reading from it", "it",
		     result((int)pread(held[i].fd, data, n, at / 2)),
		     read_fid(c, HELD + i, at / 2, back, n));
		return;
	}
	if (held[i].fd >= 0) {
		close(held[i].fd);
		clunk(c, HELD + i);
		held[i].fd = -1;
	}
	if (!both_files(&p, &path_fd, HELD + i))
		return;
	held[i].fd = open(self(path_fd), O_RDWR | O_NONBLOCK);
	a = opened(held[i].fd);
	same("opening to hold", p.path, a, open_fid(c, HELD + i, P9_O_RDWR));
	if (a) {
		clunk(c, HELD + i);
		close(held[i].fd);
		held[i].fd = -1;
	}
	close(path_fd);
}

static void op_setattr(void)
{
	struct place p = random_place();
	struct attributes a = { .mode = below(010000), .uid = below(5),
				.gid = below(5), .size = below(FILE_MAX),
				.atime = { below(1u << 30), below(1000000000) },
				.mtime = { below(1u << 30), below(1000000000) } };
	struct timespec t[2] = { { (time_t)a.atime[0], (long)a.atime[1] },
				 { (time_t)a.mtime[0], (long)a.mtime[1] } };
	struct stat st;
	int fd;

	if (!both_files(&p, &fd, SPARE))
		return;
	fstat(fd, &st);
	switch (below(4)) {
	case 0:
		if (!S_ISLNK(st.st_mode))
			same("chmod", p.path,
			     result(chmod(self(fd), (mode_t)a.mode)),
			     set_attributes(c, SPARE, P9_SET_MODE, &a));
		break;
	case 1:
		same("chown", p.path,
		     result(fchownat(fd, "", a.uid, a.gid, AT_EMPTY_PATH)),
		     set_attributes(c, SPARE, P9_SET_UID | P9_SET_GID, &a));
		break;
	case 2:
		if (S_ISREG(st.st_mode))
			same("truncate", p.path,
			     result(truncate(self(fd), (off_t)a.size)),
			     set_attributes(c, SPARE, P9_SET_SIZE, &a));
		break;
	case 3:
		same("utimes", p.path,
		     result(utimensat(fd, "", t, AT_EMPTY_PATH)),
		     set_attributes(c, SPARE, 0x1b0, &a));
		break;
	}
	close(fd);
	clunk(c, SPARE);
}

static void op_make(void)
{
	struct place p = random_place();
	unsigned int mode = below(010000) | 0700, group;
	char target[20];
	int dir, a, b;

	if (!both(&p, &dir, SPARE))
		return;
	group = new_group(dir, &mode);
	switch (below(3)) {
	case 0:
		a = result(mkdirat(dir, p.name, 0));
		if (!a)
			fchmodat(dir, p.name, mode, 0);
		b = ask(c, P9_TMKDIR, "dsdd", SPARE, p.name, mode, group);
		break;
	case 1:
		snprintf(target, sizeof(target), "../n%u", below(NAMES));
		a = result(symlinkat(target, dir, p.name));
		b = ask(c, P9_TSYMLINK, "dssd", SPARE, p.name, target,
			group);
		break;
	default:
		a = result(mknodat(dir, p.name, S_IFIFO | 0600, 0));
		b = ask(c, P9_TMKNOD, "dsdddd", SPARE, p.name, S_IFIFO | 0600u,
			0u, 0u, group);
	}
	same("making", p.path, a, b);
	close(dir);
	clunk(c, SPARE);
}

static void op_unlink(void)
{
	struct place p = random_place();
	unsigned int directory = below(2);
	int dir;

	if (!both(&p, &dir, SPARE))
		return;
	same("unlinking", p.path,
	     result(unlinkat(dir, p.name, directory ? AT_REMOVEDIR : 0)),
	     ask(c, P9_TUNLINKAT, "dsd", SPARE, p.name,
		 directory ? P9_AT_REMOVEDIR : 0u));
	close(dir);
	clunk(c, SPARE);
}

static void op_rename(void)
{
	struct place from = random_place(), to = random_place();
	int from_dir, to_dir;

	if (!both(&from, &from_dir, SPARE))
		return;
	if (both(&to, &to_dir, OTHER)) {
		same("renaming", from.path,
		     result(renameat(from_dir, from.name, to_dir, to.name)),
		     ask(c, P9_TRENAMEAT, "dsds", SPARE, from.name, OTHER,
			 to.name));
		close(to_dir);
		clunk(c, OTHER);
	}
	close(from_dir);
	clunk(c, SPARE);
}

static void op_link(void)
{
	struct place from = random_place(), to = random_place();
	int fd, dir;

	if (!both_files(&from, &fd, SPARE))
		return;
	if (both(&to, &dir, OTHER)) {
		same("linking", from.path,
		     result(linkat(AT_FDCWD, self(fd), dir, to.name,
				   AT_SYMLINK_FOLLOW)),
		     ask(c, P9_TLINK, "dds", OTHER, SPARE, to.name));
		close(dir);
		clunk(c, OTHER);
	}
	close(fd);
	clunk(c, SPARE);
}

static void op_xattr(void)
{
	static const char *const names[] = { "user.one", "user.two" };
	struct place p = random_place();
	const char *name = names[below(2)];
	uint32_t flags = below(3), n = below(300);
	uint8_t value[300];
	int fd, a, b;

	if (!both_files(&p, &fd, SPARE))
		return;
	random_bytes(value, n);
	if (!n && flags == P9_XATTR_REPLACE)
		a = result(removexattr(self(fd), name));
	else
		a = result(setxattr(self(fd), name, value, n, (int)flags));
	b = ask(c, P9_TXATTRCREATE, "dsqd", SPARE, name, (uint64_t)n, flags);
	if (!b && n && write_fid(c, SPARE, 0, value, n) != (int)n)
		b = -EIO;
	b = b ? b : clunk(c, SPARE);
	same("an attribute", p.path, a, b);
	close(fd);
}

static void op_readlink(void)
{
	struct place p = random_place();
	char a[100] = "", b[100] = "";
	int fd, rc;

	if (!both_files(&p, &fd, SPARE))
		return;
	rc = (int)readlinkat(fd, "", a, 99);
	if (rc < 0) /* the kernel says ENOENT for what is no link */
		rc = -EINVAL;
	else
		rc = 0;
	same("reading a link", p.path, rc, ask(c, P9_TREADLINK, "d", SPARE));
	if (!rc)
		p9_get_string(&c->in, b, 99);
	same("the link", p.path, 0, strcmp(a, b));
	close(fd);
	clunk(c, SPARE);
}

/* What the server lists is what is there. */
static void compare_listing(void)
{
	uint64_t offset = 0;
	unsigned int n = 0, wanted = 0;
	char name[P9_NAME_MAX + 1];
	struct p9_qid qid;
	DIR *all = opendir(theirs);
	struct stat st;

	while (readdir(all))
		wanted++;
	closedir(all);
	walk(c, ROOT, SPARE, "");
	open_fid(c, SPARE, P9_O_DIRECTORY);
	while (!ask(c, P9_TREADDIR, "dqd", SPARE, offset, 300u) &&
	       p9_get32(&c->in)) {
		while (c->in.left) {
			char path[400];

			get_qid(&c->in, &qid);
			offset = p9_get64(&c->in);
			p9_get8(&c->in);
			p9_get_string(&c->in, name, P9_NAME_MAX);
			snprintf(path, sizeof(path), "%s/%s", theirs, name);
			same("listing", name, 0, lstat(path, &st));
			if (strcmp(name, ".."))
				same("number", name, (long)st.st_ino,
				     (long)qid.path);
			n++;
		}
	}
	same("listing", "all", wanted, n);
	clunk(c, SPARE);
}

/* ---- main ------------------------------------------------------------------- */

static void begin(void)
{
	unsigned int i;

	strcpy(top, "/tmp/cofs-oracle-XXXXXX");
	if (!mkdtemp(top))
		exit(1);
	snprintf(mine, sizeof(mine), "%s/mine", top);
	snprintf(theirs, sizeof(theirs), "%s/theirs", top);
	if (mkdir(mine, 0755) || mkdir(theirs, 0755))
		exit(1);
	umask(0);
	mine_fd = open(mine, O_PATH | O_DIRECTORY);
	c = client_new(theirs, false);
	for (i = 0; i < HELDS; i++)
		held[i].fd = -1;
}

int main(int argc, char **argv)
{
	static void (*const op[])(void) = {
		op_create, op_create, op_data,	 op_data,   op_data,
		op_hold,   op_hold,   op_setattr, op_setattr, op_make,
		op_make,   op_unlink, op_rename, op_link,   op_xattr,
		op_readlink,
	};
	unsigned long operations = argc > 2 ? strtoul(argv[2], NULL, 0) : 6000;
	unsigned int entries = 0, seen = 0;
	char line[128];

	seed = argc > 1 ? strtoul(argv[1], NULL, 0) : (unsigned long)time(NULL);
	srand((unsigned int)seed);
	begin();
	for (done = 1; done <= operations; done++) {
		op[below(sizeof(op) / sizeof(op[0]))]();
		if (done % LOOK_EVERY && done != operations)
			continue;
		entries += compare("");
		compare_listing();
		seen++;
	}
	client_free(c);
	snprintf(line, sizeof(line), "rm -rf %s", top);
	if (system(line))
		return 1;
	printf("# seed %lu, %lu operations, %lu errors on both sides, %u looks at %u entries\n",
	       seed, operations, agreed_errors, seen, entries / seen);
	if (entries / seen < 20) {
		printf("not ok - oracle: too little was there to be compared\n");
		return 1;
	}
	printf("ok - oracle: server and system calls agree\n");
	return 0;
}
