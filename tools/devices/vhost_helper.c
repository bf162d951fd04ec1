// SPDX-License-Identifier: GPL-2.0
#include "vhost_helper.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void vhost_helper_init(struct vhost_helper *h, const char *program)
{
	*h = (struct vhost_helper){
		.program = program,
		.child = { .listener = -1, .address = -1, .said = -1 },
	};
}

void vhost_helper_close(struct vhost_helper *h)
{
	child_free(&h->child);
}

int vhost_helper_connect(const struct vhost_helper *h, struct vhost_user *vu,
			 uint64_t features)
{
	int fd = child_connect(&h->child);

	return fd < 0 ? -errno : vhost_user_open(vu, fd, features);
}

/* What closes its socket is gone a moment later. */
static bool ended_soon(struct vhost_helper *h, char *how, size_t size)
{
	int patience;

	for (patience = 200; patience; patience--) {
		if (child_ended(&h->child, how, size))
			return true;
		usleep(10000);
	}
	return false;
}

/* The program says why on stderr. */
int vhost_helper_refused(struct vhost_helper *h, int code, struct error **err)
{
	char how[256];

	if (ended_soon(h, how, sizeof(how)))
		return error_set(err, 0, "%s %s", h->program, how);
	return error_set(err, code, "%s doesn't answer", h->program);
}

void vhost_helper_lost(struct vhost_helper *h, const char *why)
{
	if (atomic_load(&h->lost))
		return;
	if (why || !ended_soon(h, h->why, sizeof(h->why))) {
		snprintf(h->why, sizeof(h->why), "%s and was killed",
			 why ? why : "broke off the connection");
		child_kill(&h->child);
	}
	atomic_store(&h->lost, true);
}

void vhost_helper_failed(struct vhost_helper *h, int rc)
{
	if (!rc || rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM)
		return;
	vhost_helper_lost(h, rc == -ETIMEDOUT || rc == -EAGAIN ?
				     "didn't answer" : NULL);
}
