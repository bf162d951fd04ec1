// SPDX-License-Identifier: GPL-2.0
/*
 * Second names of disks: hdXY=, sdXY=, scsiN=. Which disk each one is can be told
 * at the end only, for one with a path takes the first cobd that is free. The
 * guest learns the names by the word colinux.alias= (packaging/guest).
 */
#include "config_keys.h"

#include <stdlib.h>
#include <string.h>

#include "../os/path.h"
#include "guest_line.h"

/* ---- the words -------------------------------------------------------------- */

static void alias_free(struct config_alias *a)
{
	free(a->word);
	free(a->device);
	free(a->value);
}

void config_aliases_free(struct config *c)
{
	size_t i;

	for (i = 0; i < c->aliases; i++)
		alias_free(&c->alias[i]);
	free(c->alias);
}

static struct config_alias *find(struct config *c, const char *word)
{
	size_t i;

	for (i = 0; i < c->aliases; i++)
		if (!strcmp(c->alias[i].word, word))
			return &c->alias[i];
	return NULL;
}

/* The last one holds, and stands where it was said last. */
static void drop(struct config *c, const char *word)
{
	struct config_alias *a = find(c, word);

	if (!a)
		return;
	alias_free(a);
	memmove(a, a + 1, (size_t)(c->alias + c->aliases - a - 1) * sizeof(*a));
	c->aliases--;
}

static void add(struct config *c, const struct config_alias *a)
{
	drop(c, a->word);
	c->alias = need_again(c->alias, (c->aliases + 1) * sizeof(*a));
	c->alias[c->aliases++] = *a;
}

/* ":cobd0" names a disk. 1: it does, 0: a path, -1 and an error. */
static int disk_name(const char *value, unsigned int *disk, struct error **err)
{
	uint64_t n;

	if (*value != ':')
		return 0;
	if (strncmp(value, ":cobd", 5) || (value[5] == '0' && value[6]) ||
	    !text_number(value + 5, CONFIG_DISKS - 1, &n))
		return error_set(err, 0, "'%s' names no disk: :cobd0 to :cobd%d",
				 value, CONFIG_DISKS - 1);
	*disk = (unsigned int)n;
	return 1;
}

int config_parse_alias(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value, struct error **err)
{
	char *plain = config_unquoted(value);
	struct config_alias a = { 0 };
	int named = disk_name(plain, &a.disk, err);

	if (!named && !*plain)
		named = error_set(err, 0, "no path given");
	free(plain);
	if (named < 0)
		return -1;
	a.word = need_format("%s%c", key->name,
			     (int)('a' + INDEX_LETTER(index)));
	if (INDEX_NUMBER_OF(index)) {
		a.device = a.word;
		a.word = need_format("%s%u", a.device, INDEX_NUMBER_OF(index));
		free(a.device);
	}
	a.device = need_copy(a.word, strlen(a.word));
	if (!named)
		a.value = need_copy(value, strlen(value));
	add(c, &a);
	return 0;
}

/* ---- scsiN ------------------------------------------------------------------ */

static bool is_size(const char *s)
{
	uint64_t size;

	return text_size(s, 1 << 20, &size);
}

/* A part without its quotes, as an option of a disk. */
static void put_option(struct text *options, const char *part)
{
	text_add(options, ",", 1);
	config_quote(options, part);
}

/* What follows the path: of the original's words nothing is done, others are options as
 * cobd has them. */
static void scsi_rest(struct config *c, unsigned int index, const char *value,
		      struct text *options)
{
	char *part;

	while ((part = config_next_part(&value))) {
		if (!strcmp(part, "shared"))
			text_format(&c->notes,
				    "scsi%u: 'shared' has no meaning any more: a disk that two kernels write to is lost\n",
				    index);
		else if (is_size(part))
			text_format(&c->notes,
				    "scsi%u: the size '%s' has no meaning any more: no file is made or resized, truncate -s %s%s FILE does it\n",
				    index, part, part,
				    strspn(part, "0123456789") ==
						    strlen(part) ? "M" : "");
		else if (*part)
			put_option(options, part);
		free(part);
	}
}

static int scsi_disk(struct config *c, unsigned int index, bool removable,
		     const char *value, struct error **err)
{
	struct config_alias a = { .removable = removable };
	struct text options = { 0 };
	char *path = config_next_part(&value);
	int named = path && *path ? disk_name(path, &a.disk, err) :
				    error_set(err, 0, "no path given");
	struct text quoted = { 0 };

	if (!named && path_check(path, err))
		named = -1;
	if (named >= 0)
		scsi_rest(c, index, value, &options);
	if (named > 0 && options.length)
		named = error_set(err, 0, "%s belongs to cobd%u=",
				  options.data + 1, a.disk);
	if (!named) {
		config_quote(&quoted, path);
		text_format(&quoted, "%s%s", removable ? ",ro" : "",
			    options.length ? options.data : "");
		a.value = quoted.data;
	}
	free(path);
	text_free(&options);
	if (named < 0)
		return -1;
	a.word = need_format("scsi%u", index);
	add(c, &a);
	return 0;
}

int config_parse_scsi(struct config *c, const struct config_key *key,
		      unsigned int index, const char *value, struct error **err)
{
	static const char no_bus[] =
		"there is no SCSI bus, commands of a device don't pass";
	char *type = config_next_part(&value);
	int rc = 0;

	(void)key;
	if (!strcmp(type, "disk") || !strcmp(type, "cdrom")) {
		rc = scsi_disk(c, index, *type == 'c', value, err);
	} else if (!strcmp(type, "cdrw")) {
		text_format(&c->notes,
			    "scsi%u: a cdrw is read only, like a cdrom: %s\n",
			    index, no_bus);
		rc = scsi_disk(c, index, true, value, err);
	} else if (!strcmp(type, "tape") || !strcmp(type, "changer") ||
		   !strcmp(type, "pass")) {
		text_format(&c->notes,
			    "scsi%u: '%s' has no meaning any more: %s\n", index,
			    type, no_bus);
	} else {
		rc = error_set(err, 0,
			       "'%s' is no type: disk,PATH or cdrom,PATH", type);
	}
	free(type);
	return rc;
}

/* sda to sdz, and then sdaa. */
static char *disk_letters(unsigned int n)
{
	return n < 26 ? need_format("sd%c", (int)('a' + n)) :
			need_format("sd%c%c", (int)('a' + n / 26 - 1),
				    (int)('a' + n % 26));
}

/* The original's guests counted disks and CD-ROMs in the order of their numbers. */
static void name_scsi(struct config *c)
{
	char word[sizeof("scsi31")], used[26 + 32] = { 0 };
	unsigned int i, disk = 0, cdrom = 0;
	struct config_alias *a;

	config_for_each_alias(a, c)
		if (!strncmp(a->word, "sd", 2))
			used[a->word[2] - 'a'] = 1;
	for (i = 0; i < 32; i++) {
		snprintf(word, sizeof(word), "scsi%u", i);
		a = find(c, word);
		if (!a || a->device)
			continue;
		while (!a->removable && used[disk])
			disk++;
		a->device = a->removable ? need_format("sr%u", cdrom++) :
					   disk_letters(disk);
		if (!a->removable)
			used[disk] = 1;
	}
}

/* ---- the end ---------------------------------------------------------------- */

static bool is_there(struct config *c, const struct config_alias *a)
{
	char name[16];

	snprintf(name, sizeof(name), "cobd%u", a->disk);
	if (c->disk[a->disk].path)
		return true;
	if (!config_was_met(c, name))
		config_complain(c, true, a->word,
				"%s: there is no %s: %s=PATH makes it", a->word,
				name, name);
	return false;
}

/* A disk of its own for a path. */
static bool make_disk(struct config *c, struct config_alias *a)
{
	struct error *err = NULL;
	unsigned int i = 0, index;

	while (i < CONFIG_DISKS && c->disk[i].path)
		i++;
	if (i == CONFIG_DISKS) {
		config_complain(c, true, a->word,
				"%s: all %d block devices are in use", a->word,
				CONFIG_DISKS);
		return false;
	}
	if (config_parse_cobd(c, config_key_find("cobd0", 5, &index, &err), i,
			      a->value, &err)) {
		config_complain(c, true, a->word, "%s: %s", a->word, err->text);
		error_free(&err);
		return false;
	}
	a->disk = i;
	a->made = true;
	free(a->value);
	a->value = NULL;
	return true;
}

/* A disk has one other name, as it was: udev could give it more, old guests can't
 * tell which is meant. */
static bool is_only(struct config *c, const struct config_alias *a)
{
	const struct config_alias *b;

	for (b = c->alias; b < a; b++)
		if (!b->value && b->disk == a->disk) {
			config_complain(c, true, a->word,
					"%s: cobd%u has the name %s already: one of them must go",
					a->word, a->disk, b->word);
			return false;
		}
	return true;
}

static void tell_guest(struct config *c)
{
	struct text t = { 0 };
	const struct config_alias *a;

	text_format(&t, "colinux.alias=");
	config_for_each_alias(a, c)
		text_format(&t, "%s%s:cobd%u", a == c->alias ? "" : ",",
			    a->device, a->disk);
	if (c->aliases)
		guest_line_once(&c->command_line, t.data);
	text_free(&t);
}

/* The disk's own name for what stands behind root=/dev/, or NULL. Caller frees. */
static char *own_name(const struct config *c, const char *name, size_t n)
{
	const struct config_alias *a;
	size_t length;

	/* As guests with devfs had it. */
	if (n > 5 && !memcmp(name, "cobd/", 5))
		return need_format("cobd%.*s", (int)n - 5, name + 5);
	config_for_each_alias(a, c)
		if (strlen(a->device) == n && !memcmp(a->device, name, n))
			return need_format("cobd%u", a->disk);
	/* A partition of a whole disk: sda2 when there is sda=. */
	config_for_each_alias(a, c) {
		length = strlen(a->device);
		if (a->device[length - 1] >= 'a' && n > length &&
		    n < length + 3 && !memcmp(a->device, name, length) &&
		    strspn(name + length, "0123456789") >= n - length)
			return need_format("cobd%up%.*s", a->disk,
					   (int)(n - length), name + length);
	}
	return NULL;
}

/* Has the VM the disk of "cobd0p1"? */
static bool has_disk(const struct config *c, const char *name)
{
	size_t n = strspn(name + 4, "0123456789");
	char *digits = need_copy(name + 4, n);
	uint64_t i;
	bool has = text_number(digits, CONFIG_DISKS - 1, &i) &&
		   c->disk[i].path;

	free(digits);
	return has;
}

/* The guest would look for it in vain; but what its initrd makes nobody knows, so
 * this is no error. */
static void warn_root(struct config *c, const char *name, size_t n)
{
	char *disk = need_copy(name, n);

	if (c->errors)
		; /* the disk's own word may be what's wrong */
	else if (!strncmp(disk, "cobd", 4) && !has_disk(c, disk))
		config_complain(c, false, "root",
				"root=/dev/%s: the VM has no such disk: cobdN=PATH makes one",
				disk);
	else if ((!strncmp(disk, "hd", 2) || !strncmp(disk, "sd", 2)) && n < 6)
		config_complain(c, false, "root",
				"root=/dev/%s: no disk has that name: %s=PATH makes one, or write root=/dev/cobdN",
				disk, disk);
	free(disk);
}

static void put_root(struct config *c, struct text *line, const char *word,
		     size_t n)
{
	static const char root[] = "root=/dev/";
	size_t skip = sizeof(root) - 1;
	char *own;

	if (n <= skip || memcmp(word, root, skip)) {
		text_add(line, word, n);
		return;
	}
	own = own_name(c, word + skip, n - skip);
	if (own) {
		text_format(line, "%s%s", root, own);
		free(own);
		return;
	}
	warn_root(c, word + skip, n - skip);
	text_add(line, word, n);
}

static void translate_root(struct config *c)
{
	const char *at = c->command_line.data;
	const char *end = at ? at + guest_line_kernel(&c->command_line) : at;
	struct text line = { 0 };
	size_t n;

	while (at < end) {
		n = guest_line_word(at);
		put_root(c, &line, at, n);
		at += n;
		n = strspn(at, " ");
		text_add(&line, at, n);
		at += n;
	}
	if (at)
		text_add(&line, at, strlen(at));
	text_free(&c->command_line);
	c->command_line = line;
}

void config_finish_aliases(struct config *c)
{
	struct config_alias *a;
	bool good = true;

	name_scsi(c);
	/* Those that name a disk first, so that they see each other. */
	config_for_each_alias(a, c)
		if (!a->value)
			good = is_there(c, a) && is_only(c, a) && good;
	config_for_each_alias(a, c)
		if (a->value)
			good = make_disk(c, a) && good;
	translate_root(c);
	if (good)
		tell_guest(c);
}
