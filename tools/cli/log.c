// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

static void print_lines(json_t *info)
{
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(info, "log"), i, line)
		puts(json_string_value(line));
}

int verb_log(int argc, char **argv, struct error **err)
{
	unsigned int console = 0;
	const struct option_spec specs[] = {
		{ .name = "--console", .number = &console },
		{ 0 },
	};
	struct client c;
	json_t *o;

	if (options_take(argc, argv, specs, 1, 1, false, err) < 0)
		return -1;
	if (client_try(&c, argv[1])) {
		o = client_request(&c, "log",
				   json_pack("{s:i}", "port", (int)console),
				   err);
		client_close(&c);
		if (o)
			fputs(text_of(o, "text"), stdout);
	} else if (console) {
		return error_set(err, 0,
				 "%s doesn't run: only the first console's last lines are kept",
				 argv[1]);
	} else {
		o = client_last(argv[1], err);
		if (o)
			print_lines(o);
	}
	if (!o)
		return -1;
	json_decref(o);
	return 0;
}
