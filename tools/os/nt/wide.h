/* SPDX-License-Identifier: GPL-2.0 */
/* Between the programs' UTF-8 and Windows' UTF-16; and Windows' errors. */
#ifndef CO_NT_WIDE_H
#define CO_NT_WIDE_H

#include <wchar.h>

/* Caller frees. NULL and errno: EILSEQ, that is no UTF-8. */
wchar_t *wide(const char *text);
/* What is no UTF-16 becomes U+FFFD. Caller frees. */
char *narrow(const wchar_t *text);

/* A path for the calls of Windows: absolute ones get the prefix that makes them as
 * long as they are. Caller frees; NULL and errno. */
wchar_t *wide_path(const char *path);

/* The errno for a number of GetLastError(), and for one of the kernel's (NTSTATUS). */
int errno_of(unsigned long error);
int errno_of_status(long status);
/* GetLastError() as errno; returns -1. */
int set_errno(void);

#endif
