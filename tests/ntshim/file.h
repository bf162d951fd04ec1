/* SPDX-License-Identifier: GPL-2.0 */
/* An open file of the node. */
#ifndef NTSHIM_FILE_H
#define NTSHIM_FILE_H

#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include "shim.h"
#include "plain.h"

struct shim_file {
	struct nt_file nt;
	struct address_space *mapping;
	struct rw_semaphore faults; /* read: a page fault is served */
	struct list_head list;	    /* of all */
	struct list_head ranges;    /* that the driver maps for the process */
	atomic_t areas;		    /* in which its process has mapped the node */
	struct colinux *colinux;    /* daemon.c's */
};

/* Where the driver believes its mappings for the process to be. */
#define USER_BASE 0x100000000000ull

/* device.c: a control request. 0, and its status and length, or -errno. */
int file_control(struct shim_file *f, u32 code, void *buffer, u32 in_size,
		 u32 out_size, struct nt_mdl *mdl, ntstatus *status, u64 *length);

/* daemon.c: what colinux' programs ask, by host/nt/ioctl.h. */
int file_init(struct shim_file *f);
long file_request(struct shim_file *f, unsigned int cmd, void __user *user);
/* Before an area of the node is mapped, from that machine address on. */
int file_map(struct shim_file *f, u64 start, u64 size);
/* When the last one of them is unmapped, and its process lives on. */
void file_unmap(struct shim_file *f);
/* Before and after CLEANUP. */
void file_closing(struct shim_file *f);
void file_closed(struct shim_file *f);
void file_free(struct shim_file *f);

#endif
