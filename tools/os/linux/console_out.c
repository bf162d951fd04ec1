// SPDX-License-Identifier: GPL-2.0
#include "../console_out.h"

#include <poll.h>
#include <unistd.h>

void print_console(const uint8_t *data, size_t n)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t done;

	while (n && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
		done = write(STDOUT_FILENO, data, n < 2048 ? n : 2048);
		if (done <= 0)
			return;
		data += done;
		n -= (size_t)done;
	}
}
