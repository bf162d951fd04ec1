/* SPDX-License-Identifier: GPL-2.0 */
/* What the rig needs of each system in its own way. */
#ifndef CO_TESTS_RIG_OS_H
#define CO_TESTS_RIG_OS_H

#include <stdbool.h>
#include <stdint.h>

/* Memory that stands for a guest's: `size` bytes of zeroes; whoever steps into [hole, hole + hole_size) is found out.
 * NULL: no room. */
uint8_t *rig_memory_map(uint64_t size, uint64_t hole, uint64_t hole_size);
void rig_memory_unmap(uint8_t *base, uint64_t size);

/* Has the bell rung, and nobody hushed it since? */
bool rig_bell_rang(int bell);

/* A new folder that goes with all that is in it; its path comes with '/'. */
#define RIG_PATH 300
bool rig_folder_make(char path[RIG_PATH]);
bool rig_folder_remove(const char *path);

/* A page of the rig's memory goes, as if the guest had given it back. An access brings
 * another, by a handler like the daemon's; rig_page_faults() takes that away again and
 * says how often it was called. */
bool rig_page_lose(void *page);
unsigned int rig_page_faults(void);

#endif
