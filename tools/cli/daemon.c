// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/path.h"
#include "../os/process.h"

char *daemon_path(void)
{
	char *self = process_path(), *path = NULL;

	if (self)
		path = need_format("%.*s" DAEMON_PROGRAM,
				   (int)(path_base(self) - self), self);
	free(self);
	if (path && !access(path, X_OK))
		return path;
	free(path);
	return need_copy(DAEMON_PROGRAM, strlen(DAEMON_PROGRAM));
}
