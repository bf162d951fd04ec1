// SPDX-License-Identifier: GPL-2.0
#include "../background.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/text.h"

/* Ctrl-C at the console is the guest's, and a lost terminal is no reason to stop:
 * the daemon isn't of this session. */
static _Noreturn void become_daemon(int ready, char *const argv[])
{
	int null = open("/dev/null", O_RDWR), n = 0, i;
	char **words;
	sigset_t none;

	while (argv[n])
		n++;
	words = need(((size_t)n + 3) * sizeof(*words));
	words[0] = argv[0];
	words[1] = "--ready-fd";
	words[2] = need_format("%d", ready);
	for (i = 1; i < n; i++)
		words[i + 2] = argv[i];
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	fcntl(ready, F_SETFD, 0);
	execvp(words[0], words);
	fprintf(stderr, "colinux: cannot execute %s: %s\n", words[0],
		strerror(errno));
	_exit(1);
}

int background_start(struct background *b, char *const argv[],
		     struct error **err)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return error_set(err, errno, "cannot make a pipe");
	pid = fork();
	if (!pid)
		become_daemon(fd[1], argv);
	close(fd[1]);
	b->process = pid;
	b->ready = fd[0];
	if (pid > 0)
		return 0;
	close(fd[0]);
	return error_set(err, errno, "cannot fork");
}

bool background_spoke(const struct background *b, unsigned int ms)
{
	struct pollfd p = { .fd = b->ready, .events = POLLIN };

	return poll(&p, 1, (int)ms) > 0;
}

void background_kill(const struct background *b)
{
	kill((pid_t)b->process, SIGKILL);
}

int background_wait(struct background *b)
{
	int status;

	while (waitpid((pid_t)b->process, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int background_become(char *const argv[], struct error **err)
{
	execvp(argv[0], argv);
	return error_set(err, errno, "cannot execute %s", argv[0]);
}

/* The parent of a background daemon: its status is whether the VM came up. */
static _Noreturn void wait_ready(int fd)
{
	char c;
	ssize_t n;

	do {
		n = read(fd, &c, 1);
	} while (n < 0 && errno == EINTR);
	_exit(n == 1 ? 0 : 1);
}

int background_leave(int *ready, int argc, char *const argv[],
		     struct error **err)
{
	int fd[2], null;
	pid_t pid;

	(void)argc;
	(void)argv;
	if (pipe2(fd, O_CLOEXEC))
		return error_set(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0)
		return error_set(err, errno, "cannot fork");
	if (pid) {
		close(fd[1]);
		wait_ready(fd[0]);
	}
	close(fd[0]);
	setsid();
	*ready = fd[1];
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		return error_set(err, errno, "cannot use /dev/null");
	close(null);
	return 0;
}
