/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CO_TOOLS_OS_FAULT_H
#define CO_TOOLS_OS_FAULT_H

#include "../devices/device.h"
#include "driver.h"

/* From here on a fault in `mem` ends that VM, not the daemon; NULL: no more. */
void fault_guard(const struct guest_memory *mem, struct driver *driver);

#endif
