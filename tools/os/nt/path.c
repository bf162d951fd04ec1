// SPDX-License-Identifier: GPL-2.0
#include "../path.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "wide.h"

bool path_is_separator(char c)
{
	return c == '\\' || c == '/';
}

static bool has_drive(const char *path)
{
	return ((path[0] | 0x20) >= 'a' && (path[0] | 0x20) <= 'z') &&
	       path[1] == ':';
}

/* Names of Linux's root directory that nobody has on a drive by chance. */
int path_check(const char *path, struct error **err)
{
	static const char *const linux_root[] = { "/dev/",  "/proc/", "/sys/",
						  "/home/", "/root/", "/etc/",
						  "/srv/",  "/mnt/",  "/var/" };
	size_t i;

	for (i = 0; i < sizeof(linux_root) / sizeof(linux_root[0]); i++)
		if (!strncmp(path, linux_root[i], strlen(linux_root[i])))
			return error_set(
				err, 0,
				"'%s' is a Linux path: write where it is on this host, such as c:\\colinux\\%s%s",
				path, path_base(path),
				i ? "" : ", or \\Device\\Harddisk0\\Partition1 for a disk's partition");
	return 0;
}

const char *path_base(const char *path)
{
	const char *base = path, *at;

	for (at = has_drive(path) ? path + 2 : path; *at; at++)
		if (path_is_separator(*at))
			base = at + 1;
	return base == path && has_drive(path) ? path + 2 : base;
}

/* With its drive: "\x" is on whichever is the current one. */
bool path_is_absolute(const char *path)
{
	return (has_drive(path) && path_is_separator(path[2])) ||
	       (path_is_separator(path[0]) && path_is_separator(path[1]));
}

bool path_has_folder(const char *path)
{
	return has_drive(path) || strpbrk(path, "\\/");
}

static wchar_t *final_name(HANDLE file)
{
	DWORD n = GetFinalPathNameByHandleW(file, NULL, 0, FILE_NAME_NORMALIZED);
	wchar_t *name = n ? need((n + 1) * sizeof(*name)) : NULL;

	if (name && GetFinalPathNameByHandleW(file, name, n + 1,
					      FILE_NAME_NORMALIZED))
		return name;
	set_errno();
	free(name);
	return NULL;
}

/* \\?\C:\x is C:\x, and \\?\UNC\server\x is \\server\x. */
char *path_real(const char *path)
{
	wchar_t *name = wide_path(path), *real;
	char *narrowed = NULL;
	HANDLE file = name ? CreateFileW(name, 0, 7 /* shared with all */, NULL,
					 OPEN_EXISTING,
					 FILE_FLAG_BACKUP_SEMANTICS, NULL) :
			     INVALID_HANDLE_VALUE;

	if (name && file == INVALID_HANDLE_VALUE)
		set_errno();
	free(name);
	if (file == INVALID_HANDLE_VALUE)
		return NULL;
	real = final_name(file);
	CloseHandle(file);
	if (real && !wcsncmp(real, L"\\\\?\\UNC\\", 8)) {
		real[6] = L'\\';
		narrowed = narrow(real + 6);
	} else if (real) {
		narrowed = narrow(real + (wcsncmp(real, L"\\\\?\\", 4) ? 0 : 4));
	}
	free(real);
	return narrowed;
}

/* INVALID_FILE_ATTRIBUTES and errno. Of a link they are its own. */
static DWORD attributes(const char *path)
{
	wchar_t *name = wide_path(path);
	DWORD a = name ? GetFileAttributesW(name) : INVALID_FILE_ATTRIBUTES;

	if (name && a == INVALID_FILE_ATTRIBUTES)
		set_errno();
	free(name);
	return a;
}

bool path_is_taken(const char *path)
{
	return attributes(path) != INVALID_FILE_ATTRIBUTES;
}

int path_rename_new(const char *from, const char *to)
{
	wchar_t *old = wide_path(from), *new = wide_path(to);
	int rc = -1;

	if (old && new)
		rc = MoveFileExW(old, new, 0) ? 0 : set_errno();
	free(old);
	free(new);
	return rc;
}

int path_directory(const char *path)
{
	DWORD a = attributes(path);

	if (a == INVALID_FILE_ATTRIBUTES)
		return errno;
	return a & FILE_ATTRIBUTE_DIRECTORY ? 0 : ENOTDIR;
}

/* By Windows' own order, but never from the current directory by chance: of names
 * without a folder PATH decides. */
static wchar_t *search(const wchar_t *program)
{
	const wchar_t *path = _wgetenv(L"PATH");
	DWORD n = SearchPathW(path, program, L".exe", 0, NULL, NULL);
	wchar_t *found;

	if (!n)
		return NULL;
	found = need(n * sizeof(*found));
	if (SearchPathW(path, program, L".exe", n, found, NULL))
		return found;
	free(found);
	return NULL;
}

char *path_program(const char *program, struct error **err)
{
	wchar_t *name = wide(program);
	wchar_t *found = name ? search(name) : NULL;
	char *path = found ? narrow(found) : NULL;

	free(name);
	free(found);
	if (!path && path_has_folder(program))
		error_set(err, ENOENT, "%s", program);
	else if (!path)
		error_set(err, 0,
			  "%s: there is no such program in PATH: install it, or write its whole path",
			  program);
	return path;
}
