// SPDX-License-Identifier: GPL-2.0
#include "../lib/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static json_t *disks_json(const struct config *c)
{
	json_t *disks = json_array();
	char name[16];
	size_t i;

	for (i = 0; i < CONFIG_DISKS; i++) {
		if (!c->disk[i].path)
			continue;
		snprintf(name, sizeof(name), "cobd%zu", i);
		json_array_append_new(disks,
				      json_pack("{s:s, s:s, s:b}", "name", name,
						"path", c->disk[i].path,
						"read_only",
						c->disk[i].read_only));
	}
	return disks;
}

static json_t *nets_json(const struct config *c)
{
	json_t *nets = json_array();
	struct text t = { 0 };
	char name[16];
	size_t i;

	for (i = 0; i < CONFIG_NETS; i++) {
		if (c->net[i].kind == NET_NONE)
			continue;
		t.length = 0;
		config_net_text(&c->net[i], &t);
		snprintf(name, sizeof(name), "eth%zu", i);
		json_array_append_new(nets, json_pack("{s:s, s:s}", "name", name,
						      "value", t.data));
	}
	text_free(&t);
	return nets;
}

static json_t *rest_json(const struct config *c)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:s, s:s}", "clock",
			 c->own_clock ? "guest" : "host",
			 "watchdog", (int)c->watchdog, "columns",
			 (int)c->columns, "rows", (int)c->rows, "scrollback",
			 (int)c->scrollback, "disks", disks_json(c), "nets", nets_json(c),
			 "command_line", c->command_line.data, "notes",
			 c->notes.data ? c->notes.data : "");
}

static json_t *config_json(const struct config *c)
{
	char *pin = pin_text(&c->pin);
	json_t *o = json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:I, s:i, s:i, s:s}",
			      "name", c->name, "kernel", c->kernel, "initrd",
			      c->initrd, "log", c->log, "memory",
			      (json_int_t)c->memory, "memory_max",
			      (json_int_t)c->memory_max, "cpus", (int)c->cpus,
			      "cpus_max", (int)config_cpus_max(c), "pin", pin);

	free(pin);
	json_object_update_new(o, rest_json(c));
	return o;
}

/* What was left out goes without saying. */
static void print_machine(const struct config *c)
{
	char *memory = size_words(c->memory);
	char *memory_max = size_words(c->memory_max);
	char *pin = pin_text(&c->pin);

	printf("mem=%s\n", memory);
	if (c->memory_max > c->memory)
		printf("maxmem=%s\n", memory_max);
	printf("cpus=%u\n", c->cpus);
	if (c->cpus_max)
		printf("maxcpus=%u\n", c->cpus_max);
	if (c->pin.kind != PIN_NONE)
		printf("pin=%s\n", pin);
	free(memory);
	free(memory_max);
	free(pin);
}

static void print_nets(const struct config *c)
{
	struct text t = { 0 };
	size_t i;

	for (i = 0; i < CONFIG_NETS; i++) {
		if (c->net[i].kind == NET_NONE)
			continue;
		t.length = 0;
		config_net_text(&c->net[i], &t);
		printf("eth%zu=%s\n", i, t.data);
	}
	text_free(&t);
}

static void print_config(const struct config *c)
{
	size_t i;

	printf("name=%s\nkernel=%s\n", c->name, c->kernel);
	if (c->initrd)
		printf("initrd=%s\n", c->initrd);
	print_machine(c);
	printf("watchdog=%u\n", c->watchdog);
	printf("cocon=%ux%ux%u\n", c->columns, c->rows, c->scrollback);
	if (c->own_clock)
		puts("clock=guest");
	if (c->log)
		printf("log=%s\n", c->log);
	for (i = 0; i < CONFIG_DISKS; i++)
		if (c->disk[i].path)
			printf("cobd%zu=%s%s\n", i, c->disk[i].path,
			       c->disk[i].read_only ? ",ro" : "");
	print_nets(c);
	printf("# guest's command line: %s\n", c->command_line.data);
	if (c->notes.length)
		fprintf(stderr, "%s", c->notes.data);
}

/* Files that the VM would need are looked for; a missing one is an error. */
static int check_file(const char *what, const char *path, struct error **err)
{
	if (path && access(path, R_OK))
		return error_set(err, errno, "%s: %s", what, path);
	return 0;
}

static int check_files(const struct config *c, struct error **err)
{
	char name[16];
	size_t i;

	if (check_file("kernel", c->kernel, err) ||
	    check_file("initrd", c->initrd, err))
		return -1;
	for (i = 0; i < CONFIG_DISKS; i++) {
		snprintf(name, sizeof(name), "cobd%zu", i);
		if (check_file(name, c->disk[i].path, err))
			return -1;
	}
	return 0;
}

/* The first word may be a plain file name. */
static int take_first(struct config *c, const char *word, struct error **err)
{
	char *at;
	int rc;

	if (word[0] == '@' || strchr(word, '='))
		return config_word(c, word, err);
	at = need_format("@%s", word);
	rc = config_word(c, at, err);
	free(at);
	return rc;
}

static int check(char **words, int n, bool json, struct error **err)
{
	struct config c;
	json_t *o;
	int i, rc;

	config_init(&c);
	rc = take_first(&c, words[0], err);
	for (i = 1; i < n && !rc; i++)
		rc = config_word(&c, words[i], err);
	if (!rc)
		rc = config_finish(&c, err);
	if (!rc)
		rc = check_files(&c, err);
	if (!rc && json) {
		o = config_json(&c);
		json_print(o);
		json_decref(o);
	} else if (!rc) {
		print_config(&c);
	}
	config_free(&c);
	return rc;
}

static int print_keys(void)
{
	struct text t = { 0 };

	config_help(&t);
	fputs(t.data, stdout);
	text_free(&t);
	return 0;
}

int verb_config(int argc, char **argv, struct error **err)
{
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ 0 },
	};
	int n = options_take(argc, argv, specs, 1, argc, false, err);

	if (n < 0)
		return -1;
	if (n == 1 && !strcmp(argv[1], "keys"))
		return print_keys();
	if (n > 1 && !strcmp(argv[1], "check"))
		return check(argv + 2, n - 1, json, err);
	return error_set(err, 0,
			 "config: needs `check FILE` or `keys`; see `colinux config --help`");
}
