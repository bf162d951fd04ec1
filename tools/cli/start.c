// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <errno.h>
#include <unistd.h>

int verb_start(int argc, char **argv, struct error **err)
{
	char **arguments = need(((size_t)argc + 2) * sizeof(*arguments));
	char *path = daemon_path();
	int i;

	arguments[0] = path;
	arguments[1] = "--background";
	for (i = 1; i < argc; i++)
		arguments[i + 1] = argv[i];
	execvp(path, arguments);
	return error_set(err, errno, "cannot execute %s", path);
}
