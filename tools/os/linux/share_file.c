// SPDX-License-Identifier: GPL-2.0
/*
 * Open files and directories of a share: data, entries, locks.
 */
#include "share_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../share/p9.h"

/* ---- opening ---------------------------------------------------------------- */

/* O_APPEND stays with the guest, which says where it writes: its page cache
 * writes back at any place by a descriptor that was opened so. */
static int host_flags(const struct fs *fs, uint32_t flags)
{
	static const int access[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR };
	int host = access[flags & P9_O_ACCESS] | O_CLOEXEC | O_NOCTTY |
		   O_NONBLOCK;

	if (flags & P9_O_TRUNC)
		host |= O_TRUNC;
	if (flags & P9_O_SYNC)
		host |= O_SYNC;
	else if (flags & P9_O_DSYNC)
		host |= O_DSYNC;
	if (flags & P9_O_DIRECT && fs->opt.direct)
		host |= O_DIRECT;
	if (flags & P9_O_DIRECTORY)
		host |= O_DIRECTORY;
	return host;
}

/* Takes over `fd`, also when it fails. */
static int file_make(struct fs_node *node, int fd, struct fs_file **out)
{
	struct fs_file *file = calloc(1, sizeof(*file));

	if (!file) {
		fd_give(fd);
		return -ENOMEM;
	}
	file->node = fs_get(node);
	file->fd = fd;
	file->next = node->fs->files;
	if (file->next)
		file->next->previous = file;
	node->fs->files = file;
	*out = file;
	return 0;
}

/* The file system may not know O_DIRECT. */
static int reopen(int fd, int flags)
{
	char path[FD_PATH];
	int new = open(fd_path(path, fd), flags);

	if (new < 0 && errno == EINVAL && flags & O_DIRECT)
		new = open(path, flags & ~O_DIRECT);
	return fd_take(new);
}

int fs_open(struct fs_node *node, uint32_t flags, struct fs_file **file)
{
	int fd;

	if (node->kind == FS_SYMLINK)
		return -ELOOP;
	if (node->kind == FS_OTHER)
		return -ENXIO;
	fd = reopen(node->fd, host_flags(node->fs, flags));
	return fd < 0 ? fd : file_make(node, fd, file);
}

/* `fd` is the new file, opened. */
static int adopt_new(struct fs *fs, int fd, const struct fs_new *new,
		     struct fs_node **node, struct fs_file **file)
{
	int rc = settle_fd(fs, fd, new), pin;

	if (!rc) {
		pin = reopen(fd, O_PATH | O_CLOEXEC);
		rc = pin < 0 ? pin : node_make(fs, pin, node);
	}
	if (rc) {
		fd_give(fd);
		return rc;
	}
	rc = file_make(*node, fd, file);
	if (rc)
		fs_put(*node);
	return rc;
}

static int open_old(struct fs_node *dir, const char *name, uint32_t flags,
		    struct fs_node **node, struct fs_file **file)
{
	int rc = fs_walk(dir, name, node);

	if (rc)
		return rc;
	rc = fs_open(*node, flags, file);
	if (rc)
		fs_put(*node);
	return rc;
}

/* A file system that can't refuses it after it has made a file: so not while it does. */
static void go_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_DIRECT);
}

/* What is there already is looked at before it's opened, for it may be a pipe or
 * a device, and keeps its owner. Whoever removes and makes the name again and
 * again isn't followed for ever. */
int fs_open_new(struct fs_node *dir, const char *name, uint32_t flags,
		const struct fs_new *new, struct fs_node **node,
		struct fs_file **file)
{
	int wanted = host_flags(dir->fs, flags);
	int host = wanted & ~(O_TRUNC | O_DIRECTORY | O_DIRECT);
	int tries, fd, rc = 0;

	for (tries = 0; tries < 8; tries++) {
		fd = open_beneath(dir->fd, name, host | O_CREAT | O_EXCL,
				  new->mode & 0777);
		if (fd >= 0) {
			if (wanted & O_DIRECT)
				go_direct(fd);
			rc = adopt_new(dir->fs, fd, new, node, file);
			if (rc)
				unlinkat(dir->fd, name, 0);
			return rc;
		}
		if (fd == -ELOOP) /* a link is there */
			fd = -EEXIST;
		if (fd != -EEXIST || flags & P9_O_EXCL)
			return fd;
		rc = open_old(dir, name, flags, node, file);
		if (rc != -ENOENT)
			return rc;
	}
	return rc ? rc : -EINVAL;
}

void fs_close(struct fs_file *file)
{
	struct fs *fs;

	if (!file)
		return;
	fs = file->node->fs;
	fs->locks -= file->locks;
	fd_give(file->fd);
	if (file->next)
		file->next->previous = file->previous;
	if (file->previous)
		file->previous->next = file->next;
	else
		fs->files = file->next;
	fs_put(file->node);
	free(file);
}

/* ---- data ------------------------------------------------------------------- */

typedef ssize_t transfer(int fd, const struct iovec *iov, int n, off_t offset);

/* Buffers and places that don't suit O_DIRECT go through the page cache, from
 * then on all. */
static bool leave_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_DIRECT &&
	       !fcntl(fd, F_SETFL, flags & ~O_DIRECT);
}

static int64_t move(transfer *call, struct fs_file *file,
		    const struct iovec *iov, unsigned int n, uint64_t offset)
{
	ssize_t done;

	if (offset > INT64_MAX)
		return -EINVAL;
	do {
		done = call(file->fd, iov, (int)n, (off_t)offset);
	} while (done < 0 &&
		 (errno == EINTR ||
		  (errno == EINVAL && leave_direct(file->fd))));
	return done < 0 ? -errno : done;
}

int64_t fs_read(struct fs_file *file, const struct iovec *iov, unsigned int n,
		uint64_t offset)
{
	return move(preadv, file, iov, n, offset);
}

int64_t fs_write(struct fs_file *file, const struct iovec *iov, unsigned int n,
		 uint64_t offset)
{
	return move(pwritev, file, iov, n, offset);
}

int fs_sync(struct fs_file *file, bool data_only)
{
	int rc = data_only ? fdatasync(file->fd) : fsync(file->fd);

	return rc ? -errno : 0;
}

/* ---- entries ---------------------------------------------------------------- */

/* The parent of the shared directory is none of the guest's. */
static uint64_t entry_number(const struct fs_file *file,
			     const struct dirent64 *d)
{
	const struct fs_node *dir = file->node;
	const struct fs *fs = dir->fs;

	if (d->d_name[0] == '.' && d->d_name[1] == '.' && !d->d_name[2] &&
	    dir->dev == fs->dev && dir->ino == fs->ino)
		return fs_number(dir);
	return number_of(fs, dir->dev, d->d_ino);
}

static bool emit_all(struct fs_file *file, const char *buffer, ssize_t n,
		     bool (*emit)(void *arg, const struct fs_entry *entry),
		     void *arg)
{
	ssize_t at = 0;

	while (at < n) {
		const struct dirent64 *d = (const void *)(buffer + at);
		struct fs_entry entry = {
			.name = d->d_name,
			.number = entry_number(file, d),
			.next = (uint64_t)d->d_off,
			.type = d->d_type,
		};

		if (!emit(arg, &entry))
			return false;
		at += d->d_reclen;
	}
	return true;
}

int fs_list(struct fs_file *file, uint64_t offset,
	    bool (*emit)(void *arg, const struct fs_entry *entry), void *arg)
{
	char buffer[32768] __attribute__((aligned(8)));
	ssize_t n;

	if (file->node->kind != FS_DIRECTORY)
		return -ENOTDIR;
	if (lseek(file->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	do {
		n = getdents64(file->fd, buffer, sizeof(buffer));
		if (n < 0)
			return -errno;
	} while (n && emit_all(file, buffer, n, emit, arg));
	return 0;
}
