/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_NT_WINDOWS_ERROR_H
#define CO_NT_WINDOWS_ERROR_H

#include "../../lib/error.h"

/* Sets *err to the text and, behind ": ", what Windows says about a number of
 * GetLastError(), and that number. Returns -1. */
int error_windows(struct error **err, unsigned long code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
