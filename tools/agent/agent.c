// SPDX-License-Identifier: GPL-2.0
/*
 * colinux-agent: runs commands in the guest for `colinux exec`.
 *
 * One loop over the virtio port, the children's pipes and their deaths. Frames as
 * in tools/lib/frame.h; a command's output stops being read while the client has
 * a window's worth of it unconsumed, so that nothing here grows without bound.
 * When the host's end or the port goes away all commands end, and the port is
 * opened again.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/frame.h"
#include "../lib/version.h"

#define PORT_PATH "/dev/virtio-ports/" COLINUX_AGENT_PORT
#define RETRY_MS  500
/* Each stream has at most a window of output and an end under way. */
#define QUEUE_SIZE (FRAME_STREAMS * (FRAME_WINDOW_SIZE + 4096) + 65536)

struct stream {
	uint32_t number; /* 0: free */
	pid_t pid;	 /* 0: has ended, with `status` */
	int status;
	int in, out, errors; /* our ends of its pipes, -1: closed */
	uint32_t window;     /* bytes of output that may still be sent */
	uint8_t input[FRAME_WINDOW_SIZE];
	uint32_t input_used;
	bool input_end;
};

static struct stream streams[FRAME_STREAMS];
static struct frame_reader reader;
static uint8_t queue[QUEUE_SIZE];
static size_t queue_used;
static const char *port_path = PORT_PATH;

static void put(enum frame_type type, uint32_t stream, const void *data,
		size_t n)
{
	if (queue_used + FRAME_HEADER + n <= sizeof(queue))
		queue_used += frame_put(queue + queue_used, type, stream, data, n);
	else
		fprintf(stderr, "colinux-agent: the host doesn't read; lost a frame\n");
}

static void put_u32(enum frame_type type, uint32_t stream, uint32_t value)
{
	uint8_t frame[FRAME_HEADER + 4];

	frame_put_u32(frame, type, stream, value);
	put(type, stream, frame + FRAME_HEADER, 4);
}

static void put_fail(uint32_t stream, const char *what, int code)
{
	char text[512];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(code));
	put(FRAME_FAIL, stream, text, strlen(text));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- starting a command ------------------------------------------------------ */

struct pipes {
	int in[2], out[2], errors[2], exec[2];
};

static void pipes_close(struct pipes *p)
{
	int *fd = p->in;
	size_t i;

	for (i = 0; i < sizeof(*p) / sizeof(int); i++)
		close_fd(&fd[i]);
}

static int pipes_open(struct pipes *p)
{
	memset(p, -1, sizeof(*p));
	if (!pipe2(p->in, O_CLOEXEC) && !pipe2(p->out, O_CLOEXEC) &&
	    !pipe2(p->errors, O_CLOEXEC) && !pipe2(p->exec, O_CLOEXEC))
		return 0;
	pipes_close(p);
	return -1;
}

static _Noreturn void child(struct pipes *p, char **argv)
{
	sigset_t none;
	int code;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(p->in[0], 0) >= 0 && dup2(p->out[1], 1) >= 0 &&
	    dup2(p->errors[1], 2) >= 0)
		execvp(argv[0], argv);
	code = errno;
	if (write(p->exec[1], &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

/* 0, or the errno of a command that couldn't be executed. */
static int exec_result(struct pipes *p, pid_t pid)
{
	int code = 0;
	ssize_t n;

	close_fd(&p->exec[1]);
	do {
		n = read(p->exec[0], &code, sizeof(code));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(code))
		return 0;
	waitpid(pid, NULL, 0);
	return code;
}

static void keep(struct stream *s, struct pipes *p)
{
	s->in = p->in[1];
	s->out = p->out[0];
	s->errors = p->errors[0];
	p->in[1] = p->out[0] = p->errors[0] = -1;
	fcntl(s->in, F_SETFL, O_NONBLOCK);
	fcntl(s->out, F_SETFL, O_NONBLOCK);
	fcntl(s->errors, F_SETFL, O_NONBLOCK);
}

static struct stream *find(uint32_t number)
{
	size_t i;

	for (i = 0; i < FRAME_STREAMS; i++)
		if (streams[i].number == number)
			return &streams[i];
	return NULL;
}

static void start(uint32_t number, char **argv)
{
	struct stream *s = find(0);
	struct pipes p;
	int code = EAGAIN;
	pid_t pid;

	if (!s || pipes_open(&p)) {
		put_fail(number, "cannot start a command", s ? errno : EAGAIN);
		return;
	}
	pid = fork();
	if (!pid)
		child(&p, argv);
	if (pid > 0)
		code = exec_result(&p, pid);
	if (code) {
		put_fail(number, argv[0], code);
	} else {
		memset(s, 0, sizeof(*s));
		s->number = number;
		s->pid = pid;
		s->window = FRAME_WINDOW_SIZE;
		keep(s, &p);
	}
	pipes_close(&p);
}

static void start_shell(const struct frame *f)
{
	static char text[FRAME_MAX + 1];
	char *argv[] = { "/bin/sh", "-c", text, NULL };

	memcpy(text, f->data, f->length);
	text[f->length] = 0;
	start(f->stream, argv);
}

static void start_argv(const struct frame *f)
{
	static char text[FRAME_MAX + 1];
	static char *argv[FRAME_MAX + 1];
	uint32_t at, n = 0;

	memcpy(text, f->data, f->length);
	text[f->length] = 0;
	for (at = 0; at < f->length; at += (uint32_t)strlen(text + at) + 1)
		argv[n++] = text + at;
	argv[n] = NULL;
	if (n)
		start(f->stream, argv);
	else
		put_fail(f->stream, "no command", EINVAL);
}

/* ---- a command's life -------------------------------------------------------- */

static void forget(struct stream *s)
{
	close_fd(&s->in);
	close_fd(&s->out);
	close_fd(&s->errors);
	s->number = 0;
}

/* Nobody wants it any more. Its process is reaped as a stranger. */
static void abandon(struct stream *s)
{
	if (s->pid)
		kill(-s->pid, SIGKILL);
	forget(s);
}

static void input(struct stream *s, const struct frame *f)
{
	if (s->in < 0) {
		put_u32(FRAME_WINDOW, s->number, f->length);
		return;
	}
	if (f->length > sizeof(s->input) - s->input_used) {
		put_fail(s->number, "more input than the window allows", EPROTO);
		abandon(s);
		return;
	}
	memcpy(s->input + s->input_used, f->data, f->length);
	s->input_used += f->length;
}

static void flush_input(struct stream *s)
{
	ssize_t n = 0;

	if (s->input_used && s->in >= 0)
		n = write(s->in, s->input, s->input_used);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		/* It doesn't read its input; what comes is thrown away. */
		n = s->input_used;
		close_fd(&s->in);
	}
	if (n > 0) {
		s->input_used -= (uint32_t)n;
		memmove(s->input, s->input + n, s->input_used);
		put_u32(FRAME_WINDOW, s->number, (uint32_t)n);
	}
	if (s->input_end && !s->input_used)
		close_fd(&s->in);
}

/* Returns false when there is nothing now (but perhaps later). */
static bool read_output(struct stream *s, int *fd, enum frame_type type)
{
	uint8_t buffer[FRAME_MAX];
	size_t max = s->window < sizeof(buffer) ? s->window : sizeof(buffer);
	ssize_t n;

	if (*fd < 0 || !max)
		return false;
	n = read(*fd, buffer, max);
	if (n < 0)
		return errno == EINTR;
	if (!n) {
		close_fd(fd);
		return false;
	}
	s->window -= (uint32_t)n;
	put(type, s->number, buffer, (size_t)n);
	return true;
}

/* The end is told when the process is dead and all is sent that it wrote; a
 * grandchild that holds the pipes open isn't waited for. */
static void finish(struct stream *s)
{
	while (read_output(s, &s->out, FRAME_OUTPUT))
		;
	while (read_output(s, &s->errors, FRAME_ERRORS))
		;
	if (!s->window && (s->out >= 0 || s->errors >= 0))
		return;
	put_u32(FRAME_EXIT, s->number,
		WIFEXITED(s->status) ? (uint32_t)WEXITSTATUS(s->status) :
				       128u + (uint32_t)WTERMSIG(s->status));
	forget(s);
}

static void reap(void)
{
	int status;
	size_t i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < FRAME_STREAMS; i++) {
			if (!streams[i].number || streams[i].pid != pid)
				continue;
			streams[i].pid = 0;
			streams[i].status = status;
		}
	}
}

static void end_all(void)
{
	size_t i;

	for (i = 0; i < FRAME_STREAMS; i++)
		if (streams[i].number)
			abandon(&streams[i]);
	queue_used = 0;
	reader.have = 0;
}

/* ---- frames from the host ---------------------------------------------------- */

static void for_stream(struct stream *s, const struct frame *f)
{
	switch (f->type) {
	case FRAME_INPUT:
		input(s, f);
		break;
	case FRAME_INPUT_END:
		s->input_end = true;
		break;
	case FRAME_WINDOW:
		s->window += frame_u32(f);
		if (s->window > FRAME_WINDOW_SIZE)
			s->window = FRAME_WINDOW_SIZE;
		break;
	case FRAME_SIGNAL:
		if (s->pid && frame_u32(f) && frame_u32(f) < 65)
			kill(-s->pid, (int)frame_u32(f));
		break;
	case FRAME_CLOSE:
		abandon(s);
		break;
	default:
		break;
	}
}

static bool on_frame(void *arg, const struct frame *f)
{
	struct stream *s = f->stream ? find(f->stream) : NULL;

	(void)arg;
	if (!f->stream)
		return true;
	if (!s && f->type == FRAME_ARGV)
		start_argv(f);
	else if (!s && f->type == FRAME_SHELL)
		start_shell(f);
	else if (s)
		for_stream(s, f);
	return true;
}

/* False: the port can't be used now. */
static bool read_port(int port)
{
	static uint8_t buffer[65536];
	ssize_t n = read(port, buffer, sizeof(buffer));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n && frame_feed(&reader, buffer, (size_t)n, on_frame, NULL);
}

static bool write_port(int port)
{
	ssize_t n = write(port, queue, queue_used);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	queue_used -= (size_t)n;
	memmove(queue, queue + n, queue_used);
	return true;
}

/* ---- the loop ---------------------------------------------------------------- */

#define POLL_MAX (2 + 3 * FRAME_STREAMS)

static void poll_add(struct pollfd *p, size_t *n, int fd, short events)
{
	if (fd < 0)
		return;
	p[*n].fd = fd;
	p[*n].events = events;
	p[(*n)++].revents = 0;
}

static void wait_for_something(int port, int signals, short *port_events)
{
	struct pollfd p[POLL_MAX];
	size_t n = 0, i;

	poll_add(p, &n, port, queue_used ? POLLIN | POLLOUT : POLLIN);
	poll_add(p, &n, signals, POLLIN);
	for (i = 0; i < FRAME_STREAMS; i++) {
		if (!streams[i].number)
			continue;
		if (streams[i].input_used)
			poll_add(p, &n, streams[i].in, POLLOUT);
		if (streams[i].window) {
			poll_add(p, &n, streams[i].out, POLLIN);
			poll_add(p, &n, streams[i].errors, POLLIN);
		}
	}
	*port_events = poll(p, n, -1) < 0 ? 0 : p[0].revents;
}

static void serve_streams(int signals)
{
	struct signalfd_siginfo info;
	size_t i;

	while (read(signals, &info, sizeof(info)) == sizeof(info))
		;
	reap();
	for (i = 0; i < FRAME_STREAMS; i++) {
		struct stream *s = &streams[i];

		if (!s->number)
			continue;
		flush_input(s);
		read_output(s, &s->out, FRAME_OUTPUT);
		read_output(s, &s->errors, FRAME_ERRORS);
		if (!s->pid)
			finish(s);
	}
}

/* Serves the host until its end or the port is gone. */
static void serve(int port, int signals)
{
	static const char hello[] = "colinux-agent 1 (" COLINUX_VERSION ")";
	short events;

	put(FRAME_HELLO, 0, hello, sizeof(hello) - 1);
	for (;;) {
		wait_for_something(port, signals, &events);
		if (events & (POLLHUP | POLLERR | POLLNVAL))
			return;
		if ((events & POLLIN) && !read_port(port))
			return;
		serve_streams(signals);
		if (queue_used && !write_port(port))
			return;
	}
}

static int watch_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What a login would have set; init gives its services next to nothing. */
static void environment(void)
{
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	       0);
	setenv("HOME", "/root", 0);
	setenv("LANG", "C.UTF-8", 0);
}

static int usage(void)
{
	fprintf(stderr,
		"Usage: colinux-agent [PORT]\n"
		"Runs commands for `colinux exec`. PORT is " PORT_PATH "\n"
		"unless given; -fd:N is an open descriptor.\n");
	return 1;
}

int main(int argc, char **argv)
{
	int signals, port;

	if (argc > 2 || (argc == 2 && argv[1][0] == '-' &&
			 strncmp(argv[1], "-fd:", 4)))
		return usage();
	if (argc == 2)
		port_path = argv[1];
	signals = watch_children();
	if (signals < 0) {
		perror("colinux-agent: signalfd");
		return 1;
	}
	environment();
	if (!strncmp(port_path, "-fd:", 4)) {
		port = atoi(port_path + 4);
		fcntl(port, F_SETFL, O_NONBLOCK);
		fcntl(port, F_SETFD, FD_CLOEXEC);
		serve(port, signals);
		end_all();
		return 0;
	}
	for (;;) {
		port = open(port_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (port >= 0) {
			serve(port, signals);
			end_all();
			close(port);
		}
		poll(NULL, 0, RETRY_MS);
		reap();
	}
}
