/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel command line is the user's, the machine is the host's: which words
 * must not reach the kernel. Plain C over strings, also built by tests/cmdline.
 */
#ifndef _COLINUX_WORDS_H
#define _COLINUX_WORDS_H

#include <linux/types.h>

enum co_word_action {
	CO_WORD_PASS, /* not in the table */
	CO_WORD_REFUSE, /* would touch what isn't the guest's, or break the port */
	CO_WORD_IGNORE, /* means nothing here */
};

struct co_word {
	const char *name; /* '*' at the end: any word that starts so */
	enum co_word_action action;
	const char *why;
	const char *values; /* only with a value that starts with one of these */
};

/* The rule for a word "name" or "name=value"; NULL: pass it. */
const struct co_word *co_word_find(const char *word);

/* Called for each word dropped, with its rule. */
typedef void (*co_word_report)(const char *word, const struct co_word *rule);

/* Drops what the table says from `line`, in place; "--" ends the kernel's part. */
void co_words_filter(char *line, co_word_report report);

#endif
