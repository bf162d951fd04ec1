// SPDX-License-Identifier: GPL-2.0
#include "../lock.h"

#include <io.h>
#include <windows.h>

#include "wide.h"

/* Windows keeps others from reading what is locked: the byte lies where no file
 * has one. */
static int lock_at(int fd, DWORD high, bool shared)
{
	OVERLAPPED at = { .OffsetHigh = high };
	DWORD how = LOCKFILE_FAIL_IMMEDIATELY |
		    (shared ? 0 : LOCKFILE_EXCLUSIVE_LOCK);

	return LockFileEx((HANDLE)_get_osfhandle(fd), how, 0, 1, 0, &at) ?
		       0 : set_errno();
}

int lock_file(int fd, bool shared)
{
	return lock_at(fd, 0x7fffffff, shared);
}

int lock_contents(int fd)
{
	return lock_at(fd, 0, false);
}
