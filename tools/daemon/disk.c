// SPDX-License-Identifier: GPL-2.0
/* The control socket's verb for a disk that gets another size. */
#include "control.h"

int verb_disk_resize(struct connection *c, json_t *id, json_t *args,
		     struct error **err)
{
	const char *disk = json_string_value(json_object_get(args, "disk"));
	json_t *shrink = json_object_get(args, "shrink");
	json_int_t size;
	uint64_t now;

	if (!disk)
		return error_set(err, 0, "args.disk is no name of a disk");
	if (shrink && !json_is_boolean(shrink))
		return error_set(err, 0, "args.shrink is neither true nor false");
	if (arg_number(args, "size", 0, INT64_MAX, 0, &size, err) ||
	    block_resize(c->d->machine, disk, (uint64_t)size,
			 json_is_true(shrink), &now, err))
		return -1;
	reply(c, id, json_pack("{s:I}", "size", (json_int_t)now));
	return 0;
}
