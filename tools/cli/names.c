// SPDX-License-Identifier: GPL-2.0
/* The VMs that there are: each has a NAME.json in the runtime directory. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/paths.h"
#include "../os/place.h"

struct names {
	void (*fn)(void *arg, const char *name);
	void *arg;
};

static void take_file(void *arg, const char *file)
{
	const struct names *names = arg;
	size_t n = strlen(file);
	char *name;

	if (n < 6 || strcmp(file + n - 5, ".json"))
		return;
	name = need_copy(file, n - 5);
	names->fn(names->arg, name);
	free(name);
}

int client_names(void (*fn)(void *arg, const char *name), void *arg,
		 struct error **err)
{
	struct names names = { fn, arg };
	char *dir = runtime_directory(err);

	if (!dir)
		return -1;
	if (place_list(dir, take_file, &names) && errno != ENOENT)
		error_set(err, errno, "cannot read %s", dir);
	free(dir);
	return *err ? -1 : 0;
}
