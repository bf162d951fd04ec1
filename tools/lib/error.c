// SPDX-License-Identifier: GPL-2.0
#include "error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static struct error *error_new(int code, const struct text *t)
{
	struct error *e = need(sizeof(*e) + t->length + 1);

	e->code = code;
	memcpy(e->text, t->data, t->length);
	return e;
}

static void add_formatted(struct text *t, const char *format, va_list args)
{
	char *s = NULL;

	if (vasprintf(&s, format, args) < 0)
		abort();
	text_add(t, s, strlen(s));
	free(s);
}

int error_set(struct error **err, int code, const char *format, ...)
{
	struct text t = { 0 };
	va_list args;

	assert(!*err);
	va_start(args, format);
	add_formatted(&t, format, args);
	va_end(args);
	if (code)
		text_format(&t, ": %s", strerror(code));
	*err = error_new(code, &t);
	text_free(&t);
	return -1;
}

int error_wrap(struct error **err, const char *format, ...)
{
	struct text t = { 0 };
	struct error *inner = *err;
	va_list args;

	va_start(args, format);
	add_formatted(&t, format, args);
	va_end(args);
	text_format(&t, ": %s", inner->text);
	*err = error_new(inner->code, &t);
	free(inner);
	text_free(&t);
	return -1;
}

void error_free(struct error **err)
{
	free(*err);
	*err = NULL;
}
