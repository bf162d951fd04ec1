// SPDX-License-Identifier: GPL-2.0
#include "../path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/text.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* c:\x, c:/x; \x and \\server\x are none of this host's either. */
static bool is_windows(const char *path)
{
	return path[0] == '\\' || (is_letter(path[0]) && path[1] == ':' &&
				   (path[2] == '\\' || path[2] == '/'));
}

/* Names of disks and partitions rather than of files. */
static bool is_windows_device(const char *path)
{
	static const char *const start[] = { "\\Device\\", "\\Volume{",
					     "\\??\\Volume{",
					     "\\\\.\\PhysicalDrive",
					     "\\\\.\\CdRom", "\\\\?\\Volume{" };
	size_t i, n = strlen(path);

	for (i = 0; i < sizeof(start) / sizeof(start[0]); i++)
		if (!strncasecmp(path, start[i], strlen(start[i])))
			return true;
	/* \\.\D: and \DosDevices\D: are the drive itself */
	return path[0] == '\\' && n > 2 && path[n - 1] == ':';
}

int path_check(const char *path, struct error **err)
{
	const char *base = strrchr(path, '\\');

	if (!is_windows(path))
		return 0;
	if (is_windows_device(path))
		return error_set(err, 0,
				 "'%s' is a Windows device: write the block device of this host, such as %s (lsblk lists them)",
				 path,
				 strcasestr(path, "cdrom") ? "/dev/sr0" :
							     "/dev/sdb1");
	base = base ? base + 1 : strrchr(path, '/') + 1;
	if (!*base)
		base = "...";
	return error_set(err, 0,
			 "'%s' is a Windows path: write where it is on this host, such as /srv/colinux/%s",
			 path, base);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool path_is_separator(char c)
{
	return c == '/';
}

bool path_is_absolute(const char *path)
{
	return *path == '/';
}

bool path_has_folder(const char *path)
{
	return strchr(path, '/');
}

char *path_real(const char *path)
{
	return realpath(path, NULL);
}

bool path_is_taken(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* Not all file systems (NFS) have such a call: there it is two steps. */
int path_rename_new(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (!path_is_taken(to))
		return rename(from, to);
	errno = EEXIST;
	return -1;
}

int path_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}

/* ---- programs --------------------------------------------------------------- */

static char *executable(char *path)
{
	if (!access(path, X_OK))
		return path;
	free(path);
	return NULL;
}

char *path_program(const char *program, struct error **err)
{
	const char *at = getenv("PATH");
	char *path = NULL;
	size_t n;

	if (path_has_folder(program)) {
		path = executable(need_format("%s", program));
		if (!path)
			error_set(err, errno, "%s", program);
		return path;
	}
	for (; !path && at && *at; at += n + (at[n] ? 1 : 0)) {
		n = strcspn(at, ":");
		path = executable(need_format("%.*s/%s", (int)n, at, program));
	}
	if (!path)
		error_set(err, 0,
			  "%s: there is no such program in PATH: install it, or write its whole path",
			  program);
	return path;
}
