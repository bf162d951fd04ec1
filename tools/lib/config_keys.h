/* SPDX-License-Identifier: GPL-2.0 */
/* Between the lexer (config.c) and the table of keys (config_keys.c). */
#ifndef CO_TOOLS_CONFIG_KEYS_H
#define CO_TOOLS_CONFIG_KEYS_H

#include "config.h"

/* What follows a key's name. */
enum config_index {
	INDEX_NONE,	/* mem= */
	INDEX_NUMBER,	/* cobd0= ... cobd<max>= */
	INDEX_PARTITION /* hda=, hda1=: a letter and a number, see below */
};

/* Letter, and partition from 1 to 99 or 0 for the whole disk. */
#define INDEX_LETTER(index)    ((index) / 100)
#define INDEX_NUMBER_OF(index) ((index) % 100)

struct config_key {
	const char *name;
	enum config_index index;
	unsigned int max; /* highest index; INDEX_PARTITION: letter */
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

/* `value` as one part of a comma list, in quotes where it needs them. */
void config_quote(struct text *out, const char *value);

/* ---- messages (config_message.c) ------------------------------------------ */

struct config_named_place {
	char *name;
	struct config_place place;
};

/* The place of the word under evaluation, `column` bytes into it. */
struct config_place config_here(const struct config *c, size_t column);
void config_place_free(struct config_place *place);
/* Adds a message; takes `place` over. */
void config_message(struct config *c, bool error, struct config_place place,
		    const char *text);
/* Makes *err a message at `place` (taken over) and frees it. */
void config_message_error(struct config *c, struct config_place place,
			  struct error **err);
/* Makes the lines in c->notes messages. */
void config_take_notes(struct config *c, size_t column);
/* The first error since there were `errors` of them, into *err; 0: none. */
int config_first_error(const struct config *c, size_t errors,
		       struct error **err);
/* A key was met, be it right or wrong. */
void config_met(struct config *c, const char *name, size_t n, size_t column);
bool config_was_met(const struct config *c, const char *name);
void config_messages_free(struct config *c);

/* ---- values that have a file of their own --------------------------------- */

/* config_alias.c */
int config_parse_alias(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value,
		       struct error **err);
int config_parse_scsi(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value,
		      struct error **err);
/* Gives each its disk, tells the guest, and puts the right name behind root=. */
void config_finish_aliases(struct config *c);
void config_aliases_free(struct config *c);

/* config_program.c, config_terminal.c */
int config_parse_exec(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value,
		      struct error **err);
int config_parse_cursor(struct config *c, const struct config_key *key,
			unsigned int index, const char *value,
			struct error **err);
int config_parse_color(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value,
		       struct error **err);

int config_parse_cobd(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value,
		      struct error **err); /* config_disk.c */
int config_parse_cofs(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value,
		      struct error **err); /* config_share.c */
/* Different tags; what the guest mounts by itself goes to its command line. */
void config_finish_shares(struct config *c);
void config_print_shares(const struct config *c, struct text *out);
void config_free_shares(struct config *c);

/* config_serial.c */
int config_parse_ttys(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value,
		      struct error **err);
int config_parse_consoles(struct config *c, const struct config_key *key,
			  unsigned int index, const char *value,
			  struct error **err);
/* What lines of the configuration can't have at once; which are terminals. */
void config_finish_serial(struct config *c);
void config_free_serial(struct config *c);

/* config_vsock.c */
int config_parse_vsock(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value,
		       struct error **err);
void config_finish_vsock(struct config *c);
int config_parse_eth(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value,
		     struct error **err); /* config_net.c */

#endif
