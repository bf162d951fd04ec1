// SPDX-License-Identifier: GPL-2.0
/* The shared directories that the configuration names. */
#include "daemon.h"

#include <string.h>

#include "../share/server.h"

static struct device *add_virtiofs(struct daemon *d, const char *name,
				   const struct config_share *share,
				   struct error **err)
{
	const struct virtiofs_options opt = { share->path, share->cache };

	return virtiofs_create(d->machine, name, share->tag, &opt, err);
}

static struct device *add_9p(struct daemon *d, const char *name,
			     const struct config_share *share,
			     struct error **err)
{
	struct share_options opt = {
		.fs = { .path = share->path,
			.uid = share->uid,
			.gid = share->gid,
			.direct = share->direct },
		.read_only = share->read_only,
	};

	return cofs_create(d->machine, name, share->tag, &opt, err);
}

static int add_share(struct daemon *d, unsigned int i, struct error **err)
{
	const struct config_share *share = &d->config.share[i];
	struct device *dev;
	char name[16];

	snprintf(name, sizeof(name), "cofs%u", i);
	dev = share->virtiofs ? add_virtiofs(d, name, share, err) :
				add_9p(d, name, share, err);
	return dev ? 0 : error_wrap(err, "%s", name);
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
		o = json_pack("{s:s, s:s, s:s, s:b, s:s?}", "name", name, "tag",
			      s->tag, "type", s->virtiofs ? "virtiofs" : "9p",
			      "read_only", s->read_only, "mount", s->mount);
		json_object_set_new(o, "path",
				    json_text(s->path, strlen(s->path)));
		json_array_append_new(all, o);
	}
	return all;
}
