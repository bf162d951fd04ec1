/* SPDX-License-Identifier: GPL-2.0 */
/* POSIX's header, which mingw-w64 lacks. */
#ifndef CO_NT_ARPA_INET_H
#define CO_NT_ARPA_INET_H

#include <winsock2.h>
#include <ws2tcpip.h>

#endif
