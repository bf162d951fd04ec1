// SPDX-License-Identifier: GPL-2.0
/* Whether driver and tools are of one make: the same question on all systems. */
#include "driver.h"

#include "../../abi/driver.h"
#include "../lib/version.h"

int driver_check_version(struct driver *d, const char *device, const char *then,
			 struct error **err)
{
	struct co_req_version v = { 0 };
	int rc = driver_request(d, CO_REQ_VERSION, &v, sizeof(v));

	if (rc)
		return error_set(err, -rc,
				 "%s: the driver doesn't tell its version; is it colinux's",
				 device);
	v.build[sizeof(v.build) - 1] = 0;
	if (v.driver_abi == CO_DRIVER_ABI_VERSION)
		return 0;
	return error_set(err, 0,
			 "%s: the loaded driver (%s) speaks ABI %u, these tools (" COLINUX_VERSION ") speak ABI %d: install both from one release%s",
			 device, (const char *)v.build, v.driver_abi,
			 CO_DRIVER_ABI_VERSION, then);
}
