// SPDX-License-Identifier: GPL-2.0
#include "virtiofsd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/text.h"
#include "../os/path.h"

#define FEATURE_VERSION_1 (1ull << 32)

/* Distributions keep it out of PATH, since it's no command for users. */
static char *find_program(struct error **err)
{
	static const char *const names[] = { "virtiofsd",
					     "/usr/libexec/virtiofsd",
					     "/usr/lib/qemu/virtiofsd" };
	char *path;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path = path_program(names[i], err);
		if (path)
			return path;
		error_free(err);
	}
	error_set(err, 0,
		  "there is no virtiofsd in PATH, /usr/libexec or /usr/lib/qemu: install it (Debian 12: qemu-system-common), or leave virtiofs out");
	return NULL;
}

/* Commas part its options; a backslash takes their meaning away. */
static char *escaped(const char *s)
{
	struct text t = { 0 };

	for (; *s; s++) {
		if (*s == ',' || *s == '\\')
			text_add(&t, "\\", 1);
		text_add(&t, s, 1);
	}
	return t.data;
}

static int start(struct virtiofsd *d, const struct virtiofs_options *opt,
		 struct error **err)
{
	struct child *child = &d->helper.child;
	char *source = escaped(opt->path);
	char *argv[] = {
		find_program(err),
		need_format("--fd=%d", child->listener),
		need_format("-o"),
		need_format("source=%s,xattr,cache=%s", source,
			    opt->cache ? opt->cache : "auto"),
		NULL,
	};
	int rc = argv[0] ? child_start(child, argv, err) : -1;
	size_t i;

	for (i = 0; i < sizeof(argv) / sizeof(argv[0]); i++)
		free(argv[i]);
	free(source);
	return rc;
}

/* Its own words about rights are about name spaces. */
static int refused(struct virtiofsd *d, int code, struct error **err)
{
	struct error *said = NULL;

	vhost_helper_refused(&d->helper, code, &said);
	error_set(err, 0, "%s%s", said->text,
		  geteuid() ? "; it needs root, which this daemon isn't" : "");
	error_free(&said);
	return -1;
}

static int start_and_connect(struct virtiofsd *d,
			     const struct virtiofs_options *opt,
			     struct error **err)
{
	int rc = child_listen(&d->helper.child, err);

	if (!rc)
		rc = start(d, opt, err);
	if (rc)
		return rc;
	rc = vhost_helper_connect(&d->helper, &d->vu, FEATURE_VERSION_1);
	if (!rc && !(d->vu.features & FEATURE_VERSION_1))
		rc = -EPROTONOSUPPORT;
	return rc ? refused(d, -rc, err) : 0;
}

void virtiofsd_init(struct virtiofsd *d)
{
	vhost_helper_init(&d->helper, "virtiofsd");
	d->vu.fd = -1;
}

int virtiofsd_open(struct virtiofsd *d, const struct virtiofs_options *opt,
		   struct error **err)
{
	virtiofsd_init(d);
	if (!start_and_connect(d, opt, err))
		return 0;
	virtiofsd_close(d);
	return error_wrap(err, "%s", opt->path);
}

void virtiofsd_close(struct virtiofsd *d)
{
	vhost_user_close(&d->vu);
	vhost_helper_close(&d->helper);
}
