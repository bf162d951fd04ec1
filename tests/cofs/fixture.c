/* SPDX-License-Identifier: GPL-2.0 */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char top[64], dir[80];
struct client *c;

const char *in(const char *name)
{
	static char path[4][512];
	static unsigned int i;

	snprintf(path[++i % 4], 512, "%s/%s", dir, name);
	return path[i % 4];
}

void run(const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "cd %s && %s", top, command);
	assert_int_equal(system(line), 0);
}

int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/cofs-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/share", top);
	run("mkdir share && echo secret >canary");
	c = client_new(dir, false);
	return 0;
}

int teardown(void **state)
{
	char line[128];

	(void)state;
	client_free(c);
	snprintf(line, sizeof(line), "rm -rf %s", top);
	return system(line);
}

int set_xattr(uint32_t fid, const char *name, const void *value, size_t n,
	      uint32_t flags)
{
	int rc = walk(c, fid, 90, "");

	if (!rc)
		rc = ask(c, P9_TXATTRCREATE, "dsqd", 90u, name, (uint64_t)n,
			 flags);
	if (!rc && n)
		rc = write_fid(c, 90, 0, value, (uint32_t)n) == (int)n ?
			     0 : -EIO;
	return rc ? clunk(c, 90), rc : clunk(c, 90);
}
