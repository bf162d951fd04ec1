/* SPDX-License-Identifier: GPL-2.0 */
/*
 * coserial: a port of the guest's console device, and something of the host at
 * its other end (the kinds are in lib/config_serial.h).
 *
 * Bytes from the host wait in the console's input buffer until the guest takes
 * them, and are read no further when that is full. Bytes from the guest are kept
 * here, up to SERIAL_KEPT, then the port is held. All on the loop's thread.
 */
#ifndef CO_TOOLS_SERIAL_H
#define CO_TOOLS_SERIAL_H

#include <uv.h>

#include "../devices/device.h"
#include "../lib/config_serial.h"

/* Of the guest's bytes, what waits for the host's end; and the guest's last piece
 * besides. */
#define SERIAL_KEPT (256u * 1024)
/* A terminal of the guest spins while it is held. An end that takes nothing for so
 * long loses what comes, until it reads again. */
#define SERIAL_PATIENCE_MS 2000

struct serial;

/* Makes the far end of `port`; whoever can't be reached now may come later, but what
 * can't be right is an error. `name` as in the configuration: "ttys0". `line` stays
 * the caller's for as long. */
struct serial *serial_open(uv_loop_t *loop, struct console *port,
			   const char *name, const struct config_serial *line,
			   struct error **err);
/* Lets go of the port, too. The loop must turn once more. NULL is allowed. */
void serial_close(struct serial *s);

struct serial_info {
	const char *name;
	const char *place; /* /dev/pts/3, the socket's path, ...; or "" */
	const char *kind;  /* "pty" */
	bool connected;
	const char *why; /* not, or "" */
	uint64_t lost;	 /* bytes from the guest that nobody took */
};
void serial_describe(const struct serial *s, struct serial_info *info);

#endif
