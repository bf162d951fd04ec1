// SPDX-License-Identifier: GPL-2.0
/* colinux run: a daemon of its own session under this process, and its console. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become_daemon(int ready, int argc, char **argv)
{
	char **arguments = need(((size_t)argc + 5) * sizeof(*arguments));
	char *path = daemon_path();
	int null = open("/dev/null", O_RDWR);
	int n = 0, i;

	/* Ctrl-C at the console is the guest's, and a lost terminal is no reason
	 * to stop: the daemon isn't of this session. */
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	fcntl(ready, F_SETFD, 0);
	arguments[n++] = path;
	arguments[n++] = "-k";
	arguments[n++] = "--ready-fd";
	arguments[n++] = need_format("%d", ready);
	for (i = 1; i < argc; i++)
		arguments[n++] = argv[i];
	execvp(path, arguments);
	fprintf(stderr, "colinux: cannot execute %s: %s\n", path,
		strerror(errno));
	_exit(1);
}

/* Reads "ready NAME"; NULL when the daemon ended instead. */
static char *wait_ready(int fd)
{
	struct text t = { 0 };
	char c;
	ssize_t n;

	do {
		n = read(fd, &c, 1);
		if (n == 1)
			text_add(&t, &c, 1);
	} while ((n < 0 && errno == EINTR) || (n == 1 && c != '\n'));
	if (n == 1 && !strncmp(t.data, "ready ", 6)) {
		t.data[t.length - 1] = 0;
		text_drop(&t, 6);
		return t.data;
	}
	text_free(&t);
	return NULL;
}

/* The exit status of the daemon, which has said why if it isn't 0. */
static int daemon_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int at_console(const char *name, pid_t pid, struct error **err)
{
	struct client c;
	json_t *verdict = NULL;
	int rc;

	if (client_connect(&c, name, err))
		return -1;
	rc = session_run(&c, 0, &verdict, err);
	client_close(&c);
	if (rc == SESSION_ENDED) {
		session_verdict(name, verdict);
		rc = daemon_status(pid);
	} else if (rc == SESSION_DETACHED) {
		rc = 0;
	}
	json_decref(verdict);
	return rc;
}

int verb_run(int argc, char **argv, struct error **err)
{
	char *name;
	int fd[2], rc;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return error_set(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0)
		return error_set(err, errno, "cannot fork");
	if (!pid)
		become_daemon(fd[1], argc, argv);
	close(fd[1]);
	name = wait_ready(fd[0]);
	close(fd[0]);
	if (!name)
		return daemon_status(pid);
	rc = at_console(name, pid, err);
	free(name);
	return rc;
}
