// SPDX-License-Identifier: GPL-2.0
/* The shared directories that the configuration names. */
#include "daemon.h"

#include <string.h>

#include "../share/server.h"

static int add_share(struct daemon *d, unsigned int i, struct error **err)
{
	const struct config_share *share = &d->config.share[i];
	struct share_options opt = {
		.fs = { .path = share->path,
			.uid = share->uid,
			.gid = share->gid,
			.direct = share->direct },
		.read_only = share->read_only,
	};
	char name[16];

	snprintf(name, sizeof(name), "cofs%u", i);
	if (!cofs_create(d->machine, name, share->tag, &opt, err))
		return error_wrap(err, "%s", name);
	return 0;
}

int shares_add(struct daemon *d, struct error **err)
{
	unsigned int i;

	for (i = 0; i < CONFIG_SHARES; i++)
		if (d->config.share[i].path && add_share(d, i, err))
			return -1;
	return 0;
}

json_t *shares_json(const struct daemon *d)
{
	json_t *all = json_array(), *o;
	const struct config_share *s;
	unsigned int i;
	char name[16];

	for (i = 0; i < CONFIG_SHARES; i++) {
		s = &d->config.share[i];
		if (!s->path)
			continue;
		snprintf(name, sizeof(name), "cofs%u", i);
		o = json_pack("{s:s, s:s, s:b, s:s?}", "name", name, "tag",
			      s->tag, "read_only", s->read_only, "mount",
			      s->mount);
		json_object_set_new(o, "path",
				    json_text(s->path, strlen(s->path)));
		json_array_append_new(all, o);
	}
	return all;
}
