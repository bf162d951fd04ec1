// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print_time(const char *label, json_t *seconds)
{
	time_t t = (time_t)json_integer_value(seconds);
	char text[64];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%-13s %s\n", label, text);
}

static void print_text(const char *label, json_t *o, const char *key)
{
	if (*text_of(o, key))
		printf("%-13s %s\n", label, text_of(o, key));
}

static void print_devices(json_t *devices)
{
	json_t *d;
	size_t i;

	json_array_foreach(devices, i, d)
		printf("%-13s %s (%s)%s%s%s%s%s\n", i ? "" : "devices:",
		       text_of(d, "name"), text_of(d, "type"),
		       json_is_true(json_object_get(d, "running")) ? "" :
								     ", not in use",
		       json_is_true(json_object_get(d, "needs_reset")) ?
			       ", broken: " : "",
		       text_of(d, "why"), *text_of(d, "detail") ? ": " : "",
		       text_of(d, "detail"));
}

static void print_consoles(json_t *consoles)
{
	json_t *c;
	size_t i;

	if (json_array_size(consoles) < 2)
		return; /* the one goes without saying */
	json_array_foreach(consoles, i, c)
		printf("%-13s %zu: /dev/%s%s\n", i ? "" : "consoles:", i,
		       text_of(c, "device"),
		       json_is_true(json_object_get(c, "guest_open")) ?
			       "" : ", not in use");
}

static void print_lines(json_t *lines)
{
	json_t *l;
	size_t i;

	json_array_foreach(lines, i, l) {
		long long lost = json_integer_value(json_object_get(l, "lost"));

		printf("%-13s %s (/dev/%s): %s %s%s%s%s", i ? "" : "lines:",
		       text_of(l, "name"), text_of(l, "device"),
		       text_of(l, "kind"), text_of(l, "place"),
		       json_is_true(json_object_get(l, "connected")) ?
			       ", connected" : ", nobody there",
		       *text_of(l, "why") ? ": " : "", text_of(l, "why"));
		if (lost)
			printf(", %lld bytes from the guest lost", lost);
		putchar('\n');
	}
}

static void print_stats(json_t *stats)
{
	const char *key;
	json_t *v;

	json_object_foreach(stats, key, v)
		printf("  %-14s %lld\n", key,
		       (long long)json_integer_value(v));
}

/* A guest's words are shown, not obeyed: a terminal takes control characters, those
 * of 0x80 to 0x9f in UTF-8 too, for commands. */
static void print_words(const char *s)
{
	for (; *s; s++) {
		bool high = s[0] == '\xc2' && (s[1] & 0xe0) == 0x80;

		putchar(high || (*s >= 0 && *s < ' ' && *s != '\t') ||
					*s == 0x7f ? '?' : *s);
		s += high;
	}
}

static void print_log(const char *heading, json_t *lines)
{
	json_t *line;
	size_t i;

	if (!json_array_size(lines))
		return;
	puts(heading);
	json_array_foreach(lines, i, line) {
		fputs("  ", stdout);
		print_words(json_string_value(line));
		putchar('\n');
	}
}

static void print_programs(json_t *programs, bool vm_runs)
{
	json_t *p;
	size_t i;

	json_array_foreach(programs, i, p) {
		printf("%-13s %s (%s)", i ? "" : "programs:",
		       text_of(p, "name"), text_of(p, "program"));
		if (!json_is_true(json_object_get(p, "running")))
			printf(", %s\n", text_of(p, "fate"));
		else if (!vm_runs)
			puts(", ended with the VM");
		else
			printf(", pid %lld\n",
			       (long long)json_integer_value(
				       json_object_get(p, "pid")));
	}
}

static void print_verdict(json_t *verdict)
{
	const char *text = text_of(verdict, "text");

	printf("%-13s %s%s%s\n", "verdict:", text_of(verdict, "name"),
	       *text ? ": " : "", text);
}

/* After a panic the kernel's log is the surer witness: the console's last words
 * had to go through a device. */
static void print_last(json_t *o)
{
	json_t *verdict = json_object_get(o, "verdict");

	if (!strcmp(text_of(verdict, "name"), "panic"))
		print_log("last lines of the kernel's log:",
			  json_object_get(o, "kernel_log"));
	else
		print_log("last console lines:", json_object_get(o, "log"));
}

static void print_info(json_t *o)
{
	bool running = !strcmp(text_of(o, "state"), "running");
	char *memory = size_words((uint64_t)json_integer_value(
		json_object_get(o, "memory")));

	print_text("name:", o, "name");
	print_text("state:", o, "state");
	if (running)
		printf("%-13s %lld\n", "pid:",
		       (long long)json_integer_value(json_object_get(o, "pid")));
	else
		print_verdict(json_object_get(o, "verdict"));
	print_time("started:", json_object_get(o, "started"));
	printf("%-13s %s\n", "memory:", memory);
	printf("%-13s %lld\n", "cpus:",
	       (long long)json_integer_value(json_object_get(o, "cpus")));
	print_text("pin:", o, "pin");
	print_text("kernel:", o, "kernel");
	print_text("initrd:", o, "initrd");
	print_text("command line:", o, "command_line");
	print_devices(json_object_get(o, "devices"));
	print_programs(json_object_get(o, "programs"), running);
	print_consoles(json_object_get(o, "consoles"));
	print_lines(json_object_get(o, "lines"));
	if (json_object_get(o, "stats")) {
		puts("counters:");
		print_stats(json_object_get(o, "stats"));
	}
	print_last(o);
	free(memory);
}

int verb_info(int argc, char **argv, struct error **err)
{
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ 0 },
	};
	struct client c;
	json_t *o;

	if (options_take(argc, argv, specs, 1, 1, false, err) < 0)
		return -1;
	if (client_try(&c, argv[1])) {
		o = client_request(&c, "info", NULL, err);
		client_close(&c);
	} else {
		o = client_last(argv[1], err);
	}
	if (!o)
		return -1;
	if (json)
		json_print(o);
	else
		print_info(o);
	json_decref(o);
	return 0;
}
