// SPDX-License-Identifier: GPL-2.0
/* What a Windows host can't do of the configuration, and why. */
#include "../can.h"

#include <ctype.h>
#include <string.h>

const char can_lines[] =
	"COM1 to COM256, unix:PATH or unix-connect:PATH (a named pipe), or stdio";
/* As Windows has it for names of connections. */
const struct can_without can_interface_without = {
	"\t\"*/:<>?\\|", "any of \" * / : < > ? \\ |"
};
const char can_instead_of_bridges[] =
	"no driver of ours watches a card of the host: write tuntap,NAME[,MAC] with NAME a TAP adapter, and bridge that with the card in Windows' Network Connections";
const char can_nets[] = "slirp and tuntap are on Windows";

int can_disk(const struct config_disk *disk, struct error **err)
{
	if (disk->overlay)
		return error_set(err, 0,
				 "overlay=: images with an overlay are qemu-storage-daemon's, which serves them by sockets that Windows lacks: use a raw image");
	if (disk->format && strcmp(disk->format, "raw"))
		return error_set(err, 0,
				 "format=%s: such images are qemu-storage-daemon's, which serves them by sockets that Windows lacks: convert it, `qemu-img convert -O raw`",
				 disk->format);
	if (config_disk_is_url(disk))
		return error_set(err, 0,
				 "'%s': disks of the network are qemu-storage-daemon's, which serves them by sockets that Windows lacks: use an image or a disk of this host",
				 disk->path);
	if (disk->direct)
		return error_set(err, 0,
				 "cache=none: this daemon can't go past Windows' cache yet: leave the option out");
	return 0;
}

int can_share(const struct config_share *share, struct error **err)
{
	if (share->virtiofs)
		return error_set(err, 0,
				 "virtiofs: such directories are virtiofsd's, a program of Linux: leave the word out, our own server does without it");
	if (share->uid == UINT32_MAX && share->gid == UINT32_MAX)
		return 0;
	return error_set(err, 0,
			 "uid= and gid=: Windows' users have no such numbers, and the daemon acts as the one who started it: leave them out");
}

int can_net(const struct config_net *net, struct error **err)
{
	switch (net->kind) {
	case NET_BRIDGE:
		return error_set(err, 0,
				 "bridges are of Linux; Windows bridges a TAP adapter with others itself (Network Connections, Bridge Connections): use tuntap with the adapter's name, or slirp");
	case NET_SWITCH:
		return error_set(err, 0,
				 "switch needs local datagram sockets, which Windows lacks: use slirp");
	case NET_TAP:
		return net->queues > 1 ?
			       error_set(err, 0,
					 "a TAP adapter of Windows has one queue: leave out queues=") :
			       0;
	default:
		return 0;
	}
}

int can_vsock(struct error **err)
{
	return error_set(err, 0,
			 "vsock needs local sockets, which Windows has for streams only since 2018 and without rights of their own: use a serial line (ttysN=unix:PATH), or a port by `colinux port`");
}

/* COM1, com3:, \\.\COM12 */
int can_line_device(const char *where, struct error **err)
{
	const char *s = where;

	if (!strncmp(s, "/dev/", 5))
		return error_set(err, 0,
				 "%s is a name of Linux: here it's COM1 (/dev/ttyS0), COM2 and so on",
				 where);
	if (!strncmp(s, "\\\\.\\", 4))
		s += 4;
	return !strncasecmp(s, "com", 3) && isdigit((unsigned char)s[3]);
}

int can_line(const struct config_serial *line, struct error **err)
{
	if (line->kind != SERIAL_PTY)
		return 0;
	return error_set(err, 0,
			 "pty: Windows has no pseudo terminals with names: unix:PATH is a named pipe, \\\\.\\pipe\\PATH, which terminal programs open");
}
