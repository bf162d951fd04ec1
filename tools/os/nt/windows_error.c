// SPDX-License-Identifier: GPL-2.0
#include "windows_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "wide.h"

#define TEXT_MAX 512

/* In the user's language, without the line's end. Caller frees. */
static char *meaning(unsigned long code)
{
	wchar_t text[TEXT_MAX];
	DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM |
					 FORMAT_MESSAGE_IGNORE_INSERTS,
				 NULL, code, 0, text, TEXT_MAX, NULL);

	while (n && wcschr(L"\r\n .", text[n - 1]))
		n--;
	text[n] = 0;
	return narrow(text);
}

int error_windows(struct error **err, unsigned long code, const char *format, ...)
{
	char text[TEXT_MAX];
	char *why = meaning(code);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(err, 0, "%s: %s (error %lu)", text, why, code);
	free(why);
	return -1;
}
