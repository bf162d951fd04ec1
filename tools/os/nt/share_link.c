// SPDX-License-Identifier: GPL-2.0
/*
 * Symbolic links in shared directories: known and made. Nothing here follows one, that
 * is the guest's.
 *
 * Links of Windows' own need a privilege and NTFS, and know whether they lead to a
 * directory. So ours are those of Cygwin: files with the attribute "system". A guest can't
 * set that attribute otherwise, and can't open what has become a link.
 */
#include "share_nt.h"

#include <string.h>
#include <winioctl.h>

#include "share_target.h"
#include "wide.h"

/* ---- known ------------------------------------------------------------------ */

/* What is offline would be fetched by whoever reads it. */
#define NO_LINK_FILE                                            \
	(FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_OFFLINE |    \
	 FILE_ATTRIBUTE_REPARSE_POINT)

bool link_file_likely(DWORD attributes, uint64_t size)
{
	return attributes & FILE_ATTRIBUTE_SYSTEM &&
	       !(attributes & NO_LINK_FILE) && size > TARGET_HEAD &&
	       size <= TARGET_FILE_MAX;
}

bool link_tag_likely(DWORD tag)
{
	return tag == TARGET_TAG_WSL || tag == TARGET_TAG_WINDOWS;
}

static int read_file(HANDLE node, char *target)
{
	uint8_t data[TARGET_FILE_MAX];
	OVERLAPPED at = { 0 };
	DWORD n = 0;
	HANDLE h;
	int rc = open_at(node, NULL, FILE_READ_DATA, FILE_OPEN, 0, &h);

	if (rc)
		return rc;
	if (!ReadFile(h, data, sizeof(data), &n, &at))
		n = 0;
	CloseHandle(h);
	return target_of_file(data, n, target);
}

static int read_reparse(HANDLE h, char *target)
{
	uint8_t data[MAXIMUM_REPARSE_DATA_BUFFER_SIZE];
	DWORD n = 0;

	if (!DeviceIoControl(h, FSCTL_GET_REPARSE_POINT, NULL, 0, data,
			     sizeof(data), &n, NULL))
		return -EINVAL;
	return target_of_reparse(data, n, target);
}

int link_read(HANDLE h, const BY_HANDLE_FILE_INFORMATION *i, char *target)
{
	uint64_t size = (uint64_t)i->nFileSizeHigh << 32 | i->nFileSizeLow;

	if (i->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
		return read_reparse(h, target);
	if (!link_file_likely(i->dwFileAttributes, size))
		return -EINVAL;
	return read_file(h, target);
}

int fs_readlink(struct fs_node *node, char *target)
{
	BY_HANDLE_FILE_INFORMATION info;

	if (node->kind != FS_SYMLINK)
		return -EINVAL;
	if (!GetFileInformationByHandle(node->h, &info))
		return set_errno(), -errno;
	return link_read(node->h, &info, target);
}

/* ---- made ------------------------------------------------------------------- */

static int doom(HANDLE h, BOOLEAN doomed)
{
	FILE_DISPOSITION_INFORMATION gone = { doomed };

	return set_info(h, &gone, sizeof(gone), FileDispositionInformation);
}

static int write_content(HANDLE h, const char *target)
{
	uint8_t data[TARGET_FILE_MAX];
	size_t size = target_to_file(target, data);
	OVERLAPPED at = { 0 };
	DWORD n = 0;

	if (!WriteFile(h, data, (DWORD)size, &n, &at))
		return set_errno(), -errno;
	return n == size ? 0 : -ENOSPC;
}

/* Servers of files forget the attribute, if they were set up so: then it would be a
 * file with odd content, and no link. */
static int make_system(HANDLE h)
{
	FILE_BASIC_INFORMATION b = { .FileAttributes = FILE_ATTRIBUTE_SYSTEM };
	BY_HANDLE_FILE_INFORMATION info;
	int rc = set_info(h, &b, sizeof(b), FileBasicInformation);

	if (rc)
		return rc;
	if (!GetFileInformationByHandle(h, &info))
		return set_errno(), -errno;
	return info.dwFileAttributes & FILE_ATTRIBUTE_SYSTEM ? 0 : -EPERM;
}

/* Until it is whole it is a file that goes when it's closed, be it by an error or by
 * the daemon's death, and that nobody else can open. */
int fs_symlink(struct fs_node *dir, const char *name, const struct fs_new *new,
	       const char *target)
{
	HANDLE h;
	int rc;

	(void)new; /* everything is root's, and links have no mode */
	if (!*target)
		return -ENOENT;
	if (strlen(target) > FS_TARGET_MAX)
		return -ENAMETOOLONG;
	rc = open_named(dir, name,
			DELETE | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES |
				FILE_WRITE_ATTRIBUTES,
			FILE_CREATE, FILE_NON_DIRECTORY_FILE, &h);
	if (rc)
		return rc;
	rc = doom(h, TRUE);
	if (!rc)
		rc = write_content(h, target);
	if (!rc)
		rc = make_system(h);
	if (!rc)
		rc = doom(h, FALSE);
	CloseHandle(h);
	return rc;
}
