/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include "fuzz_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static int top = -1;

static void empty(int fd)
{
	DIR *all = fdopendir(fd);
	struct dirent *d;
	int inner;

	if (!all)
		abort();
	rewinddir(all);
	while ((d = readdir(all))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (!unlinkat(dirfd(all), d->d_name, 0))
			continue;
		inner = openat(dirfd(all), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (inner >= 0)
			empty(inner);
		if (unlinkat(dirfd(all), d->d_name, AT_REMOVEDIR))
			abort();
	}
	closedir(all);
}

static void fill(int dir)
{
	int fd = openat(dir, "file", O_CREAT | O_EXCL | O_WRONLY, 0644);

	if (fd < 0 || write(fd, "hello", 5) != 5)
		abort();
	close(fd);
}

void fuzz_dir_reset(void)
{
	int dir;

	empty(dup(top));
	fchmod(top, 0755);
	fill(top);
	if (mkdirat(top, "dir", 0755) || symlinkat("file", top, "link"))
		abort();
	dir = openat(top, "dir", O_RDONLY | O_DIRECTORY);
	fill(dir);
	close(dir);
}

static void remove_all(void)
{
	empty(dup(top));
	rmdir(path);
}

const char *fuzz_dir(void)
{
	if (top >= 0)
		return path;
	strcpy(path, "/dev/shm/cofs-fuzz-XXXXXX");
	if (!mkdtemp(path))
		abort();
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atexit(remove_all);
	fuzz_dir_reset();
	return path;
}
