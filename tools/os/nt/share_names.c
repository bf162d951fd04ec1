// SPDX-License-Identifier: GPL-2.0
/* Names in shared directories: made, moved, removed. */
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "share_nt.h"
#include "wide.h"

int fs_mkdir(struct fs_node *dir, const char *name, const struct fs_new *new)
{
	HANDLE h;
	int rc = open_named(dir, name, FILE_READ_ATTRIBUTES, FILE_CREATE,
			    FILE_DIRECTORY_FILE, &h);

	(void)new; /* directories are 0755 */
	if (!rc)
		CloseHandle(h);
	return rc;
}

/* Regular files only: NTFS has no devices, pipes or sockets. */
int fs_mknod(struct fs_node *dir, const char *name, const struct fs_new *new,
	     uint32_t major, uint32_t minor)
{
	HANDLE h;
	int rc;

	(void)major;
	(void)minor;
	if ((new->mode & 0170000) != 0100000)
		return -EPERM;
	rc = open_named(dir, name, FILE_READ_ATTRIBUTES, FILE_CREATE,
			FILE_NON_DIRECTORY_FILE, &h);
	if (rc)
		return rc;
	rc = settle(h, new->mode);
	CloseHandle(h);
	return rc;
}

/* ---- with a new name -------------------------------------------------------- */

/* FileRenameInformationEx, since Windows 10 1809: what is replaced may be open, as it is
 * here whenever the guest has looked at it; and it may be one that can't be written to. */
#define RENAME_EX  65
#define RENAME_ALL 0x43 /* REPLACE_IF_EXISTS, POSIX_SEMANTICS, IGNORE_READONLY_ATTRIBUTE */

/* FILE_LINK_INFORMATION and FILE_RENAME_INFORMATION are the same; `flags` take the place
 * of ReplaceIfExists. */
static int name_anew(HANDLE h, struct fs_node *dir, const char *name,
		     ULONG flags, int class)
{
	wchar_t *nt = name_to_nt(name);
	FILE_RENAME_INFORMATION *info;
	size_t bytes;
	int rc;

	if (!nt)
		return -errno;
	bytes = wcslen(nt) * sizeof(*nt);
	info = need(sizeof(*info) + bytes);
	memcpy(info, &flags, sizeof(flags));
	info->RootDirectory = dir->h;
	info->FileNameLength = (ULONG)bytes;
	memcpy(info->FileName, nt, bytes);
	rc = set_info(h, info, (ULONG)(sizeof(*info) + bytes), class);
	free(info);
	free(nt);
	return rc;
}

int fs_link(struct fs_node *dir, const char *name, struct fs_node *node)
{
	HANDLE h;
	int rc;

	if (node->kind != FS_FILE && node->kind != FS_SYMLINK)
		return -EPERM;
	rc = open_at(node->h, NULL, FILE_WRITE_ATTRIBUTES, FILE_OPEN, 0, &h);
	if (rc)
		return rc;
	rc = name_anew(h, dir, name, 0, FileLinkInformation);
	CloseHandle(h);
	return rc == -EISDIR ? -EPERM : rc; /* Windows' links to directories are some */
}

int fs_rename(struct fs_node *from, const char *old, struct fs_node *to,
	      const char *new)
{
	HANDLE h;
	int rc = open_named(from, old, DELETE | FILE_READ_ATTRIBUTES, FILE_OPEN, 0,
			    &h);

	if (rc)
		return rc;
	rc = name_anew(h, to, new, RENAME_ALL, RENAME_EX);
	if (rc)
		rc = name_anew(h, to, new, TRUE, FileRenameInformation);
	CloseHandle(h);
	return rc;
}

/* ---- removing --------------------------------------------------------------- */

/* FileDispositionInformationEx, since Windows 10 1709: the name is gone at once, as
 * on Linux, whoever has the file open; and files that can't be written to go, too. */
#define DISPOSITION_EX	64
#define DISPOSITION_ALL 0x13 /* DELETE, POSIX_SEMANTICS, IGNORE_READONLY_ATTRIBUTE */

/* The attribute goes first, and comes back if that was no use. */
static int remove_read_only(HANDLE h, DWORD attributes)
{
	DWORD others = attributes & ~(DWORD)FILE_ATTRIBUTE_READONLY;
	FILE_BASIC_INFORMATION b = { .FileAttributes = others };
	FILE_DISPOSITION_INFORMATION gone = { TRUE };
	int rc;

	if (!others)
		b.FileAttributes = FILE_ATTRIBUTE_NORMAL;
	rc = set_info(h, &b, sizeof(b), FileBasicInformation);
	if (rc)
		return rc;
	rc = set_info(h, &gone, sizeof(gone), FileDispositionInformation);
	b.FileAttributes = attributes;
	if (rc)
		(void)set_info(h, &b, sizeof(b), FileBasicInformation);
	return rc;
}

static int remove_old(HANDLE h)
{
	FILE_DISPOSITION_INFORMATION gone = { TRUE };
	BY_HANDLE_FILE_INFORMATION i;
	int rc = set_info(h, &gone, sizeof(gone), FileDispositionInformation);

	if ((rc != -EPERM && rc != -EACCES) ||
	    !GetFileInformationByHandle(h, &i) ||
	    !(i.dwFileAttributes & FILE_ATTRIBUTE_READONLY))
		return rc;
	return remove_read_only(h, i.dwFileAttributes);
}

/* Windows' links to directories are directories of Windows, and none for the guest. */
static int check_kind(HANDLE h, bool directory)
{
	char target[FS_TARGET_MAX + 1];
	BY_HANDLE_FILE_INFORMATION i;
	bool is;

	if (!GetFileInformationByHandle(h, &i))
		return set_errno(), -errno;
	is = i.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY &&
	     link_read(h, &i, target) < 0;
	if (is == directory)
		return 0;
	return is ? -EISDIR : -ENOTDIR;
}

int fs_unlink(struct fs_node *dir, const char *name, bool directory)
{
	ULONG how = DISPOSITION_ALL;
	HANDLE h;
	int rc = open_named(dir, name,
			    DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES,
			    FILE_OPEN, 0, &h);

	if (rc)
		return rc;
	rc = check_kind(h, directory);
	if (!rc) {
		rc = set_info(h, &how, sizeof(how), DISPOSITION_EX);
		if (rc && rc != -ENOTEMPTY)
			rc = remove_old(h);
	}
	CloseHandle(h);
	return rc;
}

bool fs_is(struct fs_node *dir, const char *name, struct fs_node *node)
{
	struct fs_node *found;
	bool same;

	if (fs_walk(dir, name, &found))
		return false;
	same = found->volume == node->volume && found->index == node->index;
	fs_put(found);
	return same;
}
