// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at the messages of cofs: only a directory that was changed is made anew.
 */
#include <string.h>

#include "../../tools/share/p9.h"
#include "../../tools/share/server.h"
#include "fuzz_dir.h"

size_t __real_share_serve(struct share_server *s, struct share_call *call,
			  const char **rule);
size_t __wrap_share_serve(struct share_server *s, struct share_call *call,
			  const char **rule);

const bool fuzz_share_looks = true;

static size_t copy_first(uint8_t *to, size_t size, const struct iovec *iov,
			 unsigned int n)
{
	size_t done = 0, some;

	for (; n && done < size; n--, iov++, done += some) {
		some = iov->iov_len < size - done ? iov->iov_len : size - done;
		memcpy(to + done, iov->iov_base, some);
	}
	return done;
}

size_t __wrap_share_serve(struct share_server *s, struct share_call *call,
			  const char **rule)
{
	struct iovec answer[SHARE_VECTOR_MAX];
	unsigned int answer_n = call->answer_n;
	uint8_t request[32], begin[P9_HEADER];
	size_t n, size;

	n = copy_first(request, sizeof(request), call->request,
		       call->request_n);
	memcpy(answer, call->answer, answer_n * sizeof(*answer));
	size = __real_share_serve(s, call, rule);
	if (size && copy_first(begin, sizeof(begin), answer, answer_n) > 4)
		fuzz_share_changed |= fuzz_dir_changed(request, n, begin[4]);
	return size;
}
