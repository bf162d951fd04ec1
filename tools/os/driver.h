/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The handle on the host's driver (abi/driver.h). One open handle is one VM's.
 * tools/os/<os>/ has the implementation; tests link a scripted one in its place.
 */
#ifndef CO_TOOLS_OS_DRIVER_H
#define CO_TOOLS_OS_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/error.h"

struct driver;

/* Opens the device and checks that driver and tools are of one make. NULL and an
 * error that says what to do otherwise. */
struct driver *driver_open(struct error **err);
/* Closes it: the VM is gone when its memory is unmapped, too. NULL is allowed. */
void driver_close(struct driver *d);
/* CO_REQ_*, with its structure. 0 or a negative errno. Any thread. */
int driver_request(struct driver *d, unsigned int nr, void *buf, size_t size);
/* What driver_open() does about a driver of another make: 0, or an error that names the
 * device and says what to do; `then` ends that advice, with what this system needs. */
int driver_check_version(struct driver *d, const char *device, const char *then,
			 struct error **err);
/* Guest memory from machine address `lowest` to `highest`; neither inherited by
 * children nor in core dumps. NULL and an error otherwise. */
uint8_t *driver_map(struct driver *d, uint64_t lowest, uint64_t highest,
		    struct error **err);
/* Takes it out again, before driver_close(). Nobody reads or writes there any more, the
 * host's disks included. NULL is allowed. */
void driver_unmap(struct driver *d, uint8_t *base, uint64_t lowest, uint64_t highest);

#endif
