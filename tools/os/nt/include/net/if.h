/* SPDX-License-Identifier: GPL-2.0 */
/* POSIX's header, which mingw-w64 lacks. Windows' names of connections are as long
 * as a registry value; 64 characters are what its own dialogs make. */
#ifndef CO_NT_NET_IF_H
#define CO_NT_NET_IF_H

#define IFNAMSIZ 65

#endif
