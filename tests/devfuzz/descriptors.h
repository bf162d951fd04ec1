/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TESTS_FUZZ_DESCRIPTORS_H
#define CO_TESTS_FUZZ_DESCRIPTORS_H

/* Before and after a script; the second aborts if more descriptors are open. */
void fuzz_note_descriptors(void);
void fuzz_check_descriptors(void);

#endif
