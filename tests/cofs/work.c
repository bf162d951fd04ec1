/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest does to a directory that is shared with its host; static, since
 * its initramfs has no library.
 *
 *	work many DIR HAVE N     a directory that has HAVE entries gets N, is listed
 *				 before and after, and loses half of the new ones
 *	work tree DIR N          N files in folders of 100
 *	work xattr DIR           extended attributes, of files and directories
 *	work locks DIR           two processes and their locks, fcntl and flock
 *	work fsx DIR SEED N      one file against a copy in memory: reads, writes,
 *	                         truncates, mmap
 *	work stress DIR DIR SEED N   the same operations in both directories
 *	work open DIR            files that are unlinked, renamed and grown while open
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define must(truth)                                                      \
	do {                                                             \
		if (!(truth)) {                                          \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__,   \
				#truth, strerror(errno));                \
			exit(1);                                         \
		}                                                        \
	} while (0)

/* The directory holds entry-0 to entry-<n - 1>, each once. */
static int list(int n)
{
	char *seen = calloc((size_t)n, 1);
	struct dirent *d;
	int i, count = 0;
	DIR *all;

	must((all = opendir(".")) != NULL);
	while ((d = readdir(all))) {
		if (sscanf(d->d_name, "entry-%d", &i) != 1)
			continue;
		must(i >= 0 && i < n && !seen[i]);
		seen[i] = 1;
		count++;
	}
	closedir(all);
	free(seen);
	must(count == n);
	return 0;
}

static int many(const char *dir, int have, int n)
{
	char name[32];
	int i, fd;

	must(!chdir(dir));
	list(have);
	for (i = have; i < n; i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		must((fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644)) >= 0);
		close(fd);
	}
	list(n);
	for (i = have; i < n; i += 2) {
		snprintf(name, sizeof(name), "entry-%d", i);
		must(!unlink(name));
	}
	return 0;
}

static int tree(const char *dir, int n)
{
	char name[64];
	int i, fd;

	must(!chdir(dir));
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "d%d", i / 100);
		must(i % 100 || !mkdir(name, 0755));
		snprintf(name, sizeof(name), "d%d/f%d-%d", i / 100, i / 100, i % 100);
		must((fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644)) >= 0);
		must(dprintf(fd, "file %d\n", i) > 0);
		close(fd);
	}
	return 0;
}

static int xattrs(const char *dir)
{
	char value[4096], back[5000], list[200];
	int fd;

	must(!chdir(dir));
	must((fd = open("attributed", O_CREAT | O_RDWR, 0644)) >= 0);
	memset(value, 'v', sizeof(value));
	must(!setxattr("attributed", "user.short", "abc", 3, XATTR_CREATE));
	must(setxattr("attributed", "user.short", "d", 1, XATTR_CREATE) == -1 && errno == EEXIST);
	must(!fsetxattr(fd, "user.long", value, 700, 0));
	must(getxattr("attributed", "user.short", back, 10) == 3 && !memcmp(back, "abc", 3));
	must(fgetxattr(fd, "user.long", back, sizeof(back)) == 700 && !memcmp(back, value, 700));
	must(getxattr("attributed", "user.long", back, 10) == -1 && errno == ERANGE);
	must(listxattr("attributed", list, sizeof(list)) == 21);
	must(!setxattr("attributed", "user.empty", "", 0, 0));
	must(getxattr("attributed", "user.empty", back, 10) == 0);
	must(!removexattr("attributed", "user.long"));
	must(getxattr("attributed", "user.long", back, 10) == -1 && errno == ENODATA);
	must(!setxattr(".", "user.dir", "x", 1, 0));
	must(!setxattr("attributed", "trusted.mine", "t", 1, 0));
	return 0;
}

static int try_lock(int fd, short type, int wait)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };

	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &l);
}

/* Linux's client takes both kinds for one: on one file they would wait for each
 * other. */
static int locks(const char *dir)
{
	int fd, other, to[2], from[2], status;
	char c;
	pid_t pid;

	must(!chdir(dir));
	must((fd = open("locked", O_CREAT | O_RDWR, 0644)) >= 0);
	must(!pipe(to) && !pipe(from));
	must(!try_lock(fd, F_WRLCK, 0));
	must((other = open("flocked", O_CREAT | O_RDWR, 0644)) >= 0);
	must(!flock(other, LOCK_EX));
	pid = fork();
	if (!pid) {
		must((fd = open("locked", O_RDWR)) >= 0);
		must(try_lock(fd, F_RDLCK, 0) == -1 && (errno == EAGAIN || errno == EACCES));
		must((other = open("flocked", O_RDWR)) >= 0);
		must(flock(other, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
		must(write(from[1], "x", 1) == 1);
		must(!try_lock(fd, F_WRLCK, 1)); /* until the other one lets go */
		must(read(to[0], &c, 1) == 1); /* which it did before */
		exit(0);
	}
	must(read(from[0], &c, 1) == 1);
	must(write(to[1], "x", 1) == 1);
	must(!flock(other, LOCK_UN));
	must(!try_lock(fd, F_UNLCK, 0));
	must(waitpid(pid, &status, 0) == pid && !status);
	must(!try_lock(fd, F_WRLCK, 0));
	return 0;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand() % n;
}

#define FSX_MAX 300000

static void fsx_step(int fd, uint8_t *copy, unsigned int *size)
{
	static uint8_t back[FSX_MAX];
	unsigned int at = below(FSX_MAX), n = 1 + below(below(3) ? 5000 : 200000), i;
	uint8_t *map;

	if (at + n > FSX_MAX)
		n = FSX_MAX - at;
	switch (below(6)) {
	case 0:
	case 1:
		for (i = 0; i < n; i++)
			copy[at + i] = (uint8_t)rand();
		must(pwrite(fd, copy + at, n, at) == (ssize_t)n);
		if (at + n > *size)
			*size = at + n;
		break;
	case 2:
	case 3:
		i = at >= *size ? 0 : *size - at < n ? *size - at : n;
		must(pread(fd, back, n, at) == (ssize_t)i);
		must(!memcmp(back, copy + at, i));
		break;
	case 4:
		must(!ftruncate(fd, at));
		if (at < *size)
			memset(copy + at, 0, *size - at);
		*size = at;
		break;
	case 5:
		if (!*size)
			break;
		map = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
		must(map != MAP_FAILED);
		at %= *size;
		if (n > *size - at)
			n = *size - at;
		must(!memcmp(map + at, copy + at, n));
		munmap(map, *size);
		if (below(4) == 0)
			must(!fsync(fd));
		break;
	}
}

static int fsx(const char *dir, unsigned int seed, int n)
{
	static uint8_t copy[FSX_MAX];
	unsigned int size = 0;
	struct stat st;
	int fd;

	srand(seed);
	must(!chdir(dir));
	must((fd = open("fsx", O_CREAT | O_TRUNC | O_RDWR, 0644)) >= 0);
	while (n--) {
		fsx_step(fd, copy, &size);
		must(!fstat(fd, &st) && st.st_size == (off_t)size);
	}
	return 0;
}

/* ---- the same in two directories -------------------------------------------- */

static int stress_dir[2];

static int stress_one(int dir, int what, const char *a, const char *b, unsigned int n)
{
	static char data[20000];
	int fd, rc;

	switch (what) {
	case 0:
	case 1:
		fd = openat(dir, a, O_CREAT | O_WRONLY | O_NOFOLLOW, 0600 + (n & 077));
		if (fd < 0)
			return -errno;
		memset(data, (int)(n & 0xff), sizeof(data));
		rc = (int)pwrite(fd, data, n % sizeof(data), n % 7777);
		close(fd);
		return rc;
	case 2:
		rc = mkdirat(dir, a, 0755);
		break;
	case 3:
		rc = unlinkat(dir, a, n & 1 ? AT_REMOVEDIR : 0);
		break;
	case 4:
		rc = renameat(dir, a, dir, b);
		break;
	case 5:
		rc = linkat(dir, a, dir, b, 0);
		break;
	case 6:
		rc = symlinkat(a, dir, b);
		break;
	case 7:
		rc = fchmodat(dir, a, 0700 + (n & 077), 0);
		break;
	case 8:
		fd = openat(dir, a, O_WRONLY | O_NOFOLLOW);
		if (fd < 0)
			return -errno;
		rc = ftruncate(fd, n % 30000);
		close(fd);
		break;
	default:
		fd = openat(dir, a, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
		if (fd < 0)
			return -errno;
		rc = (int)read(fd, data, sizeof(data));
		if (rc > 0)
			rc = rc * 256 + data[rc - 1];
		close(fd);
	}
	return rc < 0 ? -errno : rc;
}

static void stress_name(char *to)
{
	if (below(2))
		sprintf(to, "s%u", below(10));
	else
		sprintf(to, "s%u/s%u", below(10), below(10));
}

static int stress(const char *one, const char *two, unsigned int seed, int n)
{
	char a[20], b[20];
	int i;

	srand(seed);
	must((stress_dir[0] = open(one, O_RDONLY | O_DIRECTORY)) >= 0);
	must((stress_dir[1] = open(two, O_RDONLY | O_DIRECTORY)) >= 0);
	for (i = 0; i < n; i++) {
		int what = (int)below(11), x, y;
		unsigned int number = (unsigned int)rand();

		stress_name(a);
		stress_name(b);
		x = stress_one(stress_dir[0], what, a, b, number);
		y = stress_one(stress_dir[1], what, a, b, number);
		if (x != y) {
			fprintf(stderr, "seed %u, step %d: operation %d on %s, %s: %d and %d\n",
				seed, i, what, a, b, x, y);
			return 1;
		}
	}
	return 0;
}

static int opened(const char *dir)
{
	char back[16];
	struct stat st;
	int fd;

	must(!chdir(dir));
	must((fd = open("open-1", O_CREAT | O_RDWR, 0644)) >= 0);
	must(write(fd, "hello", 5) == 5);
	must(!rename("open-1", "open-2"));
	must(pwrite(fd, "J", 1, 0) == 1);
	must(!unlink("open-2"));
	must(pread(fd, back, 16, 0) == 5 && !memcmp(back, "Jello", 5));
	must(!ftruncate(fd, 100000));
	must(!fstat(fd, &st) && st.st_size == 100000 && !st.st_nlink);
	must(!fsync(fd));
	must(!close(fd));
	must((fd = open("appended", O_CREAT | O_WRONLY | O_APPEND, 0644)) >= 0);
	must(write(fd, "one", 3) == 3 && write(fd, "two", 3) == 3);
	must(!fstat(fd, &st) && st.st_size == 6);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (!strcmp(verb, "many") && argc == 5)
		return many(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (!strcmp(verb, "tree") && argc == 4)
		return tree(argv[2], atoi(argv[3]));
	if (!strcmp(verb, "xattr"))
		return xattrs(argv[2]);
	if (!strcmp(verb, "locks"))
		return locks(argv[2]);
	if (!strcmp(verb, "open"))
		return opened(argv[2]);
	if (!strcmp(verb, "fsx") && argc == 5)
		return fsx(argv[2], (unsigned int)atoi(argv[3]), atoi(argv[4]));
	if (!strcmp(verb, "stress") && argc == 6)
		return stress(argv[2], argv[3], (unsigned int)atoi(argv[4]), atoi(argv[5]));
	fprintf(stderr, "work: see the top of work.c\n");
	return 1;
}
