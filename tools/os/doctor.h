/* SPDX-License-Identifier: GPL-2.0 */
/* What keeps a guest from running on this host, seen from user space. */
#ifndef CO_TOOLS_OS_DOCTOR_H
#define CO_TOOLS_OS_DOCTOR_H

#include <stdbool.h>

enum finding_kind { FINDING_OK, FINDING_NOTE, FINDING_BLOCKER };

/* One line of the report. `name` is short and constant; `what` says what is, `way`
 * (NULL: none needed) the way out. */
typedef void finding_fn(void *arg, enum finding_kind kind, const char *name,
			const char *what, const char *way);

/* Without the driver: looks at what the system shows. */
void doctor_system(finding_fn *fn, void *arg);

#endif
