// SPDX-License-Identifier: GPL-2.0
#include "../local_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING 16 /* who may wait to be accepted */

static int fill_address(struct sockaddr_un *address, const char *path)
{
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return 0;
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int local_connect(const char *path)
{
	struct sockaddr_un address;
	int rc = fill_address(&address, path), fd;

	if (rc)
		return rc;
	fd = new_socket();
	if (fd < 0 || !connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int local_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Only what is a socket, and nobody's. */
static void remove_stale(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = local_connect(path);
	if (fd >= 0)
		close(fd);
	else if (fd == -ECONNREFUSED)
		unlink(path);
}

static int bind_and_listen(int fd, const char *path)
{
	struct sockaddr_un address;
	int rc = fill_address(&address, path);

	if (rc)
		return rc;
	remove_stale(path);
	/* The mode goes before listen(): nobody can come in between. */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	if (!chmod(path, 0600) && !listen(fd, WAITING))
		return 0;
	rc = -errno;
	unlink(path);
	return rc;
}

int local_listen(const char *path, struct error **err)
{
	int fd = new_socket(), rc;

	if (fd < 0)
		return error_set(err, -fd, "cannot make a socket");
	rc = bind_and_listen(fd, path);
	if (!rc)
		return fd;
	close(fd);
	if (rc == -ENAMETOOLONG)
		return error_set(err, 0,
				 "cannot listen on %s: a socket's path has at most 107 bytes",
				 path);
	return error_set(err, -rc, "cannot listen on %s", path);
}
