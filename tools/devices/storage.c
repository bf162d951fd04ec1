// SPDX-License-Identifier: GPL-2.0
#include "storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/text.h"

#define WORDS_MAX 16
/* A header is written, and the base asked for its size: over a network, perhaps. */
#define OVERLAY_SECONDS 60

/* virtio-blk's features and the transport's that block_vhost.c knows. */
#define FEATURES                                                 \
	(1ull << 5 | 1ull << 6 | 1ull << 9 | 1ull << 13 | 1ull << 14 | \
	 1ull << 32)
#define FEATURE_BLK_SIZE (1ull << 6)

/* The beginning of virtio-blk's config space (virtio 1.2, 5.2.4). */
struct storage_config {
	uint64_t capacity;
	uint32_t size_max, seg_max, geometry, blk_size;
};

static bool is_url(const char *path)
{
	return !strncmp(path, "nbd://", 6) || !strncmp(path, "nbd+unix://", 11);
}

bool storage_needed(const struct block_options *opt)
{
	return opt->overlay || is_url(opt->path) ||
	       (opt->format && strcmp(opt->format, "raw"));
}

/* ---- the program's words ---------------------------------------------------- */

struct words {
	char *word[WORDS_MAX];
	unsigned int n;
};

static void add(struct words *w, char *word)
{
	w->word[w->n++] = word;
}

static void add_blockdev(struct words *w, char *what)
{
	add(w, need_format("--blockdev"));
	add(w, what);
}

static void words_free(struct words *w)
{
	while (w->n)
		free(w->word[--w->n]);
}

/* A comma in a value of an option is two. */
static char *value(const char *s, size_t n)
{
	struct text t = { 0 };
	size_t i;

	text_add(&t, "", 0);
	for (i = 0; i < n; i++)
		text_add(&t, s[i] == ',' ? ",," : s + i, s[i] == ',' ? 2 : 1);
	return t.data;
}

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static char *file_node(const char *name, const char *path, bool read_only,
		       bool direct)
{
	char *filename = value(path, strlen(path)), *node;
	struct stat st;
	bool device = !stat(path, &st) && S_ISBLK(st.st_mode);

	node = need_format("driver=%s,node-name=%s,filename=%s,read-only=%s,discard=unmap,cache.direct=%s",
			   device ? "host_device" : "file", name, filename,
			   on_off(read_only), on_off(direct));
	free(filename);
	return node;
}

/* nbd+unix:///EXPORT?socket=PATH */
static char *nbd_unix_node(const char *rest, bool read_only)
{
	const char *query = strstr(rest, "?socket=");
	char *export, *path, *node;

	if (*rest != '/' || !query || !query[8])
		return NULL;
	export = value(rest + 1, (size_t)(query - rest - 1));
	path = value(query + 8, strlen(query + 8));
	node = need_format("driver=nbd,node-name=file,server.type=unix,server.path=%s,export=%s,read-only=%s,discard=unmap",
			   path, export, on_off(read_only));
	free(export);
	free(path);
	return node;
}

/* What stands behind the host, and nothing else; *rest goes on to the export. */
static bool take_port(const char **rest, unsigned int *port)
{
	const char *p = *rest;
	unsigned int n = 0;

	*port = 10809;
	if (*p == ':') {
		for (p++; *p >= '0' && *p <= '9' && n <= UINT16_MAX; p++)
			n = n * 10 + (unsigned int)(*p - '0');
		*port = n;
	}
	*rest = p;
	return *port && *port <= UINT16_MAX && (!*p || *p == '/');
}

/* nbd://HOST[:PORT][/EXPORT]; an IPv6 address is in brackets. */
static char *nbd_inet_node(const char *rest, bool read_only)
{
	size_t n = *rest == '[' ? strcspn(rest, "]") + 1 : strcspn(rest, ":/");
	bool brackets = *rest == '[';
	const char *name = rest + n;
	char *host, *export, *node;
	unsigned int port;

	if (!n || n > strlen(rest) || (brackets && n < 3) ||
	    !take_port(&name, &port))
		return NULL;
	host = value(rest + brackets, n - 2 * brackets);
	export = value(*name ? name + 1 : "", *name ? strlen(name + 1) : 0);
	node = need_format("driver=nbd,node-name=file,server.type=inet,server.host=%s,server.port=%u,export=%s,read-only=%s,discard=unmap",
			   host, port, export, on_off(read_only));
	free(host);
	free(export);
	return node;
}

/* What the format lies in; NULL: no such URL. */
static char *lower_node(const char *path, bool read_only, bool direct)
{
	if (!is_url(path))
		return file_node("file", path, read_only, direct);
	if (strchr(path, '%') || strchr(path, '@'))
		return NULL;
	if (path[3] == '+')
		return nbd_unix_node(path + 11, read_only);
	return nbd_inet_node(path + 6, read_only);
}

static char *format_node(const char *format, const char *name,
			 const char *more, bool read_only)
{
	return need_format("driver=%s,node-name=%s,%s,read-only=%s,discard=unmap",
			   format, name, more, on_off(read_only));
}

static int add_nodes(struct words *w, const struct block_options *opt,
		     struct error **err)
{
	const char *format = opt->format ? opt->format : "raw";
	bool read_only = opt->read_only || opt->overlay;
	char *lower = lower_node(opt->path, read_only, opt->direct);

	if (!lower)
		return error_set(err, 0,
				 "is none of nbd://HOST[:PORT][/EXPORT] and nbd+unix:///EXPORT?socket=PATH");
	add_blockdev(w, lower);
	add_blockdev(w, format_node(format, opt->overlay ? "base" : "disk",
				    "file=file", read_only));
	if (!opt->overlay)
		return 0;
	add_blockdev(w, file_node("changes", opt->overlay, opt->read_only,
				  opt->direct));
	add_blockdev(w, format_node("qcow2", "disk", "file=changes,backing=base",
				    opt->read_only));
	return 0;
}

static void add_export(struct words *w, const struct block_options *opt, int fd)
{
	add(w, need_format("--export"));
	add(w, need_format("type=vhost-user-blk,id=disk,node-name=disk,addr.type=fd,addr.str=%d,writable=%s",
			   fd, on_off(!opt->read_only)));
}

/* ---- the overlay ------------------------------------------------------------ */

/* Its header has the base's absolute path: it may be used from any folder. */
static int make_overlay(const struct block_options *opt, struct error **err)
{
	char *base = is_url(opt->path) ? need_format("%s", opt->path) :
					 realpath(opt->path, NULL);
	char *const argv[] = {
		"qemu-img", "create", "-q", "-f", "qcow2", "-F",
		(char *)(opt->format ? opt->format : "raw"), "-b", base,
		(char *)opt->overlay, NULL
	};
	int rc;

	if (!base)
		return error_set(err, errno, "cannot be opened");
	rc = child_run(argv, OVERLAY_SECONDS, err);
	free(base);
	return rc ? error_wrap(err, "overlay=%s", opt->overlay) : 0;
}

static int check_overlay(struct storage *s, const struct block_options *opt,
			 struct error **err)
{
	struct stat st;

	if (!opt->overlay || !stat(opt->overlay, &st))
		return 0;
	if (errno != ENOENT || opt->read_only)
		return error_set(err, errno, "overlay=%s", opt->overlay);
	s->made = need_copy(opt->overlay, strlen(opt->overlay));
	return make_overlay(opt, err);
}

/* ---- start ------------------------------------------------------------------ */

static int ask(struct storage *s, struct error **err)
{
	struct storage_config c = { 0 };
	struct vhost_user vu;
	int rc = storage_connect(s, &vu);

	if (!rc) {
		rc = vhost_user_config(&vu, &c, sizeof(c));
		s->features = vu.features;
		vhost_user_close(&vu);
	}
	if (rc)
		return vhost_helper_refused(&s->helper, -rc, err);
	s->size = c.capacity * SECTOR;
	s->block_size = s->features & FEATURE_BLK_SIZE ? c.blk_size : SECTOR;
	if (!c.capacity || c.capacity > UINT64_MAX / SECTOR ||
	    s->block_size < SECTOR || s->block_size % SECTOR)
		return error_set(err, 0, "is empty, or its size can't be");
	return 0;
}

static int start(struct storage *s, const struct block_options *opt,
		 struct error **err)
{
	struct words w = { 0 };
	int rc = child_listen(&s->helper.child, err);

	if (rc)
		return rc;
	add(&w, need_format("qemu-storage-daemon"));
	rc = add_nodes(&w, opt, err);
	if (!rc) {
		add_export(&w, opt, s->helper.child.listener);
		rc = child_start(&s->helper.child, w.word, err);
	}
	words_free(&w);
	return rc ? rc : ask(s, err);
}

struct storage *storage_open(const struct block_options *opt,
			     struct error **err)
{
	struct storage *s = need(sizeof(*s));

	vhost_helper_init(&s->helper, "qemu-storage-daemon");
	if (!check_overlay(s, opt, err) && !start(s, opt, err))
		return s;
	storage_close(s);
	error_wrap(err, "%s", opt->path);
	return NULL;
}

int storage_connect(const struct storage *s, struct vhost_user *vu)
{
	return vhost_helper_connect(&s->helper, vu, FEATURES);
}

void storage_keep(struct storage *s)
{
	free(s->made);
	s->made = NULL;
}

void storage_close(struct storage *s)
{
	if (!s)
		return;
	vhost_helper_close(&s->helper);
	if (s->made)
		unlink(s->made);
	free(s->made);
	free(s);
}
