// SPDX-License-Identifier: GPL-2.0
#include "../process.h"

#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../../lib/text.h"

extern char **environ;

void process_begin(void)
{
	signal(SIGPIPE, SIG_IGN);
}

char *process_path(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

	return n <= 0 ? NULL : need_copy(self, (size_t)n);
}

char **process_environment(void)
{
	return environ;
}

bool random_bytes(void *data, size_t n)
{
	return getrandom(data, n, GRND_NONBLOCK) == (ssize_t)n;
}

int inherited_descriptor(int number)
{
	return number;
}
