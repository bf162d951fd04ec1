/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtiofsd, the program that serves a shared directory by FUSE over vhost-user:
 * QEMU's in C of Debian 12, and in the same words the one in Rust that followed it.
 * It serves one connection and ends with it. One thread at a time uses it.
 */
#ifndef CO_TOOLS_VIRTIOFSD_H
#define CO_TOOLS_VIRTIOFSD_H

#include "device.h"
#include "vhost_helper.h"

struct virtiofsd {
	struct vhost_helper helper;
	struct vhost_user vu; /* fd -1: not there */
};

/* With nothing to close yet. */
void virtiofsd_init(struct virtiofsd *d);
/* Starts it and connects. It's killed when the calling thread ends. On error, which
 * begins with the path, nothing is left. 0 or -1. */
int virtiofsd_open(struct virtiofsd *d, const struct virtiofs_options *opt,
		   struct error **err);
/* Kills it, if it's there. */
void virtiofsd_close(struct virtiofsd *d);

#endif
