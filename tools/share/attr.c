/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 9P: what files are, and what can be changed of that.
 */
#include "serve.h"

#include <errno.h>

static void put_time(struct p9_out *out, const struct fs_time *t)
{
	p9_put64(out, t->sec);
	p9_put64(out, t->nsec);
}

/* As Linux packs a device number into 32 bits. */
static uint64_t device_number(const struct fs_stat *st)
{
	return (st->minor & 0xff) | (uint64_t)(st->major & 0xfff) << 8 |
	       (uint64_t)(st->minor & 0xfff00) << 12;
}

/* Programs take it for the best size of their reads and writes: as many whole
 * blocks as one message holds. */
static uint64_t block_size(const struct share_server *s,
			   const struct fs_stat *st)
{
	uint32_t room = s->message_max - P9_WRITE_HEADER - 1;

	if (!st->block_size || st->block_size > room)
		return st->block_size;
	return room - room % st->block_size;
}

static void put_stat(const struct share_server *s, struct p9_out *out,
		     const struct fs_stat *st)
{
	p9_put32(out, st->mode);
	p9_put32(out, st->uid);
	p9_put32(out, st->gid);
	p9_put64(out, st->links);
	p9_put64(out, device_number(st));
	p9_put64(out, st->size);
	p9_put64(out, block_size(s, st));
	p9_put64(out, st->blocks);
	put_time(out, &st->atime);
	put_time(out, &st->mtime);
	put_time(out, &st->ctime);
	put_time(out, &st->btime);
	p9_put64(out, 0); /* generation */
	p9_put64(out, 0); /* data version */
}

/* All basic values, whatever was asked for. */
int serve_getattr(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	uint64_t mask = p9_get64(&c->in);
	struct fs_stat st;
	struct p9_qid qid;
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (!rc)
		rc = fs_stat(fid->node, &st);
	if (rc)
		return rc;
	mask = P9_GETATTR_BASIC |
	       (st.has_btime ? mask & P9_GETATTR_BTIME : 0);
	qid = qid_of(fid->node);
	p9_put64(&c->out, mask);
	p9_put_qid(&c->out, &qid);
	put_stat(s, &c->out, &st);
	return 0;
}

static void get_time(struct p9_in *in, struct fs_time *t)
{
	uint64_t nsec;

	t->sec = p9_get64(in);
	nsec = p9_get64(in);
	t->nsec = nsec > UINT32_MAX ? UINT32_MAX : (uint32_t)nsec;
}

int serve_setattr(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	struct fs_change change = { .set = p9_get32(&c->in) };
	struct fid *fid;
	int rc;

	change.mode = p9_get32(&c->in);
	change.uid = p9_get32(&c->in);
	change.gid = p9_get32(&c->in);
	change.size = p9_get64(&c->in);
	get_time(&c->in, &change.atime);
	get_time(&c->in, &change.mtime);
	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	return rc ? rc : fs_change(fid->node, fid->file, &change);
}

int serve_statfs(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	struct fs_room room;
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (!rc)
		rc = fs_room(fid->node, &room);
	if (rc)
		return rc;
	p9_put32(&c->out, P9_FS_MAGIC);
	p9_put32(&c->out, room.block_size);
	p9_put64(&c->out, room.blocks);
	p9_put64(&c->out, room.free);
	p9_put64(&c->out, room.available);
	p9_put64(&c->out, room.files);
	p9_put64(&c->out, room.files_free);
	p9_put64(&c->out, room.id);
	p9_put32(&c->out, room.name_max);
	return 0;
}

int serve_readlink(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	char target[FS_TARGET_MAX + 1];
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (!rc)
		rc = fs_readlink(fid->node, target);
	if (rc < 0)
		return rc;
	p9_put_string(&c->out, target, (size_t)rc);
	return 0;
}
