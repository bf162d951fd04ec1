// SPDX-License-Identifier: GPL-2.0
/* The terminal's looks while it's at a console: cursor= and color= of the VM. They
 * are the terminal's defaults, which what runs in the guest may change. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/config.h"
#include "../os/peer.h"

/* The PC's text mode. */
static const char *const rgb[16] = {
	"00/00/00", "00/00/aa", "00/aa/00", "00/aa/aa", "aa/00/00", "aa/00/aa",
	"aa/55/00", "aa/aa/aa", "55/55/55", "55/55/ff", "55/ff/55", "55/ff/ff",
	"ff/55/55", "ff/55/ff", "ff/ff/55", "ff/ff/ff",
};

/* xterm's OSC 10 is the text's default colour, OSC 11 the ground's. */
static void add_color(struct text *out, int osc, json_t *name)
{
	int i;

	for (i = 0; json_is_string(name) && i < 16; i++)
		if (!strcmp(json_string_value(name), config_color_name(i)))
			text_format(out, "\033]%d;rgb:%s\033\\", osc, rgb[i]);
}

/* Up to half the height a line (DECSCUSR 4), above it a block (2). */
static void add_cursor(struct text *out, json_t *percent)
{
	if (json_is_integer(percent))
		text_format(out, "\033[%d q",
			    json_integer_value(percent) > 50 ? 2 : 4);
}

void terminal_begin(struct terminal *t, json_t *attached)
{
	json_t *color = json_object_get(attached, "color");
	struct text out = { 0 };

	memset(t, 0, sizeof(*t));
	if (!user_knows_escapes())
		return;
	add_color(&out, 10, json_array_get(color, 0));
	add_color(&out, 11, json_array_get(color, 1));
	t->text = json_array_size(color) > 0;
	t->ground = json_array_size(color) > 1;
	add_cursor(&out, json_object_get(attached, "cursor"));
	t->cursor = json_object_get(attached, "cursor");
	/* A terminal that can't be written to shows at the first output. */
	if (out.length && write_all(STDOUT_FILENO, out.data, out.length))
		memset(t, 0, sizeof(*t));
	text_free(&out);
}

void terminal_end(const struct terminal *t)
{
	struct text out = { 0 };

	if (t->text)
		text_format(&out, "\033]110\033\\");
	if (t->ground)
		text_format(&out, "\033]111\033\\");
	if (t->cursor)
		text_format(&out, "\033[0 q");
	if (out.length && write_all(STDOUT_FILENO, out.data, out.length))
		fputs("colinux: the terminal keeps the VM's colours: `reset` helps\n",
		      stderr);
	text_free(&out);
}
