// SPDX-License-Identifier: GPL-2.0
/* What the configuration refuses here (can.c): whoever comes so far is told again. */
#include "../../devices/net.h"
#include "../../net/backend.h"

struct net_backend *switch_open(uv_loop_t *loop, const char *folder,
				const char *member, struct error **err)
{
	(void)loop;
	(void)member;
	error_set(err, 0, "%s: switches are of Linux", folder);
	return NULL;
}

struct device *vsock_create(struct machine *m, const char *name,
			    const struct vsock_options *opt, struct error **err)
{
	(void)m;
	(void)opt;
	error_set(err, 0, "%s: vsock is of Linux", name);
	return NULL;
}

struct device *virtiofs_create(struct machine *m, const char *name,
			       const char *tag,
			       const struct virtiofs_options *opt,
			       struct error **err)
{
	(void)m;
	(void)tag;
	(void)opt;
	error_set(err, 0, "%s: virtiofsd is of Linux", name);
	return NULL;
}

/* vhost-net is a part of Linux; no back end here has a descriptor for it. */
struct net_vhost *net_vhost_open(struct net_pair *p, struct error **err)
{
	(void)p;
	error_set(err, 0, "vhost-net is of Linux");
	return NULL;
}

void net_vhost_free(struct net_vhost *v)
{
	(void)v;
}

void net_vhost_start(struct net_vhost *v)
{
	(void)v;
}

void net_vhost_stop(struct net_vhost *v)
{
	(void)v;
}

void net_vhost_reset(struct net_vhost *v)
{
	(void)v;
}

bool net_vhost_active(const struct net_vhost *v)
{
	(void)v;
	return false;
}

const char *net_vhost_state(const struct net_vhost *v)
{
	(void)v;
	return "";
}
