// SPDX-License-Identifier: GPL-2.0
/*
 * keeper PID: has a duplicate of that process' handle on the driver, as a viewer of
 * handles has for a moment, tells so on stdout, and keeps it until it's killed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FDS_MAX 256

static int names_driver(const char *pid, int fd)
{
	char link[64], path[64] = "";

	snprintf(link, sizeof(link), "/proc/%s/fd/%d", pid, fd);
	return readlink(link, path, sizeof(path) - 1) > 0 && !strcmp(path, "/dev/colinux");
}

int main(int argc, char **argv)
{
	int fd, process = argc == 2 ? (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0) : -1;

	for (fd = 0; process >= 0 && fd < FDS_MAX; fd++) {
		if (!names_driver(argv[1], fd) ||
		    syscall(SYS_pidfd_getfd, process, fd, 0) < 0)
			continue;
		printf("kept\n");
		fflush(stdout);
		pause();
	}
	fprintf(stderr, "keeper: no process %s with /dev/colinux open\n", argc == 2 ? argv[1] : "");
	return 1;
}
