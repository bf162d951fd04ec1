// SPDX-License-Identifier: GPL-2.0
#include "../path.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* c:\x, c:/x; \x and \\server\x are none of this host's either. */
static bool is_windows(const char *path)
{
	return path[0] == '\\' || (is_letter(path[0]) && path[1] == ':' &&
				   (path[2] == '\\' || path[2] == '/'));
}

/* Names of disks and partitions rather than of files. */
static bool is_windows_device(const char *path)
{
	static const char *const start[] = { "\\Device\\", "\\Volume{",
					     "\\??\\Volume{",
					     "\\\\.\\PhysicalDrive",
					     "\\\\.\\CdRom", "\\\\?\\Volume{" };
	size_t i, n = strlen(path);

	for (i = 0; i < sizeof(start) / sizeof(start[0]); i++)
		if (!strncasecmp(path, start[i], strlen(start[i])))
			return true;
	/* \\.\D: and \DosDevices\D: are the drive itself */
	return path[0] == '\\' && n > 2 && path[n - 1] == ':';
}

int path_check(const char *path, struct error **err)
{
	const char *base = strrchr(path, '\\');

	if (!is_windows(path))
		return 0;
	if (is_windows_device(path))
		return error_set(err, 0,
				 "'%s' is a Windows device: write the block device of this host, such as %s (lsblk lists them)",
				 path,
				 strcasestr(path, "cdrom") ? "/dev/sr0" :
							     "/dev/sdb1");
	base = base ? base + 1 : strrchr(path, '/') + 1;
	if (!*base)
		base = "...";
	return error_set(err, 0,
			 "'%s' is a Windows path: write where it is on this host, such as /srv/colinux/%s",
			 path, base);
}
