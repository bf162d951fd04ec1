/* SPDX-License-Identifier: GPL-2.0 */
/* A directory for targets that share one, in memory where there is room. */
#ifndef CO_TESTS_FUZZ_DIR_H
#define CO_TESTS_FUZZ_DIR_H

/* Makes it, once; its path. It goes with the process. */
const char *fuzz_dir(void);
/* As it was in the beginning: file (5 bytes), dir/file, link -> file. */
void fuzz_dir_reset(void);

#endif
