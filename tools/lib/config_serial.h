/* SPDX-License-Identifier: GPL-2.0 */
/* Serial lines in the configuration: ttysN= (config_serial.c). */
#ifndef CO_TOOLS_CONFIG_SERIAL_H
#define CO_TOOLS_CONFIG_SERIAL_H

#include <stdbool.h>

#define CONFIG_LINES 32
/* Linux's hvc driver has so many terminals: hvc0 to hvc7. */
#define CONFIG_TERMINALS 8

enum serial_kind {
	SERIAL_NONE,
	SERIAL_DEVICE,	/* a terminal of the host: /dev/ttyS0 */
	SERIAL_PTY,	/* the daemon makes one; path: a link to it, or NULL */
	SERIAL_LISTEN,	/* a Unix socket that takes one client at a time */
	SERIAL_CONNECT, /* somebody else's Unix socket */
	SERIAL_STDIO	/* the daemon's own */
};

/* How the host's line is set; what wasn't said stays as it is. */
struct serial_mode {
	unsigned int baud; /* bits per second, 0: not said */
	char parity;	   /* n, e, o, m, s; 0: not said */
	unsigned int data; /* bits of a character, 5 to 8; 0: not said */
	unsigned int stop; /* bits, 1 or 2; 0: not said */
	/* -1: not said, else on or off */
	int dtr, rts, xon, hardware; /* hardware: RTS/CTS handshake */
};

struct config_serial {
	enum serial_kind kind;
	char *path; /* or NULL */
	struct serial_mode mode;
	bool port; /* a plain port in the guest, no terminal */
};

#endif
