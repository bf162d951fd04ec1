/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runtime directory: $COLINUX_RUNTIME_DIR, else /run/colinux for root, else
 * $XDG_RUNTIME_DIR/colinux. In it, for each VM: NAME.sock (control socket),
 * NAME.lock (held by its daemon, holds its pid), NAME.json (the last verdict),
 * NAME.log (messages of a daemon in the background).
 */
#ifndef CO_TOOLS_PATHS_H
#define CO_TOOLS_PATHS_H

#include <stdbool.h>

#include "error.h"

/* Is it fit to be a VM's name (and a file's)? */
bool name_valid(const char *name);
#define NAME_RULE "1 to 48 letters, digits, '-', '_' or '.', the first no '-' or '.'"

/* NULL and an error when the environment names none. Caller frees. */
char *runtime_directory(struct error **err);
/* Makes it, for this user only. */
char *runtime_directory_make(struct error **err);
/* DIR/NAME<suffix>; checks the name first. Caller frees. */
char *runtime_path(const char *name, const char *suffix, struct error **err);

#endif
