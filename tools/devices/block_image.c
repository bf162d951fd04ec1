/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd's image: what may be one, how large it is, and that no one else has it.
 */
#define _GNU_SOURCE /* F_OFD_* */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage.h"

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFCHR:
		return "a character device";
	case S_IFIFO:
		return "a named pipe";
	case S_IFSOCK:
		return "a socket";
	default:
		return "of an unknown type";
	}
}

static int missing(const char *path, int code, struct error **err)
{
	if (code != ENOENT)
		return error_set(err, code, "%s: cannot open the image", path);
	return error_set(err, 0,
			 "%s: cannot open the image: %s: check the path, or make a file with `truncate -s`",
			 path, strerror(code));
}

/* Before open(): opening a named pipe would wait, a tape would move. */
static int check_type(const char *path, struct stat *st, struct error **err)
{
	if (stat(path, st))
		return missing(path, errno, err);
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	return error_set(err, 0,
			 "%s: is %s; an image is a file or a block device",
			 path, type_name(st->st_mode));
}

/* ---- the lock --------------------------------------------------------------- */

/* Does open file `fd` of process `pid` hold a lock? */
static bool holds_lock(const char *pid, const char *fd)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "lock:", 5);
	fclose(f);
	return found;
}

static bool process_holds(const char *pid, const struct stat *image, int not_fd)
{
	char path[64], own[16];
	bool self = atol(pid) == getpid(), found = false;
	struct dirent *e;
	DIR *dir;

	snprintf(own, sizeof(own), "%d", not_fd);
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (e = readdir(dir))) {
		struct stat st;

		if (e->d_name[0] == '.' || (self && !strcmp(e->d_name, own)))
			continue;
		found = !fstatat(dirfd(dir), e->d_name, &st, 0) &&
			st.st_dev == image->st_dev &&
			st.st_ino == image->st_ino &&
			holds_lock(pid, e->d_name);
	}
	closedir(dir);
	return found;
}

/* A lock of an open file description has no owner for fcntl(); /proc tells. 0:
 * not found, e.g. in a process that we may not look into. */
static long find_holder(int fd)
{
	struct dirent *e;
	struct stat image;
	long holder = 0;
	DIR *proc;

	if (fstat(fd, &image))
		return 0;
	proc = opendir("/proc");
	if (!proc)
		return 0;
	while (!holder && (e = readdir(proc)))
		if (isdigit((unsigned char)e->d_name[0]) &&
		    process_holds(e->d_name, &image, fd))
			holder = atol(e->d_name);
	closedir(proc);
	return holder;
}

static int tell_holder(int fd, const char *path, struct error **err)
{
	long holder = find_holder(fd);

	if (!holder)
		return error_set(
			err, 0,
			"%s: locked by a process that cannot be seen from here: end it first",
			path);
	if (holder == getpid())
		return error_set(
			err, 0,
			"%s: already in use by another device of this VM: give each an image of its own",
			path);
	return error_set(
		err, 0,
		"%s: locked by process %ld: end it first, or give each VM an image of its own",
		path, holder);
}

static int lock(int fd, const char *path, bool read_only, struct error **err)
{
	struct flock l = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (!fcntl(fd, F_OFD_SETLK, &l))
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return tell_holder(fd, path, err);
	return error_set(err, errno, "%s: cannot be locked", path);
}

/* ---- size ------------------------------------------------------------------- */

static int device_size(struct block_image *image, const char *path,
		       struct error **err)
{
	uint64_t size;
	int block;

	image->host_device = true;
	if (ioctl(image->fd, BLKGETSIZE64, &size) ||
	    ioctl(image->fd, BLKSSZGET, &block))
		return error_set(err, errno, "%s: has no size", path);
	image->size = size;
	image->block_size = (uint32_t)block;
	return 0;
}

static int find_size(struct block_image *image, const char *path,
		     struct error **err)
{
	struct stat st;

	if (fstat(image->fd, &st))
		return error_set(err, errno, "%s: has no size", path);
	image->block_size = SECTOR;
	image->size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && device_size(image, path, err))
		return -1;
	if (!image->size)
		return error_set(err, 0,
				 "%s: is empty: give it a size, a file with `truncate -s`",
				 path);
	if (image->size % SECTOR)
		return error_set(
			err, 0,
			"%s: its size of %llu bytes is not a multiple of %d: fill it up with `truncate -s %%%d %s`",
			path, (unsigned long long)image->size, SECTOR, SECTOR,
			path);
	return 0;
}

/* ---- open ------------------------------------------------------------------- */

static int open_error(const char *path, bool read_only, struct error **err)
{
	int code = errno;

	if (code == EBUSY)
		return error_set(
			err, 0,
			"%s: in use by the host (mounted, or part of another device): release it there, or put ',ro' behind its path",
			path);
	if (!read_only && (code == EROFS || code == EACCES || code == EPERM))
		return error_set(
			err, code,
			"%s: cannot be opened for writing; make it writable, or put ',ro' behind its path",
			path);
	return error_set(err, code, "%s: cannot open the image", path);
}

/* open() takes a read-only device for writing, each write then fails. */
static bool is_writable(int fd)
{
	int read_only = 0;

	return ioctl(fd, BLKROGET, &read_only) || !read_only;
}

static int open_file(struct block_image *image, const char *path,
		     bool read_only, struct error **err)
{
	int flags = O_CLOEXEC | (read_only ? O_RDONLY : O_RDWR);
	struct stat st;

	if (check_type(path, &st, err))
		return -1;
	/* The kernel refuses O_EXCL for a device that it has mounted. */
	if (S_ISBLK(st.st_mode) && !read_only)
		flags |= O_EXCL;
	image->fd = open(path, flags);
	if (image->fd < 0)
		return open_error(path, read_only, err);
	if (!read_only && !is_writable(image->fd)) {
		errno = EROFS;
		return open_error(path, read_only, err);
	}
	if (find_size(image, path, err))
		return -1;
	return lock(image->fd, path, read_only, err);
}

/* What the table says isn't true for a file that was cut off. */
static int take_partition(struct block_image *image, const char *path,
			  unsigned int part, struct error **err)
{
	uint64_t start, size;

	if (partition_find(image->fd, part, &start, &size, err))
		return error_wrap(err, "%s", path);
	if (!size || start > image->size || size > image->size - start)
		return error_set(err, 0,
				 "%s: part=%u: ends behind the image's end: is the image complete?",
				 path, part);
	if (start % image->block_size || size % image->block_size)
		return error_set(err, 0,
				 "%s: part=%u: isn't aligned to the device's blocks of %u bytes",
				 path, part, image->block_size);
	image->start = start;
	image->size = size;
	return 0;
}

static int open_storage(struct block_image *image,
			const struct block_options *opt, struct error **err)
{
	if (opt->part)
		return error_set(err, 0,
				 "%s: part= is for raw images alone: the guest finds the partitions of others itself",
				 opt->path);
	image->storage = storage_open(opt, err);
	if (!image->storage)
		return -1;
	image->size = image->storage->size;
	image->block_size = image->storage->block_size;
	return 0;
}

int block_image_open(struct block_image *image, const struct block_options *opt,
		     struct error **err)
{
	int rc;

	memset(image, 0, sizeof(*image));
	image->fd = image->direct_fd = -1;
	if (storage_needed(opt))
		return open_storage(image, opt, err);
	rc = open_file(image, opt->path, opt->read_only, err);
	if (!rc && opt->part)
		rc = take_partition(image, opt->path, opt->part, err);
	if (!rc && opt->direct)
		rc = block_direct_open(image, opt->path, opt->read_only, err);
	if (rc)
		block_image_close(image);
	return rc;
}

void block_image_close(struct block_image *image)
{
	storage_close(image->storage);
	image->storage = NULL;
	if (image->fd >= 0)
		close(image->fd);
	if (image->direct_fd >= 0)
		close(image->direct_fd);
	image->fd = image->direct_fd = -1;
}
