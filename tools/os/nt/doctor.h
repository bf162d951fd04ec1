/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_NT_DOCTOR_H
#define CO_NT_DOCTOR_H

#include "../doctor.h"
#include "facts.h"

/* What the facts mean for a guest. */
void doctor_judge(const struct facts *f, finding_fn *fn, void *arg);

#endif
