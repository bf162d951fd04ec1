/* SPDX-License-Identifier: GPL-2.0 */
/* Ports of the host that lead into the guest, as libslirp knows them. */
#include "slirp_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/text.h"

static struct in_addr address_of(const struct forward *f)
{
	struct in_addr in;

	memcpy(&in, f->host, sizeof(in));
	return in;
}

static int set_port(Slirp *stack, const struct forward *f, unsigned int i)
{
	struct in_addr guest;

	inet_pton(AF_INET, SLIRP_GUEST, &guest);
	return slirp_add_hostfwd(stack, f->udp, address_of(f),
				 f->host_port + (int)i, guest,
				 f->guest_port + (int)i);
}

static int unset_port(Slirp *stack, const struct forward *f, unsigned int i)
{
	return slirp_remove_hostfwd(stack, f->udp, address_of(f),
				    f->host_port + (int)i);
}

static int cannot_listen(const struct forward *f, unsigned int i, int code,
			 struct error **err)
{
	struct forward one = *f;
	struct text t = { 0 };

	one.host_port = (uint16_t)(f->host_port + i);
	one.guest_port = (uint16_t)(f->guest_port + i);
	one.count = 1;
	forward_text(&one, &t);
	error_set(err, code, "%s: the host's port can't be had", t.data);
	text_free(&t);
	return -1;
}

int ports_add(struct ports *ports, Slirp *stack, const struct forward *f,
	      struct error **err)
{
	struct forward *more;
	unsigned int i, k;
	int code;

	for (k = 0; k < ports->n; k++)
		if (forward_overlap(&ports->list[k], f))
			return cannot_listen(f, 0, EEXIST, err);
	for (i = 0; i < f->count; i++) {
		if (!set_port(stack, f, i))
			continue;
		code = errno;
		for (k = 0; k < i; k++)
			unset_port(stack, f, k);
		return cannot_listen(f, i, code, err);
	}
	more = realloc(ports->list, (ports->n + 1) * sizeof(*more));
	if (!more)
		abort();
	ports->list = more;
	ports->list[ports->n++] = *f;
	return 0;
}

static bool matches(const struct forward *have, const struct forward *f)
{
	return have->udp == f->udp && have->host_port == f->host_port &&
	       !memcmp(have->host, f->host, sizeof(f->host)) &&
	       (!f->guest_port || (have->guest_port == f->guest_port &&
				   have->count == f->count));
}

int ports_remove(struct ports *ports, Slirp *stack, const struct forward *f,
		 struct error **err)
{
	unsigned int i;
	size_t k = 0;

	while (k < ports->n && !matches(&ports->list[k], f))
		k++;
	if (k == ports->n)
		return error_set(err, 0, "there is no such forward");
	for (i = 0; i < ports->list[k].count; i++)
		unset_port(stack, &ports->list[k], i);
	ports->n--;
	memmove(ports->list + k, ports->list + k + 1,
		(ports->n - k) * sizeof(*ports->list));
	return 0;
}
