// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of the C library whose paths are UTF-8 here, and that do with files
 * what Linux does: one that is open may be renamed and removed, and a new name
 * takes the place of an old one. They are found before the library's own.
 */
#include <io.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include "../../lib/text.h"
#include "wide.h"

/* ---- opening ---------------------------------------------------------------- */

static DWORD access_of(int flags)
{
	static const DWORD access[] = { GENERIC_READ, GENERIC_WRITE,
					GENERIC_READ | GENERIC_WRITE,
					GENERIC_READ };

	if (flags & O_APPEND)
		return FILE_APPEND_DATA | SYNCHRONIZE | FILE_WRITE_ATTRIBUTES |
		       (flags & O_RDWR ? GENERIC_READ : 0);
	return access[flags & 3];
}

static DWORD disposition_of(int flags)
{
	if (flags & O_CREAT && flags & O_EXCL)
		return CREATE_NEW;
	if (flags & O_CREAT)
		return flags & O_TRUNC ? CREATE_ALWAYS : OPEN_ALWAYS;
	return flags & O_TRUNC ? TRUNCATE_EXISTING : OPEN_EXISTING;
}

/* CREATE_ALWAYS and TRUNCATE_EXISTING want the right to write, not to append. */
static HANDLE open_handle(const char *path, int flags)
{
	wchar_t *name = wide_path(!strcmp(path, "/dev/null") ? "NUL" : path);
	HANDLE h;

	if (!name)
		return INVALID_HANDLE_VALUE;
	h = CreateFileW(name, access_of(flags),
			FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
			NULL, disposition_of(flags), FILE_ATTRIBUTE_NORMAL,
			NULL);
	if (h == INVALID_HANDLE_VALUE)
		set_errno();
	free(name);
	return h;
}

static bool is_directory(const char *path)
{
	wchar_t *name = wide_path(path);
	DWORD a = name ? GetFileAttributesW(name) : INVALID_FILE_ATTRIBUTES;

	free(name);
	return a != INVALID_FILE_ATTRIBUTES && a & FILE_ATTRIBUTE_DIRECTORY;
}

/* The mode is what the folder gives to new files: its owner's rights are set there. */
int open(const char *path, int flags, ...)
{
	HANDLE h = open_handle(path, flags);
	int fd;

	if (h == INVALID_HANDLE_VALUE) {
		if (errno == EACCES && is_directory(path))
			errno = EISDIR;
		return -1;
	}
	fd = _open_osfhandle((intptr_t)h, (flags & (O_APPEND | 3)) | _O_BINARY |
						  _O_NOINHERIT);
	if (fd < 0)
		CloseHandle(h);
	return fd;
}

FILE *fopen(const char *path, const char *mode)
{
	wchar_t *name = wide_path(path), *how = wide(mode);
	FILE *f = name && how ? _wfopen(name, how) : NULL;

	free(name);
	free(how);
	return f;
}

/* What a file grows by is a hole: without that NTFS would take the space at once. */
int ftruncate64(int fd, off64_t length)
{
	HANDLE h = (HANDLE)_get_osfhandle(fd);
	FILE_SET_SPARSE_BUFFER sparse = { TRUE };
	FILE_END_OF_FILE_INFO end = { .EndOfFile.QuadPart = length };
	DWORD n;

	/* A file system without sparse files has whole ones. */
	DeviceIoControl(h, FSCTL_SET_SPARSE, &sparse, sizeof(sparse), NULL, 0,
			&n, NULL);
	return SetFileInformationByHandle(h, FileEndOfFileInfo, &end,
					  sizeof(end)) ? 0 : set_errno();
}

/* ---- names ------------------------------------------------------------------ */

/* Names of the kernel's, for disks: whether they are there shows when they are
 * opened, which isn't for a look. */
static bool is_device(const char *path)
{
	static const char *const start[] = { "\\Device\\", "\\DosDevices\\",
					     "\\Volume{", "\\??\\", "\\\\.\\" };
	size_t i;

	for (i = 0; i < sizeof(start) / sizeof(start[0]); i++)
		if (!strncasecmp(path, start[i], strlen(start[i])))
			return true;
	return false;
}

/* Whether the user may, is seen when it's opened: X_OK is R_OK. */
int access(const char *path, int how)
{
	wchar_t *name = is_device(path) ? NULL : wide_path(path);
	DWORD a;

	if (is_device(path))
		return 0;
	if (!name)
		return -1;
	a = GetFileAttributesW(name);
	free(name);
	if (a == INVALID_FILE_ATTRIBUTES)
		return set_errno();
	if (how & 2 && a & FILE_ATTRIBUTE_READONLY) {
		errno = EACCES;
		return -1;
	}
	return 0;
}

int unlink(const char *path)
{
	wchar_t *name = wide_path(path);
	int rc;

	if (!name)
		return -1;
	rc = DeleteFileW(name) ? 0 : set_errno();
	free(name);
	return rc;
}

int rename(const char *from, const char *to)
{
	wchar_t *old = wide_path(from), *new = wide_path(to);
	int rc = -1;

	if (old && new)
		rc = MoveFileExW(old, new, MOVEFILE_REPLACE_EXISTING) ?
			     0 : set_errno();
	free(old);
	free(new);
	return rc;
}

/* ---- words ------------------------------------------------------------------ */

/* Microsoft's library has texts up to 42, and knows nothing of the rest. */
static const struct {
	int code;
	const char *text;
} texts[] = {
	{ EADDRINUSE, "Address already in use" },
	{ EADDRNOTAVAIL, "Cannot assign requested address" },
	{ ECANCELED, "Operation canceled" },
	{ ECONNREFUSED, "Connection refused" },
	{ ECONNRESET, "Connection reset by peer" },
	{ EDQUOT, "Disk quota exceeded" },
	{ EHOSTUNREACH, "No route to host" },
	{ ELOOP, "Too many levels of symbolic links" },
	{ EMSGSIZE, "Message too long" },
	{ ENETUNREACH, "Network is unreachable" },
	{ ENOTCONN, "Transport endpoint is not connected" },
	{ ENOTSUP, "Operation not supported" },
	{ EOPNOTSUPP, "Operation not supported" },
	{ EOVERFLOW, "Value too large for defined data type" },
	{ EPROTO, "Protocol error" },
	{ EREMOTEIO, "Remote I/O error" },
	{ ESTALE, "Stale file handle" },
	{ ETIMEDOUT, "Connection timed out" },
	{ ETXTBSY, "Text file busy" },
	{ EUCLEAN, "Structure needs cleaning" },
	{ EWOULDBLOCK, "Resource temporarily unavailable" },
	{ EAGAIN, "Resource temporarily unavailable" },
	{ EBUSY, "Device or resource busy" },
	{ ENOMEM, "Cannot allocate memory" },
	{ EIO, "Input/output error" },
};

char *strerror(int code)
{
	static _Thread_local char text[64];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			return (char *)texts[i].text;
	if (code >= 0 && code < _sys_nerr)
		return _sys_errlist[code];
	snprintf(text, sizeof(text), "error %d", code);
	return text;
}

/* Programs end by a status here. */
char *strsignal(int number)
{
	return number == 2 ? "Interrupt" : number == 15 ? "Terminated" : "signal";
}

char *strndup(const char *s, unsigned long long n)
{
	return need_copy(s, strnlen(s, n));
}
