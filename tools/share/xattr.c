/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 9P: extended attributes, which are read and written like files by fids of
 * their own.
 */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int xattr_make(struct share_server *s, const char *name, size_t size,
		      struct xattr **out)
{
	struct xattr *x;

	if (s->xattr_bytes + sizeof(*x) + size > SHARE_XATTRS_MAX)
		return -ENOMEM;
	x = calloc(1, sizeof(*x));
	if (x)
		x->value = malloc(size ? size : 1);
	if (!x || !x->value) {
		free(x);
		return -ENOMEM;
	}
	strcpy(x->name, name);
	x->size = size;
	s->xattr_bytes += sizeof(*x) + size;
	*out = x;
	return 0;
}

static void drop(struct share_server *s, struct xattr *x)
{
	s->xattr_bytes -= sizeof(*x) + x->size;
	free(x->value);
	free(x);
}

void xattr_free(struct share_server *s, struct fid *fid)
{
	if (fid->xattr)
		drop(s, fid->xattr);
	fid->xattr = NULL;
}

/* ---- reading ---------------------------------------------------------------- */

static int load(struct share_server *s, struct fs_node *node, const char *name,
		struct xattr **out)
{
	int size = fs_xattr_get(node, name, NULL, 0), rc;

	if (size < 0)
		return size;
	rc = xattr_make(s, name, (size_t)size, out);
	if (rc)
		return rc;
	rc = size ? fs_xattr_get(node, name, (*out)->value, (size_t)size) : 0;
	if (rc >= 0)
		(*out)->written = (size_t)rc;
	else
		drop(s, *out);
	return rc < 0 ? rc : 0;
}

/* It may grow between the two looks. */
static int load_patiently(struct share_server *s, struct fs_node *node,
			  const char *name, struct xattr **out)
{
	int tries = 8, rc;

	do {
		rc = load(s, node, name, out);
	} while (rc == -ERANGE && --tries);
	return rc;
}

int serve_xattrwalk(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), new = p9_get32(&c->in);
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_string(&c->in, name, P9_NAME_MAX);
	struct fid *fid, *made;
	struct xattr *x;

	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (fid_known(s, new))
		return -EBADF;
	rc = load_patiently(s, fid->node, name, &x);
	if (rc)
		return rc;
	rc = fid_make(s, new, fid->uid, fs_get(fid->node), NULL, NULL);
	if (rc) {
		drop(s, x);
		return rc;
	}
	(void)fid_find(s, new, &made);
	made->xattr = x;
	p9_put64(&c->out, x->written);
	return 0;
}

int xattr_read(struct fid *fid, struct call *c, uint64_t offset, size_t n)
{
	const struct xattr *x = fid->xattr;

	if (x->writing)
		return -EBADF;
	if (offset >= x->written)
		return 0;
	if (n > x->written - offset)
		n = x->written - (size_t)offset;
	c->sunk = span_write(&c->sink, x->value + offset, n);
	return 0;
}

/* ---- writing ---------------------------------------------------------------- */

int serve_xattrcreate(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), flags;
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_string(&c->in, name, P9_NAME_MAX);
	uint64_t size = p9_get64(&c->in);
	struct fid *fid;

	flags = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	if (!*name || flags & ~(uint32_t)(P9_XATTR_CREATE | P9_XATTR_REPLACE))
		return -EINVAL;
	if (size > FS_XATTR_MAX)
		return -E2BIG;
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (fid->file || fid->xattr)
		return -EBADF;
	rc = xattr_make(s, name, (size_t)size, &fid->xattr);
	if (rc)
		return rc;
	fid->xattr->writing = true;
	fid->xattr->flags = flags;
	return 0;
}

/* From front to back. */
int xattr_write(struct fid *fid, struct call *c, uint64_t offset, size_t n)
{
	struct xattr *x = fid->xattr;

	if (!x->writing)
		return -EBADF;
	if (offset != x->written || n > x->size - x->written)
		return -EINVAL;
	span_read(&c->source, x->value + x->written, n);
	x->written += n;
	p9_put32(&c->out, (uint32_t)n);
	return 0;
}

/* Linux's client removes an attribute by replacing it by nothing. */
int xattr_finish(struct fid *fid)
{
	struct xattr *x = fid->xattr;

	if (!x->writing)
		return 0;
	if (x->written != x->size)
		return -EINVAL;
	if (!x->size && x->flags == P9_XATTR_REPLACE)
		return fs_xattr_remove(fid->node, x->name);
	return fs_xattr_set(fid->node, x->name, x->value, x->size, x->flags);
}
