/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest kernel's command line as the kernel reads it: words with blanks between
 * them, which quotes hide; what follows the word "--" is init's, ours never goes
 * there (Linux, lib/cmdline.c, next_arg(), and kernel/params.c, parse_args()).
 */
#ifndef CO_TOOLS_GUEST_LINE_H
#define CO_TOOLS_GUEST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Bytes of the word that begins at `at`; 0: a blank or the end is there. */
size_t guest_line_word(const char *at);
/* Bytes of the kernel's part of it. */
size_t guest_line_kernel(const struct text *line);
/* Whether the kernel has a word that begins with `name`, say "console=": the word may
 * stand in quotes, and '-' is as good as '_'. */
bool guest_line_names(const struct text *line, const char *name);
/* Makes the word the kernel's last one, unless it has exactly that already. */
void guest_line_once(struct text *line, const char *word);

#endif
