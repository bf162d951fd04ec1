// SPDX-License-Identifier: GPL-2.0
/*
 * Extended attributes of pinned files. There are no calls that take a descriptor
 * made with O_PATH, but for this process's own paths to them.
 */
#include "share_linux.h"

#include <errno.h>
#include <sys/xattr.h>

#include "../../share/p9.h"

int fs_xattr_get(struct fs_node *node, const char *name, void *value,
		 size_t size)
{
	char path[FD_PATH];
	ssize_t n;

	fd_path(path, node->fd);
	n = *name ? getxattr(path, name, value, size) :
		    listxattr(path, value, size);
	return n < 0 ? -errno : (int)n;
}

int fs_xattr_set(struct fs_node *node, const char *name, const void *value,
		 size_t size, uint32_t flags)
{
	char path[FD_PATH];
	int host = (flags & P9_XATTR_CREATE ? XATTR_CREATE : 0) |
		   (flags & P9_XATTR_REPLACE ? XATTR_REPLACE : 0);

	if (setxattr(fd_path(path, node->fd), name, value, size, host))
		return -errno;
	return 0;
}

int fs_xattr_remove(struct fs_node *node, const char *name)
{
	char path[FD_PATH];

	return removexattr(fd_path(path, node->fd), name) ? -errno : 0;
}
