/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that serves a device over vhost-user (storage.c, virtiofsd.c), and what
 * became of it. One thread at a time uses a helper; `lost`, and then `why`, may be
 * read by any.
 */
#ifndef CO_TOOLS_VHOST_HELPER_H
#define CO_TOOLS_VHOST_HELPER_H

#include <stdatomic.h>

#include "../os/child.h"
#include "vhost_user.h"

/* A device that stops waits so long for what is under way. */
#define VHOST_HELPER_GIVE_UP_MS 5000

struct vhost_helper {
	const char *program; /* for errors; the caller's */
	struct child child;
	atomic_bool lost; /* it serves no more, and `why` tells how that came */
	char why[160];
};

/* With nothing to free yet. */
void vhost_helper_init(struct vhost_helper *h, const char *program);
void vhost_helper_close(struct vhost_helper *h);
/* A new connection, for the caller to close; `features` as in vhost_user_open(). 0 or
 * a negative errno. */
int vhost_helper_connect(const struct vhost_helper *h, struct vhost_user *vu,
			 uint64_t features);
/* It was started, and doesn't do what is asked first: the error tells its own last
 * words, or else `code`, an errno. Returns -1. */
int vhost_helper_refused(struct vhost_helper *h, int code, struct error **err);
/* The connection is of no use any more: by `why` ("said nothing for 5 s"), or, NULL,
 * what became of the program is found out. It's killed if it still lives: nothing of
 * what was given up may be done later. */
void vhost_helper_lost(struct vhost_helper *h, const char *why);
/* A request to it ended with `rc`, a negative errno: unless that is for want of
 * something in the host it's lost. 0 is allowed. */
void vhost_helper_failed(struct vhost_helper *h, int rc);

#endif
