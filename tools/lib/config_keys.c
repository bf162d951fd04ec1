// SPDX-License-Identifier: GPL-2.0
/* The keys of the configuration language, one table. */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>

#include "../../abi/driver.h"
#include "paths.h"

char *config_next_part(const char **at)
{
	const char *s = *at;
	struct text part = { 0 };
	bool quoted = false;

	if (!s)
		return NULL;
	text_add(&part, "", 0);
	for (; *s && (quoted || *s != ','); s++) {
		if (*s == '"' && quoted && s[1] == '"')
			text_add(&part, s++, 1);
		else if (*s == '"')
			quoted = !quoted;
		else
			text_add(&part, s, 1);
	}
	*at = *s ? s + 1 : NULL;
	return part.data;
}

char *config_unquoted(const char *value)
{
	struct text all = { 0 };
	char *part;

	text_add(&all, "", 0);
	while ((part = config_next_part(&value))) {
		text_add(&all, part, strlen(part));
		if (value)
			text_add(&all, ",", 1);
		free(part);
	}
	return all.data;
}

int config_path(char **path, const char *value, struct error **err)
{
	char *new = config_unquoted(value);

	if (!*new) {
		free(new);
		return error_set(err, 0, "no path given");
	}
	free(*path);
	*path = new;
	return 0;
}

static int parse_kernel(struct config *c, const struct config_key *key,
			unsigned int index, const char *value,
			struct error **err)
{
	(void)key;
	(void)index;
	return config_path(&c->kernel, value, err);
}

static int parse_initrd(struct config *c, const struct config_key *key,
			unsigned int index, const char *value,
			struct error **err)
{
	(void)key;
	(void)index;
	return config_path(&c->initrd, value, err);
}

static int parse_log(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value, struct error **err)
{
	(void)key;
	(void)index;
	return config_path(&c->log, value, err);
}

static int parse_name(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	char *name = config_unquoted(value);

	(void)key;
	(void)index;
	if (!name_valid(name)) {
		error_set(err, 0, "'%s' is no name for a VM: " NAME_RULE, name);
		free(name);
		return -1;
	}
	free(c->name);
	c->name = name;
	return 0;
}

static int parse_memory(uint64_t *memory, const char *value,
			struct error **err)
{
	uint64_t bytes;

	if (!text_size(value, 1 << 20, &bytes))
		return error_set(err, 0,
				 "'%s' is no size: a number of megabytes, or one with K, M or G",
				 value);
	if (bytes < CONFIG_MEMORY_MIN)
		return error_set(err, 0, "%s is too little: at least 32 (MB)",
				 value);
	if (bytes > CONFIG_MEMORY_MAX)
		return error_set(err, 0, "%s is more than any machine has: ask for less",
				 value);
	bytes += CO_LARGE_PAGE - 1;
	*memory = bytes - bytes % CO_LARGE_PAGE;
	return 0;
}

static int parse_mem(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value, struct error **err)
{
	(void)key;
	(void)index;
	return parse_memory(&c->memory, value, err);
}

static int parse_maxmem(struct config *c, const struct config_key *key,
			unsigned int index, const char *value,
			struct error **err)
{
	(void)key;
	(void)index;
	return parse_memory(&c->memory_max, value, err);
}

static int parse_count(unsigned int *count, const char *value,
		       struct error **err)
{
	uint64_t n;

	if (!text_number(value, CO_VCPUS_MAX, &n) || !n)
		return error_set(err, 0, "'%s' is no number from 1 to %d", value,
				 CO_VCPUS_MAX);
	*count = (unsigned int)n;
	return 0;
}

static int parse_cpus(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	(void)key;
	(void)index;
	return parse_count(&c->cpus, value, err);
}

static int parse_maxcpus(struct config *c, const struct config_key *key,
			 unsigned int index, const char *value,
			 struct error **err)
{
	(void)key;
	(void)index;
	return parse_count(&c->cpus_max, value, err);
}

static int parse_pin(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value, struct error **err)
{
	(void)key;
	(void)index;
	return pin_parse(&c->pin, value, err);
}

static int parse_clock(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value, struct error **err)
{
	(void)key;
	(void)index;
	if (strcmp(value, "host") && strcmp(value, "guest"))
		return error_set(err, 0, "'%s' is neither host nor guest",
				 value);
	c->own_clock = !strcmp(value, "guest");
	return 0;
}

static int parse_watchdog(struct config *c, const struct config_key *key,
			  unsigned int index, const char *value,
			  struct error **err)
{
	uint64_t n;

	(void)key;
	(void)index;
	if (!text_number(value, CO_WATCHDOG_MAX, &n))
		return error_set(err, 0,
				 "'%s' is no number of seconds from 0 (never) to %d",
				 value, CO_WATCHDOG_MAX);
	c->watchdog = (unsigned int)n;
	return 0;
}

/* One number of COLSxROWS[xSCROLLBACK]; *at moves behind it and its separator. */
static bool next_dimension(const char **at, uint64_t min, uint64_t max,
			   unsigned int *out)
{
	size_t n = strcspn(*at, "x,");
	char *s = need_copy(*at, n);
	uint64_t v;
	bool good = text_number(s, max, &v) && v >= min;

	free(s);
	*at += n;
	if (**at && !*++*at)
		return false; /* nothing behind the separator */
	if (good)
		*out = (unsigned int)v;
	return good;
}

static int parse_cocon(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value,
		       struct error **err)
{
	unsigned int columns, rows, scrollback = CONFIG_SCROLLBACK;
	const char *at = value;

	(void)key;
	(void)index;
	if (!next_dimension(&at, 16, 1000, &columns) ||
	    !next_dimension(&at, 2, 1000, &rows) ||
	    (*at && !next_dimension(&at, 0, 100000, &scrollback)) || *at)
		return error_set(err, 0,
				 "'%s' is no size: COLUMNSxROWS[xLINES], 16x2 to 1000x1000, at most 100000 lines kept",
				 value);
	c->columns = columns;
	c->rows = rows;
	c->scrollback = scrollback;
	return 0;
}

static int no_meaning(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	(void)err;
	text_format(&c->notes, key->index == INDEX_NUMBER ? "%s%u=" : "%s=",
		    key->name, index);
	text_format(&c->notes, "%s has no meaning any more: %s\n", value,
		    key->help);
	return 0;
}

static const struct config_key keys[] = {
	{ "kernel", INDEX_NONE, 0, parse_kernel,
	  "PATH: the guest's kernel, an ELF vmlinux" },
	{ "initrd", INDEX_NONE, 0, parse_initrd,
	  "PATH: initial RAM disk" },
	{ "mem", INDEX_NONE, 0, parse_mem,
	  "SIZE: memory in MB, or with K, M or G; default a quarter of the host's, at most 1G" },
	{ "cobd", INDEX_NUMBER, CONFIG_DISKS - 1, config_parse_cobd,
	  "PATH[,ro][,part=N][,format=F][,overlay=PATH][,iops=N][,bps=N][,cache=none]: block device from a file, a host block device or an NBD URL" },
	{ "cocon", INDEX_NONE, 0, parse_cocon,
	  "COLUMNSxROWS[xLINES]: size of the console and of its scrollback" },
	{ "maxmem", INDEX_NONE, 0, parse_maxmem,
	  "SIZE: to which memory may grow while the VM runs; default mem" },
	{ "clock", INDEX_NONE, 0, parse_clock,
	  "host|guest: whose clock the guest's wall clock follows; default host" },
	{ "cpus", INDEX_NONE, 0, parse_cpus,
	  "N: vCPUs to begin with, 1 to 64; default 1" },
	{ "maxcpus", INDEX_NONE, 0, parse_maxcpus,
	  "N: vCPUs that may ever be online; default the host's CPUs, at least cpus" },
	{ "pin", INDEX_NONE, 0, parse_pin,
	  "none | LIST | all:LIST: the host's CPUs for the vCPUs, 0,2,4-7: one each in that order; all:0-7: any of them" },
	{ "watchdog", INDEX_NONE, 0, parse_watchdog,
	  "SECONDS: a guest that keeps a processor so long with interrupts off is ended; default 10, 0: never" },
	{ "name", INDEX_NONE, 0, parse_name,
	  "NAME: of the VM; default the first @file's" },
	{ "log", INDEX_NONE, 0, parse_log,
	  "PATH: file to which the console's output is appended" },
	{ "eth", INDEX_NUMBER, CONFIG_NETS - 1, config_parse_eth,
	  "slirp[,MAC[,FORWARDS]] | tuntap[,NAME[,MAC[,ADDRESS]]][,queues=N] | bridge,NAME[,MAC][,queues=N] | switch,NAME[,MAC]: network device" },
	{ "cofs", INDEX_NUMBER, CONFIG_SHARES - 1, config_parse_cofs,
	  "PATH[,ro][,tag=NAME][,uid=N][,gid=N][,direct][,cache=none|loose|mmap][,mount=/PATH]: shared directory, 9p in the guest" },
	{ "ttys", INDEX_NUMBER, CONFIG_LINES - 1, config_parse_ttys,
	  "/dev/DEVICE[,\"MODE\"] | pty[:LINK] | unix:PATH | unix-connect:PATH | stdio: serial line; with ,port a plain port" },
	{ "consoles", INDEX_NONE, 0, config_parse_consoles,
	  "N: consoles, 1 to 8: hvc0 and those that follow; default 1" },
	{ "vsock", INDEX_NONE, 0, config_parse_vsock,
	  "on | off | CID: sockets between host and guest; default off" },
	{ "scsi", INDEX_NUMBER, 31, config_parse_scsi,
	  "disk|cdrom,PATH: a block device that the guest finds as /dev/sdX or /dev/srN" },
	{ "exec", INDEX_NUMBER, CONFIG_PROGRAMS - 1, config_parse_exec,
	  "PROGRAM[,\"ARGUMENTS\"]: started with the VM, ended with it" },
	{ "hd", INDEX_PARTITION, 'h' - 'a', config_parse_alias,
	  "PATH|:cobdN: a name for a block device, hda to hdh, hda1 to hdh99" },
	{ "sd", INDEX_PARTITION, 'p' - 'a', config_parse_alias,
	  "PATH|:cobdN: the same, sda to sdp" },
	{ "cursor", INDEX_NONE, 0, config_parse_cursor,
	  "PERCENT: height of the cursor of a terminal that attaches, 0 to 100" },
	{ "color", INDEX_NONE, 0, config_parse_color,
	  "TEXT[,GROUND]: colours of a terminal that attaches, such as white,blue" },
	{ "setcobd", INDEX_NONE, 0, no_meaning,
	  "block devices are always asynchronous" },
	{ "pci", INDEX_NUMBER, 31, no_meaning,
	  "there is no PCI bus, devices have no place on it" },
	{ "video", INDEX_NUMBER, 1, no_meaning,
	  "the VM has no display; a program in the guest can show one over the network" },
	{ "audio", INDEX_NUMBER, 1, no_meaning,
	  "the VM has no sound, and the original's never played" },
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool all_digits(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static int check_number(const struct config_key *key, const char *s, size_t n,
			unsigned int *index, struct error **err)
{
	char *digits = need_copy(s, n);
	bool canonical = n == 1 || digits[0] != '0';
	uint64_t v;
	bool good = canonical && text_number(digits, key->max, &v);

	free(digits);
	if (!good)
		return error_set(err, 0, "no such device '%s%.*s': %s0 to %s%u",
				 key->name, (int)n, s, key->name, key->name,
				 key->max);
	*index = (unsigned int)v;
	return 0;
}

/* A letter, and a partition perhaps. */
static int check_partition(const struct config_key *key, const char *s,
			   size_t n, unsigned int *index, struct error **err)
{
	char *digits = need_copy(s + 1, n - 1);
	bool good = n == 1 || digits[0] != '0';
	uint64_t v = 0;

	good = good && (n == 1 || text_number(digits, 99, &v)) &&
	       (unsigned int)(*s - 'a') <= key->max;
	free(digits);
	if (!good)
		return error_set(err, 0,
				 "no such disk '%s%.*s': %sa to %s%c, and partitions 1 to 99 of each",
				 key->name, (int)n, s, key->name, key->name,
				 (int)('a' + key->max));
	*index = (unsigned int)(*s - 'a') * 100 + (unsigned int)v;
	return 0;
}

/* Is [s, s+n) an index of this key at all? */
static bool index_matches(const struct config_key *key, const char *s, size_t n)
{
	switch (key->index) {
	case INDEX_NONE:
		return !n;
	case INDEX_NUMBER:
		return n && all_digits(s, n);
	case INDEX_PARTITION:
		return n && *s >= 'a' && *s <= 'z' && all_digits(s + 1, n - 1);
	}
	return false;
}

const struct config_key *config_key_find(const char *name, size_t n,
					 unsigned int *index,
					 struct error **err)
{
	const struct config_key *key;
	size_t length;

	for (key = keys; key < keys + KEYS; key++) {
		length = strlen(key->name);
		if (n < length || memcmp(name, key->name, length) ||
		    !index_matches(key, name + length, n - length))
			continue;
		if (key->index == INDEX_NUMBER &&
		    check_number(key, name + length, n - length, index, err))
			return NULL;
		if (key->index == INDEX_PARTITION &&
		    check_partition(key, name + length, n - length, index, err))
			return NULL;
		return key;
	}
	return NULL;
}

void config_help(struct text *out)
{
	static const char *const suffix[] = { "", "N", "XY" };
	const struct config_key *key;

	for (key = keys; key < keys + KEYS; key++)
		if (key->parse != no_meaning)
			text_format(out, "  %s%s=%s\n", key->name,
				    suffix[key->index], key->help);
	text_format(out, "\nTaken, but without a meaning:\n");
	for (key = keys; key < keys + KEYS; key++)
		if (key->parse == no_meaning)
			text_format(out, "  %s%s: %s\n", key->name,
				    suffix[key->index], key->help);
}
