/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of the shared directory on Linux: tools/os/linux/share_*.c. */
#ifndef CO_TOOLS_SHARE_LINUX_H
#define CO_TOOLS_SHARE_LINUX_H

#include <sys/stat.h>
#include <sys/types.h>

#include "../share.h"

struct fs {
	char *path;
	struct fs_options opt;
	bool gives_away; /* new files can be made someone else's */
	dev_t dev;	 /* of the directory, once it was opened */
	ino_t ino;
	struct fs_node *root, *nodes;
	struct fs_file *files;
	unsigned int locks; /* of all files; not fewer than there are */
};

struct fs_node {
	struct fs *fs;
	int fd; /* O_PATH; -1: stale */
	unsigned int references;
	enum fs_kind kind;
	dev_t dev;
	ino_t ino;
	uint32_t version;
	struct fs_node *next, *previous;
};

struct fs_file {
	struct fs_node *node;
	int fd;
	unsigned int locks;
	struct fs_file *next, *previous;
};

/* The path by which this process opens again what it holds: FD_PATH bytes. */
#define FD_PATH 32
const char *fd_path(char to[FD_PATH], int fd);
/* Counts a descriptor, of all shares of the process together. `fd` < 0 gives
 * -errno; one too many is closed, and gives -EMFILE. */
int fd_take(int fd);
void fd_give(int fd);
/* How many there may be, by the process's limit, which is raised before. */
void fd_budget(void);
/* One name from a pinned directory, never through a link. -errno. */
int open_beneath(int dir, const char *name, int flags, mode_t mode);
/* Takes over the O_PATH descriptor `fd`, also when it fails. */
int node_make(struct fs *fs, int fd, struct fs_node **node);
/* Identity of a file, within all that can be reached through the share. */
uint64_t number_of(const struct fs *fs, dev_t dev, ino_t ino);
/* Gives a new file, the open `fd`, to whom it shall belong, and all bits of its mode. */
int settle_fd(struct fs *fs, int fd, const struct fs_new *new);

#endif
