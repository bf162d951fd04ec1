// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

int verb_stop(int argc, char **argv, struct error **err)
{
	unsigned int timeout = 60;
	bool force = false;
	const struct option_spec specs[] = {
		{ .name = "--force", .flag = &force },
		{ .name = "--timeout", .number = &timeout },
		{ 0 },
	};
	json_t *info, *verdict;
	struct client c;

	if (options_take(argc, argv, specs, 1, 1, false, err) < 0 ||
	    client_connect(&c, argv[1], err))
		return -1;
	info = client_request(&c, "stop",
			      json_pack("{s:b, s:i}", "force", force, "timeout",
					timeout ? (int)timeout : 1),
			      err);
	client_close(&c);
	if (!info)
		return -1;
	client_wait_gone(argv[1]);
	verdict = json_object_get(info, "verdict");
	printf("%s: %s\n", argv[1], text_of(verdict, "name"));
	json_decref(info);
	return 0;
}
