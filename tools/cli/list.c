// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static json_t *look(const char *name)
{
	struct error *err = NULL;
	struct client c;
	json_t *o;

	if (client_try(&c, name)) {
		o = client_request(&c, "info", NULL, &err);
		client_close(&c);
		if (o)
			return o;
		error_free(&err); /* it ended just now */
	}
	o = client_last(name, &err);
	error_free(&err);
	return o;
}

static void add(void *arg, const char *name)
{
	json_t *o = look(name);

	if (o)
		json_array_append_new(arg, o);
}

static char *number_words(json_t *o, const char *key)
{
	return need_format("%lld", (long long)json_integer_value(
					   json_object_get(o, key)));
}

static json_t *row_of(json_t *o)
{
	bool running = !strcmp(text_of(o, "state"), "running");
	char *memory = size_words((uint64_t)json_integer_value(
		json_object_get(o, "memory")));
	char *pid = running ? number_words(o, "pid") : need_copy("-", 1);
	char *cpus = number_words(o, "cpus");
	json_t *row = json_pack("[s, s, s, s, s, s]", text_of(o, "name"),
				text_of(o, "state"), pid, cpus, memory,
				running ? "" :
					  text_of(json_object_get(o, "verdict"),
						  "name"));

	free(memory);
	free(pid);
	free(cpus);
	return row;
}

static void print_table(json_t *all)
{
	json_t *rows = json_pack("[[s, s, s, s, s, s]]", "NAME", "STATE", "PID",
				 "CPUS", "MEMORY", "VERDICT");
	json_t *o;
	size_t i;

	json_array_foreach(all, i, o)
		json_array_append_new(rows, row_of(o));
	table_print(rows, 6);
	json_decref(rows);
}

int verb_list(int argc, char **argv, struct error **err)
{
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ 0 },
	};
	json_t *all;
	int rc;

	if (options_take(argc, argv, specs, 0, 0, false, err) < 0)
		return -1;
	all = json_array();
	rc = client_names(add, all, err);
	if (!rc && json)
		json_print(all);
	else if (!rc)
		print_table(all);
	json_decref(all);
	return rc;
}
