/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Port forwards, in the original's words with one addition:
 *
 *	tcp|udp:[ADDRESS:]HOSTPORT:GUESTPORT[:COUNT]
 *
 * ADDRESS is the host's IPv4 address to listen on, or `*` for all. Without one it
 * is 127.0.0.1: what a guest serves isn't the whole network's by accident.
 */
#ifndef CO_TOOLS_FORWARD_H
#define CO_TOOLS_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "text.h"

struct forward {
	bool udp;
	bool anywhere;	 /* the text named no address */
	uint8_t host[4]; /* 0.0.0.0: all */
	uint16_t host_port, guest_port, count;
};

/* Without `whole`, what a removal needs is enough: tcp:[ADDRESS:]HOSTPORT. The
 * guest's port is 0 then. */
int forward_parse(struct forward *f, const char *text, bool whole,
		  struct error **err);
void forward_text(const struct forward *f, struct text *out);
/* Do they want the same of the host? */
bool forward_overlap(const struct forward *a, const struct forward *b);

#endif
