// SPDX-License-Identifier: GPL-2.0
/* The end of what the guest's console said. */
#include "daemon.h"

#include <stdlib.h>
#include <string.h>

void log_init(struct log *log)
{
	pthread_mutex_init(&log->lock, NULL);
	tail_init(&log->tail, LOG_KEPT);
}

void log_free(struct log *log)
{
	tail_free(&log->tail);
	pthread_mutex_destroy(&log->lock);
}

void log_add(struct log *log, const void *data, size_t n)
{
	pthread_mutex_lock(&log->lock);
	tail_add(&log->tail, data, n);
	pthread_mutex_unlock(&log->lock);
}

void log_copy(struct log *log, struct text *out)
{
	pthread_mutex_lock(&log->lock);
	tail_copy(&log->tail, out);
	pthread_mutex_unlock(&log->lock);
}

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

/* Start of the last LOG_LINES lines. */
static size_t last_lines(const struct text *t)
{
	size_t at = t->length, lines = 0;

	if (at && t->data[at - 1] == '\n')
		at--;
	for (; at; at--)
		if (t->data[at - 1] == '\n' && ++lines == LOG_LINES)
			break;
	return at;
}

json_t *log_lines(struct log *log)
{
	json_t *array = json_array();
	struct text all = { 0 };
	const char *at, *end, *stop;
	size_t n;

	log_copy(log, &all);
	stop = all.data + all.length;
	for (at = all.data + last_lines(&all); at < stop; at = end + 1) {
		end = memchr(at, '\n', (size_t)(stop - at));
		if (!end)
			end = stop;
		n = (size_t)(end - at);
		while (n && at[n - 1] == '\r')
			n--;
		json_array_append_new(array, json_text(at, n));
	}
	text_free(&all);
	return array;
}
