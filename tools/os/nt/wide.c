// SPDX-License-Identifier: GPL-2.0
#include "wide.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "../../lib/text.h"

wchar_t *wide(const char *text)
{
	int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1,
				    NULL, 0);
	wchar_t *out;

	if (!n) {
		errno = EILSEQ;
		return NULL;
	}
	out = need((size_t)n * sizeof(*out));
	MultiByteToWideChar(CP_UTF8, 0, text, -1, out, n);
	return out;
}

char *narrow(const wchar_t *text)
{
	int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	char *out = need((size_t)n + 1);

	WideCharToMultiByte(CP_UTF8, 0, text, -1, out, n, NULL, NULL);
	return out;
}

/* Only what GetFullPathName() has put in order may have the prefix, for nothing
 * is changed behind it. Short ones and devices stay as they are. */
static wchar_t *lengthen(wchar_t *path)
{
	DWORD n = GetFullPathNameW(path, 0, NULL, NULL);
	wchar_t *full, *out;
	const wchar_t *prefix;

	if (n < MAX_PATH - 12 || path[0] == L'\\')
		return path;
	full = need(n * sizeof(*full));
	GetFullPathNameW(path, n, full, NULL);
	prefix = full[0] == L'\\' ? L"\\\\?\\UNC" : L"\\\\?\\";
	out = need((n + 8) * sizeof(*out));
	wcscpy(out, prefix);
	wcscat(out, full[0] == L'\\' ? full + 1 : full);
	free(full);
	free(path);
	return out;
}

wchar_t *wide_path(const char *path)
{
	wchar_t *out = wide(path);

	return out ? lengthen(out) : NULL;
}

static const struct {
	DWORD error;
	int code;
} errors[] = {
	{ ERROR_FILE_NOT_FOUND, ENOENT },
	{ ERROR_PATH_NOT_FOUND, ENOENT },
	{ ERROR_INVALID_DRIVE, ENOENT },
	{ ERROR_INVALID_NAME, ENOENT },
	{ ERROR_BAD_PATHNAME, ENOENT },
	{ ERROR_BAD_NETPATH, ENOENT },
	{ ERROR_BAD_NET_NAME, ENOENT },
	{ ERROR_DIRECTORY, ENOTDIR },
	{ ERROR_ACCESS_DENIED, EACCES },
	{ ERROR_PRIVILEGE_NOT_HELD, EPERM },
	{ ERROR_SHARING_VIOLATION, EBUSY },
	{ ERROR_LOCK_VIOLATION, EWOULDBLOCK },
	{ ERROR_BUSY, EBUSY },
	{ ERROR_PIPE_BUSY, EAGAIN },
	{ ERROR_FILE_EXISTS, EEXIST },
	{ ERROR_ALREADY_EXISTS, EEXIST },
	{ ERROR_DIR_NOT_EMPTY, ENOTEMPTY },
	{ ERROR_NOT_SAME_DEVICE, EXDEV },
	{ ERROR_TOO_MANY_OPEN_FILES, EMFILE },
	{ ERROR_INVALID_HANDLE, EBADF },
	{ ERROR_NOT_ENOUGH_MEMORY, ENOMEM },
	{ ERROR_OUTOFMEMORY, ENOMEM },
	{ ERROR_COMMITMENT_LIMIT, ENOMEM },
	{ ERROR_NO_SYSTEM_RESOURCES, ENOMEM },
	{ ERROR_WRITE_PROTECT, EROFS },
	{ ERROR_DISK_FULL, ENOSPC },
	{ ERROR_HANDLE_DISK_FULL, ENOSPC },
	{ 1295, EDQUOT }, /* ERROR_DISK_QUOTA_EXCEEDED */
	{ ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG },
	{ ERROR_BROKEN_PIPE, EPIPE },
	{ ERROR_NO_DATA, EPIPE },
	{ ERROR_PIPE_NOT_CONNECTED, EPIPE },
	{ ERROR_INVALID_PARAMETER, EINVAL },
	{ ERROR_INVALID_FUNCTION, EOPNOTSUPP },
	{ ERROR_NOT_SUPPORTED, EOPNOTSUPP },
	{ ERROR_CALL_NOT_IMPLEMENTED, EOPNOTSUPP },
	{ ERROR_OPERATION_ABORTED, EINTR },
	{ ERROR_SEM_TIMEOUT, ETIMEDOUT },
	{ ERROR_DEV_NOT_EXIST, ENODEV },
	{ ERROR_NOT_READY, ENODEV },
	{ ERROR_BAD_EXE_FORMAT, ENOEXEC },
	{ 740, EACCES }, /* ERROR_ELEVATION_REQUIRED */
};

int errno_of(unsigned long error)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error)
			return errors[i].code;
	return EIO;
}

int errno_of_status(long status)
{
	switch ((unsigned long)status) {
	case 0xc0000103ul: /* NOT_A_DIRECTORY */
		return ENOTDIR;
	case 0xc00000baul: /* FILE_IS_A_DIRECTORY */
		return EISDIR;
	case 0xc0000056ul: /* DELETE_PENDING */
		return ENOENT;
	case 0xc0000121ul: /* CANNOT_DELETE */
		return EPERM;
	case 0xc000050bul: /* REPARSE_POINT_ENCOUNTERED */
		return ELOOP;
	case 0xc0000106ul: /* NAME_TOO_LONG */
		return ENAMETOOLONG;
	case 0xc0000055ul: /* LOCK_NOT_GRANTED */
	case 0xc0000054ul: /* FILE_LOCK_CONFLICT */
		return EAGAIN;
	case 0xc0000265ul: /* TOO_MANY_LINKS */
		return EMLINK;
	default:
		return errno_of(RtlNtStatusToDosError(status));
	}
}

int set_errno(void)
{
	errno = errno_of(GetLastError());
	return -1;
}
