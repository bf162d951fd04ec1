/* SPDX-License-Identifier: GPL-2.0 */
#define _GNU_SOURCE
#include "lies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], name[128];

static void make_folder(const char *program)
{
	char target[4096], path[8192];
	char *here = realpath(getenv("LYING_HELPERS"), NULL);

	assert_non_null(here);
	strcpy(folder, "/tmp/lying-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(target, sizeof(target), "%s/lying-%s", here, program);
	snprintf(name, sizeof(name), "%s/%s", folder, program);
	assert_int_equal(symlink(target, name), 0);
	snprintf(path, sizeof(path), "%s:%s", folder, getenv("PATH"));
	setenv("PATH", path, 1);
	free(here);
}

void set_lie(const char *program, const char *lie)
{
	if (!*folder)
		make_folder(program);
	setenv("LIE", lie, 1);
}

int remove_lies(void **state)
{
	(void)state;
	unlink(name);
	rmdir(folder);
	return 0;
}
