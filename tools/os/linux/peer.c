// SPDX-License-Identifier: GPL-2.0
/* A client's socket, its terminal and its signals. */
#include "../peer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "../../lib/text.h"

struct peer {
	int fd;
};

struct user {
	int signals;
	sigset_t old;
	bool tty;
	struct termios saved;
};

/* ---- the connection ---------------------------------------------------------- */

static int dial(const char *address)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlen(address) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, address, strlen(address) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

struct peer *peer_connect(const char *address)
{
	int fd = dial(address);
	struct peer *p;

	if (fd < 0)
		return NULL;
	p = need(sizeof(*p));
	p->fd = fd;
	return p;
}

void peer_close(struct peer *p)
{
	if (!p)
		return;
	close(p->fd);
	free(p);
}

ssize_t peer_read(struct peer *p, void *data, size_t n)
{
	ssize_t done;

	do {
		done = read(p->fd, data, n);
	} while (done < 0 && errno == EINTR);
	return done < 0 && errno == ECONNRESET ? 0 : done;
}

int peer_write(struct peer *p, const void *data, size_t n)
{
	return write_all(p->fd, data, n);
}

/* ---- signals ----------------------------------------------------------------- */

/* nohup's word counts: a signal that is kept back isn't ignored any more. */
static bool is_ignored(int signal)
{
	struct sigaction now;

	return !sigaction(signal, NULL, &now) && now.sa_handler == SIG_IGN;
}

struct user *user_watch(bool quit)
{
	struct user *u = need(sizeof(*u));
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, quit ? SIGQUIT : SIGWINCH);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (!is_ignored(SIGHUP))
		sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &u->old);
	u->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (u->signals >= 0)
		return u;
	free(u);
	return NULL;
}

void user_unwatch(struct user *u)
{
	if (u->tty)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &u->saved);
	/* Too late: what they were for is over. */
	while (user_word(u))
		;
	close(u->signals);
	sigprocmask(SIG_SETMASK, &u->old, NULL);
	free(u);
}

int user_word(struct user *u)
{
	struct signalfd_siginfo info;

	if (read(u->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* ---- the terminal ------------------------------------------------------------ */

bool user_raw(struct user *u)
{
	struct termios raw;

	u->tty = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &u->saved);
	if (!u->tty)
		return false;
	raw = u->saved;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	return true;
}

bool user_size(struct user *u, unsigned int *columns, unsigned int *rows)
{
	struct winsize w;

	if (!u->tty || ioctl(STDIN_FILENO, TIOCGWINSZ, &w))
		return false;
	*columns = w.ws_col;
	*rows = w.ws_row;
	return w.ws_col && w.ws_row;
}

ssize_t user_read(struct user *u, void *data, size_t n)
{
	ssize_t done = read(STDIN_FILENO, data, n);

	(void)u;
	if (done < 0 && errno == EINTR)
		errno = EAGAIN;
	return done;
}

int user_wait(struct user *u, struct peer *p, bool input)
{
	struct pollfd fds[] = {
		{ .fd = p->fd, .events = POLLIN },
		{ .fd = u->signals, .events = POLLIN },
		{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
	};

	if (poll(fds, 3, -1) < 0)
		return errno == EINTR ? 0 : -1;
	return (fds[0].revents ? USER_PEER : 0) |
	       (fds[1].revents ? USER_WORD : 0) |
	       (fds[2].revents ? USER_INPUT : 0);
}

bool user_knows_escapes(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}
