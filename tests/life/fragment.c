// SPDX-License-Identifier: GPL-2.0
/*
 * fragment MiB: fills that much memory with pipe buffers, which the kernel can't
 * move, and gives every second 64 KiB back. Says "ready" and holds the rest
 * until it is killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PIPE_SIZE 65536

int main(int argc, char **argv)
{
	int count = (argc > 1 ? atoi(argv[1]) : 128) * 16, i;
	struct rlimit limit = { (rlim_t)count * 2 + 64, (rlim_t)count * 2 + 64 };
	int (*pipes)[2] = calloc((size_t)count, sizeof(*pipes));
	static char block[PIPE_SIZE];

	if (!pipes || setrlimit(RLIMIT_NOFILE, &limit))
		return perror("fragment"), 1;
	memset(block, 1, sizeof(block));
	for (i = 0; i < count; i++) {
		if (pipe2(pipes[i], O_NONBLOCK))
			return perror("fragment: pipe"), 1;
		if (write(pipes[i][1], block, sizeof(block)) != sizeof(block))
			return perror("fragment: write"), 1;
	}
	for (i = 0; i < count; i += 2) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
