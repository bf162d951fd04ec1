// SPDX-License-Identifier: GPL-2.0
/* Linux has systemd and modprobe for this: says so. */
#include "../service.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word, *instead;
} switches[] = {
	{ "--install-service",
	  "let systemd start the VM: a unit with ExecStart=/usr/bin/colinux-daemon -k @FILE and TimeoutStopSec=90, then `systemctl enable --now UNIT`" },
	{ "--remove-service", "`systemctl disable --now UNIT`" },
	{ "--install-driver",
	  "`modprobe colinux` as root; the package colinux-dkms installs the module" },
	{ "--remove-driver", "`modprobe -r colinux` as root" },
	{ "--status-driver", "`colinux doctor`, or `colinux version`" },
};

int service_switch(int argc, char **argv, const struct service_program *program)
{
	size_t i;

	(void)program;
	for (i = 0; argc > 1 && i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(argv[1], switches[i].word))
			continue;
		fprintf(stderr,
			"colinux-daemon: %s is for Windows; on Linux: %s\n",
			argv[1], switches[i].instead);
		return 1;
	}
	return -1;
}

/* SIGTERM asks, and whoever sends it waits. */
void ending_watch(void (*ask)(void *arg), void *arg)
{
	(void)ask;
	(void)arg;
}

void ending_ready(void)
{
}

void ending_done(void)
{
}
