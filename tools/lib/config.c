// SPDX-License-Identifier: GPL-2.0
/* Lexer of the configuration language; what the words mean is in config_keys.c. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../abi/driver.h"
#include "../os/host.h"
#include "../os/path.h"
#include "config_keys.h"
#include "guest_line.h"
#include "paths.h"

#define FILE_MAX      (16u << 20)
#define INCLUDE_DEPTH 16

/* Where the next byte stands; counted in bytes, from 1. */
struct lexer {
	const char *at, *end;
	unsigned int line, column;
};

static int read_file(struct text *t, const char *path)
{
	return text_file(t, path, FILE_MAX);
}

void config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->read_file = read_file;
	c->cpus = 1;
	c->consoles = 1;
	c->columns = 80;
	c->rows = 25;
	c->scrollback = CONFIG_SCROLLBACK;
	c->watchdog = 10;
	c->cursor = c->color[0] = c->color[1] = -1;
}

void config_free(struct config *c)
{
	size_t i;

	free(c->name);
	free(c->kernel);
	free(c->initrd);
	free(c->log);
	for (i = 0; i < CONFIG_DISKS; i++)
		config_disk_clear(&c->disk[i]);
	config_free_shares(c);
	config_free_serial(c);
	for (i = 0; i < CONFIG_NETS; i++)
		config_net_free(&c->net[i]);
	for (i = 0; i < CONFIG_PROGRAMS; i++) {
		free(c->program[i].path);
		free(c->program[i].arguments);
	}
	config_aliases_free(c);
	text_free(&c->command_line);
	text_free(&c->notes);
	config_messages_free(c);
}

static void to_guest(struct config *c, const char *word)
{
	if (c->command_line.length)
		text_add(&c->command_line, " ", 1);
	text_add(&c->command_line, word, strlen(word));
}

/* An old file's c:\\colinux\\root_fs, where a path is wanted. */
static int check_foreign(const struct config_key *key, const char *value,
			 struct error **err)
{
	static const char *const with_path[] = { "kernel", "initrd", "log", "hd",
						 "sd", "cobd", "cofs", "exec" };
	char *path = config_next_part(&value);
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(with_path) / sizeof(with_path[0]); i++)
		if (!strcmp(key->name, with_path[i]))
			rc = path_check(path, err);
	free(path);
	return rc;
}

/* Evaluates name=value. *column is set to where in the word the trouble is. */
static int assign(struct config *c, const char *word, size_t *column,
		  struct error **err)
{
	const char *equal = strchr(word, '=');
	size_t n = equal ? (size_t)(equal - word) : strlen(word);
	const struct config_key *key;
	unsigned int index = 0;

	*column = 0;
	if (!n)
		return error_set(err, 0, "a word begins with a name, not with '='");
	key = config_key_find(word, n, &index, err);
	if (*err)
		return -1;
	if (!key) {
		if (n == 4 && !memcmp(word, "root", 4))
			config_met(c, word, n, n + 1);
		to_guest(c, word);
		return 0;
	}
	config_met(c, word, n, n + (equal ? 1 : 0));
	if (!equal)
		return error_set(err, 0, "'%s' needs a value: %s=%s", word, word,
				 key->help);
	*column = n + 1;
	if (check_foreign(key, equal + 1, err) ||
	    key->parse(c, key, index, equal + 1, err))
		return error_wrap(err, "%.*s", (int)n, word);
	return 0;
}

/* One word, and what there is to say about it into the messages. */
static void evaluate(struct config *c, const char *word)
{
	struct error *err = NULL;
	size_t column = 0;
	int rc = assign(c, word, &column, &err);

	config_take_notes(c, 0);
	if (rc)
		config_message_error(c, config_here(c, column), &err);
}

static int check_nesting(const struct config *c, const char *path,
			 struct error **err)
{
	const struct config_source *s;
	int depth = 0;

	for (s = c->source; s; s = s->outer) {
		if (!strcmp(s->name, path))
			return error_set(err, 0, "@%s: the file includes itself",
					 path);
		if (++depth >= INCLUDE_DEPTH)
			return error_set(err, 0,
					 "@%s: files nested more than %d deep",
					 path, INCLUDE_DEPTH);
	}
	return 0;
}

static void read_words(struct config *c, const char *name, const char *text,
		       size_t n);

static int include(struct config *c, const char *path, struct error **err)
{
	struct text t = { 0 };
	int saved;

	if (!*path)
		return error_set(err, 0, "'@' without a file name");
	if (path_check(path, err) || check_nesting(c, path, err))
		return -1;
	if (c->read_file(&t, path)) {
		saved = errno;
		text_free(&t);
		return error_set(err, saved, "cannot read configuration file %s",
				 path);
	}
	read_words(c, path, t.data ? t.data : "", t.length);
	text_free(&t);
	return 0;
}

/* A VM without a name= is called like its first file. */
static void name_after(struct config *c, const char *path)
{
	const char *base = path_base(path);
	size_t n;
	char *name;

	n = strlen(base);
	if (n > 5 && !strcmp(base + n - 5, ".conf"))
		n -= 5;
	name = need_copy(base, n);
	if (!c->name && name_valid(name))
		c->name = name;
	else
		free(name);
}

static bool is_control(char ch)
{
	return ((unsigned char)ch < 0x20 && ch != '\t') || ch == 0x7f;
}

static bool printable(const char *word)
{
	for (; *word; word++)
		if (is_control(*word))
			return false;
	return true;
}

int config_word(struct config *c, const char *word, struct error **err)
{
	struct config_place nowhere = { 0 };
	struct error *why = NULL;
	size_t errors = c->errors;

	if (word[0] == '@') {
		/* A file's own errors say where they are. */
		if (include(c, word + 1, &why))
			config_message_error(c, nowhere, &why);
		else
			name_after(c, word + 1);
	} else if (!printable(word)) {
		error_set(&why, 0, "control character in a word");
		config_message_error(c, config_here(c, 0), &why);
	} else {
		evaluate(c, word);
	}
	return config_first_error(c, errors, err);
}

static char lexer_next(struct lexer *l)
{
	char ch = *l->at++;

	l->column++;
	if (ch == '\n') {
		l->line++;
		l->column = 1;
	}
	return ch;
}

static bool is_space(char ch)
{
	return ch == ' ' || (ch >= '\t' && ch <= '\r');
}

static void skip_blank(struct lexer *l)
{
	while (l->at < l->end && (is_space(*l->at) || *l->at == '#')) {
		if (*l->at == '#')
			while (l->at < l->end && *l->at != '\n')
				lexer_next(l);
		else
			lexer_next(l);
	}
}

enum taken { TAKEN, TAKEN_NOT, TAKEN_END };

/* Takes a word, its quotes left in place. Errors: at *where; after TAKEN_END the
 * rest is no text. */
static enum taken take_word(struct lexer *l, struct text *word,
			    struct lexer *where, struct error **err)
{
	bool quoted = false;

	word->length = 0;
	for (; l->at < l->end && *l->at != '\n'; lexer_next(l)) {
		if (!quoted && (is_space(*l->at) || *l->at == '#'))
			break;
		if (*l->at == '\r' && l->at + 1 < l->end && l->at[1] == '\n')
			break;
		if (is_control(*l->at)) {
			*where = *l;
			error_set(err, 0, "control character 0x%02x",
				  (unsigned char)*l->at);
			return TAKEN_END;
		}
		if (*l->at == '"') {
			if (!quoted)
				*where = *l;
			quoted = !quoted;
		}
		text_add(word, l->at, 1);
	}
	if (!quoted)
		return TAKEN;
	error_set(err, 0, "no closing quote on this line");
	return TAKEN_NOT;
}

/* The name in quotes that `path` begins with; -1: something follows them. */
static int unquote_name(char *path, struct error **err)
{
	size_t n;

	memmove(path, path + 1, strlen(path));
	n = strcspn(path, "\"");
	if (path[n] && path[n + 1])
		return error_set(err, 0,
				 "'%s' follows the quote that ends a file's name: put a blank between them",
				 path + n + 1);
	path[n] = 0;
	return 0;
}

/* `@` and a file name that may stand in quotes. */
static void file_include(struct config *c, const struct text *word)
{
	struct error *err = NULL;
	char *path = need_copy(word->data + 1, word->length - 1);
	int rc = 0;

	if (path[0] == '"' && strlen(path) > 1)
		rc = unquote_name(path, &err);
	if (rc || include(c, path, &err))
		config_message_error(c, config_here(c, 0), &err);
	free(path);
}

/* The next word; false: the rest of the text is no use. */
static bool next_word(struct config *c, struct config_source *source,
		      struct lexer *l, struct text *word)
{
	struct error *err = NULL;
	struct lexer where = *l;
	enum taken taken;

	source->line = l->line;
	source->column = l->column;
	taken = take_word(l, word, &where, &err);
	if (taken != TAKEN) {
		source->line = where.line;
		source->column = where.column;
		config_message_error(c, config_here(c, 0), &err);
	} else if (word->data[0] == '@') {
		file_include(c, word);
	} else {
		evaluate(c, word->data);
	}
	return taken != TAKEN_END;
}

/* Windows' editors write UTF-16 when asked for "Unicode". */
static bool is_utf16(const char *text, size_t n)
{
	return n >= 2 && (!memcmp(text, "\xff\xfe", 2) ||
			  !memcmp(text, "\xfe\xff", 2));
}

static void read_words(struct config *c, const char *name, const char *text,
		       size_t n)
{
	struct config_source source = { name, 1, 1, c->source };
	struct lexer l = { text, text + n, 1, 1 };
	struct error *err = NULL;
	struct text word = { 0 };
	bool more = true;

	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		l.at += 3; /* the mark that Windows editors leave */
	if (n && text[n - 1] == 0x1a)
		l.end--; /* Ctrl-Z, with which DOS ended its files */
	c->source = &source;
	if (is_utf16(text, n)) {
		error_set(&err, 0, "the file is UTF-16: save it as UTF-8");
		config_message_error(c, config_here(c, 0), &err);
		more = false;
	}
	for (skip_blank(&l); more && l.at < l.end; skip_blank(&l))
		more = next_word(c, &source, &l, &word);
	c->source = source.outer;
	text_free(&word);
}

int config_text(struct config *c, const char *name, const char *text, size_t n,
		struct error **err)
{
	size_t errors = c->errors;

	read_words(c, name, text, n);
	return config_first_error(c, errors, err);
}

/* A quarter of the machine's memory, at most 1 GiB, in whole large pages. */
static uint64_t default_memory(void)
{
	uint64_t memory = host_memory() / 4;

	if (memory > UINT64_C(1) << 30)
		memory = UINT64_C(1) << 30;
	if (memory < UINT64_C(64) << 20)
		memory = UINT64_C(64) << 20;
	return memory - memory % CO_LARGE_PAGE;
}

unsigned int config_cpus_max(const struct config *c)
{
	unsigned int n = host_cpus();

	if (c->cpus_max)
		return c->cpus_max;
	if (n > CO_VCPUS_MAX)
		n = CO_VCPUS_MAX;
	return n > c->cpus ? n : c->cpus;
}

static void finish_cpus(struct config *c)
{
	if (c->cpus > config_cpus_max(c))
		config_complain(c, true, "cpus",
				"cpus=%u is more than maxcpus=%u: ask for fewer, or raise maxcpus=",
				c->cpus, c->cpus_max);
}

static void finish_memory(struct config *c)
{
	if (!c->memory) {
		c->memory = default_memory();
		if (c->memory_max && c->memory > c->memory_max)
			c->memory = c->memory_max;
	}
	if (!c->memory_max)
		c->memory_max = c->memory;
	if (c->memory > c->memory_max)
		config_complain(c, true, "mem",
				"mem=%lluM is more than maxmem=%lluM: ask for less, or raise maxmem=",
				(unsigned long long)c->memory >> 20,
				(unsigned long long)c->memory_max >> 20);
}

/* What the guest has unless the user says otherwise. */
static void guest_default(struct config *c, const char *name, const char *value)
{
	char word[64];

	snprintf(word, sizeof(word), "%s%s", name, value);
	if (!guest_line_names(&c->command_line, name))
		guest_line_once(&c->command_line, word);
}

static void finish_command_line(struct config *c)
{
	guest_default(c, "console=", "hvc0");
	if (config_net_taps_only(c))
		guest_default(c, "virtio_net.napi_tx=", "0");
	if (c->own_clock)
		guest_line_once(&c->command_line, "colinux_clock=guest");
	if (c->command_line.length > CO_COMMAND_LINE_MAX - 1)
		config_complain(c, true, "",
				"the guest's command line has %zu bytes, it can hold %d: remove words from the configuration",
				c->command_line.length, CO_COMMAND_LINE_MAX - 1);
}

int config_finish(struct config *c, struct error **err)
{
	size_t errors = c->errors;

	if (!c->kernel && !config_was_met(c, "kernel"))
		config_complain(c, true, "kernel",
				"no kernel: the configuration has no kernel=PATH: name the guest's vmlinux there");
	if (!c->name)
		c->name = need_copy("colinux", strlen("colinux"));
	finish_cpus(c);
	finish_memory(c);
	config_finish_aliases(c);
	config_net_finish(c);
	config_finish_shares(c);
	config_finish_serial(c);
	config_finish_vsock(c);
	finish_command_line(c);
	config_take_notes(c, 0);
	return config_first_error(c, errors, err);
}
