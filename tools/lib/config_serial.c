// SPDX-License-Identifier: GPL-2.0
/* Serial lines in the configuration: ttysN=, and the number of consoles. */
#include "config_keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../os/can.h"

/* ---- the mode string: words of the original, which had them from MODE ------- */

static int mode_number(const char *word, const char *value, unsigned int min,
		       unsigned int max, unsigned int *out, struct error **err)
{
	uint64_t n;

	if (!text_number(value, max, &n) || n < min)
		return error_set(err, 0, "mode: %s=%s is no number from %u to %u",
				 word, value, min, max);
	*out = (unsigned int)n;
	return 0;
}

static int mode_switch(const char *word, const char *value, int *out,
		       struct error **err)
{
	if (strcasecmp(value, "on") && strcasecmp(value, "off"))
		return error_set(err, 0, "mode: %s=%s is neither on nor off",
				 word, value);
	*out = !strcasecmp(value, "on");
	return 0;
}

/* `hs` is the handshake by hardware, as octs=on is. */
static int mode_rts(struct serial_mode *m, const char *value,
		    struct error **err)
{
	if (strcasecmp(value, "hs"))
		return mode_switch("rts", value, &m->rts, err);
	m->hardware = 1;
	return 0;
}

static int mode_parity(struct serial_mode *m, const char *value,
		       struct error **err)
{
	int c = tolower((unsigned char)*value);

	if (!c || value[1] || !strchr("neoms", c))
		return error_set(err, 0,
				 "mode: parity=%s is none of n, e, o, m, s",
				 value);
	m->parity = (char)c;
	return 0;
}

static int mode_word(struct config *c, struct serial_mode *m, char *word,
		     struct error **err)
{
	char *value = strchr(word, '=');

	if (!value)
		return error_set(err, 0, "mode: '%s' is no NAME=VALUE", word);
	*value++ = 0;
	if (!strcasecmp(word, "baud"))
		return mode_number(word, value, 50, 4000000, &m->baud, err);
	if (!strcasecmp(word, "parity"))
		return mode_parity(m, value, err);
	if (!strcasecmp(word, "data"))
		return mode_number(word, value, 5, 8, &m->data, err);
	if (!strcasecmp(word, "stop"))
		return mode_number(word, value, 1, 2, &m->stop, err);
	if (!strcasecmp(word, "dtr"))
		return mode_switch(word, value, &m->dtr, err);
	if (!strcasecmp(word, "rts"))
		return mode_rts(m, value, err);
	if (!strcasecmp(word, "xon"))
		return mode_switch(word, value, &m->xon, err);
	if (!strcasecmp(word, "octs"))
		return mode_switch(word, value, &m->hardware, err);
	if (strcasecmp(word, "to") && strcasecmp(word, "odsr") &&
	    strcasecmp(word, "idsr"))
		return error_set(err, 0,
				 "mode: unknown word '%s': baud, parity, data, stop, dtr, rts, xon, octs",
				 word);
	text_format(&c->notes,
		    "%s=%s has no meaning for a serial line here: Linux has no such setting\n",
		    word, value);
	return 0;
}

static int parse_mode(struct config *c, struct serial_mode *m, char *words,
		      struct error **err)
{
	char *rest, *word;

	for (word = strtok_r(words, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest))
		if (mode_word(c, m, word, err))
			return -1;
	return 0;
}

/* ---- what the line leads to ------------------------------------------------- */

static const struct {
	const char *word;
	enum serial_kind kind;
	bool path, optional;
} places[] = {
	{ "pty", SERIAL_PTY, true, true },
	{ "unix", SERIAL_LISTEN, true, false },
	{ "unix-connect", SERIAL_CONNECT, true, false },
	{ "stdio", SERIAL_STDIO, false, true },
};

static int set_place(struct config_serial *line, size_t i, const char *rest,
		     struct error **err)
{
	if (*rest && !places[i].path)
		return error_set(err, 0, "%s takes no path", places[i].word);
	if (!(*rest && rest[1]) && !places[i].optional)
		return error_set(err, 0, "no path given: %s:PATH",
				 places[i].word);
	line->kind = places[i].kind;
	if (*rest && rest[1])
		line->path = need_copy(rest + 1, strlen(rest + 1));
	return 0;
}

static int parse_place(struct config_serial *line, const char *s,
		       struct error **err)
{
	size_t i, n = strcspn(s, ":");
	int device = can_line_device(s, err);

	if (device < 0)
		return -1;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strlen(places[i].word) == n && !strncmp(s, places[i].word, n))
			return set_place(line, i, s + n, err) ?
				       -1 : can_line(line, err);
	if (!device)
		return error_set(err, 0, "'%s' is no line: %s", s, can_lines);
	line->kind = SERIAL_DEVICE;
	line->path = need_copy(s, strlen(s));
	return 0;
}

static int parse_option(struct config *c, struct config_serial *line, char *s,
			struct error **err)
{
	if (!strcmp(s, "port")) {
		line->port = true;
		return 0;
	}
	if (*s && !strchr(s, '='))
		return error_set(err, 0,
				 "unknown option '%s': WHERE[,\"MODE\"][,port]; a path with a comma needs quotes",
				 s);
	if (*s && line->kind != SERIAL_DEVICE)
		return error_set(err, 0,
				 "a mode string is for a device of the host: nothing else has a speed");
	return parse_mode(c, &line->mode, s, err);
}

int config_parse_ttys(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	struct config_serial line = { .mode = { .dtr = -1, .rts = -1, .xon = -1,
						.hardware = -1 } };
	char *part = config_next_part(&value);
	int rc;

	(void)key;
	if (!part || !*part)
		rc = error_set(err, 0, "no line given");
	else
		rc = parse_place(&line, part, err);
	free(part);
	while (!rc && (part = config_next_part(&value))) {
		rc = parse_option(c, &line, part, err);
		free(part);
	}
	if (rc) {
		free(line.path);
		return rc;
	}
	free(c->line[index].path);
	c->line[index] = line;
	return 0;
}

int config_parse_consoles(struct config *c, const struct config_key *key,
			  unsigned int index, const char *value,
			  struct error **err)
{
	uint64_t n;

	(void)key;
	(void)index;
	if (!text_number(value, CONFIG_TERMINALS, &n) || !n)
		return error_set(err, 0, "'%s' is no number from 1 to %d", value,
				 CONFIG_TERMINALS);
	c->consoles = (unsigned int)n;
	return 0;
}

/* ---- all of them ------------------------------------------------------------ */

/* A terminal each as long as the guest's kernel has some. */
static void share_terminals(struct config *c)
{
	unsigned int i, left = CONFIG_TERMINALS - c->consoles;
	char name[16];

	for (i = 0; i < CONFIG_LINES; i++) {
		if (c->line[i].kind == SERIAL_NONE || c->line[i].port)
			continue;
		if (left) {
			left--;
			continue;
		}
		c->line[i].port = true;
		snprintf(name, sizeof(name), "ttys%u", i);
		config_complain(c, false, name,
				"ttys%u is a plain port in the guest (/dev/virtio-ports/ttyS%u), no terminal: Linux has %d for consoles and lines together",
				i, i, CONFIG_TERMINALS);
	}
}

void config_finish_serial(struct config *c)
{
	int stdio = -1;
	char name[16];
	unsigned int i;

	for (i = 0; i < CONFIG_LINES; i++) {
		if (c->line[i].kind != SERIAL_STDIO)
			continue;
		snprintf(name, sizeof(name), "ttys%u", i);
		if (stdio >= 0)
			config_complain(c, true, name,
					"ttys%d and ttys%u: only one line can be stdio",
					stdio, i);
		stdio = (int)i;
	}
	share_terminals(c);
}

static const char *const kind_word[] = { "", "", "pty", "unix",
					 "unix-connect", "stdio" };

static void mode_text(const struct serial_mode *m, struct text *out)
{
	static const char *const word[] = { "dtr", "rts", "xon", "octs" };
	const int value[] = { m->dtr, m->rts, m->xon, m->hardware };
	unsigned int i;

	if (m->baud)
		text_format(out, " baud=%u", m->baud);
	if (m->parity)
		text_format(out, " parity=%c", m->parity);
	if (m->data)
		text_format(out, " data=%u", m->data);
	if (m->stop)
		text_format(out, " stop=%u", m->stop);
	for (i = 0; i < 4; i++)
		if (value[i] >= 0)
			text_format(out, " %s=%s", word[i],
				    value[i] ? "on" : "off");
}

void config_serial_text(const struct config_serial *line, struct text *out)
{
	struct text mode = { 0 };
	const char *path = line->path ? line->path : "";
	char *where = need_format("%s%s%s", kind_word[line->kind],
				  *path && line->kind != SERIAL_DEVICE ? ":" :
									 "",
				  path);

	config_quote(out, where);
	free(where);
	mode_text(&line->mode, &mode);
	if (mode.length)
		text_format(out, ",\"%s\"", mode.data + 1);
	if (line->port)
		text_format(out, ",port");
	text_free(&mode);
}

void config_free_serial(struct config *c)
{
	unsigned int i;

	for (i = 0; i < CONFIG_LINES; i++)
		free(c->line[i].path);
}
