// SPDX-License-Identifier: GPL-2.0
/* Network devices of the configuration. */
#include "net.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../os/host.h"
#include "../os/process.h"
#include "daemon.h"

_Static_assert(CONFIG_NET_QUEUES <= NET_PAIRS_MAX, "");

/* ---- MAC addresses ---------------------------------------------------------- */

static uint64_t mix(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

/*
 * The same for the same VM on the same host, each time: 02:c0, "administered
 * locally", then 32 bits of a hash (FNV-1a) of host, VM and device.
 */
static void own_mac(const struct daemon *d, const char *name,
		    uint8_t mac[MAC_BYTES])
{
	char host[64];
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	host_identity(host, sizeof(host));
	h = mix(mix(mix(h, host), d->config.name), name);
	h ^= h >> 32;
	mac[0] = 0x02;
	mac[1] = 0xc0;
	mac[2] = (uint8_t)(h >> 24);
	mac[3] = (uint8_t)(h >> 16);
	mac[4] = (uint8_t)(h >> 8);
	mac[5] = (uint8_t)h;
}

/* ---- back ends -------------------------------------------------------------- */

static struct net_backend *open_slirp(struct daemon *d,
				      const struct config_net *net,
				      struct error **err)
{
	struct net_backend *b = slirp_open(&d->loop, d->config.name, err);
	unsigned int i;

	for (i = 0; b && i < net->forwards; i++) {
		if (!slirp_forward(b, &net->forward[i], err))
			continue;
		b->ops->close(b);
		b = NULL;
	}
	return b;
}

static int open_tap(struct daemon *d, const struct config_net *net,
		    struct net_options *opt, struct error **err)
{
	struct tap_options tap = { .address = net->address };

	if (net->kind == NET_BRIDGE)
		tap.bridge = net->name;
	else
		tap.name = net->name;
	if (net->queues)
		opt->pairs = net->queues;
	tap.queues = opt->pairs;
	return tap_open(&d->loop, &tap, opt->backend, err);
}

/* A member's name is never used twice, even if a process number is. */
static struct net_backend *open_switch(struct daemon *d, const char *name,
				       const struct config_net *net,
				       struct error **err)
{
	char *folder = need_format("%s/switch-%s", d->directory, net->name);
	uint32_t unique = 0;
	struct net_backend *b;
	char *member;

	if (!random_bytes(&unique, sizeof(unique)))
		say(d, 1, "%s: the host has no random numbers yet", name);
	member = need_format("%d-%s-%08x", (int)getpid(), name + 3, unique);
	b = switch_open(&d->loop, folder, member, err);
	free(member);
	free(folder);
	return b;
}

static int open_backends(struct daemon *d, const char *name,
			 const struct config_net *net, struct net_options *opt,
			 struct error **err)
{
	opt->pairs = 1;
	switch (net->kind) {
	case NET_SLIRP:
		opt->backend[0] = open_slirp(d, net, err);
		break;
	case NET_TAP:
	case NET_BRIDGE:
		return open_tap(d, net, opt, err);
	case NET_SWITCH:
		opt->backend[0] = open_switch(d, name, net, err);
		break;
	case NET_NONE:
		break;
	}
	return opt->backend[0] ? 0 : -1;
}

/* ---- devices ---------------------------------------------------------------- */

static int add(struct daemon *d, unsigned int i, struct error **err)
{
	const struct config_net *net = &d->config.net[i];
	struct net_options opt = { 0 };
	struct net_card *card = &d->nets[i];
	char name[16];

	snprintf(name, sizeof(name), "eth%u", i);
	if (open_backends(d, name, net, &opt, err))
		return error_wrap(err, "%s", name);
	if (net->has_mac)
		memcpy(opt.mac, net->mac, MAC_BYTES);
	else
		own_mac(d, name, opt.mac);
	card->device = net_create(d->machine, name, &opt, err);
	if (!card->device)
		return error_wrap(err, "%s", name);
	card->backend = opt.backend[0];
	card->kind = net->kind;
	return 0;
}

int nets_add(struct daemon *d, struct error **err)
{
	unsigned int i;

	d->nets = need(CONFIG_NETS * sizeof(*d->nets));
	for (i = 0; i < CONFIG_NETS; i++)
		if (d->config.net[i].kind != NET_NONE && add(d, i, err))
			return -1;
	return 0;
}

void nets_free(struct daemon *d)
{
	free(d->nets);
	d->nets = NULL;
}

struct net_card *net_find(struct daemon *d, const char *name, struct error **err)
{
	uint64_t i;

	if (!strncmp(name, "eth", 3) && text_number(name + 3, CONFIG_NETS - 1, &i) &&
	    d->nets[i].device)
		return &d->nets[i];
	error_set(err, 0, "%s has no network device '%s': `colinux info` lists its devices",
		  d->config.name, name);
	return NULL;
}

struct net_card *net_first(struct daemon *d, enum config_net_kind kind)
{
	unsigned int i;

	for (i = 0; i < CONFIG_NETS; i++)
		if (d->nets[i].device && d->nets[i].kind == kind)
			return &d->nets[i];
	return NULL;
}
