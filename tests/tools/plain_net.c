// SPDX-License-Identifier: GPL-2.0
/* Network devices without virtio, with their real back ends; see plain_machine.c.
 * Their guests take no frames. */
#include <stdlib.h>

#include "../../tools/devices/net_device.h"
#include "../../tools/lib/text.h"

struct device {
	struct net_user user;
	struct net_backend *backend;
	bool cable;
	struct net_watcher *watcher;
};

static bool receive(struct net_user *user, const struct net_header *header,
		    const struct iovec *frame, unsigned int n)
{
	(void)user;
	(void)header;
	(void)frame;
	(void)n;
	return true;
}

static void nothing(struct net_user *user)
{
	(void)user;
}

static void on_link(struct net_user *user, bool up)
{
	(void)user;
	(void)up;
}

static const struct net_user_ops ops = { receive, nothing, nothing, on_link };

/* As with the other plain devices nothing is freed; these keep it in sight. */
static struct device *volatile kept[16];
static unsigned int count;

struct device *net_create(struct machine *m, const char *name,
			  const struct net_options *opt, struct error **err)
{
	struct device *dev = need(sizeof(*dev));

	(void)m;
	(void)name;
	(void)err;
	dev->user.ops = &ops;
	dev->cable = true;
	dev->backend = opt->backend[0];
	dev->backend->user = &dev->user;
	kept[count++ % 16] = dev;
	return dev;
}

void net_set_cable(struct device *dev, bool in)
{
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };
	struct iovec iov = { frame, sizeof(frame) };

	dev->cable = in;
	if (dev->watcher)
		dev->watcher->frame(dev->watcher, &iov, 1, sizeof(frame));
}

bool net_link_up(const struct device *dev)
{
	return dev->cable;
}

void net_watch(struct device *dev, struct net_watcher *w)
{
	dev->watcher = w;
}

void net_unwatch(struct device *dev, struct net_watcher *w)
{
	(void)w;
	dev->watcher = NULL;
}
