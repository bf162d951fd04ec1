/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TOOLS_ADDRESS_H
#define CO_TOOLS_ADDRESS_H

#include <stdbool.h>

struct in_addr;

/* An interface's, ADDRESS[/BITS] with 1 to 32 bits, 24 if they aren't given. False: it
 * isn't that. */
bool address_parse(const char *text, struct in_addr *address, struct in_addr *mask);

#endif
