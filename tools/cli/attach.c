// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

int verb_attach(int argc, char **argv, struct error **err)
{
	unsigned int console = 0;
	const struct option_spec specs[] = {
		{ .name = "--console", .number = &console },
		{ 0 },
	};
	json_t *verdict = NULL;
	struct client c;
	int rc;

	if (options_take(argc, argv, specs, 1, 1, false, err) < 0 ||
	    client_connect(&c, argv[1], err))
		return -1;
	rc = session_run(&c, console, &verdict, err);
	client_close(&c);
	if (rc == SESSION_ENDED)
		rc = session_verdict(argv[1], verdict);
	else if (rc == SESSION_DETACHED)
		rc = 0;
	json_decref(verdict);
	return rc;
}
