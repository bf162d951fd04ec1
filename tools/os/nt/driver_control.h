/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver as the service control manager has it: colinux.sys, which lies beside
 * the programs. It is started when it's needed, not with the system: a driver that
 * ends Windows must not do so again at each start. Needs an administrator.
 */
#ifndef CO_NT_DRIVER_CONTROL_H
#define CO_NT_DRIVER_CONTROL_H

#include "../../../host/nt/ioctl.h"
#include "../../lib/error.h"

#define DRIVER_SERVICE L"" CO_NT_SERVICE
#define DRIVER_FILE    "colinux.sys"

/* Makes it known and starts it; one that is known gets this file and is started. */
int driver_install(struct error **err);
/* Starts it if it is installed and doesn't run. */
int driver_start(struct error **err);
/* Stops and forgets it; that there is none is no error. */
int driver_remove(struct error **err);
/* Prints how it is; one of DRIVER_STATUS_* (../service.h). */
int driver_status(void);

#endif
