/* SPDX-License-Identifier: GPL-2.0 */
/* Memory and growing byte strings for the programs. Memory that isn't there ends
 * the program with a message: none of them could go on without it. */
#ifndef CO_TOOLS_TEXT_H
#define CO_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void *need(size_t size); /* zeroed */
void *need_again(void *p, size_t size); /* realloc(); what is new isn't zeroed */
char *need_copy(const char *s, size_t n); /* NUL-terminated */
char *need_format(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* `data` is always NUL-terminated once something was added; NULL before. */
struct text {
	char *data;
	size_t length, room;
};

void text_add(struct text *t, const void *data, size_t n);
void text_format(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Drops the first n bytes. */
void text_drop(struct text *t, size_t n);
void text_free(struct text *t);

/* The last `room` bytes of a stream. */
struct tail {
	char *data;
	size_t room, start, length;
};

void tail_init(struct tail *t, size_t room);
void tail_add(struct tail *t, const void *data, size_t n);
/* All that is kept, in order. */
void tail_copy(const struct tail *t, struct text *out);
void tail_free(struct tail *t);

/* "12", "12K", "12M", "12G" in units of `unit` where no letter stands. False for
 * anything else and for more than 64 bits. */
bool text_size(const char *s, uint64_t unit, uint64_t *value);
/* FNV-1a with its authors' constants: the same text has the same number everywhere. */
uint32_t text_hash(const char *s);
/* Decimal digits and nothing else, <= max. */
bool text_number(const char *s, uint64_t max, uint64_t *value);

/* Reads a whole file; at most `max` bytes, -1 and errno (EFBIG) otherwise. */
int text_file(struct text *t, const char *path, size_t max);
/* Writes all of it in place of `path`, so that no reader sees a half. */
int text_file_replace(const char *path, const char *data, size_t n);
/* write() until all is out; -1 and errno otherwise. */
int write_all(int fd, const void *data, size_t n);

#endif
