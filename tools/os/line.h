/* SPDX-License-Identifier: GPL-2.0 */
/* Terminals of the host as the far ends of serial lines. Descriptors don't block
 * and aren't inherited. */
#ifndef CO_TOOLS_OS_LINE_H
#define CO_TOOLS_OS_LINE_H

#include <stdbool.h>

#include "../lib/config_serial.h"
#include "../lib/error.h"

/* Opens and sets a line, for this process alone. -1 and an error. */
int line_open(const char *path, const struct serial_mode *mode,
	      struct error **err);
/* A pseudo terminal that changes no byte. Its name (caller frees) is what others
 * open. -1 and an error. */
int line_open_pty(char **name, struct error **err);
/* Has the far end of this descriptor gone: a pseudo terminal that nobody has open, a
 * socket that was closed (not only for writing)? */
bool line_hung_up(int fd);

#endif
