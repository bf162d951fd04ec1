// SPDX-License-Identifier: GPL-2.0
/* The daemon sends a pcap file piece by piece; where it goes is the user's. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct capture {
	int fd;
	int error; /* errno of a write that failed */
	bool ended;
};

static bool take(void *arg, const struct frame *f)
{
	struct capture *p = arg;

	if (f->type == FRAME_OUTPUT && write_all(p->fd, f->data, f->length))
		p->error = errno;
	else if (f->type == FRAME_ERRORS)
		fprintf(stderr, "colinux: %.*s", (int)f->length,
			(const char *)f->data);
	p->ended = f->type == FRAME_END;
	return !p->error && !p->ended;
}

static int copy(struct client *c, struct capture *p, const char *path,
		struct error **err)
{
	int rc = 1;

	while (rc == 1 && !p->error && !p->ended)
		rc = client_frames(c, take, p, err);
	if (p->error || p->ended)
		error_free(err); /* it stopped because we wanted it to */
	if (p->error)
		return error_set(err, p->error, "capture: cannot write %s", path);
	return *err ? -1 : 0;
}

static int capture(const char *name, const char *device, const char *path,
		   struct capture *p, struct error **err)
{
	struct client c;
	json_t *o;
	int rc;

	if (client_connect(&c, name, err))
		return -1;
	o = client_request(&c, "capture", json_pack("{s:s}", "device", device), err);
	if (o && strcmp(path, "-"))
		p->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (o && p->fd < 0)
		error_set(err, errno, "capture: cannot open %s for writing", path);
	rc = *err ? -1 : copy(&c, p, path, err);
	json_decref(o);
	client_close(&c);
	return rc;
}

int verb_capture(int argc, char **argv, struct error **err)
{
	const struct option_spec specs[] = { { 0 } };
	struct capture p = { .fd = STDOUT_FILENO };
	int rc;

	if (options_take(argc, argv, specs, 3, 3, false, err) < 0)
		return -1;
	rc = capture(argv[1], argv[2], argv[3], &p, err);
	if (p.fd > STDERR_FILENO && close(p.fd) && !rc)
		rc = error_set(err, errno, "capture: cannot write %s", argv[3]);
	return rc;
}
