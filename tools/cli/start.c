// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include "../os/background.h"

int verb_start(int argc, char **argv, struct error **err)
{
	char **arguments = need(((size_t)argc + 2) * sizeof(*arguments));
	int i;

	arguments[0] = daemon_path();
	arguments[1] = "--background";
	for (i = 1; i < argc; i++)
		arguments[i + 1] = argv[i];
	return background_become(arguments, err);
}
