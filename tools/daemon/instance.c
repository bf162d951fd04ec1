// SPDX-License-Identifier: GPL-2.0
/* This process among others: lock, background, pid file. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/paths.h"
#include "../os/background.h"
#include "../os/lock.h"

char *instance_path(const struct daemon *d, const char *suffix)
{
	return need_format("%s/%s%s", d->directory, d->config.name, suffix);
}

static int lock_held(struct daemon *d, const char *path, struct error **err)
{
	char pid[32] = "";
	ssize_t n = read(d->lock_fd, pid, sizeof(pid) - 1);

	pid[n > 0 ? strcspn(pid, "\n") : 0] = 0;
	return error_set(err, 0,
			 "a VM named %s runs already (pid %s, lock %s): stop it with `colinux stop %s`, or choose another name=",
			 d->config.name, *pid ? pid : "unknown", path,
			 d->config.name);
}

static int take_lock(struct daemon *d, const char *path, struct error **err)
{
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return error_set(err, errno, "cannot open %s", path);
	if (!lock_file(d->lock_fd, false))
		return 0;
	if (errno == EWOULDBLOCK)
		return lock_held(d, path, err);
	return error_set(err, errno, "cannot lock %s", path);
}

static int write_pid(struct daemon *d, const char *path, struct error **err)
{
	char *pid = need_format("%d\n", (int)getpid());
	int rc = 0;

	if (ftruncate(d->lock_fd, 0) ||
	    write_all(d->lock_fd, pid, strlen(pid)))
		rc = error_set(err, errno, "cannot write %s", path);
	free(pid);
	return rc;
}

int instance_lock(struct daemon *d, struct error **err)
{
	char *path;
	int rc;

	d->directory = runtime_directory_make(err);
	if (!d->directory)
		return -1;
	path = instance_path(d, ".lock");
	rc = take_lock(d, path, err);
	if (!rc)
		rc = write_pid(d, path, err);
	free(path);
	return rc;
}

int instance_background(struct daemon *d, int argc, char **argv,
			struct error **err)
{
	return background_leave(&d->options.ready_fd, argc, argv, err);
}

/* From here on messages of a background daemon go to NAME.log. */
static int move_messages(struct daemon *d, struct error **err)
{
	char *path = instance_path(d, ".log");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
		      0600);
	int rc = 0;

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		rc = error_set(err, errno, "cannot write messages to %s", path);
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static int write_pidfile(const char *path, struct error **err)
{
	char *pid = need_format("%d\n", (int)getpid());
	int rc = 0;

	if (text_file_replace(path, pid, strlen(pid)))
		rc = error_set(err, errno, "cannot write pid file %s", path);
	free(pid);
	return rc;
}

/* Whoever waited may have gone; that is no reason to stop. */
static void tell_ready(struct daemon *d)
{
	char *line = need_format("ready %s\n", d->config.name);

	if (write_all(d->options.ready_fd, line, strlen(line)))
		say(d, 1, "nobody waits for this VM any more");
	free(line);
	close(d->options.ready_fd);
	d->options.ready_fd = -1;
}

int instance_ready(struct daemon *d, struct error **err)
{
	if (d->options.pidfile && write_pidfile(d->options.pidfile, err))
		return -1;
	d->wrote_pidfile = d->options.pidfile;
	if (d->options.background && move_messages(d, err))
		return -1;
	if (d->options.ready_fd < 0)
		return 0;
	tell_ready(d);
	return 0;
}

void instance_release(struct daemon *d)
{
	if (d->wrote_pidfile)
		unlink(d->options.pidfile);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	free(d->directory);
}
