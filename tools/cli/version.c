// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include "../../abi/driver.h"
#include "../lib/version.h"
#include "../os/driver.h"

int verb_version(int argc, char **argv, struct error **err)
{
	static const struct option_spec specs[] = { { 0 } };
	struct co_req_version v = { 0 };
	struct error *why = NULL;
	struct driver *d;

	if (options_take(argc, argv, specs, 0, 0, false, err) < 0)
		return -1;
	printf("colinux %s (driver ABI %d, guest ABI %d)\n", COLINUX_VERSION,
	       CO_DRIVER_ABI_VERSION, CO_GUEST_ABI_VERSION);
	d = driver_open(&why);
	if (d && !driver_request(d, CO_REQ_VERSION, &v, sizeof(v)))
		printf("driver %.56s (driver ABI %u, guest ABI %u)\n",
		       (const char *)v.build, v.driver_abi, v.guest_abi);
	else
		printf("driver: %s\n", why ? why->text : "doesn't tell");
	error_free(&why);
	driver_close(d);
	return 0;
}
