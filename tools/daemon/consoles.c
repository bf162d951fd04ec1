// SPDX-License-Identifier: GPL-2.0
/* Consoles beside the system's, and serial lines: both are ports of cocon. */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../serial/serial.h"

/* ---- consoles --------------------------------------------------------------- */

struct console *console_of(struct daemon *d, unsigned int n)
{
	return n ? d->more[n].port : d->console;
}

struct log *console_log(struct daemon *d, unsigned int n)
{
	return n ? &d->more[n].log : &d->log;
}

static void more_output(struct console_reader *r, const uint8_t *data, size_t n)
{
	struct more_console *m =
		(struct more_console *)((char *)r -
					offsetof(struct more_console, reader));

	log_add(&m->log, data, n);
}

/* log=PATH is the first console's file, PATH.1 the second's, and so on. */
static int add_console(struct daemon *d, struct device *cocon, unsigned int n,
		       struct error **err)
{
	struct more_console *m = &d->more[n];
	const struct config *c = &d->config;
	char *log = c->log ? need_format("%s.%u", c->log, n) : NULL;
	char name[32];

	snprintf(name, sizeof(name), "console%u", n);
	m->port = console_add_port(cocon, name, scrollback_bytes(c), log, err);
	free(log);
	if (!m->port)
		return -1;
	log_init(&m->log);
	m->reader.output = more_output;
	console_make_tty(m->port);
	console_resize(m->port, c->columns, c->rows);
	console_attach(m->port, &m->reader);
	return 0;
}

json_t *consoles_json(struct daemon *d)
{
	json_t *all = json_array();
	char device[32];
	unsigned int i;

	for (i = 0; i < d->config.consoles && console_of(d, i); i++) {
		snprintf(device, sizeof(device), "hvc%u", i);
		json_array_append_new(
			all, json_pack("{s:i, s:s, s:b}", "console", (int)i,
				       "device", device, "guest_open",
				       console_guest_open(console_of(d, i))));
	}
	return all;
}

/* ---- serial lines ----------------------------------------------------------- */

/* The device in the guest; ours alone count, for no one else makes hvc terminals
 * there. */
static void guest_device(const struct daemon *d, unsigned int index, char *out,
			 size_t size)
{
	unsigned int i, terminal = d->config.consoles;

	if (d->config.line[index].port) {
		snprintf(out, size, "virtio-ports/ttyS%u", index);
		return;
	}
	for (i = 0; i < index; i++)
		if (d->config.line[i].kind != SERIAL_NONE &&
		    !d->config.line[i].port)
			terminal++;
	snprintf(out, size, "hvc%u", terminal);
}

/* The port's name tells udev in the guest what to make: ttyS0.hvc1 is a link from
 * the one to the other. */
static int add_line(struct daemon *d, struct device *cocon, unsigned int i,
		    struct error **err)
{
	const struct config_serial *line = &d->config.line[i];
	char name[32], device[32], port_name[64];
	struct console *port;

	guest_device(d, i, device, sizeof(device));
	snprintf(name, sizeof(name), "ttys%u", i);
	snprintf(port_name, sizeof(port_name), "ttyS%u%s%s", i,
		 line->port ? "" : ".", line->port ? "" : device);
	port = console_add_port(cocon, port_name, 0, NULL, err);
	if (!port)
		return -1;
	if (!line->port)
		console_make_tty(port);
	d->line[i] = serial_open(&d->loop, port, name, line, err);
	return d->line[i] ? 0 : -1;
}

static int check_stdio(struct daemon *d, unsigned int i, struct error **err)
{
	if (d->config.line[i].kind != SERIAL_STDIO)
		return 0;
	if (d->options.background)
		return error_set(err, 0,
				 "ttys%u=stdio: a daemon in the background has no standard input and output: pty, or unix:PATH",
				 i);
	d->options.quiet = true; /* or the console's text would be between */
	return 0;
}

static json_t *line_json(struct daemon *d, unsigned int i)
{
	struct serial_info info;
	char device[32];

	serial_describe(d->line[i], &info);
	guest_device(d, i, device, sizeof(device));
	return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o, s:I}", "name",
			 info.name, "device", device, "kind", info.kind,
			 "place", json_text(info.place, strlen(info.place)),
			 "connected", info.connected, "why",
			 json_text(info.why, strlen(info.why)), "lost",
			 (json_int_t)info.lost);
}

json_t *lines_json(struct daemon *d)
{
	json_t *all = json_array();
	unsigned int i;

	for (i = 0; i < CONFIG_LINES; i++)
		if (d->line[i])
			json_array_append_new(all, line_json(d, i));
	return all;
}

/* ---- all -------------------------------------------------------------------- */

int consoles_add(struct daemon *d, struct device *cocon, struct error **err)
{
	unsigned int i;

	for (i = 1; i < d->config.consoles; i++)
		if (add_console(d, cocon, i, err))
			return -1;
	for (i = 0; i < CONFIG_LINES; i++)
		if (d->config.line[i].kind != SERIAL_NONE &&
		    (check_stdio(d, i, err) || add_line(d, cocon, i, err)))
			return -1;
	return 0;
}

void consoles_free(struct daemon *d)
{
	unsigned int i;

	for (i = 0; i < CONFIG_LINES; i++) {
		serial_close(d->line[i]);
		d->line[i] = NULL;
	}
	for (i = 1; i < CONFIG_TERMINALS; i++) {
		if (!d->more[i].port)
			continue;
		console_detach(d->more[i].port, &d->more[i].reader);
		log_free(&d->more[i].log);
		d->more[i].port = NULL;
	}
}
