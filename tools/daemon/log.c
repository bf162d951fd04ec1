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
