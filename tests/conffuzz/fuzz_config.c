// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration language against any bytes. An included file is the input
 * itself again, so that nesting is reached without a file system. What must hold:
 * no crash, an error has a position, what goes to the guest has no byte that
 * could end its command line, a configuration that was taken is in range, and what
 * is printed of it gives it again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/lib/config.h"

/* Enough to nest too deep; from the third on a short piece will do. */
#define INCLUDES_MAX  20
#define INCLUDES_FULL 2
#define PIECE	      64

static const uint8_t *input;
static size_t input_size;
static unsigned int includes;

static int read_input(struct text *t, const char *path)
{
	if (path[0] == '/' || ++includes > INCLUDES_MAX) {
		errno = ENOENT;
		return -1;
	}
	text_add(t, input,
		 includes > INCLUDES_FULL && input_size > PIECE ? PIECE :
								  input_size);
	return 0;
}

/* What was read can be written and read again, and each vCPU has its CPU. */
static void check_pin(const struct pin *pin)
{
	struct error *err = NULL;
	struct cpu_list cpus;
	char *text = pin_text(pin);
	struct pin again;

	if (pin_parse(&again, text, &err) || again.kind != pin->kind ||
	    again.cpus.n != pin->cpus.n ||
	    memcmp(again.cpus.cpu, pin->cpus.cpu,
		   pin->cpus.n * sizeof(pin->cpus.cpu[0])))
		abort();
	free(text);
	if (pin->kind == PIN_NONE)
		return;
	pin_cpus(pin, 63, &cpus);
	if (!cpus.n || !cpu_list_has(&pin->cpus, cpus.cpu[0]))
		abort();
}

/* Each alias has a disk of its own, and arguments can be told apart. */
static void check_devices(const struct config *c)
{
	const struct config_alias *a, *b;
	struct error *err = NULL;
	char **words;
	size_t i;

	config_for_each_alias(a, c) {
		if (a->value || a->disk >= CONFIG_DISKS ||
		    !c->disk[a->disk].path || !a->device)
			abort();
		for (b = c->alias; b < a; b++)
			if (b->disk == a->disk || !strcmp(a->device, b->device))
				abort();
	}
	for (i = 0; i < CONFIG_PROGRAMS; i++) {
		if (!c->program[i].path)
			continue;
		words = config_program_words(&c->program[i], &err);
		if (!words || !*words[0])
			abort();
		config_words_free(words);
	}
	if (c->cursor < -1 || c->cursor > 100 || c->color[0] < -1 ||
	    c->color[0] > 15 || c->color[1] < -1 || c->color[1] > 15)
		abort();
}

/* The words for the guest, one by one: in a word of its own '#' begins no comment. */
static void give_command_line(struct config *c, const struct text *line)
{
	char *words = strdup(line->length ? line->data : ""), *word = words, *at;
	struct error *err = NULL;
	bool quoted = false, end;

	for (at = words; *word; at++) {
		if (*at == '"')
			quoted = !quoted;
		end = !*at;
		if (!end && (quoted || *at != ' '))
			continue;
		*at = 0;
		if (config_word(c, word, &err))
			abort();
		if (end)
			break;
		word = at + 1;
	}
	free(words);
}

static void check_print(const struct config *c)
{
	struct text once = { 0 }, twice = { 0 };
	struct error *err = NULL;
	struct config again;

	config_print(c, &once);
	config_init(&again);
	if (config_text(&again, "print", once.data, once.length, &err))
		abort();
	give_command_line(&again, &c->command_line);
	if (config_finish(&again, &err))
		abort();
	config_print(&again, &twice);
	if (strcmp(once.data, twice.data) ||
	    again.command_line.length != c->command_line.length ||
	    (c->command_line.length &&
	     strcmp(again.command_line.data, c->command_line.data)))
		abort();
	text_free(&once);
	text_free(&twice);
	config_free(&again);
}

static void check_good(struct config *c)
{
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < c->command_line.length; i++)
		if ((uint8_t)c->command_line.data[i] < 0x20 &&
		    c->command_line.data[i] != '\t')
			abort();
	if (c->columns < 16 || c->columns > 1000 || c->rows < 2 ||
	    c->rows > 1000 || c->cpus < 1 || c->cpus > 64 || c->cpus_max > 64 ||
	    c->memory % (2u << 20) || c->memory_max % (2u << 20))
		abort();
	check_pin(&c->pin);
	if (config_finish(c, &err)) {
		error_free(&err);
		return;
	}
	if (c->memory < CONFIG_MEMORY_MIN || c->memory > c->memory_max ||
	    c->cpus > config_cpus_max(c) || config_cpus_max(c) > 64)
		abort();
	check_devices(c);
	check_print(c);
}

/* Each error says where, and a file's place is in that file's lines. */
static void check_messages(const struct config *c)
{
	const struct config_message *m;

	config_for_each_message(m, c)
		if (!*m->text || (m->place.file && (!m->place.line ||
						    !m->place.column)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error *err = NULL;
	struct config c;

	input = data;
	input_size = size;
	includes = 0;
	config_init(&c);
	c.read_file = read_input;
	if (!config_text(&c, "fuzz", (const char *)data, size, &err)) {
		check_good(&c);
	} else {
		if (strncmp(err->text, "fuzz:", 5))
			abort();
		error_free(&err);
	}
	check_messages(&c);
	config_free(&c);
	return 0;
}
