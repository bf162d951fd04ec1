// SPDX-License-Identifier: GPL-2.0
#include "paths.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../os/place.h"
#include "text.h"

#define NAME_MAX_LENGTH 48

bool name_valid(const char *name)
{
	size_t i;

	if (!isalnum((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return i <= NAME_MAX_LENGTH;
}

char *runtime_directory(struct error **err)
{
	const char *own = getenv("COLINUX_RUNTIME_DIR");

	if (own && *own)
		return need_copy(own, strlen(own));
	return place_runtime(err);
}

char *runtime_directory_make(struct error **err)
{
	char *dir = runtime_directory(err);

	if (dir && place_make(dir)) {
		error_set(err, errno, "cannot make runtime directory %s", dir);
		free(dir);
		dir = NULL;
	}
	return dir;
}

char *runtime_path(const char *name, const char *suffix, struct error **err)
{
	char *dir, *path;

	if (!name_valid(name)) {
		error_set(err, 0, "'%s' is no name for a VM: " NAME_RULE, name);
		return NULL;
	}
	dir = runtime_directory(err);
	if (!dir)
		return NULL;
	path = need_format("%s/%s%s", dir, name, suffix);
	free(dir);
	return path;
}
