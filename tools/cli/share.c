// SPDX-License-Identifier: GPL-2.0
/* Shared directories: of a configuration, and of a VM. */
#include "../lib/config.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/json_text.h"
#include "cli.h"

json_t *shares_json(const struct config *c)
{
	json_t *all = json_array();
	const struct config_share *s;
	char name[16];

	for (s = c->share; s < c->share + CONFIG_SHARES; s++) {
		if (!s->path)
			continue;
		snprintf(name, sizeof(name), "cofs%d", (int)(s - c->share));
		json_array_append_new(
			all, json_pack("{s:s, s:o, s:s, s:s, s:b, s:o}", "name",
				       name, "path", json_words(s->path),
				       "tag", s->tag,
				       "type", s->virtiofs ? "virtiofs" : "9p",
				       "read_only", s->read_only, "mount",
				       json_words(s->mount)));
	}
	return all;
}

/* ---- the verb --------------------------------------------------------------- */

/* What the device of that name says: in use, or what is wrong. */
static const char *state_of(json_t *info, const char *name)
{
	json_t *d;
	size_t i;

	json_array_foreach(json_object_get(info, "devices"), i, d) {
		if (strcmp(text_of(d, "name"), name))
			continue;
		if (json_is_true(json_object_get(d, "needs_reset")))
			return "broken";
		if (strstr(text_of(d, "detail"), ", gone: "))
			return "gone";
		return json_is_true(json_object_get(d, "running")) ?
			       "in use" :
			       "not in use";
	}
	return "";
}

static void print_table(json_t *info)
{
	json_t *rows = json_pack("[[s, s, s, s, s, s]]", "NAME", "TAG", "MODE",
				 "STATE", "MOUNT", "PATH");
	json_t *s;
	size_t i;

	json_array_foreach(json_object_get(info, "shares"), i, s) {
		bool ro = json_is_true(json_object_get(s, "read_only"));

		json_array_append_new(
			rows, json_pack("[s, s, s, s, s, s]", text_of(s, "name"),
					text_of(s, "tag"), ro ? "ro" : "rw",
					state_of(info, text_of(s, "name")),
					text_of(s, "mount"),
					text_of(s, "path")));
	}
	table_print(rows, 6);
	json_decref(rows);
}

int verb_share(int argc, char **argv, struct error **err)
{
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ 0 },
	};
	struct client c;
	json_t *info;

	if (options_take(argc, argv, specs, 1, 1, false, err) < 0 ||
	    client_connect(&c, argv[1], err))
		return -1;
	info = client_request(&c, "info", NULL, err);
	client_close(&c);
	if (!info)
		return -1;
	if (json)
		json_print(json_object_get(info, "shares"));
	else
		print_table(info);
	json_decref(info);
	return 0;
}
