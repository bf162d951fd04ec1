/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_NT_SERVICE_RUN_H
#define CO_NT_SERVICE_RUN_H

#include "../service.h"

/* What the service control manager starts: argv is --run-service's, see
 * service_install.h. Returns when the service has stopped, or an error. */
int service_run(int argc, char **argv, const struct service_program *program,
		struct error **err);

#endif
