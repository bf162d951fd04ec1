// SPDX-License-Identifier: GPL-2.0
/* A Linux host can all, but for what has a name of Windows. */
#include "../can.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char can_lines[] =
	"/dev/DEVICE, pty[:LINK], unix:PATH, unix-connect:PATH or stdio";
const struct can_without can_interface_without = {
	"/: \t%,\"", "'/', ':', '%', commas, quotes and blanks"
};
const char can_instead_of_bridges[] =
	"Windows bridged so; here write bridge,NAME[,MAC] with NAME a Linux bridge that the host's interface is in";
const char can_nets[] = "slirp, tuntap, bridge and switch are";

int can_disk(const struct config_disk *disk, struct error **err)
{
	(void)disk;
	(void)err;
	return 0;
}

int can_share(const struct config_share *share, struct error **err)
{
	(void)share;
	(void)err;
	return 0;
}

int can_net(const struct config_net *net, struct error **err)
{
	(void)net;
	(void)err;
	return 0;
}

int can_vsock(struct error **err)
{
	(void)err;
	return 0;
}

/* COM1, com3:, \\.\COM12 */
static bool is_com(const char *s)
{
	if (!strncmp(s, "\\\\.\\", 4))
		s += 4;
	return !strncasecmp(s, "com", 3) && isdigit((unsigned char)s[3]);
}

int can_line_device(const char *where, struct error **err)
{
	if (is_com(where))
		return error_set(err, 0,
				 "%s is a name of Windows: here it's a device, like /dev/ttyS0 (COM1), /dev/ttyS1 (COM2) or /dev/ttyUSB0; or pty, unix:PATH, unix-connect:PATH, stdio",
				 where);
	return *where == '/';
}

int can_line(const struct config_serial *line, struct error **err)
{
	(void)line;
	(void)err;
	return 0;
}
