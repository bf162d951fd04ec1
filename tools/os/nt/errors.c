// SPDX-License-Identifier: GPL-2.0
/* Microsoft's numbers and Linux's are the same up to 34. */
#include "../errors.h"

#include <stddef.h>

static const struct {
	int host, linux_number; /* include/uapi/asm-generic/errno.h */
} numbers[] = {
	{ EDEADLK, 35 },      { ENAMETOOLONG, 36 }, { ENOLCK, 37 },
	{ ENOSYS, 38 },	      { ENOTEMPTY, 39 },    { ELOOP, 40 },
	{ ENODATA, 61 },      { ETIME, 62 },	    { EPROTO, 71 },
	{ EBADMSG, 74 },      { EOVERFLOW, 75 },    { ENOTUNIQ, 76 },
	{ EILSEQ, 84 },	      { EMSGSIZE, 90 },	    { ENOTSUP, 95 },
	{ EOPNOTSUPP, 95 },   { EADDRINUSE, 98 },   { EADDRNOTAVAIL, 99 },
	{ ENETUNREACH, 101 }, { ECONNABORTED, 103 }, { ECONNRESET, 104 },
	{ ENOBUFS, 105 },     { EISCONN, 106 },	    { ENOTCONN, 107 },
	{ ETIMEDOUT, 110 },   { ECONNREFUSED, 111 }, { EHOSTUNREACH, 113 },
	{ EALREADY, 114 },    { EINPROGRESS, 115 }, { ESTALE, 116 },
	{ EUCLEAN, 117 },     { EREMOTEIO, 121 },   { EDQUOT, 122 },
	{ ECANCELED, 125 },   { EWOULDBLOCK, 11 },  { ETXTBSY, 26 },
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

int errno_to_linux(int host)
{
	size_t i;

	for (i = 0; i < NUMBERS; i++)
		if (numbers[i].host == host)
			return numbers[i].linux_number;
	return host >= 0 && host <= 34 ? host : 5; /* EIO */
}

int errno_from_linux(int number)
{
	size_t i;

	if (number >= 0 && number <= 34)
		return number;
	for (i = 0; i < NUMBERS; i++)
		if (numbers[i].linux_number == number)
			return numbers[i].host;
	return EIO;
}
