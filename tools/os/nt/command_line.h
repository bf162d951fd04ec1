/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_NT_COMMAND_LINE_H
#define CO_NT_COMMAND_LINE_H

#include "../../lib/text.h"

/* Adds a word to a command line, so that it comes out of it as it was: the rules
 * are those of Microsoft's C library, "Parsing C++ command-line arguments". */
void command_line_add(struct text *line, const char *word);

#endif
