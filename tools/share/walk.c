/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 9P: from file to file by name, and the end of fids.
 */
#include "serve.h"

#include <errno.h>
#include <string.h>

/* Where a walk has come to. */
struct place {
	struct fs_node *node, *parent;
	char name[P9_NAME_MAX + 1];
};

static int step(struct place *at, struct p9_in *in)
{
	char name[P9_NAME_MAX + 1];
	struct fs_node *next;
	int rc = p9_get_name(in, name);

	if (rc)
		return rc;
	rc = fs_walk(at->node, name, &next);
	if (rc)
		return rc;
	fs_put(at->parent);
	at->parent = at->node;
	at->node = next;
	strcpy(at->name, name);
	return 0;
}

static int settle_at(struct share_server *s, struct fid *from, uint32_t id,
		     struct place *at)
{
	const char *name = at->parent ? at->name : NULL;

	if (id == from->id)
		return fid_move(from, at->node, at->parent, name);
	return fid_make(s, id, from->uid, at->node, at->parent, name);
}

/* The steps that went well are told, and only a whole walk makes the new fid. */
static int walk(struct share_server *s, struct call *c, struct fid *from,
		uint32_t id, unsigned int names)
{
	struct place at = { fs_get(from->node), NULL, "" };
	size_t count_at = c->out.used;
	unsigned int done;
	struct p9_qid qid;
	int rc = 0;

	if (from->parent) {
		at.parent = fs_get(from->parent);
		strcpy(at.name, from->name);
	}
	p9_put16(&c->out, 0);
	for (done = 0; done < names; done++) {
		rc = step(&at, &c->in);
		if (rc)
			break;
		qid = qid_of(at.node);
		p9_put_qid(&c->out, &qid);
	}
	if (!c->out.full)
		c->out.data[count_at] = (uint8_t)done;
	if (!rc && !c->out.full)
		return settle_at(s, from, id, &at);
	fs_put(at.node);
	fs_put(at.parent);
	return done && !c->in.bad ? 0 : rc;
}

int serve_walk(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), new = p9_get32(&c->in);
	unsigned int names = p9_get16(&c->in);
	struct fid *fid;
	int rc;

	if (c->in.bad || names > P9_WALK_MAX)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (fid->xattr || (new != id && fid_known(s, new)) ||
	    (new == id && names && fid->file))
		return -EBADF;
	return walk(s, c, fid, new, names);
}

/* The fid is gone in any case. What a file system has to say when a file is
 * closed came with the writing, or comes with fsync: as on Linux itself, but for
 * an extended attribute that is set now. */
int serve_clunk(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc == -EBADF)
		return rc;
	if (!rc && fid->xattr)
		rc = xattr_finish(fid);
	fid_forget(s, fid);
	return rc == -ESTALE ? 0 : rc;
}

int serve_remove(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc == -EBADF)
		return rc;
	if (!rc && s->read_only)
		rc = -EROFS;
	if (!rc && !fid->parent)
		rc = -EBUSY;
	if (!rc && !fs_is(fid->parent, fid->name, fid->node))
		rc = -ESTALE; /* it has another name by now */
	if (!rc)
		rc = fs_unlink(fid->parent, fid->name,
			       fs_kind(fid->node) == FS_DIRECTORY);
	fid_forget(s, fid);
	return rc;
}
