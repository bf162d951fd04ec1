// SPDX-License-Identifier: GPL-2.0
/* How a terminal at the console looks: cursor= and color=. */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In the order of the PC's text mode, which the original's numbers had. */
static const char *const colors[16] = {
	"black",     "blue",	   "green",	 "cyan",
	"red",	     "magenta",	   "brown",	 "lightgray",
	"darkgray",  "lightblue",  "lightgreen", "lightcyan",
	"lightred",  "lightmagenta", "yellow",	 "white",
};

const char *config_color_name(int color)
{
	return colors[color & 15];
}

int config_parse_cursor(struct config *c, const struct config_key *key,
			unsigned int index, const char *value,
			struct error **err)
{
	uint64_t n;

	(void)key;
	(void)index;
	if (!text_number(value, 100, &n))
		return error_set(err, 0,
				 "'%s' is no height in percent, 0 to 100", value);
	c->cursor = (int)n;
	return 0;
}

static int color_number(const char *name)
{
	int i;

	if (!strcasecmp(name, "gray") || !strcasecmp(name, "grey") ||
	    !strcasecmp(name, "lightgrey"))
		return 7;
	if (!strcasecmp(name, "darkgrey"))
		return 8;
	for (i = 0; i < 16; i++)
		if (!strcasecmp(name, colors[i]))
			return i;
	return -1;
}

int config_parse_color(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value, struct error **err)
{
	int color[2] = { -1, -1 }, i, rc = 0;
	char *name;

	(void)key;
	(void)index;
	for (i = 0; !rc && (name = config_next_part(&value)); i++) {
		if (i == 2)
			rc = error_set(err, 0, "TEXT,GROUND: two colours");
		else if ((color[i] = color_number(name)) < 0)
			rc = error_set(err, 0,
				       "'%s' is no colour: black, blue, green, cyan, red, magenta, brown, lightgray, darkgray, lightblue, lightgreen, lightcyan, lightred, lightmagenta, yellow, white",
				       name);
		free(name);
	}
	if (!rc)
		memcpy(c->color, color, sizeof(color));
	return rc;
}
