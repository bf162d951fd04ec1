/* SPDX-License-Identifier: GPL-2.0 */
/* What keeps a guest from running on this host, seen from user space. */
#ifndef CO_TOOLS_OS_DOCTOR_H
#define CO_TOOLS_OS_DOCTOR_H

#include <stdbool.h>

#include "../../abi/driver.h"

enum finding_kind { FINDING_OK, FINDING_NOTE, FINDING_BLOCKER };

/* One line of the report. `name` is short and constant; `what` says what is, `way`
 * (NULL: none needed) the way out. */
typedef void finding_fn(void *arg, enum finding_kind kind, const char *name,
			const char *what, const char *way);

/* Without the driver: looks at what the system shows. */
void doctor_system(finding_fn *fn, void *arg);
/* With it: what the system shows and the driver doesn't tell. */
void doctor_beside_driver(finding_fn *fn, void *arg);

/* What the driver's words CO_BLOCK_* mean on this system, lowest bit first. */
struct doctor_block {
	const char *name, *what, *way;
};
extern const struct doctor_block doctor_block[CO_BLOCK_COUNT];

#endif
