// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/config.h"

/* ---- colinux set NAME ------------------------------------------------------- */

static json_int_t number_of(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void add_cpus(json_t *rows, json_t *o)
{
	char *set = need_format("%lld", (long long)number_of(o, "set"));
	char *now = need_format("%lld", (long long)number_of(o, "now"));
	char *range = need_format("%lld to %lld", (long long)number_of(o, "min"),
				  (long long)number_of(o, "max"));

	json_array_append_new(rows, json_pack("[s, s, s, s]", "cpus", set, now,
					      range));
	free(set);
	free(now);
	free(range);
}

static void add_memory(json_t *rows, json_t *o)
{
	char *set = size_words((uint64_t)number_of(o, "set"));
	char *now = size_words((uint64_t)number_of(o, "now"));
	char *min = size_words((uint64_t)number_of(o, "min"));
	char *max = size_words((uint64_t)number_of(o, "max"));
	char *range = need_format("%s to %s", min, max);

	json_array_append_new(rows, json_pack("[s, s, s, s]", "mem", set, now,
					      range));
	free(set);
	free(now);
	free(min);
	free(max);
	free(range);
}

static void add_pin(json_t *rows, json_t *o)
{
	char *range = need_format("CPUs of the host: %s", text_of(o, "host"));

	json_array_append_new(rows, json_pack("[s, s, s, s]", "pin",
					      text_of(o, "set"), "", range));
	free(range);
}

static void print_settings(json_t *o)
{
	json_t *rows = json_pack("[[s, s, s, s]]", "NAME", "SET", "NOW", "RANGE");

	add_cpus(rows, json_object_get(o, "cpus"));
	add_memory(rows, json_object_get(o, "mem"));
	add_pin(rows, json_object_get(o, "pin"));
	table_print(rows, 4);
	json_decref(rows);
}

/* ---- colinux set NAME WORD... ----------------------------------------------- */

/* Words are those of the configuration, so that their errors are the same. What
 * of `c` a word has set is seen by its name. */
static int take_word(struct config *c, const char *word, json_t *args,
		     struct error **err)
{
	char *pin;

	if (strncmp(word, "cpus=", 5) && strncmp(word, "mem=", 4) &&
	    strncmp(word, "pin=", 4))
		return error_set(err, 0,
				 "set: '%s' is nothing that can be changed while a VM runs: cpus=N, mem=SIZE and pin=LIST are",
				 word);
	if (!strcmp(word, "cpus=0"))
		return error_set(err, 0,
				 "cpus=0: the last vCPU can't be removed; `colinux stop` ends a VM");
	if (config_word(c, word, err))
		return -1;
	if (*word == 'c') {
		json_object_set_new(args, "cpus", json_integer(c->cpus));
	} else if (*word == 'm') {
		json_object_set_new(args, "memory",
				    json_integer((json_int_t)c->memory));
	} else {
		pin = pin_text(&c->pin);
		json_object_set_new(args, "pin", json_string(pin));
		free(pin);
	}
	return 0;
}

static json_t *take_words(char **words, int n, unsigned int timeout,
			  struct error **err)
{
	json_t *args = json_pack("{s:i}", "timeout", timeout ? (int)timeout : 1);
	struct config c;
	int i, rc = 0;

	config_init(&c);
	for (i = 0; i < n && !rc; i++)
		rc = take_word(&c, words[i], args, err);
	config_free(&c);
	if (!rc)
		return args;
	json_decref(args);
	return NULL;
}

static json_t *ask(const char *name, char **words, int n, unsigned int timeout,
		   struct error **err)
{
	json_t *args = n ? take_words(words, n, timeout, err) : json_object();
	struct client c;
	json_t *o;

	if (!args)
		return NULL;
	if (client_connect(&c, name, err)) {
		json_decref(args);
		return NULL;
	}
	o = client_request(&c, n ? "set" : "settings", args, err);
	client_close(&c);
	return o;
}

int verb_set(int argc, char **argv, struct error **err)
{
	unsigned int timeout = 30;
	bool json = false;
	const struct option_spec specs[] = {
		{ .name = "--json", .flag = &json },
		{ .name = "--timeout", .number = &timeout },
		{ 0 },
	};
	int n = options_take(argc, argv, specs, 1, argc, false, err);
	json_t *o;

	if (n < 0)
		return -1;
	o = ask(argv[1], argv + 2, n - 1, timeout, err);
	if (!o)
		return -1;
	if (json)
		json_print(o);
	else if (n == 1)
		print_settings(o);
	json_decref(o);
	return 0;
}
