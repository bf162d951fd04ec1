// SPDX-License-Identifier: GPL-2.0
/* What Windows' paths look like, and names that are taken. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../tools/lib/text.h"
#include "../../tools/os/path.h"
#include "check.h"

static void make(const char *path)
{
	HANDLE h = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW,
			       FILE_ATTRIBUTE_NORMAL, NULL);

	CHECK(h != INVALID_HANDLE_VALUE);
	CloseHandle(h);
}

static void check_names(const char *one, const char *two)
{
	make(one);
	CHECK(path_is_taken(one) && !path_is_taken(two));
	EQUAL(path_rename_new(one, two), 0);
	CHECK(path_is_taken(two) && !path_is_taken(one));
	make(one);
	errno = 0;
	EQUAL(path_rename_new(one, two), -1);
	EQUAL(errno, EEXIST);
	CHECK(path_is_taken(one) && path_is_taken(two));
	CHECK(DeleteFileA(one) && DeleteFileA(two));
	errno = 0;
	EQUAL(path_rename_new(one, two), -1);
	EQUAL(errno, ENOENT);
}

void test_path(const char *folder)
{
	char *one = need_format("%s\\path-one", folder);
	char *two = need_format("%s\\path-two", folder);

	CHECK(!strcmp(path_base("c:\\x/y.conf"), "y.conf"));
	CHECK(!strcmp(path_base("c:y"), "y"));
	CHECK(path_is_absolute("c:\\") && path_is_absolute("\\\\server\\x"));
	CHECK(!path_is_absolute("c:x") && !path_is_absolute("\\x"));
	CHECK(path_is_taken(folder));
	check_names(one, two);
	free(one);
	free(two);
}
