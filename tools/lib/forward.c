// SPDX-License-Identifier: GPL-2.0
#include "forward.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 5

/* The text's fields; the last one has what didn't fit. */
static unsigned int split(char *text, char *field[FIELDS_MAX])
{
	unsigned int n = 0;

	while (text && n < FIELDS_MAX) {
		field[n++] = text;
		text = n < FIELDS_MAX ? strchr(text, ':') : NULL;
		if (text)
			*text++ = 0;
	}
	return n;
}

static bool port(const char *text, uint16_t *out)
{
	uint64_t n;

	if (!text_number(text, 65535, &n) || !n)
		return false;
	*out = (uint16_t)n;
	return true;
}

static int bad(const char *text, const char *what, struct error **err)
{
	return error_set(err, 0,
			 "'%s': %s: tcp|udp:[ADDRESS:]HOSTPORT:GUESTPORT[:COUNT]",
			 text, what);
}

static bool is_address(const char *field)
{
	return strchr(field, '.') || !strcmp(field, "*");
}

static const char *parse_address(struct forward *f, const char *field)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	f->anywhere = !field;
	if (!field)
		memcpy(f->host, loopback, sizeof(f->host));
	else if (!strcmp(field, "*"))
		memset(f->host, 0, sizeof(f->host));
	else if (inet_pton(AF_INET, field, f->host) != 1)
		return "the address is no IPv4 address";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *parse_ports(struct forward *f, char **field, unsigned int n,
			       bool whole)
{
	f->count = 1;
	if (n < (whole ? 2 : 1))
		return "a port is missing";
	if (n > 3)
		return "too many parts";
	if (!port(field[0], &f->host_port))
		return "the host's port is no number from 1 to 65535";
	if (n > 1 && !port(field[1], &f->guest_port))
		return "the guest's port is no number from 1 to 65535";
	if (n > 2 && !port(field[2], &f->count))
		return "the count is no number from 1 to 65535";
	if (f->host_port + f->count > 65536 || f->guest_port + f->count > 65536)
		return "the ports go beyond 65535";
	return NULL;
}

static const char *parse(struct forward *f, char *text, bool whole)
{
	char *field[FIELDS_MAX];
	unsigned int n = split(text, field), at = 1;
	const char *wrong;
	bool address = n > 1 && is_address(field[1]);

	if (strcmp(field[0], "tcp") && strcmp(field[0], "udp"))
		return "it begins with neither tcp nor udp";
	f->udp = !strcmp(field[0], "udp");
	wrong = parse_address(f, address ? field[at++] : NULL);
	return wrong ? wrong : parse_ports(f, field + at, n - at, whole);
}

int forward_parse(struct forward *f, const char *text, bool whole,
		  struct error **err)
{
	char *copy = need_copy(text, strlen(text));
	const char *wrong;

	memset(f, 0, sizeof(*f));
	wrong = parse(f, copy, whole);
	free(copy);
	return wrong ? bad(text, wrong, err) : 0;
}

void forward_text(const struct forward *f, struct text *out)
{
	static const uint8_t all[4];
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, f->host, address, sizeof(address));
	text_format(out, "%s:%s:%u:%u", f->udp ? "udp" : "tcp",
		    memcmp(f->host, all, sizeof(all)) ? address : "*",
		    f->host_port, f->guest_port);
	if (f->count > 1)
		text_format(out, ":%u", f->count);
}

bool forward_overlap(const struct forward *a, const struct forward *b)
{
	static const uint8_t all[4];
	bool hosts = !memcmp(a->host, b->host, 4) || !memcmp(a->host, all, 4) ||
		     !memcmp(b->host, all, 4);

	return a->udp == b->udp && hosts &&
	       a->host_port < b->host_port + b->count &&
	       b->host_port < a->host_port + a->count;
}
