// SPDX-License-Identifier: GPL-2.0
#include "json_text.h"

#include <string.h>

#include "text.h"

/* Length of the UTF-8 character at s, 0 if there is none. A NUL is none: it would be
 * right in JSON, but readers in C take it for the end, or for an error. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	static const unsigned int min[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = !*s ? 0 :
			*s < 0x80 ? 1 :
			*s >= 0xc2 && *s < 0xe0 ? 2 :
			*s >= 0xe0 && *s < 0xf0 ? 3 :
			*s >= 0xf0 && *s < 0xf5 ? 4 : 0;
	unsigned int c;
	size_t i;

	if (length < 2 || length > n)
		return length > n ? 0 : length;
	c = *s & (0x7fu >> length);
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < min[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return length;
}

json_t *json_text(const char *data, size_t n)
{
	const unsigned char *s = (const unsigned char *)data;
	struct text out = { 0 };
	json_t *json;
	size_t i, length;

	for (i = 0; i < n; i += length) {
		length = utf8_length(s + i, n - i);
		if (length) {
			text_add(&out, data + i, length);
			continue;
		}
		text_add(&out, "\xef\xbf\xbd", 3);
		length = 1;
	}
	json = json_stringn(out.data ? out.data : "", out.length);
	text_free(&out);
	return json;
}

json_t *json_words(const char *s)
{
	return s ? json_text(s, strlen(s)) : json_null();
}
