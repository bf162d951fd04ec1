// SPDX-License-Identifier: GPL-2.0
#include "daemon.h"

#include <stdlib.h>
#include <string.h>

#include "../os/process.h"

const char daemon_usage[] =
	"Usage: colinux-daemon [OPTION | @FILE | NAME=VALUE | WORD]...\n"
	"Runs one VM in the foreground until its guest powers off.\n"
	"\n"
	"  @FILE         configuration file; several are allowed\n"
	"  NAME=VALUE    configuration (colinux.conf(5)); what is no key, and any\n"
	"                other WORD, goes to the guest's kernel command line\n"
	"  -d            no console window (there never is one; kept for old scripts)\n"
	"  -t TYPE       type of the console window (likewise)\n"
	"  -k            don't print the guest's console on standard output\n"
	"  -p FILE       write the daemon's pid to FILE, remove it at the end\n"
	"  -v LEVEL      say more: 0 to 3\n"
	"  --background  return when the VM runs; messages go to its log\n"
	"  --ready-fd N  write 'ready NAME' to descriptor N when the VM runs\n"
	"  --stop-timeout N  seconds that the guest has to power off after SIGTERM (60)\n"
	"  --            the rest are words\n"
	"  -h, --help    this text\n"
	"  --version     version\n";

struct arguments {
	int argc;
	char **argv;
	int at;
};

static const char *take_value(struct arguments *a, struct error **err)
{
	const char *option = a->argv[a->at];

	if (a->at + 1 < a->argc)
		return a->argv[++a->at];
	error_set(err, 0, "option %s needs a value; see colinux-daemon -h",
		  option);
	return NULL;
}

static int take_number(struct arguments *a, uint64_t max, int *out,
		       struct error **err)
{
	const char *option = a->argv[a->at];
	const char *value = take_value(a, err);
	uint64_t n;

	if (!value)
		return -1;
	if (!text_number(value, max, &n))
		return error_set(err, 0, "option %s: '%s' is no number up to %llu",
				 option, value, (unsigned long long)max);
	*out = (int)n;
	return 0;
}

static int console_type(struct arguments *a, struct error **err)
{
	const char *type = take_value(a, err);

	if (!type)
		return -1;
	if (strcmp(type, "none"))
		fprintf(stderr,
			"colinux-daemon: -t %s: there are no console windows: use `colinux attach`\n",
			type);
	return 0;
}

static int ready_fd(struct daemon_options *o, struct arguments *a,
		    struct error **err)
{
	int number;

	if (take_number(a, 1 << 20, &number, err))
		return -1;
	o->ready_fd = inherited_descriptor(number);
	if (o->ready_fd >= 0)
		return 0;
	return error_set(err, 0, "--ready-fd %d: no such descriptor was inherited",
			 number);
}

static int option(struct daemon *d, struct arguments *a, struct error **err)
{
	struct daemon_options *o = &d->options;
	const char *s = a->argv[a->at];

	if (!strcmp(s, "-d"))
		return 0;
	if (!strcmp(s, "-t"))
		return console_type(a, err);
	if (!strcmp(s, "-p")) {
		o->pidfile = take_value(a, err);
		return o->pidfile ? 0 : -1;
	}
	if (!strcmp(s, "-v"))
		return take_number(a, 3, &o->verbose, err);
	if (!strcmp(s, "--ready-fd"))
		return ready_fd(o, a, err);
	if (!strcmp(s, "--stop-timeout"))
		return take_number(a, 86400, &o->stop_seconds, err);
	if (!strcmp(s, "-k"))
		o->quiet = true;
	else if (!strcmp(s, "--background"))
		o->background = o->quiet = true;
	else if (!strcmp(s, "-h") || !strcmp(s, "--help"))
		o->help = true;
	else if (!strcmp(s, "--version"))
		o->version = true;
	else if (!strcmp(s, "-c"))
		return error_set(err, 0,
				 "-c: XML configuration files are gone since 0.7.1 of the original: write name=value words into a file and give it as @file");
	else
		return error_set(err, 0,
				 "unknown option %s; see colinux-daemon -h (a word for the guest that begins with '-' goes behind --)",
				 s);
	return 0;
}

int options_parse(struct daemon *d, int argc, char **argv, struct error **err)
{
	struct arguments a = { argc, argv, 1 };
	bool words = false;

	for (; a.at < argc; a.at++) {
		if (!words && !strcmp(argv[a.at], "--")) {
			words = true;
		} else if (!words && argv[a.at][0] == '-') {
			if (option(d, &a, err))
				return -1;
		} else if (config_word(&d->config, argv[a.at], err)) {
			return -1;
		}
	}
	return 0;
}
