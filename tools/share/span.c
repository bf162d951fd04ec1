/* SPDX-License-Identifier: GPL-2.0 */
#include "span.h"

#include <string.h>

/* Moves min(n, size) bytes by `copy`, which may be NULL. */
static size_t use(struct span *s, size_t n,
		  void (*copy)(void *there, void *data, size_t some),
		  char *data)
{
	size_t done = 0;

	while (done < n && s->n) {
		struct iovec *v = s->iov;
		size_t some = n - done < v->iov_len ? n - done : v->iov_len;

		if (copy)
			copy(v->iov_base, data + done, some);
		v->iov_base = (char *)v->iov_base + some;
		v->iov_len -= some;
		done += some;
		if (!v->iov_len) {
			s->iov++;
			s->n--;
		}
	}
	s->size -= done;
	return done;
}

static void from_there(void *there, void *data, size_t n)
{
	memcpy(data, there, n);
}

static void to_there(void *there, void *data, size_t n)
{
	memcpy(there, data, n);
}

size_t span_read(struct span *s, void *data, size_t n)
{
	return use(s, n, from_there, data);
}

size_t span_write(struct span *s, const void *data, size_t n)
{
	return use(s, n, to_there, (char *)data);
}

size_t span_skip(struct span *s, size_t n)
{
	return use(s, n, NULL, NULL);
}

void span_cut(struct span *s, size_t n)
{
	size_t seen = 0;
	unsigned int i;

	if (n >= s->size)
		return;
	for (i = 0; seen + s->iov[i].iov_len < n; i++)
		seen += s->iov[i].iov_len;
	s->iov[i].iov_len = n - seen;
	s->n = n ? i + 1 : 0;
	s->size = n;
}

struct span span_copy(const struct span *s, struct iovec *iov)
{
	memcpy(iov, s->iov, s->n * sizeof(*iov));
	return (struct span){ iov, s->n, s->size };
}
