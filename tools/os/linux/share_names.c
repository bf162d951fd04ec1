// SPDX-License-Identifier: GPL-2.0
/*
 * Names in shared directories: made, moved, removed. Each call takes a pinned
 * directory and one name, which the kernel doesn't follow.
 */
#include "share_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int answer(int rc)
{
	return rc ? -errno : 0;
}

/* ---- whose it is ------------------------------------------------------------ */

/* By root, without a wish for more: it is right as it was made. */
static bool is_settled(const struct fs *fs, const struct fs_new *new)
{
	bool group = new->gid && fs->opt.gid == FS_KEEP;
	bool ours = !fs->gives_away || (!new->uid && !group);

	return ours && !(new->mode & 07000);
}

int settle_fd(struct fs *fs, int fd, const struct fs_new *new)
{
	gid_t gid = fs->opt.gid == FS_KEEP ? new->gid : (gid_t)-1;
	char path[FD_PATH];

	if (is_settled(fs, new))
		return 0;
	if (fs->gives_away &&
	    fchownat(fd, "", new->uid, gid, AT_EMPTY_PATH))
		return -errno;
	if (!(new->mode & 07000) || S_ISLNK(new->mode))
		return 0;
	return answer(chmod(fd_path(path, fd), new->mode & 07777));
}

static int settle_name(struct fs_node *dir, const char *name,
		       const struct fs_new *new)
{
	int fd, rc;

	if (is_settled(dir->fs, new))
		return 0;
	fd = open_beneath(dir->fd, name, O_PATH, 0);
	if (fd < 0)
		return fd;
	rc = settle_fd(dir->fs, fd, new);
	fd_give(fd);
	return rc;
}

/* Of what can't be as it was wished nothing stays: the guest was told that it isn't
 * there. */
static int settle(struct fs_node *dir, const char *name,
		  const struct fs_new *new, int flags)
{
	int rc = settle_name(dir, name, new);

	if (rc)
		unlinkat(dir->fd, name, flags);
	return rc;
}

/* ---- making ----------------------------------------------------------------- */

int fs_mkdir(struct fs_node *dir, const char *name, const struct fs_new *new)
{
	if (mkdirat(dir->fd, name, new->mode & 0777))
		return -errno;
	return settle(dir, name, new, AT_REMOVEDIR);
}

int fs_mknod(struct fs_node *dir, const char *name, const struct fs_new *new,
	     uint32_t major, uint32_t minor)
{
	switch (new->mode & S_IFMT) {
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		break;
	default:
		return -EINVAL;
	}
	if (mknodat(dir->fd, name, new->mode & (S_IFMT | 0777),
		    makedev(major, minor)))
		return -errno;
	return settle(dir, name, new, 0);
}

int fs_symlink(struct fs_node *dir, const char *name, const struct fs_new *new,
	       const char *target)
{
	struct fs_new link = { S_IFLNK, new->uid, new->gid };

	if (symlinkat(target, dir->fd, name))
		return -errno;
	return settle(dir, name, &link, 0);
}

/* AT_EMPTY_PATH would ask for CAP_DAC_READ_SEARCH. */
int fs_link(struct fs_node *dir, const char *name, struct fs_node *node)
{
	char path[FD_PATH];

	return answer(linkat(AT_FDCWD, fd_path(path, node->fd), dir->fd, name,
			     AT_SYMLINK_FOLLOW));
}

/* ---- moving and removing ---------------------------------------------------- */

int fs_rename(struct fs_node *from, const char *old, struct fs_node *to,
	      const char *new)
{
	return answer(renameat(from->fd, old, to->fd, new));
}

int fs_unlink(struct fs_node *dir, const char *name, bool directory)
{
	return answer(unlinkat(dir->fd, name, directory ? AT_REMOVEDIR : 0));
}

bool fs_is(struct fs_node *dir, const char *name, struct fs_node *node)
{
	struct stat st;

	return !fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	       st.st_dev == node->dev && st.st_ino == node->ino;
}
