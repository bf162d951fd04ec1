/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of the configuration this host can do. Each returns 0, or -1 and an error
 * that says why not, and what to write instead.
 */
#ifndef CO_TOOLS_OS_CAN_H
#define CO_TOOLS_OS_CAN_H

#include "../lib/config.h"

int can_disk(const struct config_disk *disk, struct error **err);
int can_net(const struct config_net *net, struct error **err);
int can_share(const struct config_share *share, struct error **err);
int can_vsock(struct error **err);
/* What a line leads to, as the user wrote it. 1: a serial device of this host; 0:
 * none; -1 and an error: one of another host. */
int can_line_device(const char *where, struct error **err);
/* Any other kind of line. */
int can_line(const struct config_serial *line, struct error **err);
/* The kinds of lines in words. */
extern const char can_lines[];
/* Kinds of networks in words. */
extern const char can_nets[];
/* What to write for the original's bridges of Windows. */
extern const char can_instead_of_bridges[];
/* What no name of a network interface has. */
extern const struct can_without {
	const char *set, *words;
} can_interface_without;

#endif
