/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes that lie scattered in memory, used up from the front. */
#ifndef CO_TOOLS_SHARE_SPAN_H
#define CO_TOOLS_SHARE_SPAN_H

#include <stddef.h>
#include <sys/uio.h>

struct span {
	struct iovec *iov;
	unsigned int n;
	size_t size; /* bytes left */
};

/* Each returns how many bytes there were, at most n. */
size_t span_read(struct span *s, void *data, size_t n);
size_t span_write(struct span *s, const void *data, size_t n);
size_t span_skip(struct span *s, size_t n);
/* Leaves out all behind the first n bytes. */
void span_cut(struct span *s, size_t n);
/* The same bytes by a vector of its own, which has room for s->n entries. */
struct span span_copy(const struct span *s, struct iovec *iov);

#endif
