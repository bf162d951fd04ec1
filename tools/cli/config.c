// SPDX-License-Identifier: GPL-2.0
#include "../lib/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/json_text.h"
#include "../os/path.h"
#include "cli.h"

static json_t *disk_json(const char *name, const struct config_disk *disk)
{
	return json_pack("{s:s, s:o, s:b, s:i, s:s, s:o, s:I, s:I}", "name",
			 name, "path", json_words(disk->path), "read_only", disk->read_only,
			 "part", (int)disk->part, "format",
			 disk->format ? disk->format : "raw", "overlay",
			 json_words(disk->overlay), "iops", (json_int_t)disk->iops, "bps",
			 (json_int_t)disk->bps);
}

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
				      disk_json(name, &c->disk[i]));
	}
	return disks;
}

static json_t *aliases_json(const struct config *c)
{
	json_t *aliases = json_array();
	const struct config_alias *a;
	char disk[16];

	config_for_each_alias(a, c) {
		snprintf(disk, sizeof(disk), "cobd%u", a->disk);
		json_array_append_new(aliases,
				      json_pack("{s:s, s:s, s:s}", "key",
						a->word, "device", a->device,
						"disk", disk));
	}
	return aliases;
}

static json_t *programs_json(const struct config *c)
{
	json_t *programs = json_array();
	char name[16];
	size_t i;

	for (i = 0; i < CONFIG_PROGRAMS; i++) {
		if (!c->program[i].path)
			continue;
		snprintf(name, sizeof(name), "exec%zu", i);
		json_array_append_new(
			programs,
			json_pack("{s:s, s:o, s:o}", "name", name, "path",
				  json_words(c->program[i].path), "arguments",
				  json_words(c->program[i].arguments)));
	}
	return programs;
}

static json_t *messages_json(const struct config *c)
{
	json_t *messages = json_array();
	const struct config_message *m;
	json_t *o;

	config_for_each_message(m, c) {
		o = json_pack("{s:s, s:o, s:o, s:o}", "severity",
			      m->error ? "error" : "note", "file",
			      json_words(m->place.file), "text",
			      json_words(m->text), "where",
			      json_words(m->place.files ? m->place.files : ""));
		if (m->place.file)
			json_object_update_new(
				o, json_pack("{s:i, s:i}", "line",
					     (int)m->place.line, "column",
					     (int)m->place.column));
		json_array_append_new(messages, o);
	}
	return messages;
}

static json_t *lines_json(const struct config *c)
{
	json_t *lines = json_array();
	struct text t = { 0 };
	char name[16];
	size_t i;

	for (i = 0; i < CONFIG_LINES; i++) {
		if (c->line[i].kind == SERIAL_NONE)
			continue;
		snprintf(name, sizeof(name), "ttys%zu", i);
		config_serial_text(&c->line[i], &t);
		json_array_append_new(lines,
				      json_pack("{s:s, s:o}", "name", name,
						"line", json_words(t.data)));
		text_free(&t);
	}
	return lines;
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
		json_array_append_new(nets,
				      json_pack("{s:s, s:o}", "name", name,
						"value", json_words(t.data)));
	}
	text_free(&t);
	return nets;
}

static json_t *sockets_json(const struct config *c)
{
	return json_pack("{s:o, s:o, s:i, s:I}", "nets", nets_json(c), "lines", lines_json(c), "consoles",
			 (int)c->consoles, "vsock_cid",
			 (json_int_t)c->vsock_cid);
}

static json_t *rest_json(const struct config *c)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o}",
			 "clock", c->own_clock ? "guest" : "host",
			 "watchdog", (int)c->watchdog, "columns",
			 (int)c->columns, "rows", (int)c->rows, "scrollback",
			 (int)c->scrollback, "disks", disks_json(c), "aliases",
			 aliases_json(c), "programs", programs_json(c),
			 "shares", shares_json(c),
			 "command_line", json_words(c->command_line.data));
}

static json_t *config_json(const struct config *c)
{
	char *pin = pin_text(&c->pin);
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:i, s:i, s:s}",
			      "name", json_words(c->name), "kernel",
			      json_words(c->kernel), "initrd",
			      json_words(c->initrd), "log",
			      json_words(c->log), "memory",
			      (json_int_t)c->memory, "memory_max",
			      (json_int_t)c->memory_max, "cpus", (int)c->cpus,
			      "cpus_max", (int)config_cpus_max(c), "pin", pin);

	free(pin);
	json_object_update_new(o, rest_json(c));
	json_object_update_new(o, sockets_json(c));
	return o;
}

static void print_config(const struct config *c)
{
	struct text t = { 0 };

	config_print(c, &t);
	printf("%s# guest's command line: %s\n", t.data, c->command_line.data);
	text_free(&t);
}

static void print_messages(const struct config *c)
{
	size_t i;
	char *text;

	for (i = 0; i < c->messages; i++) {
		text = config_message_text(&c->message[i]);
		fprintf(stderr, "%s%s\n",
			c->message[i].error ? "colinux: " : "note: ", text);
		free(text);
	}
}

/* Files that the VM would need are looked for; a missing one is an error. */
static void check_file(struct config *c, const char *key, const char *path,
		       int how)
{
	if (path && !path_directory(path))
		config_complain(c, true, key, "%s: %s: %s", key, path,
				strerror(EISDIR));
	else if (path && access(path, how))
		config_complain(c, true, key, "%s: %s: %s", key, path,
				strerror(errno));
}

/* The word that made a disk. */
static void disk_key(const struct config *c, size_t disk, char *name, size_t n)
{
	const struct config_alias *a;

	snprintf(name, n, "cobd%zu", disk);
	config_for_each_alias(a, c)
		if (a->made && a->disk == disk)
			snprintf(name, n, "%s", a->word);
}

static void check_files(struct config *c)
{
	const struct config_disk *disk;
	char name[16];
	size_t i;

	check_file(c, "kernel", c->kernel, R_OK);
	check_file(c, "initrd", c->initrd, R_OK);
	for (i = 0; i < CONFIG_DISKS; i++) {
		disk = &c->disk[i];
		disk_key(c, i, name, sizeof(name));
		if (disk->path && !config_disk_is_url(disk))
			check_file(c, name, disk->path,
				   disk->read_only || disk->overlay ?
					   R_OK : R_OK | W_OK);
	}
	for (i = 0; i < CONFIG_PROGRAMS; i++) {
		snprintf(name, sizeof(name), "exec%zu", i);
		if (c->program[i].path && path_has_folder(c->program[i].path))
			check_file(c, name, c->program[i].path, X_OK);
	}
	config_check_shares(c);
}

/* The first word may be a plain file name. What is wrong is in the messages. */
static void take_word(struct config *c, const char *word, bool first)
{
	struct error *err = NULL;
	char *at = NULL;

	if (first && word[0] != '@' && !strchr(word, '='))
		at = need_format("@%s", word);
	if (config_word(c, at ? at : word, &err))
		error_free(&err);
	free(at);
}

static void print_json(const struct config *c)
{
	json_t *o = c->errors ? json_object() : config_json(c);

	json_object_set_new(o, "messages", messages_json(c));
	json_print(o);
	json_decref(o);
}

static int check(char **words, int n, bool json)
{
	struct error *err = NULL;
	struct config c;
	int i, status;

	config_init(&c);
	for (i = 0; i < n; i++)
		take_word(&c, words[i], !i);
	if (config_finish(&c, &err))
		error_free(&err);
	check_files(&c);
	status = c.errors ? 1 : 0;
	if (json) {
		print_json(&c);
	} else {
		if (!c.errors)
			print_config(&c);
		print_messages(&c);
	}
	config_free(&c);
	return status;
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
		return check(argv + 2, n - 1, json);
	return error_set(err, 0,
			 "config: needs `check FILE` or `keys`; see `colinux config --help`");
}
