// SPDX-License-Identifier: GPL-2.0
#include "beside.h"

#include <stdlib.h>
#include <windows.h>

#include "../../lib/text.h"
#include "wide.h"

#define PATH_MAX_WIDE 32768 /* of Windows, with its end */

wchar_t *program_file(void)
{
	wchar_t *path = need(PATH_MAX_WIDE * sizeof(*path));

	GetModuleFileNameW(NULL, path, PATH_MAX_WIDE);
	return path;
}

wchar_t *beside_program(const char *name)
{
	wchar_t *path = program_file();
	wchar_t *file = wide(name);
	wchar_t *end = wcsrchr(path, L'\\');

	wcscpy(end ? end + 1 : path, file);
	free(file);
	return path;
}
