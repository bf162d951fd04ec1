/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_NT_BESIDE_H
#define CO_NT_BESIDE_H

#include <wchar.h>

/* The path of this program, and of a file in its folder. Caller frees. */
wchar_t *program_file(void);
wchar_t *beside_program(const char *name);

#endif
