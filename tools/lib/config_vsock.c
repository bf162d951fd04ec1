// SPDX-License-Identifier: GPL-2.0
/* Sockets between host and guest in the configuration: vsock=. */
#include "config_keys.h"

#include <string.h>

#include "../os/can.h"

/* The same VM has the same number on every host and at every start. Two VMs with one
 * number don't mind: sockets of the host are told apart by the VMs' names. */
static uint32_t cid_of_name(const char *name)
{
	return CONFIG_CID_MIN +
	       text_hash(name) % (CONFIG_CID_MAX - CONFIG_CID_MIN + 1);
}

int config_parse_vsock(struct config *c, const struct config_key *key,
		       unsigned int index, const char *value,
		       struct error **err)
{
	uint64_t n;

	(void)key;
	(void)index;
	if (!strcmp(value, "on") || !strcmp(value, "off")) {
		if (!strcmp(value, "on") && can_vsock(err))
			return -1;
		c->vsock = !strcmp(value, "on");
		c->vsock_cid = 0;
		return 0;
	}
	if (!text_number(value, CONFIG_CID_MAX, &n) || n < CONFIG_CID_MIN)
		return error_set(err, 0,
				 "'%s' is neither on nor off nor a number from %u to %u: the guest's address (CID)",
				 value, CONFIG_CID_MIN, CONFIG_CID_MAX);
	if (can_vsock(err))
		return -1;
	c->vsock = true;
	c->vsock_cid = (uint32_t)n;
	return 0;
}

void config_finish_vsock(struct config *c)
{
	if (c->vsock && !c->vsock_cid)
		c->vsock_cid = cid_of_name(c->name);
}
