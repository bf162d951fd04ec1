/* SPDX-License-Identifier: GPL-2.0 */
/* A request as a program of Windows makes it, with the driver's own codes. */
#ifndef NTSHIM_PLAIN_H
#define NTSHIM_PLAIN_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct plain {
	__u32 code;
	__u32 status;	/* out: an NTSTATUS */
	__u64 in, out;	/* buffers */
	__u32 in_size, out_size;
	__u64 length;	/* out */
};

#define PLAIN_REQUEST _IOWR('N', 1, struct plain)

#endif
