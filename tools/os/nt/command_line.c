// SPDX-License-Identifier: GPL-2.0
#include "command_line.h"

#include <string.h>

static void add_times(struct text *line, char c, size_t n)
{
	while (n--)
		text_add(line, &c, 1);
}

/* Backslashes are themselves, but before a quote each counts half. */
void command_line_add(struct text *line, const char *word)
{
	size_t n;

	if (line->length)
		text_add(line, " ", 1);
	text_add(line, "\"", 1);
	for (; *word; word++) {
		n = strspn(word, "\\");
		word += n;
		if (!*word || *word == '"')
			n *= 2;
		add_times(line, '\\', n);
		if (!*word)
			break;
		if (*word == '"')
			text_add(line, "\\", 1);
		text_add(line, word, 1);
	}
	text_add(line, "\"", 1);
}
