// SPDX-License-Identifier: GPL-2.0
/* Programs started with the VM: execN=. */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>

/* Takes the next word of a line of arguments; white space parts them, '...' and
 * "..." keep it. NULL at the end. False: a quote isn't closed. */
static bool next_word(const char **at, char **word)
{
	struct text t = { 0 };
	char quote = 0;
	const char *s;

	*word = NULL;
	s = *at + strspn(*at, " \t");
	if (!*s)
		return true;
	text_add(&t, "", 0);
	for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
		if (*s == quote)
			quote = 0;
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else
			text_add(&t, s, 1);
	}
	*at = s;
	*word = t.data;
	return !quote;
}

void config_words_free(char **words)
{
	size_t i;

	for (i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

char **config_program_words(const struct config_program *p, struct error **err)
{
	const char *at = p->arguments ? p->arguments : "";
	char **words = need(2 * sizeof(*words));
	size_t n = 1;
	char *word;
	bool good;

	words[0] = need_copy(p->path, strlen(p->path));
	while ((good = next_word(&at, &word)) && word) {
		words = need_again(words, (n + 2) * sizeof(*words));
		words[n++] = word;
		words[n] = NULL;
	}
	if (good)
		return words;
	error_set(err, 0, "no closing quote in the arguments '%s'",
		  p->arguments);
	free(word);
	config_words_free(words);
	return NULL;
}

int config_parse_exec(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	struct config_program p = { 0 };
	char **words = NULL;

	(void)key;
	p.path = config_next_part(&value);
	p.arguments = config_next_part(&value);
	if (!*p.path)
		error_set(err, 0, "no program given: PROGRAM[,\"ARGUMENTS\"]");
	else if (value)
		error_set(err, 0,
			  "too many commas: PROGRAM[,\"ARGUMENTS\"], all arguments in one pair of quotes");
	else
		words = config_program_words(&p, err);
	if (!words) {
		free(p.path);
		free(p.arguments);
		return -1;
	}
	config_words_free(words);
	free(c->program[index].path);
	free(c->program[index].arguments);
	c->program[index] = p;
	return 0;
}
