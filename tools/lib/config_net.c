// SPDX-License-Identifier: GPL-2.0
/*
 * Network devices in the configuration: ethN=. The first part of the value is the
 * kind, what follows depends on it; see colinux.conf(5).
 */
#include "config_net.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../os/can.h"
#include "address.h"
#include "config_keys.h"
#include "paths.h"

void mac_text(const uint8_t mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
}

void config_net_free(struct config_net *net)
{
	free(net->name);
	free(net->address);
	free(net->forward);
	memset(net, 0, sizeof(*net));
}

#define QUEUES "queues="

/* ---- parts ------------------------------------------------------------------ */

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c);

	return c && at ? (int)(at - digits) : -1;
}

static bool read_mac(const char *text, uint8_t mac[6])
{
	int i, high, low;

	if (strlen(text) != 17)
		return false;
	for (i = 0; i < 6; i++, text += 3) {
		high = hex_digit(text[0]);
		low = hex_digit(text[1]);
		if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* An empty part is one that isn't there: tuntap,,02:00:00:00:00:01. */
static int take_mac(struct config_net *net, const char *text, struct error **err)
{
	static const uint8_t zero[6];

	if (!text || !*text)
		return 0;
	if (!read_mac(text, net->mac))
		return error_set(err, 0,
				 "'%s' is no MAC address: six bytes in hex, as 02:00:00:00:00:01",
				 text);
	if ((net->mac[0] & 1) || !memcmp(net->mac, zero, sizeof(zero)))
		return error_set(err, 0,
				 "MAC address %s is that of a group or of nobody: its first byte must be even, and not all be 0",
				 text);
	net->has_mac = true;
	return 0;
}

static int take_forwards(struct config_net *net, const char *text,
			 struct error **err)
{
	const char *at = text;
	unsigned int i;

	while (at && *at) {
		size_t n = strcspn(at, "/");
		char *one = need_copy(at, n);
		struct forward f;
		int rc = forward_parse(&f, one, true, err);

		free(one);
		if (rc)
			return rc;
		for (i = 0; i < net->forwards; i++)
			if (forward_overlap(&net->forward[i], &f))
				return error_set(err, 0,
						 "'%.*s': a port of the host that is forwarded already",
						 (int)n, at);
		net->forward = realloc(net->forward, (net->forwards + 1) *
							     sizeof(f));
		if (!net->forward)
			abort();
		net->forward[net->forwards++] = f;
		at += n + (at[n] == '/');
	}
	return 0;
}

/* Names of network interfaces, as the host takes them. */
static int take_interface(char **name, const char *what, char *text,
			  struct error **err)
{
	size_t n = strlen(text);

	if (!n || n >= IFNAMSIZ || strpbrk(text, can_interface_without.set) ||
	    !strcmp(text, ".") || !strcmp(text, "..") ||
	    !strncmp(text, QUEUES, strlen(QUEUES))) {
		error_set(err, 0, "'%s' is no name of a %s: 1 to %d characters without %s",
			  text, what, IFNAMSIZ - 1, can_interface_without.words);
		free(text);
		return -1;
	}
	*name = text;
	return 0;
}

static int take_address(struct config_net *net, char *text, struct error **err)
{
	struct in_addr address, mask;

	if (!address_parse(text, &address, &mask)) {
		error_set(err, 0,
			  "'%s' is no address for the host's end: ADDRESS[/BITS], as 192.168.37.1/24",
			  text);
		free(text);
		return -1;
	}
	net->address = text;
	return 0;
}

/* The next part, unless the options begin there. */
static char *positional(const char **at)
{
	return *at && !strncmp(*at, QUEUES, strlen(QUEUES)) ? NULL :
							      config_next_part(at);
}

/* What follows the positions of a tap: [,queues=N] */
static int take_queues(struct config_net *net, const char **at,
		       struct error **err)
{
	char *option;
	uint64_t n;
	int rc = 0;

	if (!*at || strncmp(*at, QUEUES, strlen(QUEUES)))
		return 0;
	option = config_next_part(at);
	if (!text_number(option + strlen(QUEUES), CONFIG_NET_QUEUES, &n) || !n)
		rc = error_set(err, 0, "'%s': a number from 1 to %d follows, as queues=4",
			       option, CONFIG_NET_QUEUES);
	else
		net->queues = (unsigned int)n;
	free(option);
	return rc;
}

/* ---- kinds ------------------------------------------------------------------ */

/* slirp[,MAC[,FORWARD[/FORWARD]...]] */
static int parse_slirp(struct config_net *net, const char **at,
		       struct error **err)
{
	char *mac = config_next_part(at), *forwards = config_next_part(at);
	int rc = take_mac(net, mac, err);

	if (!rc)
		rc = take_forwards(net, forwards, err);
	free(mac);
	free(forwards);
	return rc;
}

/* tuntap[,NAME[,MAC[,ADDRESS]]][,queues=N] */
static int parse_tap(struct config_net *net, const char **at, struct error **err)
{
	char *name = positional(at), *mac = positional(at);
	char *address = positional(at);
	int rc = 0;

	if (name && *name)
		rc = take_interface(&net->name, "tap", name, err);
	else
		free(name);
	if (!rc)
		rc = take_mac(net, mac, err);
	if (!rc && address && *address)
		rc = take_address(net, address, err);
	else
		free(address);
	free(mac);
	return rc ? rc : take_queues(net, at, err);
}

static int named_mac(struct config_net *net, const char **at, struct error **err)
{
	char *mac = positional(at);
	int rc = take_mac(net, mac, err);

	free(mac);
	return rc;
}

/* bridge,NAME[,MAC][,queues=N] */
static int parse_bridge(struct config_net *net, const char **at,
			struct error **err)
{
	char *name = positional(at);

	if (!name)
		return error_set(err, 0, "which bridge? bridge,NAME[,MAC]");
	if (take_interface(&net->name, "bridge", name, err) ||
	    named_mac(net, at, err))
		return -1;
	return take_queues(net, at, err);
}

/* switch,NAME[,MAC] */
static int parse_switch(struct config_net *net, const char **at,
			struct error **err)
{
	net->name = config_next_part(at);
	if (!net->name)
		return error_set(err, 0, "which switch? switch,NAME[,MAC]");
	if (!name_valid(net->name))
		return error_set(err, 0, "'%s' is no name for a switch: " NAME_RULE,
				 net->name);
	return named_mac(net, at, err);
}

/* What the original had on Windows. */
static int parse_foreign(struct config_net *net, const char **at,
			 struct error **err)
{
	(void)net;
	(void)at;
	return error_set(err, 0, "%s", can_instead_of_bridges);
}

static const struct {
	const char *name;
	enum config_net_kind kind;
	int (*parse)(struct config_net *net, const char **at,
		     struct error **err);
} kinds[] = {
	{ "slirp", NET_SLIRP, parse_slirp },
	{ "tuntap", NET_TAP, parse_tap },
	{ "bridge", NET_BRIDGE, parse_bridge },
	{ "switch", NET_SWITCH, parse_switch },
	{ "pcap-bridge", NET_NONE, parse_foreign },
	{ "ndis-bridge", NET_NONE, parse_foreign },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int parse_value(struct config_net *net, const char *value,
		       struct error **err)
{
	char *kind = config_next_part(&value), *rest;
	size_t i = 0;
	int rc;

	while (i < KINDS && strcmp(kind, kinds[i].name))
		i++;
	if (i == KINDS) {
		error_set(err, 0,
			  "'%s' is no kind of network: %s", kind, can_nets);
		free(kind);
		return -1;
	}
	net->kind = kinds[i].kind;
	rc = kinds[i].parse(net, &value, err);
	if (rc)
		rc = error_wrap(err, "%s", kind);
	free(kind);
	if (rc)
		return rc;
	rest = config_next_part(&value);
	if (rest)
		error_set(err, 0, "'%s': nothing may follow here", rest);
	free(rest);
	return *err ? -1 : 0;
}

int config_parse_eth(struct config *c, const struct config_key *key,
		     unsigned int index, const char *value, struct error **err)
{
	struct config_net net = { 0 };

	(void)key;
	if (parse_value(&net, value, err) || can_net(&net, err)) {
		config_net_free(&net);
		return -1;
	}
	config_net_free(&c->net[index]);
	c->net[index] = net;
	return 0;
}

/* ---- all together ----------------------------------------------------------- */

static void check_pair(struct config *c, unsigned int i, unsigned int j)
{
	const struct config_net *a = &c->net[i], *b = &c->net[j];
	char text[18], name[16];
	unsigned int k, l;

	mac_text(a->mac, text);
	snprintf(name, sizeof(name), "eth%u", j);
	if (a->has_mac && b->has_mac && !memcmp(a->mac, b->mac, 6))
		config_complain(c, true, name,
				"eth%u and eth%u have both MAC address %s: change one",
				i, j, text);
	if (a->kind == NET_TAP && b->kind == NET_TAP && a->name && b->name &&
	    !strcmp(a->name, b->name))
		config_complain(c, true, name,
				"eth%u and eth%u are both tap %s: a tap has one user",
				i, j, a->name);
	for (k = 0; k < a->forwards; k++)
		for (l = 0; l < b->forwards; l++)
			if (forward_overlap(&a->forward[k], &b->forward[l]))
				config_complain(c, true, name,
						"eth%u and eth%u forward both port %u of the host: change one",
						i, j, b->forward[l].host_port);
}

/* The original's forwards were everybody's: whoever counts on that is told. */
static void note_forwards(struct config *c, unsigned int i)
{
	const struct config_net *net = &c->net[i];
	char name[16];
	unsigned int k;

	for (k = 0; k < net->forwards; k++)
		if (net->forward[k].anywhere) {
			snprintf(name, sizeof(name), "eth%u", i);
			config_complain(c, false, name,
					"eth%u: ports are forwarded from 127.0.0.1 alone; the original's were from anywhere: write tcp:*:%u:%u for that",
					i, net->forward[k].host_port,
					net->forward[k].guest_port);
			return;
		}
}

void config_net_finish(struct config *c)
{
	unsigned int i, j;

	for (i = 0; i < CONFIG_NETS; i++) {
		for (j = 0; j < i; j++)
			check_pair(c, j, i);
		note_forwards(c, i);
	}
}

bool config_net_taps_only(const struct config *c)
{
	bool some = false;
	int i;

	for (i = 0; i < CONFIG_NETS; i++) {
		if (c->net[i].kind == NET_SLIRP || c->net[i].kind == NET_SWITCH)
			return false;
		some |= c->net[i].kind != NET_NONE;
	}
	return some;
}

/* ---- and back --------------------------------------------------------------- */

static void add_forwards(const struct config_net *net, struct text *out)
{
	unsigned int i;

	for (i = 0; i < net->forwards; i++) {
		text_add(out, i ? "/" : ",", 1);
		forward_text(&net->forward[i], out);
	}
}

void config_net_text(const struct config_net *net, struct text *out)
{
	static const char *const name[] = { "", "slirp", "tuntap", "bridge",
					    "switch" };
	char mac[18] = "";

	if (net->has_mac)
		mac_text(net->mac, mac);
	text_format(out, "%s", name[net->kind]);
	if (net->kind != NET_SLIRP && (net->name || net->has_mac || net->address))
		text_add(out, ",", 1);
	if (net->name)
		config_quote(out, net->name);
	if (net->has_mac || net->forwards || net->address)
		text_format(out, ",%s", mac);
	if (net->address)
		text_format(out, ",%s", net->address);
	if (net->queues > 1)
		text_format(out, ",queues=%u", net->queues);
	add_forwards(net, out);
}
