/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that stands for a guest's, by the means of each system. */
#ifndef CO_TESTS_RIG_MEMORY_H
#define CO_TESTS_RIG_MEMORY_H

#include <stdint.h>

/* `size` bytes of zeroes; whoever steps into [hole, hole + hole_size) is found out.
 * NULL: no room. */
uint8_t *rig_memory_map(uint64_t size, uint64_t hole, uint64_t hole_size);
void rig_memory_unmap(uint8_t *base, uint64_t size);

#endif
