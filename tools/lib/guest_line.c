// SPDX-License-Identifier: GPL-2.0
#include "guest_line.h"

#include <string.h>

size_t guest_line_word(const char *at)
{
	bool quoted = false;
	size_t n;

	for (n = 0; at[n] && (quoted || at[n] != ' '); n++)
		quoted ^= at[n] == '"';
	return n;
}

static const char *line_begin(const struct text *line)
{
	return line->length ? line->data : "";
}

/* The word behind the one at `at`, which the kernel has; its end if there is none. */
static const char *next_word(const char *at)
{
	at += guest_line_word(at);
	return at + strspn(at, " ");
}

static bool kernel_has_more(const char *at)
{
	return *at && (guest_line_word(at) != 2 || memcmp(at, "--", 2));
}

size_t guest_line_kernel(const struct text *line)
{
	const char *at = line_begin(line);

	while (kernel_has_more(at))
		at = next_word(at);
	return (size_t)(at - line_begin(line));
}

static bool begins_with(const char *word, const char *name)
{
	word += *word == '"';
	for (; *name; name++, word++)
		if (*word != *name && !(*word == '-' && *name == '_'))
			return false;
	return true;
}

bool guest_line_names(const struct text *line, const char *name)
{
	const char *at;

	for (at = line_begin(line); kernel_has_more(at); at = next_word(at))
		if (begins_with(at, name))
			return true;
	return false;
}

static bool has_word(const struct text *line, const char *word)
{
	size_t n = strlen(word);
	const char *at;

	for (at = line_begin(line); kernel_has_more(at); at = next_word(at))
		if (guest_line_word(at) == n && !memcmp(at, word, n))
			return true;
	return false;
}

void guest_line_once(struct text *line, const char *word)
{
	struct text rest = { 0 };
	size_t kernel = guest_line_kernel(line);

	if (has_word(line, word))
		return;
	text_add(&rest, line_begin(line) + kernel, line->length - kernel);
	line->length = kernel;
	if (kernel && line->data[kernel - 1] != ' ')
		text_add(line, " ", 1);
	text_format(line, rest.length ? "%s %s" : "%s", word,
		    rest.length ? rest.data : "");
	text_free(&rest);
}
