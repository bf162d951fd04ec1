// SPDX-License-Identifier: GPL-2.0
#include "../child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the socket ------------------------------------------------------------- */

/* Its name goes at once: the O_PATH descriptor is the only way to it. */
static int bind_nameless(struct child *h, const char *folder)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int rc = -1;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", folder);
	if (bind(h->listener, (struct sockaddr *)&a, sizeof(a)))
		return -1;
	h->address = open(a.sun_path, O_PATH | O_CLOEXEC);
	if (h->address >= 0)
		rc = listen(h->listener, 4);
	unlink(a.sun_path);
	return rc;
}

int child_listen(struct child *h, struct error **err)
{
	char folder[] = "/tmp/colinux-XXXXXX";
	int rc, code;

	memset(h, 0, sizeof(*h));
	h->address = h->said = -1;
	h->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (h->listener < 0 || !mkdtemp(folder)) {
		code = errno;
		child_free(h);
		return error_set(err, code, "%s: no socket for a helper", folder);
	}
	rc = bind_nameless(h, folder);
	code = errno;
	rmdir(folder);
	if (!rc)
		return 0;
	child_free(h);
	return error_set(err, code, "%s: no socket for a helper", folder);
}

int child_connect(const struct child *h)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = CHILD_CONNECT_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), code;

	if (fd < 0)
		return -1;
	/* It holds for connect(), too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", h->address);
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

/* ---- the program ------------------------------------------------------------ */

/* In the child. A terminal's Ctrl-C is for the daemon, which must not lose its
 * helpers by it. */
static void become(const struct child *h, char *const argv[], pid_t parent)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setsid();
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (h->listener >= 0)
		fcntl(h->listener, F_SETFD, 0);
	dup2(null, 0);
	dup2(null, 1);
	dup2(h->said, 2);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static int spawn(struct child *h, char *const argv[], struct error **err)
{
	pid_t parent = getpid(), pid;

	h->said = memfd_create("stderr", MFD_CLOEXEC);
	if (h->said < 0)
		return error_set(err, errno, "%s: cannot be started", argv[0]);
	fcntl(h->said, F_SETFL, O_APPEND);
	pid = fork();
	if (!pid)
		become(h, argv, parent);
	if (pid < 0)
		return error_set(err, errno, "%s: cannot be started", argv[0]);
	h->pid = pid;
	return 0;
}

int child_start(struct child *h, char *const argv[], struct error **err)
{
	int rc = spawn(h, argv, err);

	close(h->listener);
	h->listener = -1;
	return rc;
}

/* ---- its end ---------------------------------------------------------------- */

static void last_line(const struct child *h, char *line, size_t size)
{
	char text[512], *start;
	off_t end = lseek(h->said, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) - 1 ?
			     end - ((off_t)sizeof(text) - 1) : 0;
	ssize_t n = pread(h->said, text, sizeof(text) - 1, from);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n > 0 ? n : 0] = 0;
	start = strrchr(text, '\n');
	snprintf(line, size, "%s", start ? start + 1 : text);
}

static void describe_end(const struct child *h, char *text, size_t size)
{
	char line[512];

	last_line(h, line, sizeof(line));
	if (WIFSIGNALED(h->status))
		snprintf(text, size, "ended by signal %d%s%.200s",
			 WTERMSIG(h->status), *line ? ": " : "", line);
	else
		snprintf(text, size, "ended with status %d%s%.200s",
			 WEXITSTATUS(h->status), *line ? ": " : "", line);
}

bool child_ended(struct child *h, char *text, size_t size)
{
	if (h->pid && waitpid((pid_t)h->pid, &h->status, WNOHANG) != h->pid)
		return false;
	h->pid = 0;
	describe_end(h, text, size);
	return true;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Its own children, too: virtiofsd serves from one. They are a process group, unless
 * it had no time to make that yet, and then there are none. */
void child_kill(struct child *h)
{
	if (!h->pid)
		return;
	kill((pid_t)h->pid, SIGKILL);
	kill(-(pid_t)h->pid, SIGKILL);
}

static void wait_until_gone(struct child *h)
{
	int patience = CHILD_GONE_SECONDS * 1000;

	while (h->pid && patience-- &&
	       !waitpid((pid_t)h->pid, NULL, WNOHANG))
		usleep(1000);
	h->pid = 0;
}

void child_free(struct child *h)
{
	child_kill(h);
	wait_until_gone(h);
	close_one(&h->listener);
	close_one(&h->address);
	close_one(&h->said);
}

/* False: it still runs after `ms`, 0: which is never too long. */
static bool ends_in_time(struct child *h, unsigned long long ms)
{
	pid_t pid;

	for (;;) {
		pid = waitpid((pid_t)h->pid, &h->status, ms ? WNOHANG : 0);
		if (pid > 0 || (pid < 0 && errno != EINTR))
			return true;
		if (!pid && !--ms)
			return false;
		usleep(1000);
	}
}

int child_run(char *const argv[], unsigned int seconds, struct error **err)
{
	struct child h = { .listener = -1, .address = -1, .said = -1 };
	char text[256];
	int rc = spawn(&h, argv, err);

	if (!rc && !ends_in_time(&h, seconds * 1000ull)) {
		rc = error_set(err, 0, "%s: hasn't ended after %u seconds, and was killed",
			       argv[0], seconds);
	} else if (!rc) {
		h.pid = 0;
		describe_end(&h, text, sizeof(text));
		if (h.status)
			rc = error_set(err, 0, "%s: %s", argv[0], text);
	}
	child_free(&h);
	return rc;
}
