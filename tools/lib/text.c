// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *p)
{
	if (!p) {
		fputs("colinux: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *need(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *need_again(void *p, size_t size)
{
	return checked(realloc(p, size));
}

char *need_copy(const char *s, size_t n)
{
	char *copy = need(n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *need_format(const char *format, ...)
{
	va_list args;
	char *s = NULL;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return checked(s);
}

static void text_reserve(struct text *t, size_t n)
{
	size_t room = t->room ? t->room : 64;

	if (t->length + n + 1 <= t->room)
		return;
	while (room < t->length + n + 1)
		room *= 2;
	t->data = checked(realloc(t->data, room));
	t->room = room;
}

void text_add(struct text *t, const void *data, size_t n)
{
	text_reserve(t, n);
	if (n)
		memcpy(t->data + t->length, data, n);
	t->length += n;
	t->data[t->length] = 0;
}

void text_format(struct text *t, const char *format, ...)
{
	va_list args;
	char *s = NULL;
	int n;

	va_start(args, format);
	n = vasprintf(&s, format, args);
	va_end(args);
	if (n < 0)
		s = NULL;
	text_add(t, checked(s), (size_t)n);
	free(s);
}

void text_drop(struct text *t, size_t n)
{
	if (!n)
		return;
	t->length -= n;
	memmove(t->data, t->data + n, t->length + 1);
}

void text_free(struct text *t)
{
	free(t->data);
	memset(t, 0, sizeof(*t));
}

void tail_init(struct tail *t, size_t room)
{
	memset(t, 0, sizeof(*t));
	t->data = need(room);
	t->room = room;
}

void tail_add(struct tail *t, const void *data, size_t n)
{
	const char *from = data;
	size_t end, part;

	if (n > t->room) {
		from += n - t->room;
		n = t->room;
	}
	end = (t->start + t->length) % t->room;
	part = n < t->room - end ? n : t->room - end;
	memcpy(t->data + end, from, part);
	memcpy(t->data, from + part, n - part);
	t->length += n;
	if (t->length > t->room) {
		t->start = (t->start + t->length - t->room) % t->room;
		t->length = t->room;
	}
}

void tail_copy(const struct tail *t, struct text *out)
{
	size_t part = t->room - t->start;

	if (part > t->length)
		part = t->length;
	text_add(out, t->data + t->start, part);
	text_add(out, t->data, t->length - part);
}

void tail_free(struct tail *t)
{
	free(t->data);
	memset(t, 0, sizeof(*t));
}

static const char *digits(const char *s, uint64_t *value)
{
	*value = 0;
	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *s - '0', value))
			return NULL;
	return s;
}

uint32_t text_hash(const char *s)
{
	uint32_t hash = 2166136261u;

	for (; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 16777619u;
	return hash;
}

bool text_number(const char *s, uint64_t max, uint64_t *value)
{
	s = digits(s, value);
	return s && !*s && *value <= max;
}

bool text_size(const char *s, uint64_t unit, uint64_t *value)
{
	static const char letters[] = "KMG";
	const char *letter;

	s = digits(s, value);
	if (!s)
		return false;
	if (*s) {
		letter = strchr(letters, *s & ~0x20);
		if (!letter || !*letter || s[1])
			return false;
		unit = UINT64_C(1024) << (10 * (letter - letters));
	}
	return !__builtin_mul_overflow(*value, unit, value);
}

static int text_read(struct text *t, int fd, size_t max)
{
	ssize_t n;

	for (;;) {
		text_reserve(t, 64 * 1024);
		n = read(fd, t->data + t->length, 64 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		t->length += (size_t)n;
		if (t->length > max) {
			errno = EFBIG;
			n = -1;
			break;
		}
	}
	t->data[t->length] = 0;
	return n < 0 ? -1 : 0;
}

int text_file(struct text *t, const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int saved, rc;

	if (fd < 0)
		return -1;
	rc = text_read(t, fd, max);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

int write_all(int fd, const void *data, size_t n)
{
	const char *p = data;
	ssize_t done;

	while (n) {
		done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int text_file_replace(const char *path, const char *data, size_t n)
{
	char *temporary = need_format("%s.new", path);
	int fd, rc = -1, saved;

	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	rc = write_all(fd, data, n);
	if (close(fd) < 0)
		rc = -1;
	if (!rc)
		rc = rename(temporary, path);
out:
	saved = errno;
	free(temporary);
	errno = saved;
	return rc;
}
