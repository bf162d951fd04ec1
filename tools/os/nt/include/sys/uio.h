/* SPDX-License-Identifier: GPL-2.0 */
/* POSIX's header, which mingw-w64 lacks. */
#ifndef CO_NT_SYS_UIO_H
#define CO_NT_SYS_UIO_H

#include <stddef.h>

struct iovec {
	void *iov_base;
	size_t iov_len;
};

#endif
