// SPDX-License-Identifier: GPL-2.0
#include "../place.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/text.h"

#define ADDRESS_MAX 107 /* of a sockaddr_un */

char *place_runtime(struct error **err)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (!geteuid())
		return need_copy("/run/colinux", strlen("/run/colinux"));
	if (xdg && *xdg)
		return need_format("%s/colinux", xdg);
	error_set(err, 0,
		  "no runtime directory: XDG_RUNTIME_DIR isn't set; log in through a session manager or set COLINUX_RUNTIME_DIR");
	return NULL;
}

int place_make(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -1 : 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int place_list(const char *path, void (*fn)(void *arg, const char *name),
	       void *arg)
{
	struct dirent **entry;
	int n = scandir(path, &entry, NULL, by_name), i;

	if (n < 0)
		return -1;
	for (i = 0; i < n; i++) {
		fn(arg, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return 0;
}

char *place_control(const char *directory, const char *name)
{
	return need_format("%s/%s.sock", directory, name);
}

int place_control_check(const char *address, struct error **err)
{
	if (strlen(address) <= ADDRESS_MAX)
		return 0;
	return error_set(err, ENAMETOOLONG, "cannot listen on control socket %s",
			 address);
}

int place_control_guard(const char *address)
{
	return chmod(address, 0600) ? errno : 0;
}

void place_control_remove(const char *address)
{
	unlink(address);
}
