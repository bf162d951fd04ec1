/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the shared directory on Windows: tools/os/nt/share_*.c. How files of
 * NTFS look to the guest is said in docs/nt-tools.md.
 *
 * A node is a handle. Every step opens one name relative to a directory's handle by
 * NtCreateFile(), which follows no reparse point at the end of a name, and knows
 * neither "." nor ".." nor DOS devices: nothing leaves the directory.
 */
#ifndef CO_NT_SHARE_NT_H
#define CO_NT_SHARE_NT_H

#include <windows.h>
#include <winternl.h>

#include "../share.h"

struct fs {
	char *path;
	struct fs_options opt;
	DWORD volume; /* of the directory, once it was opened */
	uint64_t index;
	struct fs_node *root, *nodes;
	struct fs_file *files;
};

struct fs_node {
	struct fs *fs;
	HANDLE h; /* NULL: stale */
	unsigned int references;
	enum fs_kind kind;
	uint32_t target; /* bytes, of a symbolic link */
	DWORD volume;
	uint64_t index;
	uint32_t version;
	struct fs_node *next, *previous;
};

struct fs_file {
	struct fs_node *node;
	HANDLE h; /* NULL: of an abandoned directory */
	uint64_t at; /* which entry comes next */
	struct fs_file *next, *previous;
};

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* A guest's name as NTFS has it: what Windows' programs don't allow in names is moved
 * to U+F000 and up, as WSL and Cygwin do. NULL: it is no UTF-8, or longer than 255.
 * Caller frees. And back. */
wchar_t *name_to_nt(const char *name);
char *name_from_nt(const wchar_t *name, size_t length);

/* Opens `name` in `dir`, or that very file anew with a NULL name. -errno. */
int open_at(HANDLE dir, const wchar_t *name, ACCESS_MASK access,
	    ULONG disposition, ULONG options, HANDLE *h);
/* The same by a guest's name. */
int open_named(struct fs_node *dir, const char *name, ACCESS_MASK access,
	       ULONG disposition, ULONG options, HANDLE *h);
/* Takes over `h`, also when it fails. */
int node_make(struct fs *fs, HANDLE h, struct fs_node **node);
/* NtSetInformationFile(); -errno. */
int set_info(HANDLE h, void *info, ULONG size, int class);
/* The target of what is a symbolic link for the guest; its bytes. `target` has room for
 * FS_TARGET_MAX + 1. -errno: it is none, or couldn't be looked at. */
int link_read(HANDLE h, const BY_HANDLE_FILE_INFORMATION *i, char *target);
/* Is it worth a look, by what a directory tells of a file? */
bool link_file_likely(DWORD attributes, uint64_t size);
bool link_tag_likely(DWORD tag);
/* A new file's mode: whether it can be written to. */
int settle(HANDLE h, uint32_t mode);

#endif
