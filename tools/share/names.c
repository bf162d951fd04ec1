/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 9P: names in directories.
 */
#include "serve.h"

#include <errno.h>

static int put_new(struct fid *dir, const char *name, struct call *c)
{
	struct fs_node *node;
	struct p9_qid qid;
	int rc = fs_walk(dir->node, name, &node);

	if (rc)
		return rc;
	qid = qid_of(node);
	fs_put(node);
	p9_put_qid(&c->out, &qid);
	return 0;
}

int serve_symlink(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	char name[P9_NAME_MAX + 1], target[FS_TARGET_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fs_new new = { 0 };
	struct fid *dir;

	if (!rc)
		rc = p9_get_string(&c->in, target, FS_TARGET_MAX);
	new.gid = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, id, &dir);
	if (rc)
		return rc;
	new.uid = dir->uid;
	rc = fs_symlink(dir->node, name, &new, target);
	return rc ? rc : put_new(dir, name, c);
}

int serve_mknod(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), major, minor;
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fs_new new;
	struct fid *dir;

	new.mode = p9_get32(&c->in);
	major = p9_get32(&c->in);
	minor = p9_get32(&c->in);
	new.gid = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, id, &dir);
	if (rc)
		return rc;
	new.uid = dir->uid;
	rc = fs_mknod(dir->node, name, &new, major, minor);
	return rc ? rc : put_new(dir, name, c);
}

int serve_mkdir(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fs_new new;
	struct fid *dir;

	new.mode = p9_get32(&c->in);
	new.gid = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, id, &dir);
	if (rc)
		return rc;
	new.uid = dir->uid;
	rc = fs_mkdir(dir->node, name, &new);
	return rc ? rc : put_new(dir, name, c);
}

int serve_link(struct share_server *s, struct call *c)
{
	uint32_t to = p9_get32(&c->in), from = p9_get32(&c->in);
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fid *dir, *fid;

	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, to, &dir);
	if (!rc)
		rc = fid_find(s, from, &fid);
	return rc ? rc : fs_link(dir->node, name, fid->node);
}

/* Of a fid that may have got another name since: then this one isn't it. */
static int rename_fid(struct fid *fid, struct fid *dir, const char *name)
{
	int rc;

	if (!fid->parent)
		return -EBUSY;
	if (!fs_is(fid->parent, fid->name, fid->node))
		return -ESTALE;
	rc = fs_rename(fid->parent, fid->name, dir->node, name);
	if (rc)
		return rc;
	return fid_move(fid, fs_get(fid->node), fs_get(dir->node), name);
}

int serve_rename(struct share_server *s, struct call *c)
{
	uint32_t from = p9_get32(&c->in), to = p9_get32(&c->in);
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fid *dir, *fid;

	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, from, &fid);
	if (!rc)
		rc = fid_find(s, to, &dir);
	return rc ? rc : rename_fid(fid, dir, name);
}

int serve_renameat(struct share_server *s, struct call *c)
{
	uint32_t from_id = p9_get32(&c->in), to_id;
	char old[P9_NAME_MAX + 1], new[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, old);
	struct fid *from, *to;

	to_id = p9_get32(&c->in);
	if (!rc)
		rc = p9_get_name(&c->in, new);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, from_id, &from);
	if (!rc)
		rc = fid_find(s, to_id, &to);
	return rc ? rc : fs_rename(from->node, old, to->node, new);
}

int serve_unlinkat(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), flags;
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fid *dir;

	flags = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, id, &dir);
	return rc ? rc :
		    fs_unlink(dir->node, name, flags & P9_AT_REMOVEDIR);
}
