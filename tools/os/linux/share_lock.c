// SPDX-License-Identifier: GPL-2.0
/*
 * Locks of shared files. Each is memory of the host's kernel that nothing else bounds
 * (Linux doesn't mind RLIMIT_LOCKS), so they are counted.
 */
#include "share_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../share/p9.h"

#define LOCKS_MAX  (1u << 13)	    /* of a share */
#define PIECES_MAX (2 * LOCKS_MAX) /* with what unlocking leaves of them */

/* A lock of the open file, as a guest process that has opened it once sees it. */
static int to_host(const struct fs_lock *lock, struct flock *host)
{
	static const short type[] = { F_RDLCK, F_WRLCK, F_UNLCK };

	if (lock->type > P9_LOCK_UNLOCK || lock->start > INT64_MAX ||
	    lock->length > INT64_MAX)
		return -EINVAL;
	*host = (struct flock){
		.l_type = type[lock->type],
		.l_whence = SEEK_SET,
		.l_start = (off_t)lock->start,
		.l_len = (off_t)lock->length,
	};
	return 0;
}

/* What the kernel says this file holds: "lock:" lines of fdinfo (proc(5)). */
static void recount(struct fs_file *file)
{
	char path[FD_PATH + 8], line[256];
	unsigned int locks = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", file->fd);
	info = fopen(path, "re");
	if (!info)
		return;
	while (fgets(line, sizeof(line), info))
		locks += !strncmp(line, "lock:", 5);
	fclose(info);
	file->node->fs->locks -= file->locks - locks;
	file->locks = locks;
}

/* A lock may join others, and some are given up one by one, so the count is too high
 * after a while. It's made right when that would matter. */
static bool fewer_locks(struct fs *fs, unsigned int max)
{
	struct fs_file *file;

	if (fs->locks < max)
		return true;
	for (file = fs->files; file; file = file->next)
		if (file->locks)
			recount(file);
	return fs->locks < max;
}

static bool gives_up_all(const struct flock *host)
{
	return host->l_type == F_UNLCK && !host->l_start && !host->l_len;
}

/* One request makes two of one at most, by what it takes out of the middle. */
static void count_lock(struct fs_file *file, const struct flock *host)
{
	struct fs *fs = file->node->fs;

	if (gives_up_all(host)) {
		fs->locks -= file->locks;
		file->locks = 0;
		return;
	}
	file->locks += 2;
	fs->locks += 2;
}

int fs_lock(struct fs_file *file, const struct fs_lock *lock)
{
	struct flock host;
	int rc = to_host(lock, &host);

	if (rc)
		return rc;
	if (!gives_up_all(&host) &&
	    !fewer_locks(file->node->fs, host.l_type == F_UNLCK ? PIECES_MAX : LOCKS_MAX))
		return -ENOLCK;
	if (fcntl(file->fd, F_OFD_SETLK, &host))
		return errno == EACCES ? -EAGAIN : -errno;
	count_lock(file, &host);
	return 0;
}

int fs_lock_test(struct fs_file *file, struct fs_lock *lock)
{
	struct flock host;
	int rc = to_host(lock, &host);

	if (rc)
		return rc;
	if (lock->type == P9_LOCK_UNLOCK)
		return -EINVAL;
	if (fcntl(file->fd, F_OFD_GETLK, &host))
		return -errno;
	if (host.l_type == F_UNLCK) {
		lock->type = P9_LOCK_UNLOCK;
		return 0;
	}
	lock->type = host.l_type == F_RDLCK ? P9_LOCK_READ : P9_LOCK_WRITE;
	lock->start = (uint64_t)host.l_start;
	lock->length = (uint64_t)host.l_len;
	lock->process = (uint32_t)host.l_pid;
	return 0;
}
