// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16

const char *text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

void json_print(json_t *o)
{
	char *text = json_dumps(o, JSON_INDENT(1));

	puts(text);
	free(text);
}

static const char *cell(json_t *row, size_t i)
{
	const char *s = json_string_value(json_array_get(row, i));

	return s ? s : "";
}

void table_print(json_t *rows, size_t columns)
{
	size_t width[COLUMNS_MAX] = { 0 };
	size_t i, r;
	json_t *row;

	json_array_foreach(rows, r, row)
		for (i = 0; i < columns; i++)
			if (strlen(cell(row, i)) > width[i])
				width[i] = strlen(cell(row, i));
	json_array_foreach(rows, r, row) {
		for (i = 0; i + 1 < columns; i++)
			printf("%-*s  ", (int)width[i], cell(row, i));
		printf("%s\n", cell(row, i));
	}
}

char *size_words(uint64_t bytes)
{
	if (bytes >= UINT64_C(1) << 30 && !(bytes & ((1u << 30) - 1)))
		return need_format("%lluG", (unsigned long long)(bytes >> 30));
	return need_format("%lluM", (unsigned long long)(bytes >> 20));
}
