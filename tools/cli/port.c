// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <string.h>

static void print_forwards(json_t *forwards)
{
	json_t *rows = json_pack("[[s, s]]", "DEVICE", "FORWARD"), *f;
	size_t i;

	json_array_foreach(forwards, i, f)
		json_array_append_new(rows, json_pack("[s, s]", text_of(f, "device"),
						      text_of(f, "forward")));
	table_print(rows, 2);
	json_decref(rows);
}

/* What stands behind the VM's name. */
static json_t *take_words(int n, char **words, struct error **err)
{
	json_t *args = json_object();

	if (n && !strncmp(words[0], "eth", 3)) {
		json_object_set_new(args, "device", json_string(words[0]));
		words++;
		n--;
	}
	if (!n || (n == 1 && !strcmp(words[0], "list")))
		return args;
	if (n == 2 && (!strcmp(words[0], "add") || !strcmp(words[0], "remove"))) {
		json_object_set_new(args, words[0], json_string(words[1]));
		return args;
	}
	error_set(err, 0, "port: '%s': expected list, add FORWARD or remove FORWARD",
		  words[0]);
	json_decref(args);
	return NULL;
}

int verb_port(int argc, char **argv, struct error **err)
{
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ 0 },
	};
	int n = options_take(argc, argv, specs, 1, 4, false, err);
	json_t *args, *o;
	struct client c;

	args = n < 0 ? NULL : take_words(n - 1, argv + 2, err);
	if (!args)
		return -1;
	if (client_connect(&c, argv[1], err)) {
		json_decref(args);
		return -1;
	}
	o = client_request(&c, "port", args, err);
	client_close(&c);
	if (!o)
		return -1;
	if (json)
		json_print(o);
	else
		print_forwards(json_object_get(o, "forwards"));
	json_decref(o);
	return 0;
}
