// SPDX-License-Identifier: GPL-2.0
/*
 * Files and directories that are pinned by O_PATH descriptors, and what can be
 * asked and changed of them without opening.
 */
#include "share_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../../share/p9.h"

/* ---- descriptors ------------------------------------------------------------ */

#define BUDGET_WISH   (1u << 20) /* fs.nr_open, as it comes */
#define BUDGET_OTHERS 512	 /* left to the rest of the daemon */

static atomic_uint taken, budget;

const char *fd_path(char to[FD_PATH], int fd)
{
	snprintf(to, FD_PATH, "/proc/self/fd/%d", fd);
	return to;
}

int fd_take(int fd)
{
	if (fd < 0)
		return -errno;
	if (atomic_fetch_add(&taken, 1) < atomic_load(&budget))
		return fd;
	fd_give(fd);
	return -EMFILE;
}

void fd_give(int fd)
{
	if (fd < 0)
		return;
	close(fd);
	atomic_fetch_sub(&taken, 1);
}

void fd_budget(void)
{
	struct rlimit limit = { 1024, 1024 }, wish;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	wish = limit;
	wish.rlim_cur = BUDGET_WISH;
	if (wish.rlim_max < wish.rlim_cur)
		wish.rlim_max = wish.rlim_cur;
	/* Not root: up to what is allowed. */
	if (setrlimit(RLIMIT_NOFILE, &wish)) {
		wish = limit;
		wish.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &wish);
	}
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	atomic_store(&budget, limit.rlim_cur > 2 * BUDGET_OTHERS ?
				      (unsigned int)limit.rlim_cur -
					      BUDGET_OTHERS :
				      (unsigned int)limit.rlim_cur / 2);
}

int open_beneath(int dir, const char *name, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_NOFOLLOW | O_CLOEXEC),
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	/* A symbolic link as such is found by O_PATH and O_NOFOLLOW, which
	 * RESOLVE_NO_SYMLINKS allows for the last part of a path. */
	do {
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd_take(fd);
}

/* ---- nodes ------------------------------------------------------------------ */

static enum fs_kind kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return FS_FILE;
	case S_IFDIR:
		return FS_DIRECTORY;
	case S_IFLNK:
		return FS_SYMLINK;
	default:
		return FS_OTHER;
	}
}

static void enter_list(struct fs_node *node)
{
	node->next = node->fs->nodes;
	if (node->next)
		node->next->previous = node;
	node->fs->nodes = node;
}

static void leave_list(struct fs_node *node)
{
	if (node->next)
		node->next->previous = node->previous;
	if (node->previous)
		node->previous->next = node->next;
	else
		node->fs->nodes = node->next;
}

int node_make(struct fs *fs, int fd, struct fs_node **out)
{
	struct fs_node *node = calloc(1, sizeof(*node));
	struct statx x;
	int rc = 0;

	if (!node)
		rc = -ENOMEM;
	else if (statx(fd, "", AT_EMPTY_PATH,
		       STATX_TYPE | STATX_INO | STATX_BTIME, &x))
		rc = -errno;
	if (rc) {
		fd_give(fd);
		free(node);
		return rc;
	}
	node->fs = fs;
	node->fd = fd;
	node->references = 1;
	node->kind = kind_of(x.stx_mode);
	node->dev = makedev(x.stx_dev_major, x.stx_dev_minor);
	node->ino = x.stx_ino;
	node->version = (uint32_t)x.stx_btime.tv_sec * 1000003u ^
			x.stx_btime.tv_nsec;
	enter_list(node);
	*out = node;
	return 0;
}

struct fs_node *fs_get(struct fs_node *node)
{
	node->references++;
	return node;
}

void fs_put(struct fs_node *node)
{
	if (!node || --node->references)
		return;
	fd_give(node->fd);
	leave_list(node);
	free(node);
}

bool fs_stale(const struct fs_node *node)
{
	return node->fd < 0;
}

int fs_walk(struct fs_node *dir, const char *name, struct fs_node **node)
{
	int fd = open_beneath(dir->fd, name, O_PATH, 0);

	return fd < 0 ? fd : node_make(dir->fs, fd, node);
}

enum fs_kind fs_kind(const struct fs_node *node)
{
	return node->kind;
}

/* Files of the shared directory's own file system have their numbers. Those of
 * others, mounted inside, are mixed with the device (the finalizer of splitmix64). */
uint64_t number_of(const struct fs *fs, dev_t dev, ino_t ino)
{
	uint64_t x = ino ^ (uint64_t)dev * 0x9e3779b97f4a7c15;

	if (dev == fs->dev || !fs->root)
		return ino;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint64_t fs_number(const struct fs_node *node)
{
	return number_of(node->fs, node->dev, node->ino);
}

uint32_t fs_version(const struct fs_node *node)
{
	return node->version;
}

/* ---- what they are ---------------------------------------------------------- */

static struct fs_time time_of(const struct statx_timestamp *t)
{
	return (struct fs_time){ (uint64_t)t->tv_sec, t->tv_nsec };
}

int fs_stat(struct fs_node *node, struct fs_stat *st)
{
	const struct fs_options *opt = &node->fs->opt;
	struct statx x;

	if (statx(node->fd, "", AT_EMPTY_PATH,
		  STATX_BASIC_STATS | STATX_BTIME, &x))
		return -errno;
	*st = (struct fs_stat){
		.mode = x.stx_mode,
		.uid = opt->uid == FS_KEEP ? x.stx_uid : opt->uid,
		.gid = opt->gid == FS_KEEP ? x.stx_gid : opt->gid,
		.links = x.stx_nlink,
		.size = x.stx_size,
		.blocks = x.stx_blocks,
		.block_size = x.stx_blksize,
		.major = x.stx_rdev_major,
		.minor = x.stx_rdev_minor,
		.has_btime = x.stx_mask & STATX_BTIME,
		.atime = time_of(&x.stx_atime),
		.mtime = time_of(&x.stx_mtime),
		.ctime = time_of(&x.stx_ctime),
		.btime = time_of(&x.stx_btime),
	};
	return 0;
}

int fs_room(struct fs_node *node, struct fs_room *room)
{
	struct statfs s;

	if (fstatfs(node->fd, &s))
		return -errno;
	*room = (struct fs_room){
		.block_size = (uint32_t)s.f_bsize,
		.name_max = (uint32_t)s.f_namelen,
		.blocks = s.f_blocks,
		.free = s.f_bfree,
		.available = s.f_bavail,
		.files = s.f_files,
		.files_free = s.f_ffree,
		.id = number_of(node->fs, node->dev, 0),
	};
	return 0;
}

int fs_readlink(struct fs_node *node, char *target)
{
	ssize_t n;

	if (node->kind != FS_SYMLINK)
		return -EINVAL;
	n = readlinkat(node->fd, "", target, FS_TARGET_MAX);
	if (n < 0)
		return -errno;
	target[n] = 0;
	return (int)n;
}

/* ---- what can be changed ---------------------------------------------------- */

static int change_owner(struct fs_node *node, const struct fs_change *c)
{
	uid_t uid = c->set & P9_SET_UID ? c->uid : (uid_t)-1;
	gid_t gid = c->set & P9_SET_GID ? c->gid : (gid_t)-1;
	const struct fs_options *opt = &node->fs->opt;

	/* Whose it seems to be already. */
	if (uid == opt->uid)
		uid = (uid_t)-1;
	if (gid == opt->gid)
		gid = (gid_t)-1;
	if (opt->gid != FS_KEEP && gid != (gid_t)-1) {
		errno = EPERM;
		return -1;
	}
	return fchownat(node->fd, "", uid, gid,
			AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
}

/* Of a link there is no mode to be changed: chmod() would go on to where the
 * kernel lets it. */
static int change_mode(struct fs_node *node, const struct fs_change *c)
{
	char path[FD_PATH];

	if (node->kind == FS_SYMLINK) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return chmod(fd_path(path, node->fd), c->mode & 07777);
}

static int change_size(struct fs_node *node, struct fs_file *file,
		       const struct fs_change *c)
{
	char path[FD_PATH];

	if (c->size > INT64_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (node->kind != FS_FILE) {
		errno = node->kind == FS_DIRECTORY ? EISDIR : EINVAL;
		return -1;
	}
	/* Whoever has it open may write what he couldn't open now. */
	if (file && !ftruncate(file->fd, (off_t)c->size))
		return 0;
	return truncate(fd_path(path, node->fd), (off_t)c->size);
}

static struct timespec timespec_of(uint32_t set, uint32_t change, uint32_t to,
				   const struct fs_time *t)
{
	if (!(set & change))
		return (struct timespec){ 0, UTIME_OMIT };
	if (!(set & to))
		return (struct timespec){ 0, UTIME_NOW };
	return (struct timespec){ (time_t)t->sec, t->nsec };
}

static int change_times(struct fs_node *node, const struct fs_change *c)
{
	struct timespec t[2] = {
		timespec_of(c->set, P9_SET_ATIME, P9_SET_ATIME_TO, &c->atime),
		timespec_of(c->set, P9_SET_MTIME, P9_SET_MTIME_TO, &c->mtime),
	};

	/* UTIME_NOW and UTIME_OMIT are no times that a guest could give. */
	if (c->atime.nsec > 999999999 || c->mtime.nsec > 999999999) {
		errno = EINVAL;
		return -1;
	}
	return utimensat(node->fd, "", t, AT_EMPTY_PATH);
}

/* The mode that it has, once more: ctime is now. (So would be a change of the owner
 * to nobody, which takes set-user-ID bits away.) */
static int touch(struct fs_node *node)
{
	struct fs_change c = { 0 };
	struct stat st;

	if (fstat(node->fd, &st))
		return -1;
	if (node->kind == FS_SYMLINK)
		return change_owner(node, &c);
	c.mode = st.st_mode;
	return change_mode(node, &c);
}

/* Owner before mode, since it takes set-user-ID bits away; size before times,
 * since it sets one. ctime comes by itself, or alone. */
int fs_change(struct fs_node *node, struct fs_file *file,
	      const struct fs_change *c)
{
	if (c->set == P9_SET_CTIME && touch(node))
		return -errno;
	if (c->set & (P9_SET_UID | P9_SET_GID) && change_owner(node, c))
		return -errno;
	if (c->set & P9_SET_MODE && change_mode(node, c))
		return -errno;
	if (c->set & P9_SET_SIZE && change_size(node, file, c))
		return -errno;
	if (c->set & (P9_SET_ATIME | P9_SET_MTIME) && change_times(node, c))
		return -errno;
	return 0;
}
