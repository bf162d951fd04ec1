/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TOOLS_OS_CONSOLE_OUT_H
#define CO_TOOLS_OS_CONSOLE_OUT_H

#include <stddef.h>
#include <stdint.h>

/* The guest's text on standard output. A terminal that stands still must not stop
 * the VM: text is left out then; the log and those who attach have it. */
void print_console(const uint8_t *data, size_t n);

#endif
