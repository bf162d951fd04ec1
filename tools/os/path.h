/* SPDX-License-Identifier: GPL-2.0 */
/* What a path of this host looks like. */
#ifndef CO_TOOLS_OS_PATH_H
#define CO_TOOLS_OS_PATH_H

#include <stdbool.h>

#include "../lib/error.h"

/* -1 and an error that says what to write instead if `path` is one of another
 * system, as configuration files that come from there have them. */
int path_check(const char *path, struct error **err);
/* Its last part. */
const char *path_base(const char *path);
bool path_is_absolute(const char *path);
bool path_is_separator(char c);
/* Does it name a folder, too? A program's name without one is looked for. */
bool path_has_folder(const char *path);
/* The absolute path of a file that is there, with no link in it. NULL and errno.
 * Caller frees. */
char *path_real(const char *path);
/* Is there something of that name, if only a link that leads nowhere? */
bool path_is_taken(const char *path);
/* rename(), but what is there already stays: -1 and EEXIST. */
int path_rename_new(const char *from, const char *to);
/* 0 if it is a directory, otherwise an errno. */
int path_directory(const char *path);
/* Where a program is: by its path, or by PATH. NULL and an error. Caller frees. */
char *path_program(const char *program, struct error **err);

#endif
