/* SPDX-License-Identifier: GPL-2.0 */
/* A directory for targets that share one, in memory where there is room. */
#ifndef CO_TESTS_FUZZ_DIR_H
#define CO_TESTS_FUZZ_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes it, once; its path. It goes with the process. */
const char *fuzz_dir(void);
/* Could that message have changed it? `answer`: the type of what it got. */
bool fuzz_dir_changed(const uint8_t *request, size_t n, uint8_t answer);
/* Has fuzz_share's device changed it? Without somebody who looks: yes. */
extern bool fuzz_share_changed;
extern const bool fuzz_share_looks;
/* What others on the host do there, one of eight. */
void fuzz_dir_meddle(uint8_t what);
/* As it was in the beginning: file (5 bytes), dir/file, link -> file. */
void fuzz_dir_reset(void);

#endif
