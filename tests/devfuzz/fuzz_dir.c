/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE /* getdents64() */
#include "fuzz_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../tools/share/p9.h"

static char path[64], away[80];
static int top = -1;

static void empty(int fd);

/* 1, or 0: that one stays. */
static unsigned int remove_one(int dir, const char *name)
{
	int fd;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (!unlinkat(dir, name, 0))
		return 1;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd >= 0)
		empty(fd);
	if (unlinkat(dir, name, AT_REMOVEDIR))
		abort();
	return 1;
}

/* Removes what one reading to the end tells, "." and ".." aside; how many. A signal, such
 * as the fuzzer's own clock, may cut each call short. */
static unsigned int remove_told(int fd)
{
	char buffer[2048] __attribute__((aligned(8)));
	unsigned int removed = 0;
	ssize_t n, at;

	lseek(fd, 0, SEEK_SET);
	while ((n = getdents64(fd, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n;) {
			const struct dirent64 *d = (const void *)(buffer + at);

			removed += remove_one(fd, d->d_name);
			at += d->d_reclen;
		}
	if (n < 0)
		abort();
	return removed;
}

/* Closes it, too. */
static void empty(int fd)
{
	while (remove_told(fd))
		;
	close(fd);
}

/* Attributes of the directory itself; root has set some. */
static void restore_top(void)
{
	char names[1024];
	ssize_t n = flistxattr(top, names, sizeof(names)), at;

	for (at = 0; at < n; at += (ssize_t)strlen(names + at) + 1)
		fremovexattr(top, names + at);
	if (fchown(top, geteuid(), getegid()) || fchmod(top, 0755))
		abort();
}

static void fill(int dir)
{
	int fd = openat(dir, "file", O_CREAT | O_EXCL | O_WRONLY, 0644);

	if (fd < 0 || write(fd, "hello", 5) != 5)
		abort();
	close(fd);
}

/* Failures are fine: the guest was there before. */
void fuzz_dir_meddle(uint8_t what)
{
	int rc = 0;

	switch (what % 8) {
	case 0:
		rc = unlinkat(top, "file", 0);
		break;
	case 1:
		rc = renameat(top, "dir", top, "b");
		break;
	case 2: /* a way out */
		rc = unlinkat(top, "file", 0) | symlinkat("/", top, "file");
		break;
	case 3:
		rc = renameat(top, "dir", top, "a") |
		     symlinkat("..", top, "dir");
		break;
	case 4:
		rc = mkfifoat(top, "a", 0600);
		break;
	case 5: /* all of it is elsewhere */
		rc = rename(path, away);
		break;
	case 6:
		rc = rename(away, path);
		break;
	case 7:
		rc = fchmod(top, 0);
		break;
	}
	(void)rc;
}

void fuzz_dir_reset(void)
{
	int dir;

	(void)!rename(away, path);
	empty(dup(top));
	restore_top();
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
	snprintf(away, sizeof(away), "%s.away", path);
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	atexit(remove_all);
	fuzz_dir_reset();
	return path;
}

static bool only_reads(const uint8_t *m, size_t n)
{
	switch (m[4]) {
	case P9_TWALK:
	case P9_TGETATTR:
	case P9_TCLUNK: /* what sets an attribute was created before */
	case P9_TREADDIR:
	case P9_TVERSION:
	case P9_TATTACH:
	case P9_TSTATFS:
	case P9_TREAD:
	case P9_TFLUSH:
	case P9_TREADLINK:
	case P9_TFSYNC:
	case P9_TLOCK:
	case P9_TGETLOCK:
	case P9_TXATTRWALK:
		return true;
	case P9_TLOPEN:
		return n >= P9_HEADER + 8 &&
		       !(m[P9_HEADER + 5] & P9_O_TRUNC >> 8);
	default:
		return false;
	}
}

bool fuzz_dir_changed(const uint8_t *request, size_t n, uint8_t answer)
{
	return answer != P9_RLERROR && n >= P9_HEADER && !only_reads(request, n);
}
