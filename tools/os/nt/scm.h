/* SPDX-License-Identifier: GPL-2.0 */
/* The service control manager, which keeps services and drivers. Strings are UTF-16
 * as it has them. One thread. */
#ifndef CO_NT_SCM_H
#define CO_NT_SCM_H

#include <stdbool.h>
#include <windows.h>

#include "../../lib/error.h"

/* The manager itself. NULL and an error. */
SC_HANDLE scm_manager(DWORD access, struct error **err);
/* A service; NULL without an error: there is none of that name. */
SC_HANDLE scm_open(const wchar_t *name, DWORD access, struct error **err);
/* One of SERVICE_STOPPED and so on; 0 and an error. */
DWORD scm_state(SC_HANDLE service, struct error **err);
/* Waits as long as it gets on with it: until `state`, or -1 and an error. */
int scm_wait(SC_HANDLE service, DWORD state, struct error **err);
/* Stops it, if it runs, and waits for that. */
int scm_stop(SC_HANDLE service, struct error **err);
/* Its command line. NULL and an error; caller frees. */
wchar_t *scm_command(SC_HANDLE service, struct error **err);

#endif
