// SPDX-License-Identifier: GPL-2.0
/* Targets of symbolic links, as files of Windows keep them: share_target.h. */
#include "share_target.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char head[] = "!<symlink>";

#define MOVED	    0xf000u /* and up: bytes that aren't what they seem */
#define REPLACEMENT 0xfffdu

/* ---- to UTF-16 -------------------------------------------------------------- */

static unsigned int length_of(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* One character of a NUL-terminated text; 0: these bytes are no UTF-8. */
static unsigned int get_char(const uint8_t *s, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int n = length_of(*s), i;

	*c = n == 1 ? *s : *s & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || *c >> 11 == 0xd800 >> 11)
		return 0;
	return n;
}

static uint8_t *put_unit(uint8_t *at, uint32_t unit)
{
	*at++ = (uint8_t)unit;
	*at++ = (uint8_t)(unit >> 8);
	return at;
}

static uint8_t *put_char(uint8_t *at, uint32_t c)
{
	if (c < 0x10000)
		return put_unit(at, c);
	c -= 0x10000;
	return put_unit(put_unit(at, 0xd800 | c >> 10), 0xdc00 | (c & 0x3ff));
}

size_t target_to_file(const char *target, uint8_t *file)
{
	const uint8_t *s = (const uint8_t *)target;
	uint8_t *at = file + TARGET_HEAD;
	unsigned int n;
	uint32_t c;

	memcpy(file, head, TARGET_HEAD);
	at = put_unit(at, 0xfeff);
	while (*s) {
		n = get_char(s, &c);
		if (!n || c >> 8 == MOVED >> 8) {
			c = MOVED | *s;
			n = 1;
		}
		at = put_char(at, c);
		s += n;
	}
	at = put_unit(at, 0);
	return (size_t)(at - file);
}

/* ---- and back --------------------------------------------------------------- */

/* A target that grows; bad if it can't be one. */
struct target {
	char *text;
	size_t length;
	bool bad;
};

static void add_byte(struct target *t, uint32_t byte)
{
	if (!byte || t->length == FS_TARGET_MAX)
		t->bad = true;
	else
		t->text[t->length++] = (char)byte;
}

static void add_bytes(struct target *t, const uint8_t *from, size_t n)
{
	while (n-- && !t->bad)
		add_byte(t, *from++);
}

static void add_char(struct target *t, uint32_t c)
{
	if (c < 0x80) {
		add_byte(t, c);
		return;
	}
	if (c < 0x800) {
		add_byte(t, 0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			add_byte(t, 0xe0 | c >> 12);
		} else {
			add_byte(t, 0xf0 | c >> 18);
			add_byte(t, 0x80 | (c >> 12 & 0x3f));
		}
		add_byte(t, 0x80 | (c >> 6 & 0x3f));
	}
	add_byte(t, 0x80 | (c & 0x3f));
}

static uint32_t get_unit(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8;
}

/* One character of `n` units, one at least; half a pair is none. */
static size_t get_pair(const uint8_t *from, size_t n, uint32_t *c)
{
	uint32_t second = n > 1 ? get_unit(from + 2) : 0;

	*c = get_unit(from);
	if (*c >> 11 != 0xd800 >> 11)
		return 1;
	if (*c >> 10 != 0xd800 >> 10 || second >> 10 != 0xdc00 >> 10) {
		*c = REPLACEMENT;
		return 1;
	}
	*c = 0x10000 + ((*c & 0x3ff) << 10 | (second & 0x3ff));
	return 2;
}

/* `moved`: how many of the characters from U+F000 on are bytes. */
static void add_units(struct target *t, const uint8_t *from, size_t n,
		      uint32_t moved, bool backslashes)
{
	size_t used;
	uint32_t c;

	for (; n && !t->bad; n -= used, from += 2 * used) {
		used = get_pair(from, n, &c);
		if (backslashes && c == '\\')
			c = '/';
		if (c > MOVED && c < MOVED + moved)
			add_byte(t, c & 0xff);
		else
			add_char(t, c);
	}
}

static int finish(struct target *t)
{
	if (t->bad || !t->length)
		return -EINVAL;
	t->text[t->length] = 0;
	return (int)t->length;
}

/* ---- Cygwin's files --------------------------------------------------------- */

/* Units before the NUL; `n` bytes, and without a NUL it is a half. */
static bool find_end(const uint8_t *from, size_t n, size_t *units)
{
	for (*units = 0; 2 * *units + 1 < n; ++*units)
		if (!get_unit(from + 2 * *units))
			return true;
	return false;
}

int target_of_file(const uint8_t *file, size_t n, char *target)
{
	struct target t = { .text = target };
	const uint8_t *end;
	size_t units;

	if (n < TARGET_HEAD + 2 || memcmp(file, head, TARGET_HEAD))
		return -EINVAL;
	file += TARGET_HEAD;
	n -= TARGET_HEAD;
	if (get_unit(file) == 0xfeff) {
		if (!find_end(file + 2, n - 2, &units))
			return -EINVAL;
		add_units(&t, file + 2, units, 0x100, false);
		return finish(&t);
	}
	end = memchr(file, 0, n);
	if (!end)
		return -EINVAL;
	add_bytes(&t, file, (size_t)(end - file));
	return finish(&t);
}

/* ---- reparse points --------------------------------------------------------- */

#define REPARSE_HEADER 8 /* tag, length of what follows, 2 bytes for nothing */
#define NAMES	       12 /* place and length of two names, flags */
#define WSL_VERSION    2
#define RELATIVE       1

static uint32_t get_word(const uint8_t *from)
{
	return get_unit(from) | get_unit(from + 2) << 16;
}

static int of_wsl(const uint8_t *data, size_t n, struct target *t)
{
	if (n < 4 || get_word(data) != WSL_VERSION)
		return -EINVAL;
	add_bytes(t, data + 4, n - 4);
	return finish(t);
}

/* Names have the characters that Windows doesn't allow moved (name_to_nt()), and so
 * have links to them. What begins with a backslash begins at the drive. */
static int of_windows(const uint8_t *data, size_t n, struct target *t)
{
	size_t at, length;

	if (n < NAMES || !(get_word(data + 8) & RELATIVE))
		return -EINVAL;
	at = get_unit(data);
	length = get_unit(data + 2);
	if (at + length > n - NAMES || length % 2)
		return -EINVAL;
	add_units(t, data + NAMES + at, length / 2, 0x80, true);
	return t->length && *t->text == '/' ? -EINVAL : finish(t);
}

int target_of_reparse(const uint8_t *data, size_t n, char *target)
{
	struct target t = { .text = target };
	size_t length;

	if (n < REPARSE_HEADER)
		return -EINVAL;
	length = get_unit(data + 4);
	if (length > n - REPARSE_HEADER)
		return -EINVAL;
	switch (get_word(data)) {
	case TARGET_TAG_WSL:
		return of_wsl(data + REPARSE_HEADER, length, &t);
	case TARGET_TAG_WINDOWS:
		return of_windows(data + REPARSE_HEADER, length, &t);
	default:
		return -EINVAL;
	}
}
