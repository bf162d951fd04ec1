// SPDX-License-Identifier: GPL-2.0
/* What there is to say about a configuration, and where its words stand. */
#include "config_keys.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A file that is no configuration has an error in each line. */
#define MESSAGES_MAX 200

static char *copy(const char *s)
{
	return s ? need_copy(s, strlen(s)) : NULL;
}

static void add_files(const struct config_source *s, size_t column,
		      struct text *out)
{
	if (s->outer) {
		add_files(s->outer, 0, out);
		text_add(out, ": ", 2);
	}
	text_format(out, "%s:%u:%zu", s->name, s->line, s->column + column);
}

struct config_place config_here(const struct config *c, size_t column)
{
	const struct config_source *s = c->source;
	struct config_place place = { 0 };
	struct text files = { 0 };

	if (!s) {
		place.files = copy("command line");
		return place;
	}
	add_files(s, column, &files);
	place.files = files.data;
	place.file = copy(s->name);
	place.line = s->line;
	place.column = s->column + (unsigned int)column;
	return place;
}

static struct config_place place_copy(const struct config_place *place)
{
	struct config_place p = *place;

	p.files = copy(place->files);
	p.file = copy(place->file);
	return p;
}

void config_place_free(struct config_place *place)
{
	free(place->files);
	free(place->file);
	memset(place, 0, sizeof(*place));
}

void config_message(struct config *c, bool error, struct config_place place,
		    const char *text)
{
	struct config_message m = { error, place, NULL };

	if (c->messages > MESSAGES_MAX) {
		config_place_free(&m.place);
		return;
	}
	if (c->messages == MESSAGES_MAX) {
		config_place_free(&m.place);
		m.error = true;
		text = "so many messages: the rest is left out";
	}
	m.text = copy(text);
	c->message = need_again(c->message,
				(c->messages + 1) * sizeof(*c->message));
	c->message[c->messages++] = m;
	c->errors += m.error;
}

void config_message_error(struct config *c, struct config_place place,
			  struct error **err)
{
	config_message(c, true, place, (*err)->text);
	error_free(err);
}

void config_take_notes(struct config *c, size_t column)
{
	char *line, *end;

	for (line = c->notes.data; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		if (end)
			*end = 0;
		config_message(c, false, config_here(c, column), line);
		if (!end)
			break;
	}
	text_free(&c->notes);
}

char *config_message_text(const struct config_message *m)
{
	if (!m->place.files)
		return copy(m->text);
	return need_format("%s: %s", m->place.files, m->text);
}

int config_first_error(const struct config *c, size_t errors,
		       struct error **err)
{
	char *text;
	size_t i;

	for (i = 0; i < c->messages; i++)
		if (c->message[i].error && !errors--) {
			text = config_message_text(&c->message[i]);
			error_set(err, 0, "%s", text);
			free(text);
			return -1;
		}
	return 0;
}

static struct config_named_place *find(const struct config *c,
				       const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < c->places; i++)
		if (strlen(c->place[i].name) == n &&
		    !memcmp(c->place[i].name, name, n))
			return &c->place[i];
	return NULL;
}

void config_met(struct config *c, const char *name, size_t n, size_t column)
{
	struct config_named_place *p = find(c, name, n);

	if (p) {
		config_place_free(&p->place);
	} else {
		c->place = need_again(c->place,
				      (c->places + 1) * sizeof(*c->place));
		p = &c->place[c->places++];
		p->name = need_copy(name, n);
	}
	p->place = config_here(c, column);
}

bool config_was_met(const struct config *c, const char *name)
{
	return find(c, name, strlen(name));
}

void config_complain(struct config *c, bool error, const char *key,
		     const char *format, ...)
{
	const struct config_named_place *p = find(c, key, strlen(key));
	struct config_place place = { 0 };
	char *s = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		abort();
	va_end(args);
	if (p)
		place = place_copy(&p->place);
	config_message(c, error, place, s);
	free(s);
}

void config_messages_free(struct config *c)
{
	size_t i;

	for (i = 0; i < c->messages; i++) {
		config_place_free(&c->message[i].place);
		free(c->message[i].text);
	}
	for (i = 0; i < c->places; i++) {
		config_place_free(&c->place[i].place);
		free(c->place[i].name);
	}
	free(c->message);
	free(c->place);
}
