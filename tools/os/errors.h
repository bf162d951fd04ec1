/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of errors: the driver and the guest have Linux's. */
#ifndef CO_TOOLS_OS_ERRORS_H
#define CO_TOOLS_OS_ERRORS_H

int errno_to_linux(int host);
int errno_from_linux(int number);

#endif
