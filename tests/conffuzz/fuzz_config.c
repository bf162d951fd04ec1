// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration language against any bytes. An included file is the input
 * itself again, so that nesting is reached without a file system. What must hold:
 * no crash, an error has a position, what goes to the guest has no byte that
 * could end its command line, and a configuration that was taken is in range.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/lib/config.h"

#define INCLUDES_MAX 64

static const uint8_t *input;
static size_t input_size;
static unsigned int includes;

static int read_input(struct text *t, const char *path)
{
	if (path[0] == '/' || ++includes > INCLUDES_MAX) {
		errno = ENOENT;
		return -1;
	}
	text_add(t, input, input_size);
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

/* A network device can be written and read again. */
static void check_net(const struct config_net *net)
{
	struct text first = { 0 }, second = { 0 };
	struct error *err = NULL;
	struct config c;

	text_format(&first, "eth0=");
	config_net_text(net, &first);
	config_init(&c);
	if (config_word(&c, first.data, &err))
		abort();
	text_format(&second, "eth0=");
	config_net_text(&c.net[0], &second);
	if (strcmp(first.data, second.data))
		abort();
	config_free(&c);
	text_free(&first);
	text_free(&second);
}

static void check_good(struct config *c)
{
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < CONFIG_NETS; i++)
		if (c->net[i].kind != NET_NONE)
			check_net(&c->net[i]);
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
	config_free(&c);
	return 0;
}
