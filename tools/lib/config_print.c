// SPDX-License-Identifier: GPL-2.0
/* A configuration as the words that give it again. */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>

void config_quote(struct text *out, const char *value)
{
	if (*value && !strpbrk(value, " \t#,\"")) {
		text_format(out, "%s", value);
		return;
	}
	text_add(out, "\"", 1);
	for (; *value; value++)
		text_add(out, *value == '"' ? "\"\"" : value,
			 *value == '"' ? 2 : 1);
	text_add(out, "\"", 1);
}

static void print_path(struct text *out, const char *key, const char *path)
{
	if (!path)
		return;
	text_format(out, "%s=", key);
	config_quote(out, path);
	text_add(out, "\n", 1);
}

static void print_size(struct text *out, const char *key, uint64_t bytes)
{
	uint64_t mb = bytes >> 20;

	if (mb && !(mb % 1024))
		text_format(out, "%s=%lluG\n", key,
			    (unsigned long long)mb / 1024);
	else
		text_format(out, "%s=%lluM\n", key, (unsigned long long)mb);
}

static void print_machine(const struct config *c, struct text *out)
{
	char *pin = pin_text(&c->pin);

	if (c->memory)
		print_size(out, "mem", c->memory);
	if (c->memory_max > c->memory)
		print_size(out, "maxmem", c->memory_max);
	text_format(out, "cpus=%u\n", c->cpus);
	if (c->cpus_max)
		text_format(out, "maxcpus=%u\n", c->cpus_max);
	if (c->pin.kind != PIN_NONE)
		text_format(out, "pin=%s\n", pin);
	free(pin);
	text_format(out, "watchdog=%u\n", c->watchdog);
}

static void print_terminal(const struct config *c, struct text *out)
{
	text_format(out, "cocon=%ux%ux%u\n", c->columns, c->rows,
		    c->scrollback);
	if (c->cursor >= 0)
		text_format(out, "cursor=%d\n", c->cursor);
	if (c->color[0] >= 0)
		text_format(out, "color=%s", config_color_name(c->color[0]));
	if (c->color[1] >= 0)
		text_format(out, ",%s", config_color_name(c->color[1]));
	if (c->color[0] >= 0)
		text_add(out, "\n", 1);
}

static void print_disks(const struct config *c, struct text *out)
{
	size_t i;

	for (i = 0; i < CONFIG_DISKS; i++) {
		if (!c->disk[i].path)
			continue;
		text_format(out, "cobd%zu=", i);
		config_disk_text(&c->disk[i], out);
		text_add(out, "\n", 1);
	}
}

static void print_aliases(const struct config *c, struct text *out)
{
	const struct config_alias *a;
	const char *type;

	config_for_each_alias(a, c) {
		type = strncmp(a->word, "scsi", 4) ? "" :
		       a->removable		   ? "cdrom," : "disk,";
		if (a->value)
			text_format(out, "%s=%s%s\n", a->word, type, a->value);
		else
			text_format(out, "%s=%s:cobd%u\n", a->word, type,
				    a->disk);
	}
}

static void print_programs(const struct config *c, struct text *out)
{
	const struct config_program *p;
	size_t i;

	for (i = 0; i < CONFIG_PROGRAMS; i++) {
		p = &c->program[i];
		if (!p->path)
			continue;
		text_format(out, "exec%zu=", i);
		config_quote(out, p->path);
		if (p->arguments) {
			text_add(out, ",", 1);
			config_quote(out, p->arguments);
		}
		text_add(out, "\n", 1);
	}
}

static void print_nets(const struct config *c, struct text *out)
{
	size_t i;

	for (i = 0; i < CONFIG_NETS; i++) {
		if (c->net[i].kind == NET_NONE)
			continue;
		text_format(out, "eth%zu=", i);
		config_net_text(&c->net[i], out);
		text_add(out, "\n", 1);
	}
}

static void print_lines(const struct config *c, struct text *out)
{
	size_t i;

	if (c->consoles > 1)
		text_format(out, "consoles=%u\n", c->consoles);
	for (i = 0; i < CONFIG_LINES; i++) {
		if (c->line[i].kind == SERIAL_NONE)
			continue;
		text_format(out, "ttys%zu=", i);
		config_serial_text(&c->line[i], out);
		text_add(out, "\n", 1);
	}
	if (c->vsock && c->vsock_cid)
		text_format(out, "vsock=%u\n", c->vsock_cid);
	else if (c->vsock)
		text_format(out, "vsock=on\n");
}

void config_print(const struct config *c, struct text *out)
{
	if (c->name)
		text_format(out, "name=%s\n", c->name);
	print_path(out, "kernel", c->kernel);
	print_path(out, "initrd", c->initrd);
	print_machine(c, out);
	print_terminal(c, out);
	if (c->own_clock)
		text_format(out, "clock=guest\n");
	print_path(out, "log", c->log);
	print_disks(c, out);
	print_aliases(c, out);
	print_programs(c, out);
	print_nets(c, out);
	config_print_shares(c, out);
	print_lines(c, out);
}
