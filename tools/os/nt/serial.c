// SPDX-License-Identifier: GPL-2.0
/*
 * coserial on Windows: a port of the guest's console, and a COM port or a named pipe.
 * The loop's thread is between the port and two threads, which stand in the calls
 * that read and write: `end` (serial_end.c) finds the far end again and again.
 */
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "../../serial/serial.h"
#include "serial_end.h"

struct serial {
	struct console *port;
	struct console_reader reader;
	char *name;
	const struct config_serial *line;
	struct serial_end *end;
	uv_async_t *wake;
	bool connected, held;
	uint64_t lost;
};

static struct serial *of_reader(struct console_reader *r)
{
	return (struct serial *)((char *)r - offsetof(struct serial, reader));
}

static void release(struct serial *s)
{
	if (!s->held)
		return;
	s->held = false;
	console_hold(s->port, false);
}

/* A plain port's writers sleep while it is held; a terminal's spin with interrupts
 * off, so that what an end doesn't take is lost. */
static void on_output(struct console_reader *r, const uint8_t *data, size_t n)
{
	struct serial *s = of_reader(r);
	size_t kept;

	if (!s->connected || !serial_end_write(s->end, data, n, &kept)) {
		s->lost += n;
		return;
	}
	if (kept >= SERIAL_KEPT / 2 && s->line->port && !s->held) {
		s->held = true;
		console_hold(s->port, true);
	}
}

static void push_input(struct serial *s)
{
	const uint8_t *data;
	size_t n, taken;

	while ((n = serial_end_input(s->end, &data))) {
		taken = console_input(s->port, data, n);
		serial_end_taken(s->end, taken);
		if (taken < n)
			return; /* on_input_ready() goes on */
	}
}

static void on_input_ready(struct console_reader *r)
{
	push_input(of_reader(r));
}

static void on_wake(uv_async_t *wake)
{
	struct serial *s = wake->data;
	bool connected = serial_end_connected(s->end);

	push_input(s);
	if (connected != s->connected) {
		s->connected = connected;
		console_set_host(s->port, connected);
	}
	if (!connected || serial_end_kept(s->end) < SERIAL_KEPT / 4)
		release(s);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

struct serial *serial_open(uv_loop_t *loop, struct console *port,
			   const char *name, const struct config_serial *line,
			   struct error **err)
{
	struct serial *s = need(sizeof(*s));

	s->port = port;
	s->name = need_copy(name, strlen(name));
	s->line = line;
	s->wake = need(sizeof(*s->wake));
	uv_async_init(loop, s->wake, on_wake);
	s->wake->data = s;
	s->reader.output = on_output;
	s->reader.input_ready = on_input_ready;
	console_set_host(port, false);
	console_attach(port, &s->reader);
	s->end = serial_end_open(line, s->wake, err);
	if (s->end)
		return s;
	serial_close(s);
	error_wrap(err, "%s", name);
	return NULL;
}

void serial_close(struct serial *s)
{
	if (!s)
		return;
	console_detach(s->port, &s->reader);
	serial_end_close(s->end);
	uv_close((uv_handle_t *)s->wake, free_handle);
	free(s->name);
	free(s);
}

void serial_describe(const struct serial *s, struct serial_info *info)
{
	static const char *const kinds[] = {
		[SERIAL_DEVICE] = "device", [SERIAL_LISTEN] = "unix",
		[SERIAL_CONNECT] = "unix-connect", [SERIAL_STDIO] = "stdio",
	};

	*info = (struct serial_info){
		.name = s->name,
		.place = s->line->path ? s->line->path : "",
		.kind = kinds[s->line->kind],
		.connected = s->connected,
		.why = s->connected ? "" : serial_end_why(s->end),
		.lost = s->lost,
	};
}
