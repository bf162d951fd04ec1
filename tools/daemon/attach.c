// SPDX-License-Identifier: GPL-2.0
/* A client at the guest's console. Any number may be there; all see all. */
#include "control.h"

#include <string.h>

/* The console's input buffer was full; how long until the next try. */
#define INPUT_RETRY_MS 10

static struct connection *of_reader(struct console_reader *r)
{
	return (struct connection *)((char *)r -
				     offsetof(struct connection, reader));
}

static void attach_output(struct console_reader *r, const uint8_t *data,
			  size_t n)
{
	connection_frame(of_reader(r), FRAME_OUTPUT, data, n);
}

/* Nothing more is read from the client until the console has taken what came. */
static void push_input(uv_timer_t *timer)
{
	struct connection *c = timer->data;
	size_t taken;

	do {
		taken = console_input(c->console,
				      (const uint8_t *)c->input.data,
				      c->input.length);
		text_drop(&c->input, taken);
	} while (taken && c->input.length);
	if (c->input.length) {
		connection_pause(c);
		uv_timer_start(&c->timer, push_input, INPUT_RETRY_MS, 0);
	} else {
		connection_resume(c);
	}
}

static bool attach_resize(struct connection *c, const struct frame *f)
{
	if (f->length != 4)
		return false;
	console_resize(c->console, f->data[0] | f->data[1] << 8,
		       f->data[2] | f->data[3] << 8);
	return true;
}

static bool attach_frame(struct connection *c, const struct frame *f)
{
	bool idle = !c->input.length;

	switch (f->type) {
	case FRAME_INPUT:
		text_add(&c->input, f->data, f->length);
		if (idle && f->length)
			push_input(&c->timer);
		return true;
	case FRAME_RESIZE:
		return attach_resize(c, f);
	default:
		return false;
	}
}

static void attach_closed(struct connection *c)
{
	if (c->console)
		console_detach(c->console, &c->reader);
	c->console = NULL;
	uv_timer_stop(&c->timer);
}

static const struct stream_ops attach_ops = { attach_frame, attach_closed };

/* How the terminal shall look. */
static json_t *looks(const struct config *c)
{
	json_t *o = json_object(), *color;
	int i;

	if (c->cursor >= 0)
		json_object_set_new(o, "cursor", json_integer(c->cursor));
	if (c->color[0] < 0)
		return o;
	color = json_array();
	for (i = 0; i < 2 && c->color[i] >= 0; i++)
		json_array_append_new(
			color, json_string(config_color_name(c->color[i])));
	json_object_set_new(o, "color", color);
	return o;
}

int verb_attach(struct connection *c, json_t *id, json_t *args,
		struct error **err)
{
	struct console *console = arg_console(c->d, args, NULL, err);
	json_int_t columns, rows;

	if (!console ||
	    arg_number(args, "columns", 1, 65535, 0, &columns, err) ||
	    arg_number(args, "rows", 1, 65535, 0, &rows, err))
		return -1;
	if (columns && rows)
		console_resize(console, (unsigned int)columns,
			       (unsigned int)rows);
	reply(c, id, looks(&c->d->config));
	if (!connection_stream(c, &attach_ops))
		return 0;
	c->reader.output = attach_output;
	c->console = console;
	console_attach(console, &c->reader);
	return 0;
}
