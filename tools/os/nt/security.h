/* SPDX-License-Identifier: GPL-2.0 */
/* Who may use what we make: its user, administrators, the system. */
#ifndef CO_NT_SECURITY_H
#define CO_NT_SECURITY_H

#include <stdbool.h>
#include <windows.h>

/* A description of these rights; with `folder` what is made inside has them, too.
 * NULL: GetLastError(). The caller frees it by LocalFree(). */
PSECURITY_DESCRIPTOR security_own(bool folder);
/* Is that object the property of one of the three? */
bool security_trusted(HANDLE object);
/* Has this process the rights of an administrator? */
bool security_elevated(void);

#endif
