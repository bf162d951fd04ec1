/* SPDX-License-Identifier: GPL-2.0 */
#include "oracle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static long result(int rc)
{
	return rc < 0 ? -errno : rc;
}

static void compare_stat(const char *path, const struct stat *a,
			 const struct stat *b)
{
	same("mode", path, a->st_mode, b->st_mode);
	same("owner", path, a->st_uid, b->st_uid);
	same("group", path, a->st_gid, b->st_gid);
	if (!S_ISDIR(a->st_mode)) {
		same("links", path, (long)a->st_nlink, (long)b->st_nlink);
		same("size", path, a->st_size, b->st_size);
	}
	/* A time that was set; the others differ by when they were. */
	if (a->st_mtim.tv_sec < 1100000000 || b->st_mtim.tv_sec < 1100000000) {
		same("mtime", path, a->st_mtim.tv_sec, b->st_mtim.tv_sec);
		same("mtime", path, a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
	}
}

static void compare_data(const char *path, const char *a, const char *b)
{
	static uint8_t x[2 * FILE_MAX], y[2 * FILE_MAX];
	int fd = open(a, O_RDONLY), other = open(b, O_RDONLY);
	ssize_t n = read(fd, x, sizeof(x));

	same("length", path, n, read(other, y, sizeof(y)));
	same("data", path, 0, memcmp(x, y, (size_t)n));
	close(fd);
	close(other);
}

static void compare_xattrs(const char *path, const char *a, const char *b)
{
	static const char *const names[] = { "user.one", "user.two" };
	char x[400], y[400];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ssize_t n = lgetxattr(a, names[i], x, sizeof(x));

		if (n < 0)
			n = -errno;
		same(names[i], path, n,
		     result((int)lgetxattr(b, names[i], y, sizeof(y))));
		if (n > 0)
			same(names[i], path, 0, memcmp(x, y, (size_t)n));
	}
}

static unsigned int compare_entries(const char *path, const char *dir)
{
	char inner[200];
	struct dirent *d;
	unsigned int n = 0;
	DIR *all = opendir(dir);

	while ((d = readdir(all))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%.100s/%.50s", path, d->d_name);
		n += 1 + compare(inner);
	}
	closedir(all);
	return n;
}

unsigned int compare(const char *path)
{
	char a[300], b[300];
	struct stat x, y;
	unsigned int n;

	snprintf(a, sizeof(a), "%s%s", mine, path);
	snprintf(b, sizeof(b), "%s%s", theirs, path);
	same("being there", path, result(lstat(a, &x)), result(lstat(b, &y)));
	if (*path)
		compare_stat(path, &x, &y);
	if (S_ISREG(x.st_mode))
		compare_data(path, a, b);
	if (S_ISREG(x.st_mode) || S_ISDIR(x.st_mode))
		compare_xattrs(path, a, b);
	if (!S_ISDIR(x.st_mode))
		return 0;
	n = compare_entries(path, a);
	same("entries", path, n, compare_entries(path, b));
	return n;
}
