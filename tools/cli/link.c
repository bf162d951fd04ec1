// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <string.h>

int verb_link(int argc, char **argv, struct error **err)
{
	const struct option_spec specs[] = { { 0 } };
	int n = options_take(argc, argv, specs, 2, 3, false, err);
	json_t *args, *o;
	struct client c;

	if (n < 0)
		return -1;
	if (n == 3 && strcmp(argv[3], "up") && strcmp(argv[3], "down"))
		return error_set(err, 0, "link: '%s' is neither up nor down", argv[3]);
	if (client_connect(&c, argv[1], err))
		return -1;
	args = json_pack("{s:s}", "device", argv[2]);
	if (n == 3)
		json_object_set_new(args, "up", json_boolean(!strcmp(argv[3], "up")));
	o = client_request(&c, "link", args, err);
	client_close(&c);
	if (!o)
		return -1;
	printf("%s: link %s\n", argv[2],
	       json_is_true(json_object_get(o, "up")) ? "up" : "down");
	json_decref(o);
	return 0;
}
