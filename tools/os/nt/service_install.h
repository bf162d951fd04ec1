/* SPDX-License-Identifier: GPL-2.0 */
/* VMs as services of Windows: their place in the service control manager. A service
 * is ours if its command line is this program's with RUN_SERVICE. */
#ifndef CO_NT_SERVICE_INSTALL_H
#define CO_NT_SERVICE_INSTALL_H

#include "../../lib/error.h"

/* Internal: --run-service NAME DIRECTORY WORD..., as the manager calls it. */
#define RUN_SERVICE "--run-service"

/* How long Windows waits for a guest at its shutdown, ms. */
#define SHUTDOWN_MS 180000

/* To be started with these words in the present directory. */
int service_install(const char *name, int words, char **word, struct error **err);
/* Stops it, too, as long as the guest needs to power off. */
int service_remove(const char *name, struct error **err);
/* All of them. */
int service_remove_all(struct error **err);

#endif
