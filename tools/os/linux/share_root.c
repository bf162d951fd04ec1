// SPDX-License-Identifier: GPL-2.0
/*
 * The shared directory itself: made, opened, lost, and the rights with which it
 * is used.
 */
#include "share_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static int check_user(const struct fs_options *opt, struct error **err)
{
	if (opt->uid == FS_KEEP && opt->gid == FS_KEEP)
		return 0;
	if (!geteuid())
		return 0;
	return error_set(err, 0,
			 "%s: only root can act as another user: leave out uid= and gid=, or start the daemon as root",
			 opt->path);
}

/* Links in the path are the host's when the VM begins. Later ones may be a guest's,
 * which has a share that this one lies in. */
static int open_directory(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* The path without links, of a directory that is there; caller frees. */
static char *resolved(const char *path, struct error **err)
{
	char *real = realpath(path, NULL);
	int fd = real ? open_directory(real) : -1;

	if (fd >= 0) {
		close(fd);
		return real;
	}
	error_set(err, errno, "%s", path);
	free(real);
	return NULL;
}

struct fs *fs_create(const struct fs_options *opt, struct error **err)
{
	struct fs *fs;
	char *path;

	if (check_user(opt, err))
		return NULL;
	path = resolved(opt->path, err);
	if (!path)
		return NULL;
	fs = calloc(1, sizeof(*fs));
	if (!fs) {
		free(path);
		error_set(err, ENOMEM, "%s", opt->path);
		return NULL;
	}
	fs->path = path;
	fs->opt = *opt;
	fs->opt.path = fs->path;
	if (opt->uid != FS_KEEP && opt->gid == FS_KEEP)
		fs->opt.gid = opt->uid;
	fs->gives_away = !geteuid() && opt->uid == FS_KEEP;
	fd_budget();
	return fs;
}

void fs_free(struct fs *fs)
{
	if (!fs)
		return;
	fs_put(fs->root);
	free(fs->path);
	free(fs);
}

/* ---- rights ----------------------------------------------------------------- */

/* No rights of root are left to this thread, not even as uid 0; the others keep
 * theirs. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

/* The library's setgroups() would change all threads; this is for one. */
static int become(const struct fs *fs)
{
	uint32_t uid = fs->opt.uid, gid = fs->opt.gid;

	if (gid != FS_KEEP) {
		if (syscall(SYS_setgroups, 0, NULL))
			return -errno;
		setfsgid(gid);
		if ((uint32_t)setfsgid((gid_t)-1) != gid)
			return -EPERM;
	}
	if (uid == FS_KEEP)
		return 0;
	setfsuid(uid);
	if ((uint32_t)setfsuid((uid_t)-1) != uid)
		return -EPERM;
	return drop_capabilities();
}

/* The guest has applied its own umask; the daemon's other threads keep theirs. */
int fs_enter(struct fs *fs)
{
	if (unshare(CLONE_FS))
		return -errno;
	umask(0);
	return become(fs);
}

/* ---- the directory ---------------------------------------------------------- */

int fs_root(struct fs *fs, struct fs_node **node)
{
	int rc;

	if (!fs->root) {
		rc = fd_take(open_directory(fs->path));
		if (rc >= 0)
			rc = node_make(fs, rc, &fs->root);
		if (rc < 0)
			return rc;
		fs->dev = fs->root->dev;
		fs->ino = fs->root->ino;
	}
	*node = fs_get(fs->root);
	return 0;
}

bool fs_in_place(struct fs *fs)
{
	struct stat st;
	bool there;
	int fd;

	if (!fs->root)
		return true;
	fd = open_directory(fs->path);
	if (fd < 0)
		return false;
	there = !fstat(fd, &st) && st.st_dev == fs->dev && st.st_ino == fs->ino;
	close(fd);
	return there;
}

void fs_abandon(struct fs *fs)
{
	struct fs_node *node;
	struct fs_file *file;

	for (file = fs->files; file; file = file->next) {
		fd_give(file->fd);
		file->fd = -1;
	}
	for (node = fs->nodes; node; node = node->next) {
		fd_give(node->fd);
		node->fd = -1;
	}
	fs_put(fs->root);
	fs->root = NULL;
}
