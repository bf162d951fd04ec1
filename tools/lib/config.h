/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration language: words `name=value`, in files and on command lines.
 *
 * A file holds any number of words per line, separated by white space. `#` starts
 * a comment, "..." keeps white space and # together, `@file` splices another file
 * in. A word whose name is exactly a key is the VM's; any other goes to the
 * guest's kernel command line, in order and untouched. The last value wins.
 */
#ifndef CO_TOOLS_CONFIG_H
#define CO_TOOLS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config_net.h"
#include "cpus.h"
#include "error.h"
#include "text.h"

#define CONFIG_DISKS 32

struct config_disk {
	char *path; /* NULL: not there */
	bool read_only;
};

struct config {
	char *name;
	char *kernel, *initrd; /* paths; initrd may be NULL */
	char *log;	       /* of the console, or NULL */
	bool own_clock; /* the guest's clock doesn't follow the host's */
	uint64_t memory;       /* bytes; 0: config_finish() chooses */
	uint64_t memory_max;   /* bytes; 0: config_finish() takes `memory` */
	unsigned int cpus;
	unsigned int cpus_max; /* 0: see config_cpus_max() */
	struct pin pin;
	unsigned int watchdog; /* seconds, 0: none */
	unsigned int columns, rows, scrollback; /* scrollback in lines */
	struct config_disk disk[CONFIG_DISKS];
	struct config_net net[CONFIG_NETS];
	struct text command_line; /* the guest kernel's */
	struct text notes; /* lines for the user: words without a meaning now */
	/* Reads an included file; tests put their own here. -1 and errno. */
	int (*read_file)(struct text *t, const char *path);
	/* While files are open: how deep, and which. */
	const struct config_source *source;
};

/* A piece of text under evaluation, and who included it. */
struct config_source {
	const char *name;
	const struct config_source *outer;
};

void config_init(struct config *c);
void config_free(struct config *c);

/* One word of a command line: taken as it is, for the shell has removed its own
 * quotes; or @file. */
int config_word(struct config *c, const char *word, struct error **err);
/* Text of a file; errors begin with `name:line:column`. */
int config_text(struct config *c, const char *name, const char *text, size_t n,
		struct error **err);
/* What must be there is, and what is missing gets its default. */
int config_finish(struct config *c, struct error **err);

/* vCPUs that may ever be online: as configured, otherwise as many as the host has
 * or the VM begins with, whichever is more. */
unsigned int config_cpus_max(const struct config *c);
/* The least and the most memory of a VM, bytes. */
#define CONFIG_MEMORY_MIN (UINT64_C(32) << 20)
#define CONFIG_MEMORY_MAX (UINT64_C(64) << 40)

/* All keys with their help, for `colinux config keys`. */
void config_help(struct text *out);

#endif
