// SPDX-License-Identifier: GPL-2.0
/* Lexer of the configuration language; what the words mean is in config_keys.c. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../abi/driver.h"
#include "config_keys.h"
#include "paths.h"

#define FILE_MAX      (16u << 20)
#define INCLUDE_DEPTH 16

/* Where the next byte stands; counted in bytes, from 1. */
struct lexer {
	const char *name;
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
	c->columns = 80;
	c->rows = 25;
	c->scrollback = 500;
	c->watchdog = 10;
}

void config_free(struct config *c)
{
	size_t i;

	free(c->name);
	free(c->kernel);
	free(c->initrd);
	free(c->log);
	for (i = 0; i < CONFIG_DISKS; i++)
		free(c->disk[i].path);
	for (i = 0; i < CONFIG_NETS; i++)
		config_net_free(&c->net[i]);
	text_free(&c->command_line);
	text_free(&c->notes);
}

static void to_guest(struct config *c, const char *word)
{
	if (c->command_line.length)
		text_add(&c->command_line, " ", 1);
	text_add(&c->command_line, word, strlen(word));
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
		to_guest(c, word);
		return 0;
	}
	if (!equal)
		return error_set(err, 0, "'%s' needs a value: %s=%s", word, word,
				 key->help);
	*column = n + 1;
	if (key->parse(c, key, index, equal + 1, err))
		return error_wrap(err, "%.*s", (int)n, word);
	return 0;
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

static int include(struct config *c, const char *path, struct error **err)
{
	struct text t = { 0 };
	int rc, saved;

	if (!*path)
		return error_set(err, 0, "'@' without a file name");
	if (check_nesting(c, path, err))
		return -1;
	if (c->read_file(&t, path)) {
		saved = errno;
		text_free(&t);
		return error_set(err, saved, "cannot read configuration file %s",
				 path);
	}
	rc = config_text(c, path, t.data ? t.data : "", t.length, err);
	text_free(&t);
	return rc;
}

/* A VM without a name= is called like its first file. */
static void name_after(struct config *c, const char *path)
{
	const char *base = strrchr(path, '/');
	size_t n;
	char *name;

	base = base ? base + 1 : path;
	n = strlen(base);
	if (n > 5 && !strcmp(base + n - 5, ".conf"))
		n -= 5;
	name = need_copy(base, n);
	if (!c->name && name_valid(name))
		c->name = name;
	else
		free(name);
}

static bool printable(const char *word)
{
	for (; *word; word++)
		if ((unsigned char)*word < 0x20 || *word == 0x7f)
			return false;
	return true;
}

int config_word(struct config *c, const char *word, struct error **err)
{
	size_t column;

	if (word[0] == '@') {
		if (include(c, word + 1, err))
			return -1;
		name_after(c, word + 1);
		return 0;
	}
	if (!printable(word))
		return error_set(err, 0,
				 "command line: control character in a word");
	if (assign(c, word, &column, err))
		return error_wrap(err, "command line");
	return 0;
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

/* Takes a word, its quotes left in place. Errors: at *where. */
static int take_word(struct lexer *l, struct text *word, struct lexer *where,
		     struct error **err)
{
	bool quoted = false;

	word->length = 0;
	while (l->at < l->end) {
		if (!quoted && (is_space(*l->at) || *l->at == '#'))
			break;
		if (*l->at == '\n')
			break;
		if (!*l->at || *l->at == 0x7f ||
		    ((unsigned char)*l->at < 0x20 && *l->at != '\t')) {
			*where = *l;
			return error_set(err, 0, "control character 0x%02x",
					 (unsigned char)*l->at);
		}
		if (*l->at == '"') {
			if (!quoted)
				*where = *l;
			quoted = !quoted;
		}
		text_add(word, l->at, 1);
		lexer_next(l);
	}
	if (quoted)
		return error_set(err, 0, "no closing quote on this line");
	return 0;
}

static int file_word(struct config *c, const struct text *word, size_t *column,
		     struct error **err)
{
	char *path;
	int rc;

	*column = 0;
	if (word->data[0] != '@')
		return assign(c, word->data, column, err);
	path = need_copy(word->data + 1, word->length - 1);
	if (path[0] == '"' && strlen(path) > 1) {
		memmove(path, path + 1, strlen(path));
		path[strcspn(path, "\"")] = 0;
	}
	rc = include(c, path, err);
	free(path);
	return rc;
}

int config_text(struct config *c, const char *name, const char *text, size_t n,
		struct error **err)
{
	struct lexer l = { name, text, text + n, 1, 1 }, where;
	struct config_source source = { name, c->source };
	struct text word = { 0 };
	size_t column = 0;
	int rc = 0;

	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		l.at += 3; /* the mark that Windows editors leave */
	c->source = &source;
	for (skip_blank(&l); l.at < l.end; skip_blank(&l)) {
		where = l;
		column = 0;
		rc = take_word(&l, &word, &where, err);
		if (!rc)
			rc = file_word(c, &word, &column, err);
		if (rc) {
			error_wrap(err, "%s:%u:%zu", name, where.line,
				   where.column + column);
			break;
		}
	}
	c->source = source.outer;
	text_free(&word);
	return rc;
}

/* A quarter of the machine's memory, at most 1 GiB, in whole large pages. */
static uint64_t default_memory(void)
{
	uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			 (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t memory = total / 4;

	if (memory > UINT64_C(1) << 30)
		memory = UINT64_C(1) << 30;
	if (memory < UINT64_C(64) << 20)
		memory = UINT64_C(64) << 20;
	return memory - memory % CO_LARGE_PAGE;
}

unsigned int config_cpus_max(const struct config *c)
{
	long host = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int n = host < 1 ? 1 : (unsigned int)host;

	if (c->cpus_max)
		return c->cpus_max;
	if (n > CO_VCPUS_MAX)
		n = CO_VCPUS_MAX;
	return n > c->cpus ? n : c->cpus;
}

static int finish_cpus(const struct config *c, struct error **err)
{
	if (c->cpus > config_cpus_max(c))
		return error_set(err, 0,
				 "cpus=%u is more than maxcpus=%u: ask for fewer, or raise maxcpus=",
				 c->cpus, c->cpus_max);
	return 0;
}

static int finish_memory(struct config *c, struct error **err)
{
	if (!c->memory) {
		c->memory = default_memory();
		if (c->memory_max && c->memory > c->memory_max)
			c->memory = c->memory_max;
	}
	if (!c->memory_max)
		c->memory_max = c->memory;
	if (c->memory > c->memory_max)
		return error_set(err, 0,
				 "mem=%lluM is more than maxmem=%lluM: ask for less, or raise maxmem=",
				 (unsigned long long)c->memory >> 20,
				 (unsigned long long)c->memory_max >> 20);
	return 0;
}

/* The guest's console is hvc0 unless the user says otherwise. */
static void default_console(struct config *c)
{
	const char *line = c->command_line.data;

	if (!line || (strncmp(line, "console=", 8) && !strstr(line, " console=")))
		to_guest(c, "console=hvc0");
}

int config_finish(struct config *c, struct error **err)
{
	if (!c->kernel)
		return error_set(err, 0,
				 "no kernel: the configuration has no kernel=PATH: name the guest's vmlinux there");
	if (!c->name)
		c->name = need_copy("colinux", strlen("colinux"));
	if (finish_cpus(c, err) || finish_memory(c, err))
		return -1;
	if (config_net_finish(c, err))
		return -1;
	default_console(c);
	if (c->own_clock)
		to_guest(c, "colinux_clock=guest");
	if (c->command_line.length > CO_COMMAND_LINE_MAX - 1)
		return error_set(err, 0,
				 "the guest's command line has %zu bytes, it can hold %d: remove words from the configuration",
				 c->command_line.length, CO_COMMAND_LINE_MAX - 1);
	return 0;
}
