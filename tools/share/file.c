/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 9P: open files.
 */
#include "serve.h"

#include <errno.h>
#include <string.h>

#define ENTRY_HEADER (P9_QID_SIZE + 8 + 1 + 2)
#define DT_DIRECTORY 4 /* as <dirent.h> has them */
#define DT_LINK	     10

/* ---- opening ---------------------------------------------------------------- */

static bool writes(uint32_t flags)
{
	return flags & (P9_O_ACCESS | P9_O_TRUNC);
}

/* qid[13] iounit[4]; 0: as much as a message holds. */
static void put_opened(struct call *c, const struct fid *fid)
{
	struct p9_qid qid = qid_of(fid->node);

	p9_put_qid(&c->out, &qid);
	p9_put32(&c->out, 0);
}

int serve_lopen(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), flags = p9_get32(&c->in);
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (fid->file || fid->xattr)
		return -EBADF;
	if (s->read_only && writes(flags))
		return -EROFS;
	rc = fs_open(fid->node, flags, &fid->file);
	if (!rc)
		put_opened(c, fid);
	return rc;
}

/* The fid of the directory becomes that of the file. */
static int become_new(struct fid *fid, const char *name, uint32_t flags,
		      const struct fs_new *new)
{
	struct fs_node *node;
	struct fs_file *file;
	int rc = fs_open_new(fid->node, name, flags, new, &node, &file);

	if (rc)
		return rc;
	rc = fid_move(fid, node, fs_get(fid->node), name);
	if (rc)
		fs_close(file);
	else
		fid->file = file;
	return rc;
}

int serve_lcreate(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), flags;
	char name[P9_NAME_MAX + 1];
	int rc = p9_get_name(&c->in, name);
	struct fs_new new;
	struct fid *fid;

	flags = p9_get32(&c->in);
	new.mode = p9_get32(&c->in) & 07777;
	new.gid = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (fid->file || fid->xattr)
		return -EBADF;
	new.uid = fid->uid;
	rc = become_new(fid, name, flags, &new);
	if (!rc)
		put_opened(c, fid);
	return rc;
}

/* ---- data ------------------------------------------------------------------- */

static int open_fid(struct share_server *s, uint32_t id, struct fid **fid)
{
	int rc = fid_find(s, id, fid);

	return rc || (*fid)->file ? rc : -EBADF;
}

static int read_file(struct fid *fid, struct call *c, uint64_t offset,
		     size_t n)
{
	int64_t done;

	if (fs_kind(fid->node) == FS_DIRECTORY)
		return -EISDIR;
	span_cut(&c->sink, n);
	done = n ? fs_read(fid->file, c->sink.iov, c->sink.n, offset) : 0;
	if (done < 0)
		return (int)done;
	c->sunk = (size_t)done;
	c->io->read = c->sunk;
	return 0;
}

/* The data goes straight to where the guest wants it. */
int serve_read(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	uint64_t offset = p9_get64(&c->in);
	size_t n = p9_get32(&c->in), room = c->out.size - c->out.used;
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (!fid->file && !fid->xattr)
		return -EBADF;
	if (room < 4)
		return -EMSGSIZE;
	if (n > room - 4)
		n = room - 4;
	rc = fid->xattr ? xattr_read(fid, c, offset, n) :
			  read_file(fid, c, offset, n);
	p9_put32(&c->out, (uint32_t)c->sunk);
	return rc;
}

static int write_file(struct fid *fid, struct call *c, uint64_t offset)
{
	int64_t done = 0;

	if (c->source.size)
		done = fs_write(fid->file, c->source.iov, c->source.n, offset);
	if (done < 0)
		return (int)done;
	c->io->written = (uint64_t)done;
	p9_put32(&c->out, (uint32_t)done);
	return 0;
}

int serve_write(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	uint64_t offset = p9_get64(&c->in);
	size_t n = p9_get32(&c->in);
	struct fid *fid;
	int rc;

	if (c->in.bad || n > c->source.size)
		return -EPROTO;
	span_cut(&c->source, n);
	rc = fid_find(s, id, &fid);
	if (rc)
		return rc;
	if (fid->xattr)
		return xattr_write(fid, c, offset, n);
	return fid->file ? write_file(fid, c, offset) : -EBADF;
}

int serve_fsync(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), data_only = p9_get32(&c->in);
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = open_fid(s, id, &fid);
	return rc ? rc : fs_sync(fid->file, data_only);
}

/* ---- entries of a directory ------------------------------------------------- */

struct listing {
	struct p9_out *out;
	bool too_small; /* not even one entry */
	size_t begin;
};

static uint8_t qid_type(uint8_t type)
{
	if (type == DT_DIRECTORY)
		return P9_QID_DIR;
	return type == DT_LINK ? P9_QID_SYMLINK : 0;
}

static bool put_entry(void *arg, const struct fs_entry *e)
{
	struct listing *l = arg;
	struct p9_qid qid = { qid_type(e->type), 0, e->number };
	size_t n = strlen(e->name);

	if (l->out->size - l->out->used < ENTRY_HEADER + n) {
		l->too_small = l->out->used == l->begin;
		return false;
	}
	p9_put_qid(l->out, &qid);
	p9_put64(l->out, e->next);
	p9_put8(l->out, e->type);
	p9_put_string(l->out, e->name, n);
	return true;
}

static void patch32(uint8_t *at, uint32_t value)
{
	struct p9_out out = { at, 0, 4, false };

	p9_put32(&out, value);
}

int serve_readdir(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	uint64_t offset = p9_get64(&c->in);
	size_t n = p9_get32(&c->in);
	struct listing l = { .out = &c->out };
	struct fid *fid;
	int rc;

	if (c->in.bad)
		return -EPROTO;
	rc = open_fid(s, id, &fid);
	if (rc)
		return rc;
	p9_put32(&c->out, 0);
	if (c->out.full)
		return -EMSGSIZE;
	if (n < c->out.size - c->out.used)
		c->out.size = c->out.used + n;
	l.begin = c->out.used;
	rc = fs_list(fid->file, offset, put_entry, &l);
	if (rc || l.too_small)
		return rc ? rc : -EINVAL;
	patch32(c->out.data + P9_HEADER, (uint32_t)(c->out.used - l.begin));
	return 0;
}

/* ---- locks ------------------------------------------------------------------ */

#define CLIENT_MAX 1024

/* Who waits is told that it's taken, and asks again. */
int serve_lock(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	struct fs_lock lock = { .type = p9_get8(&c->in) };
	char client[CLIENT_MAX + 1];
	struct fid *fid;
	int rc;

	p9_get32(&c->in); /* may it wait? */
	lock.start = p9_get64(&c->in);
	lock.length = p9_get64(&c->in);
	p9_get32(&c->in); /* the process; the guest's kernel has sorted them */
	rc = p9_get_string(&c->in, client, CLIENT_MAX);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = open_fid(s, id, &fid);
	if (rc)
		return rc;
	rc = fs_lock(fid->file, &lock);
	p9_put8(&c->out, rc ? P9_LOCK_BLOCKED : P9_LOCK_SUCCESS);
	return rc == -EAGAIN ? 0 : rc;
}

int serve_getlock(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in);
	struct fs_lock lock = { .type = p9_get8(&c->in) };
	char client[CLIENT_MAX + 1];
	struct fid *fid;
	int rc;

	lock.start = p9_get64(&c->in);
	lock.length = p9_get64(&c->in);
	lock.process = p9_get32(&c->in);
	rc = p9_get_string(&c->in, client, CLIENT_MAX);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	rc = open_fid(s, id, &fid);
	if (!rc)
		rc = fs_lock_test(fid->file, &lock);
	p9_put8(&c->out, lock.type);
	p9_put64(&c->out, lock.start);
	p9_put64(&c->out, lock.length);
	p9_put32(&c->out, lock.process);
	p9_put_string(&c->out, client, strlen(client));
	return rc;
}
