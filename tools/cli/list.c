// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/paths.h"

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

/* NAME of NAME.json, NULL for other files. */
static char *vm_name(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	if (n < 6 || strcmp(e->d_name + n - 5, ".json"))
		return NULL;
	return need_copy(e->d_name, n - 5);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int collect(json_t *all, struct error **err)
{
	char *dir = runtime_directory(err), *name;
	struct dirent **entry;
	int i, n;
	json_t *o;

	if (!dir)
		return -1;
	n = scandir(dir, &entry, NULL, by_name);
	if (n < 0 && errno != ENOENT)
		error_set(err, errno, "cannot read %s", dir);
	for (i = 0; i < n; i++) {
		name = vm_name(entry[i]);
		o = name ? look(name) : NULL;
		if (o)
			json_array_append_new(all, o);
		free(name);
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	free(dir);
	return *err ? -1 : 0;
}

static json_t *row_of(json_t *o)
{
	bool running = !strcmp(text_of(o, "state"), "running");
	char *memory = size_words((uint64_t)json_integer_value(
		json_object_get(o, "memory")));
	char *pid = running ? need_format("%lld", (long long)json_integer_value(
						  json_object_get(o, "pid"))) :
			      need_copy("-", 1);
	json_t *row = json_pack("[s, s, s, s, s]", text_of(o, "name"),
				text_of(o, "state"), pid, memory,
				running ? "" :
					  text_of(json_object_get(o, "verdict"),
						  "name"));

	free(memory);
	free(pid);
	return row;
}

static void print_table(json_t *all)
{
	json_t *rows = json_pack("[[s, s, s, s, s]]", "NAME", "STATE", "PID",
				 "MEMORY", "VERDICT");
	json_t *o;
	size_t i;

	json_array_foreach(all, i, o)
		json_array_append_new(rows, row_of(o));
	table_print(rows, 5);
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
	rc = collect(all, err);
	if (!rc && json)
		json_print(all);
	else if (!rc)
		print_table(all);
	json_decref(all);
	return rc;
}
