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

#include "config_serial.h"
#include "config_net.h"
#include "cpus.h"
#include "error.h"
#include "text.h"

#define CONFIG_DISKS	32
#define CONFIG_PROGRAMS 8
#define CONFIG_SCROLLBACK 500 /* lines, as the original */

struct config_disk {
	char *path; /* or a URL; NULL: not there */
	bool read_only;
	unsigned int part; /* 0: all of it */
	char *format;	   /* NULL: raw */
	char *overlay;	   /* path, or NULL */
	uint64_t iops, bps; /* limits per second, 0: none */
	bool direct;	    /* cache=none */
};

#define CONFIG_SHARES  32
#define CONFIG_TAG_MAX 31 /* bytes */

struct config_share {
	char *path; /* NULL: not there */
	char *tag;
	char *mount; /* where the guest mounts it by itself, or NULL */
	/* Of that mount: none, loose, mmap; with virtiofs virtiofsd's: none, auto,
	 * always. NULL: not said. */
	const char *cache;
	bool read_only, direct;
	bool virtiofs; /* served by virtiofsd; else 9P */
	uint32_t uid, gid; /* UINT32_MAX: not said */
};

/* A second name of a disk: hda1=, sdb=, scsi0=. */
struct config_alias {
	char *word;   /* the key that made it: "hda1", "scsi0" */
	char *device; /* in the guest's /dev: "hda1", "sda", "sr0" */
	char *value;  /* what a cobd= would have; NULL: `disk` is known */
	bool removable; /* a CD-ROM */
	bool made;	/* the disk is there for this word */
	unsigned int disk; /* cobdN */
};

/* execN=: started with the VM, ended with it. */
struct config_program {
	char *path;	 /* NULL: not there */
	char *arguments; /* as written, or NULL; see config_program_words() */
};

/* Where a word stands. */
struct config_place {
	char *files; /* all files, outermost first: "a.conf:2:1: b.conf:3:7" */
	char *file;  /* the innermost; NULL: the command line, or nowhere */
	unsigned int line, column; /* from 1, in bytes */
};

struct config_message {
	bool error; /* else a note: the VM starts all the same */
	struct config_place place;
	char *text;
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
	struct config_share share[CONFIG_SHARES];
	struct config_alias *alias;
	size_t aliases;
	struct config_program program[CONFIG_PROGRAMS];
	int cursor;   /* its height in percent, -1: the terminal's own */
	int color[2]; /* text and ground, 0 to 15; -1: the terminal's own */
	struct config_serial line[CONFIG_LINES];
	unsigned int consoles; /* hvc0 and those that follow, 1..CONFIG_TERMINALS */
	bool vsock;
	uint32_t vsock_cid; /* the guest's; 0: config_finish() chooses */
	struct config_net net[CONFIG_NETS];
	struct text command_line; /* the guest kernel's */
	/* Lines for the user from whoever parses a value: words without a meaning.
	 * The lexer takes them into `message` with the place of the word. */
	struct text notes;
	struct config_message *message; /* all errors and notes, in order */
	size_t messages, errors; /* the latter of the former */
	struct config_named_place *place; /* where keys were set last */
	size_t places;
	/* Reads an included file; tests put their own here. -1 and errno. */
	int (*read_file)(struct text *t, const char *path);
	/* While files are open: how deep, and which. */
	const struct config_source *source;
};

/* A piece of text under evaluation, where in it, and who included it. */
struct config_source {
	const char *name;
	unsigned int line, column; /* of the word */
	const struct config_source *outer;
};

/* config_disk.c: as it is written behind cobdN=. */
void config_disk_text(const struct config_disk *disk, struct text *out);
/* Is `path` no file but a URL? */
bool config_disk_is_url(const struct config_disk *disk);
void config_disk_clear(struct config_disk *disk);

void config_init(struct config *c);
void config_free(struct config *c);

/*
 * Each of the next three goes on after an error and leaves all of them in
 * c->message; what it returns in *err is the first of its own.
 */
/* One word of a command line: taken as it is, for the shell has removed its own
 * quotes; or @file. */
int config_word(struct config *c, const char *word, struct error **err);
/* Text of a file; errors begin with `name:line:column`. */
int config_text(struct config *c, const char *name, const char *text, size_t n,
		struct error **err);
/* What must be there is, and what is missing gets its default. */
int config_finish(struct config *c, struct error **err);

/* Are the shared directories there? */
void config_check_shares(struct config *c);

/* vCPUs that may ever be online: as configured, otherwise as many as the host has
 * or the VM begins with, whichever is more. */
unsigned int config_cpus_max(const struct config *c);
/* The least and the most memory of a VM, bytes. */
#define CONFIG_MEMORY_MIN (UINT64_C(32) << 20)
#define CONFIG_MEMORY_MAX (UINT64_C(64) << 40)

/* Addresses of guests in virtio-vsock: 0 to 2 and the highest are taken (virtio
 * 1.2, 5.10.4). */
#define CONFIG_CID_MIN 3u
#define CONFIG_CID_MAX 0xfffffffeu

/* The value that means this line, for `colinux config check`. */
void config_serial_text(const struct config_serial *line, struct text *out);

/* All keys with their help, for `colinux config keys`. */
void config_help(struct text *out);

/* The configuration as words that give it again, one a line, all but those for
 * the guest; what was left out and has no fixed default isn't printed. */
void config_print(const struct config *c, struct text *out);
/* The words of an execN=: the program and its arguments. NULL-terminated; the
 * caller frees it and each word. NULL and an error: a quote isn't closed. */
char **config_program_words(const struct config_program *p, struct error **err);
void config_words_free(char **words);
/* The name of a colour of color=, 0 to 15. */
const char *config_color_name(int color);

#define config_for_each_alias(a, c) \
	for (a = (c)->alias; a && a < (c)->alias + (c)->aliases; a++)
#define config_for_each_message(m, c) \
	for (m = (c)->message; m && m < (c)->message + (c)->messages; m++)

/* Adds a message about what `key` ("cobd0") says, at the place of that word. */
void config_complain(struct config *c, bool error, const char *key,
		     const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* "FILES: TEXT", caller frees. */
char *config_message_text(const struct config_message *m);

#endif
