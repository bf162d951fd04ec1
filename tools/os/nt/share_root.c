// SPDX-License-Identifier: GPL-2.0
/* The shared directory itself: opened, lost. */
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "../path.h"
#include "share_nt.h"
#include "wide.h"

/* The user's own path may have links and junctions in it. */
static HANDLE open_root(const char *path)
{
	wchar_t *name = wide_path(path);
	HANDLE h = INVALID_HANDLE_VALUE;

	if (name)
		h = CreateFileW(name, FILE_READ_ATTRIBUTES | FILE_TRAVERSE,
				SHARE_ALL, NULL, OPEN_EXISTING,
				FILE_FLAG_BACKUP_SEMANTICS, NULL);
	if (name && h == INVALID_HANDLE_VALUE)
		set_errno();
	free(name);
	return h;
}

struct fs *fs_create(const struct fs_options *opt, struct error **err)
{
	int code = path_directory(opt->path);
	struct fs *fs;

	if (code) {
		error_set(err, code, "%s", opt->path);
		return NULL;
	}
	fs = need(sizeof(*fs));
	fs->path = need_copy(opt->path, strlen(opt->path));
	fs->opt = *opt;
	fs->opt.path = fs->path;
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

/* Windows' users have no numbers (can.c): it acts as who started it. */
int fs_enter(struct fs *fs)
{
	(void)fs;
	return 0;
}

int fs_root(struct fs *fs, struct fs_node **node)
{
	HANDLE h;
	int rc;

	if (!fs->root) {
		h = open_root(fs->path);
		if (h == INVALID_HANDLE_VALUE)
			return -errno;
		rc = node_make(fs, h, &fs->root);
		if (rc)
			return rc;
		fs->root->kind = FS_DIRECTORY;
		fs->volume = fs->root->volume;
		fs->index = fs->root->index;
	}
	*node = fs_get(fs->root);
	return 0;
}

bool fs_in_place(struct fs *fs)
{
	BY_HANDLE_FILE_INFORMATION i;
	HANDLE h;
	bool same;

	if (!fs->root)
		return true;
	h = open_root(fs->path);
	if (h == INVALID_HANDLE_VALUE)
		return false;
	same = GetFileInformationByHandle(h, &i) &&
	       i.dwVolumeSerialNumber == fs->volume &&
	       ((uint64_t)i.nFileIndexHigh << 32 | i.nFileIndexLow) == fs->index;
	CloseHandle(h);
	return same;
}

void fs_abandon(struct fs *fs)
{
	struct fs_node *node;
	struct fs_file *file;

	for (file = fs->files; file; file = file->next) {
		if (file->h)
			CloseHandle(file->h);
		file->h = NULL;
	}
	for (node = fs->nodes; node; node = node->next) {
		if (node->h)
			CloseHandle(node->h);
		node->h = NULL;
	}
	fs_put(fs->root);
	fs->root = NULL;
}
