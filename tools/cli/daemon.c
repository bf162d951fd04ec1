// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAEMON "colinux-daemon"

char *daemon_path(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path, *slash;

	if (n <= 0)
		return need_copy(DAEMON, strlen(DAEMON));
	self[n] = 0;
	slash = strrchr(self, '/');
	*slash = 0;
	path = need_format("%s/" DAEMON, self);
	if (!access(path, X_OK))
		return path;
	free(path);
	return need_copy(DAEMON, strlen(DAEMON));
}
