/* SPDX-License-Identifier: GPL-2.0 */
/* Programs of the tests in the place of the daemon's helpers. */
#ifndef CO_TESTS_LIES_H
#define CO_TESTS_LIES_H

/* From here on PATH has lying-PROGRAM, of the folder $LYING_HELPERS, in the place of
 * PROGRAM, and it does what `lie` says. One program a process. */
void set_lie(const char *program, const char *lie);
/* For cmocka: the end of a group. */
int remove_lies(void **state);

#endif
