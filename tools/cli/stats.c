// SPDX-License-Identifier: GPL-2.0
/* colinux stats: what VMs use, once or again and again. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 12

struct view {
	bool json, watch;
	const char *only; /* one VM, or NULL: all */
	json_t *before;	  /* the last look, by name; NULL: none yet */
};

/* ---- looking ---------------------------------------------------------------- */

static json_t *one(const char *name, struct error **err)
{
	struct client c;
	json_t *o;

	if (client_connect(&c, name, err))
		return NULL;
	o = client_request(&c, "stats", NULL, err);
	client_close(&c);
	return o;
}

/* A VM may end between two looks: then it is just gone. */
static void add_if_running(void *arg, const char *name)
{
	struct error *err = NULL;
	struct client c;
	json_t *o;

	if (!client_try(&c, name))
		return;
	o = client_request(&c, "stats", NULL, &err);
	client_close(&c);
	error_free(&err);
	if (o)
		json_object_set_new(arg, name, o);
}

/* {name: stats}; NULL and an error. */
static json_t *look(const char *only, struct error **err)
{
	json_t *all = json_object(), *o;

	if (!only && !client_names(add_if_running, all, err))
		return all;
	if (only) {
		o = one(only, err);
		if (o)
			json_object_set_new(all, only, o);
	}
	if (!*err)
		return all;
	json_decref(all);
	return NULL;
}

/* ---- printing --------------------------------------------------------------- */

static uint64_t number(json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* Of a counter since the last look; since the start where there was none, or where
 * the VM was made anew in between. */
static uint64_t delta(json_t *o, json_t *before, const char *key)
{
	bool same = before && number(o, "ns") > number(before, "ns") &&
		    number(o, key) >= number(before, key);

	return number(o, key) - (same ? number(before, key) : 0);
}

static double seconds(json_t *o, json_t *before)
{
	double s = (double)delta(o, before, "ns") / 1e9;

	return s > 1e-6 ? s : 1e-6;
}

static void add_rate(json_t *row, json_t *o, json_t *before, const char *key)
{
	char *s = need_format("%.0f", (double)delta(o, before, key) /
					      seconds(o, before));

	json_array_append_new(row, json_string(s));
	free(s);
}

/* Of one processor's time: four busy vCPUs are 400 %. */
static void add_percent(json_t *row, json_t *o, json_t *before, const char *key)
{
	char *s = need_format("%.1f%%", (double)delta(o, before, key) / 1e7 /
						seconds(o, before));

	json_array_append_new(row, json_string(s));
	free(s);
}

static void add_size(json_t *row, uint64_t bytes)
{
	char *s = size_words(bytes);

	json_array_append_new(row, json_string(s));
	free(s);
}

static void add_memory(json_t *row, json_t *o)
{
	uint64_t memory = number(o, "memory");
	uint64_t unused = number(o, "memory_free");

	add_size(row, memory);
	add_size(row, memory - unused);
	add_size(row, unused);
	add_size(row, number(o, "memory_returned"));
}

static json_t *row_of(json_t *o, json_t *before)
{
	char *cpus = need_format("%d/%d", (int)number(o, "cpus"),
				 (int)number(o, "cpus_max"));
	json_t *row = json_pack("[s, s]", text_of(o, "name"), cpus);

	free(cpus);
	add_memory(row, o);
	add_percent(row, o, before, "guest_ns");
	add_percent(row, o, before, "steal_ns");
	add_rate(row, o, before, "switches");
	add_rate(row, o, before, "forwarded");
	add_rate(row, o, before, "kicks");
	add_rate(row, o, before, "idles");
	return row;
}

static void print_devices(json_t *devices)
{
	json_t *rows = json_pack("[[s, s, s, s]]", "DEVICE", "REQUESTS", "READ",
				 "WRITTEN");
	json_t *d;
	size_t i;

	json_array_foreach(devices, i, d) {
		char *requests = need_format("%llu", (unsigned long long)number(
							     d, "requests"));
		char *in = need_format("%llu", (unsigned long long)number(
						       d, "bytes_read"));
		char *out = need_format("%llu", (unsigned long long)number(
							d, "bytes_written"));

		json_array_append_new(rows, json_pack("[s, s, s, s]",
						      text_of(d, "name"),
						      requests, in, out));
		free(requests);
		free(in);
		free(out);
	}
	puts("");
	table_print(rows, 4);
	json_decref(rows);
}

static void print_tables(const struct view *v, json_t *all)
{
	json_t *rows = json_pack("[[s, s, s, s, s, s, s, s, s, s, s, s]]",
				 "NAME", "CPUS", "MEMORY", "USED", "FREE",
				 "RETURNED", "GUEST", "STEAL", "SWITCHES/S",
				 "FORWARDED/S", "KICKS/S", "IDLES/S");
	const char *name;
	json_t *o;

	json_object_foreach(all, name, o)
		json_array_append_new(
			rows, row_of(o, json_object_get(v->before, name)));
	table_print(rows, COLUMNS);
	json_decref(rows);
	if (v->only && !v->watch)
		print_devices(json_object_get(json_object_get(all, v->only),
					      "devices"));
}

/* --json --watch is one line a look, for programs that read it. */
static void print_json(const struct view *v, json_t *all)
{
	json_t *list = json_array(), *o;
	const char *name;
	char *text;

	json_object_foreach(all, name, o)
		json_array_append(list, o);
	o = v->only ? json_array_get(list, 0) : list;
	text = json_dumps(o, v->watch ? JSON_COMPACT : JSON_INDENT(1));
	puts(text);
	free(text);
	json_decref(list);
}

/* ---- the verb --------------------------------------------------------------- */

static int show(struct view *v, struct error **err)
{
	json_t *all = look(v->only, err);

	if (!all)
		return -1;
	if (v->json)
		print_json(v, all);
	else
		print_tables(v, all);
	json_decref(v->before);
	v->before = all;
	return 0;
}

/* Until a signal, a reader who has gone, or the end of the VM: an error. */
static int watch(struct view *v, unsigned int interval, struct error **err)
{
	while (!fflush(stdout)) {
		sleep(interval);
		if (show(v, err))
			return -1;
	}
	return 0; /* main() says that it can't write */
}

int verb_stats(int argc, char **argv, struct error **err)
{
	unsigned int interval = 1;
	struct view v = { 0 };
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &v.json },
		{ .name = "--watch", .flag = &v.watch },
		{ .name = "--interval", .number = &interval },
		{ 0 },
	};
	int n = options_take(argc, argv, specs, 0, 1, false, err), rc;

	if (n < 0)
		return -1;
	v.only = n ? argv[1] : NULL;
	rc = show(&v, err);
	if (!rc && v.watch)
		rc = watch(&v, interval ? interval : 1, err);
	json_decref(v.before);
	return rc;
}
