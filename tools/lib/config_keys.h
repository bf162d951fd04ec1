/* SPDX-License-Identifier: GPL-2.0 */
/* Between the lexer (config.c) and the table of keys (config_keys.c). */
#ifndef CO_TOOLS_CONFIG_KEYS_H
#define CO_TOOLS_CONFIG_KEYS_H

#include "config.h"

/* What follows a key's name. */
enum config_index {
	INDEX_NONE,	/* mem= */
	INDEX_NUMBER,	/* cobd0= ... cobd<max>= */
	INDEX_PARTITION /* hda=, hda1=: a letter and a number */
};

struct config_key {
	const char *name;
	enum config_index index;
	unsigned int max; /* highest index */
	/* Sets it in `c`. The value has its quotes still. */
	int (*parse)(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value, struct error **err);
	const char *help; /* "VALUE: what it is" */
};

/* The key that `name` (n bytes) names, NULL if it's none of ours; *index is what
 * follows. An index that is out of range or missing: NULL and an error. */
const struct config_key *config_key_find(const char *name, size_t n,
					 unsigned int *index,
					 struct error **err);

/* ---- for those who parse values ------------------------------------------- */

/* The next part of a comma list: quotes removed, "" inside quotes is one quote.
 * *at moves on; NULL at the end of the list. Caller frees. */
char *config_next_part(const char **at);
/* The whole value with its quotes removed. Caller frees. */
char *config_unquoted(const char *value);
/* The same as a path into *path, which is freed before. */
int config_path(char **path, const char *value, struct error **err);

/* ---- values that have a file of their own --------------------------------- */

int config_parse_cobd(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value,
		      struct error **err); /* config_disk.c */
int config_parse_eth(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value,
		     struct error **err); /* config_net.c */

#endif
