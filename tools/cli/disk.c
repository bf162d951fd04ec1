// SPDX-License-Identifier: GPL-2.0
/* colinux disk: another size while the VM runs; what becomes of an overlay when
 * it has ended. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/config.h"
#include "../os/child.h"
#include "../os/lock.h"

/* ---- resize ------------------------------------------------------------------ */

static int take_size(const char *word, uint64_t *size, struct error **err)
{
	*size = 0;
	if (!strcmp(word, "auto"))
		return 0;
	if (text_size(word, 1 << 20, size) && *size && *size <= INT64_MAX)
		return 0;
	return error_set(err, 0,
			 "'%s' is no size: a number of megabytes, one with K, M or G, or auto",
			 word);
}

static int resize(char **words, bool shrink, struct error **err)
{
	struct client c;
	uint64_t size;
	char *now;
	json_t *o;

	if (take_size(words[2], &size, err) || client_connect(&c, words[0], err))
		return -1;
	o = client_request(&c, "disk-resize",
			   json_pack("{s:s, s:I, s:b}", "disk", words[1], "size",
				     (json_int_t)size, "shrink", shrink),
			   err);
	client_close(&c);
	if (!o)
		return -1;
	now = size_words((uint64_t)json_integer_value(json_object_get(o, "size")));
	printf("%s: %s (%lld bytes)\n", words[1], now,
	       (long long)json_integer_value(json_object_get(o, "size")));
	free(now);
	json_decref(o);
	return 0;
}

/* ---- overlays ---------------------------------------------------------------- */

/* Into the base, which may be in use by nobody: qemu-img sees to that. */
static int commit(const struct config_disk *disk, struct error **err)
{
	char *const argv[] = { "qemu-img", "commit", "-q", "-f", "qcow2",
			       disk->overlay, NULL };

	return child_run(argv, 0, err); /* it may be long */
}

/* Who has it open for a VM has locked bytes of it. The next start makes it new. */
static int discard(const struct config_disk *disk, struct error **err)
{
	int fd = open(disk->overlay, O_RDWR | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return error_set(err, errno, "%s", disk->overlay);
	if (lock_contents(fd))
		rc = error_set(err, 0, "%s: in use: end its VM first",
			       disk->overlay);
	else if (unlink(disk->overlay))
		rc = error_set(err, errno, "%s: cannot be removed",
			       disk->overlay);
	close(fd);
	return rc;
}

/* "cobd7" in `c`; NULL: it isn't there. */
static const struct config_disk *find_disk(const struct config *c,
					   const char *name)
{
	uint64_t n;

	if (strncmp(name, "cobd", 4) ||
	    !text_number(name + 4, CONFIG_DISKS - 1, &n) || !c->disk[n].path)
		return NULL;
	return &c->disk[n];
}

static int with_overlay(char **words, int n,
			int (*act)(const struct config_disk *disk,
				   struct error **err),
			struct error **err)
{
	const struct config_disk *disk;
	struct config c;
	int i, rc = 0;

	config_init(&c);
	for (i = 1; i < n && !rc; i++)
		rc = config_word(&c, words[i], err);
	disk = find_disk(&c, words[0]);
	if (!rc && !disk)
		rc = error_set(err, 0, "the configuration has no %s", words[0]);
	else if (!rc && !disk->overlay)
		rc = error_set(err, 0, "%s has no overlay=", words[0]);
	else if (!rc)
		rc = act(disk, err);
	config_free(&c);
	return rc;
}

int verb_disk(int argc, char **argv, struct error **err)
{
	bool shrink = false;
	const struct option_spec specs[] = {
		{ .name = "--shrink", .flag = &shrink },
		{ 0 },
	};
	int n = options_take(argc, argv, specs, 1, argc, false, err);

	if (n < 0)
		return -1;
	if (n == 4 && !strcmp(argv[1], "resize"))
		return resize(argv + 2, shrink, err);
	if (n > 2 && !strcmp(argv[1], "commit"))
		return with_overlay(argv + 2, n - 1, commit, err);
	if (n > 2 && !strcmp(argv[1], "discard"))
		return with_overlay(argv + 2, n - 1, discard, err);
	return error_set(err, 0,
			 "disk: needs `resize NAME cobdN SIZE`, or `commit` or `discard` with cobdN and the VM's configuration; see `colinux disk --help`");
}
