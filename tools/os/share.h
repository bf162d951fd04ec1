/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A directory of the host, shared: what the 9P server (tools/share) asks of an
 * operating system. Linux: tools/os/linux/share_*.c.
 *
 * Nothing here leaves the directory, whatever names the guest gives and whatever
 * the host renames meanwhile: a node is pinned when it was found, and every step
 * goes from a pinned directory by one name, never through a symbolic link.
 *
 * Functions return 0 (or what they say) or a negative errno, with Linux's numbers
 * since 9P2000.L has them. Threads: one at a time uses an fs and all that is its
 * own, from fs_enter() on always the same; fs_create() and fs_free() come from any.
 */
#ifndef CO_TOOLS_OS_SHARE_H
#define CO_TOOLS_OS_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../lib/error.h"

struct fs;
struct fs_node; /* a file of any kind; counted */
struct fs_file; /* an open regular file or directory */

#define FS_KEEP UINT32_MAX /* no user or group: as the host makes it */

struct fs_options {
	const char *path;
	/* Whose all files are for the guest, and as whom it acts on the host;
	 * FS_KEEP: as it is. */
	uint32_t uid, gid;
	bool direct; /* O_DIRECT of the guest is the host's, too */
};

/* Looks whether it can be done. NULL and an error, which begins with the path. */
struct fs *fs_create(const struct fs_options *opt, struct error **err);
void fs_free(struct fs *fs);
/* The calling thread is the one that serves; it takes on the user's rights. */
int fs_enter(struct fs *fs);
/* Is that directory still what the path leads to? */
bool fs_in_place(struct fs *fs);
/* Lets go of the host's directory: every node is stale from then on, and open
 * files are good for fs_close() only. fs_root() opens the directory again. */
void fs_abandon(struct fs *fs);

/* ---- nodes ------------------------------------------------------------------ */

/* The directory itself. The first call, and each after fs_abandon(), opens it
 * by its path. */
int fs_root(struct fs *fs, struct fs_node **node);
int fs_walk(struct fs_node *dir, const char *name, struct fs_node **node);
struct fs_node *fs_get(struct fs_node *node);
void fs_put(struct fs_node *node); /* NULL is allowed */
/* From before fs_abandon(): good for fs_put() and nothing else. */
bool fs_stale(const struct fs_node *node);

enum fs_kind { FS_FILE, FS_DIRECTORY, FS_SYMLINK, FS_OTHER };

/* For a qid; known since the node was found. */
enum fs_kind fs_kind(const struct fs_node *node);
uint64_t fs_number(const struct fs_node *node);
/* Tells two files apart that had the same number one after the other. It stays
 * while a file is changed, so that the guest sees one file by all of its names. */
uint32_t fs_version(const struct fs_node *node);

struct fs_time {
	uint64_t sec;
	uint32_t nsec;
};

struct fs_stat {
	uint32_t mode, uid, gid;
	uint64_t links, size, blocks; /* of 512 bytes */
	uint32_t block_size;
	uint32_t major, minor; /* of a device node */
	bool has_btime;
	struct fs_time atime, mtime, ctime, btime;
};
int fs_stat(struct fs_node *node, struct fs_stat *st);

/* What is to be set; `set` is P9_SET_*. `file` may be NULL: an open file that is
 * cut by what it was opened with. */
struct fs_change {
	uint32_t set, mode, uid, gid;
	uint64_t size;
	struct fs_time atime, mtime;
};
int fs_change(struct fs_node *node, struct fs_file *file,
	      const struct fs_change *change);

struct fs_room {
	uint32_t block_size, name_max;
	uint64_t blocks, free, available, files, files_free, id;
};
int fs_room(struct fs_node *node, struct fs_room *room);

/* ---- names ------------------------------------------------------------------ */

/* Whose a new file shall be, and its mode with all bits. */
struct fs_new {
	uint32_t mode, uid, gid;
};
int fs_mkdir(struct fs_node *dir, const char *name, const struct fs_new *new);
/* mode says what kind it is. */
int fs_mknod(struct fs_node *dir, const char *name, const struct fs_new *new,
	     uint32_t major, uint32_t minor);
int fs_symlink(struct fs_node *dir, const char *name, const struct fs_new *new,
	       const char *target);
int fs_link(struct fs_node *dir, const char *name, struct fs_node *node);
int fs_rename(struct fs_node *from, const char *old, struct fs_node *to,
	      const char *new);
int fs_unlink(struct fs_node *dir, const char *name, bool directory);
/* Is that name this node? A step of fs_walk() could say it, too, but dearer. */
bool fs_is(struct fs_node *dir, const char *name, struct fs_node *node);
#define FS_TARGET_MAX 4095
/* The length; `target` has room for FS_TARGET_MAX + 1. */
int fs_readlink(struct fs_node *node, char *target);

/* ---- open files ------------------------------------------------------------- */

/* `flags` are P9_O_*. Only files and directories can be opened: a device or a
 * pipe of the host is none of the guest's (ENXIO). */
int fs_open(struct fs_node *node, uint32_t flags, struct fs_file **file);
int fs_open_new(struct fs_node *dir, const char *name, uint32_t flags,
		const struct fs_new *new, struct fs_node **node,
		struct fs_file **file);
void fs_close(struct fs_file *file);
/* Bytes moved; fewer than asked at the end of the file. */
int64_t fs_read(struct fs_file *file, const struct iovec *iov, unsigned int n,
		uint64_t offset);
int64_t fs_write(struct fs_file *file, const struct iovec *iov, unsigned int n,
		 uint64_t offset);
int fs_sync(struct fs_file *file, bool data_only);

struct fs_entry {
	const char *name;
	uint64_t number; /* as fs_number() */
	uint64_t next;	 /* where the entry behind it is */
	uint8_t type;	 /* DT_* */
};
/* Entries from `offset` on, until there are no more or `emit` returns false. */
int fs_list(struct fs_file *file, uint64_t offset,
	    bool (*emit)(void *arg, const struct fs_entry *entry), void *arg);

struct fs_lock {
	uint8_t type; /* P9_LOCK_* */
	uint64_t start, length; /* length 0: to the end */
	uint32_t process;	/* of the host, if it tells */
};
/* EAGAIN: somebody else has it. ENOLCK: the share has as many as it may. Never waits. */
int fs_lock(struct fs_file *file, const struct fs_lock *lock);
/* Who is in the way; type P9_LOCK_UNLOCK: nobody. */
int fs_lock_test(struct fs_file *file, struct fs_lock *lock);

/* ---- extended attributes ---------------------------------------------------- */

#define FS_XATTR_MAX 65536
/* Bytes; `size` 0: how many there would be. An empty name: the list of names. */
int fs_xattr_get(struct fs_node *node, const char *name, void *value,
		 size_t size);
/* `flags` are P9_XATTR_*. */
int fs_xattr_set(struct fs_node *node, const char *name, const void *value,
		 size_t size, uint32_t flags);
int fs_xattr_remove(struct fs_node *node, const char *name);

#endif
