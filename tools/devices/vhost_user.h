/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The front end's half of vhost-user: how a device's back end in another process
 * is told of memory, queues and features ("Vhost-user Protocol" of QEMU's
 * documentation). Messages go one at a time, and a back end that doesn't answer
 * within VHOST_USER_SECONDS is an error (ETIMEDOUT), never a wait for ever.
 *
 * Functions return 0 or a negative errno. One thread at a time uses a connection.
 */
#ifndef CO_TOOLS_VHOST_USER_H
#define CO_TOOLS_VHOST_USER_H

#include <stddef.h>
#include <stdint.h>

#define VHOST_USER_SECONDS     10
#define VHOST_USER_REGIONS_MAX 8
#define VHOST_USER_CONFIG_MAX  256

struct vhost_user {
	int fd;
	uint64_t features; /* of the device, that both have */
	uint64_t protocol; /* of vhost-user itself */
};

/* A piece of memory that descriptors may point to. */
struct vhost_user_region {
	uint64_t address; /* in descriptors, and of the queues' areas */
	uint64_t size;
	int fd;
	uint64_t offset; /* in fd */
};

struct vhost_user_queue {
	uint32_t index, size;
	uint64_t desc, avail, used; /* addresses as in a region */
	uint16_t base;		    /* next entry of `avail` to take */
	int kick, call;		    /* eventfds */
};

/* Takes the connected socket over, and asks what the back end can: in `features`
 * is what the device would like. The socket is closed on error. */
int vhost_user_open(struct vhost_user *vu, int fd, uint64_t features);
void vhost_user_close(struct vhost_user *vu);
int vhost_user_config(struct vhost_user *vu, void *config, uint32_t size);
/* Features, memory, one queue after the other: from here on it works. */
int vhost_user_memory(struct vhost_user *vu,
		      const struct vhost_user_region *region, uint32_t n);
int vhost_user_start_queue(struct vhost_user *vu,
			   const struct vhost_user_queue *q);

#endif
