/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TOOLS_OS_HOST_H
#define CO_TOOLS_OS_HOST_H

#include <stddef.h>
#include <stdint.h>

/* Text that is this host's alone and stays; "" where there is none. */
void host_identity(char *text, size_t room);

uint64_t host_memory(void); /* bytes, all of it */
unsigned int host_cpus(void); /* that it uses now */

#endif
