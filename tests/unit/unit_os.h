/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests ask of the system that they run on. */
#ifndef CO_TESTS_UNIT_OS_H
#define CO_TESTS_UNIT_OS_H

#include <stdbool.h>

/* fn ends in abort()? Nothing of this thread's state changes by that. */
bool unit_aborts(void (*fn)(void));

#endif
