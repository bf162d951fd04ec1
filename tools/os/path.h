/* SPDX-License-Identifier: GPL-2.0 */
/* What a path of this host looks like. */
#ifndef CO_TOOLS_OS_PATH_H
#define CO_TOOLS_OS_PATH_H

#include "../lib/error.h"

/* -1 and an error that says what to write instead if `path` is one of another
 * system, as configuration files that come from there have them. */
int path_check(const char *path, struct error **err);

#endif
