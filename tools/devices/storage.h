/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cobd's images that are no raw files: qcow2, vmdk and others, NBD, and overlays.
 * qemu-storage-daemon reads and writes them in a process of its own and serves
 * them by vhost-user-blk; block_vhost.c is the engine that asks it.
 */
#ifndef CO_TOOLS_STORAGE_H
#define CO_TOOLS_STORAGE_H

#include "block.h"
#include "vhost_helper.h"

struct storage {
	struct vhost_helper helper;
	uint64_t features; /* of virtio-blk, that it offers */
	uint64_t size;	   /* bytes */
	uint32_t block_size;
	char *made; /* the overlay that goes when it's closed, or NULL */
};

/* Do these options need it? */
bool storage_needed(const struct block_options *opt);
/* Makes a missing overlay, starts the program and asks it for size and features.
 * The error begins with the path. NULL on error. */
struct storage *storage_open(const struct block_options *opt,
			     struct error **err);
/* A new connection; the last one must be closed. 0 or -errno. */
int storage_connect(const struct storage *s, struct vhost_user *vu);
/* An overlay that was made for it stays; without that storage_close() removes it. */
void storage_keep(struct storage *s);
void storage_close(struct storage *s);

#endif
