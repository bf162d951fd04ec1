// SPDX-License-Identifier: GPL-2.0
/* The VMs that there are: each has a NAME.json in the runtime directory. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/paths.h"

/* NAME of NAME.json, NULL for other files. */
static char *vm_name(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	if (n < 6 || strcmp(e->d_name + n - 5, ".json"))
		return NULL;
	return need_copy(e->d_name, n - 5);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int client_names(void (*fn)(void *arg, const char *name), void *arg,
		 struct error **err)
{
	char *dir = runtime_directory(err), *name;
	struct dirent **entry;
	int i, n;

	if (!dir)
		return -1;
	n = scandir(dir, &entry, NULL, by_name);
	if (n < 0 && errno != ENOENT)
		error_set(err, errno, "cannot read %s", dir);
	for (i = 0; i < n; i++) {
		name = vm_name(entry[i]);
		if (name)
			fn(arg, name);
		free(name);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	free(dir);
	return *err ? -1 : 0;
}
