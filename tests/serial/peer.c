// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of serial lines and sockets, in the guest and beside it.
 *
 *	peer pattern END BYTES [SECONDS]   sends a pattern, and reads it back (after so
 *					   many seconds); 0 if it is the same
 *	peer echo END			   sends back what comes, for ever
 *	peer wait END			   reads until the end, tells how it came
 *
 * END: unix:PATH, listen:PATH, vsock:CID:PORT, vsock-listen:PORT, file:PATH (raw if
 * it's a terminal), and guest:PATH:PORT, a guest's port by covsock's socket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int unix_socket(const char *path, int listens)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (listens)
		unlink(path);
	if (listens ? bind(fd, (void *)&a, sizeof(a)) || listen(fd, 8) :
		      connect(fd, (void *)&a, sizeof(a)))
		die(path);
	return fd;
}

static int vsock_socket(unsigned int cid, unsigned int port, int listens)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = cid,
				 .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (listens ? bind(fd, (void *)&a, sizeof(a)) || listen(fd, 8) :
		      connect(fd, (void *)&a, sizeof(a)))
		die("vsock");
	return fd;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);
	struct termios t;

	if (fd < 0)
		die(path);
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		if (tcsetattr(fd, TCSANOW, &t))
			die("raw");
	}
	return fd;
}

static int guest_port(char *path)
{
	char *port = strrchr(path, ':'), line[64];
	size_t n = 0;
	int fd;

	*port++ = 0;
	fd = unix_socket(path, 0);
	dprintf(fd, "CONNECT %s\n", port);
	do {
		if (n == sizeof(line) - 1 || read(fd, line + n, 1) != 1)
			die("no OK");
	} while (line[n++] != '\n');
	if (strncmp(line, "OK ", 3))
		die("no OK");
	return fd;
}

static int listens;

static int open_end(char *end)
{
	char *rest = strchr(end, ':') + 1;
	unsigned int cid, port;

	listens = strstr(end, "listen:") != NULL;
	if (!strncmp(end, "vsock:", 6) && sscanf(rest, "%u:%u", &cid, &port) == 2)
		return vsock_socket(cid, port, 0);
	if (!strncmp(end, "vsock-listen:", 13))
		return vsock_socket(VMADDR_CID_ANY, (unsigned int)atoi(rest), 1);
	if (!strncmp(end, "guest:", 6))
		return guest_port(rest);
	if (!strncmp(end, "file:", 5))
		return open_file(rest);
	return unix_socket(rest, listens);
}

/* A byte tells its place, as far as a byte can, and lines don't repeat. */
static uint8_t byte_at(size_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15ull;

	return (uint8_t)(x >> 56 ^ x >> 24);
}

static size_t send_some(int fd, size_t at, size_t all)
{
	uint8_t data[4096];
	size_t n = all - at < sizeof(data) ? all - at : sizeof(data), i;
	ssize_t done;

	for (i = 0; i < n; i++)
		data[i] = byte_at(at + i);
	done = write(fd, data, n);
	if (done < 0 && errno != EAGAIN)
		die("write");
	return done > 0 ? (size_t)done : 0;
}

static size_t check_some(int fd, size_t at)
{
	uint8_t data[4096];
	ssize_t n = read(fd, data, sizeof(data)), i;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		die("the end came too early");
	for (i = 0; i < n; i++) {
		if (data[i] == byte_at(at + (size_t)i))
			continue;
		fprintf(stderr, "peer: byte %zu is wrong\n", at + (size_t)i);
		exit(1);
	}
	return (size_t)n;
}

/* For so long only what can be sent goes, nothing is read. */
static size_t send_only(int fd, size_t all, int seconds)
{
	size_t sent = 0;
	int left;

	for (left = seconds * 10; left > 0; left--) {
		while (sent < all && poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, 0) == 1) {
			size_t n = send_some(fd, sent, all);

			sent += n;
			if (!n)
				break;
		}
		usleep(100000);
	}
	return sent;
}

static int pattern(int fd, size_t all, int seconds)
{
	size_t sent, got = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	sent = send_only(fd, all, seconds);
	while (got < all) {
		struct pollfd p = { fd, (short)(POLLIN | (sent < all ? POLLOUT : 0)), 0 };

		if (poll(&p, 1, 60000) != 1) {
			fprintf(stderr, "peer: stands still: %zu sent, %zu back\n",
				sent, got);
			return 1;
		}
		if (p.revents & POLLOUT)
			sent += send_some(fd, sent, all);
		if (p.revents & (POLLIN | POLLHUP))
			got += check_some(fd, got);
	}
	return 0;
}

/* A port whose other end has gone reads as ended until somebody comes. */
static void echo(int fd, int again)
{
	char data[4096];
	ssize_t n, at, done;

	for (;;) {
		n = read(fd, data, sizeof(data));
		if (n <= 0 && !again)
			return;
		if (n <= 0)
			usleep(50000);
		for (at = 0; at < n; at += done) {
			done = write(fd, data + at, (size_t)(n - at));
			if (done <= 0)
				break;
		}
	}
}

static void serve(int listener)
{
	int fd;

	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (!fork()) {
			echo(fd, 0);
			exit(0);
		}
		close(fd);
	}
}

static int wait_end(int fd)
{
	char data[256];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		;
	printf("end: %s\n", n ? strerror(errno) : "end of file");
	return 0;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc < 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	fd = open_end(argv[2]);
	if (!strcmp(argv[1], "pattern"))
		return pattern(fd, strtoull(argv[3], NULL, 10),
			       argc > 4 ? atoi(argv[4]) : 0);
	if (!strcmp(argv[1], "wait"))
		return wait_end(listens ? accept(fd, NULL, NULL) : fd);
	if (listens)
		serve(fd);
	else
		echo(fd, 1);
	return 1;
}
