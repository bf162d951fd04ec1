// SPDX-License-Identifier: GPL-2.0
/* Has a script left one of the kernel's descriptors open? */
#include "descriptors.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int before;
/* What a target keeps for all scripts it opens with the first one. */
static bool first = true;

static int lowest_free(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0)
		close(fd);
	return fd;
}

/* Not once for all: the fuzzer opens some when it has found something. */
void fuzz_note_descriptors(void)
{
	before = lowest_free();
}

void fuzz_check_descriptors(void)
{
	if (!first && lowest_free() != before) {
		fprintf(stderr, "fuzz: a descriptor of the kernel was left open\n");
		abort();
	}
	first = false;
}
