// SPDX-License-Identifier: GPL-2.0
#include "../lock.h"

#include <fcntl.h>
#include <sys/file.h>

int lock_file(int fd, bool shared)
{
	return flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
}

int lock_contents(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &l);
}
