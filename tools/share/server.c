/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 9P server: messages in, messages out, and the table of all of them.
 */
#include "serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../os/errors.h"

#define VERSION "9P2000.L"
/* The smallest that a client may ask for; Linux's doesn't do with less. */
#define MESSAGE_MIN 4096

/* ---- session ---------------------------------------------------------------- */

int serve_version(struct share_server *s, struct call *c)
{
	uint32_t size = p9_get32(&c->in);
	char version[32];
	int rc = p9_get_string(&c->in, version, sizeof(version) - 1);

	if (c->in.bad || rc)
		return -EPROTO;
	fid_forget_all(s);
	s->message_max = 0;
	if (size > SHARE_MESSAGE_MAX)
		size = SHARE_MESSAGE_MAX;
	p9_put32(&c->out, size);
	if (strcmp(version, VERSION) || size < MESSAGE_MIN) {
		p9_put_string(&c->out, "unknown", strlen("unknown"));
		return 0;
	}
	s->message_max = size;
	p9_put_string(&c->out, VERSION, strlen(VERSION));
	return 0;
}

/* Whoever can send messages at all is the guest's kernel. */
int serve_auth(struct share_server *s, struct call *c)
{
	(void)s;
	(void)c;
	return -EOPNOTSUPP;
}

int serve_attach(struct share_server *s, struct call *c)
{
	uint32_t id = p9_get32(&c->in), auth = p9_get32(&c->in), uid;
	char user[P9_NAME_MAX + 1], what[P9_NAME_MAX + 1];
	int rc = p9_get_string(&c->in, user, P9_NAME_MAX);
	struct fs_node *root;
	struct p9_qid qid;

	if (!rc)
		rc = p9_get_string(&c->in, what, P9_NAME_MAX);
	uid = p9_get32(&c->in);
	if (c->in.bad || rc)
		return rc ? rc : -EPROTO;
	if (auth != P9_NOFID || fid_known(s, id))
		return -EBADF;
	if (*what && strcmp(what, "/"))
		return -ENOENT;
	rc = fs_root(s->fs, &root);
	if (rc)
		return rc;
	s->gone = false;
	qid = qid_of(root);
	rc = fid_make(s, id, uid == P9_NO_UID ? 0 : uid, root, NULL, NULL);
	p9_put_qid(&c->out, &qid);
	return rc;
}

/* One request after the other: what is to be flushed has been answered. */
int serve_flush(struct share_server *s, struct call *c)
{
	(void)s;
	p9_get16(&c->in);
	return c->in.bad ? -EPROTO : 0;
}

/* ---- the table -------------------------------------------------------------- */

#define CHANGES 1 /* not on a read-only share */
#define FIRST	2 /* before a version is agreed upon, too */

static const struct {
	message *serve;
	unsigned int flags;
} messages[128] = {
	[P9_TSTATFS] = { serve_statfs, 0 },
	[P9_TLOPEN] = { serve_lopen, 0 },
	[P9_TLCREATE] = { serve_lcreate, CHANGES },
	[P9_TSYMLINK] = { serve_symlink, CHANGES },
	[P9_TMKNOD] = { serve_mknod, CHANGES },
	[P9_TRENAME] = { serve_rename, CHANGES },
	[P9_TREADLINK] = { serve_readlink, 0 },
	[P9_TGETATTR] = { serve_getattr, 0 },
	[P9_TSETATTR] = { serve_setattr, CHANGES },
	[P9_TXATTRWALK] = { serve_xattrwalk, 0 },
	[P9_TXATTRCREATE] = { serve_xattrcreate, CHANGES },
	[P9_TREADDIR] = { serve_readdir, 0 },
	[P9_TFSYNC] = { serve_fsync, 0 },
	[P9_TLOCK] = { serve_lock, 0 },
	[P9_TGETLOCK] = { serve_getlock, 0 },
	[P9_TLINK] = { serve_link, CHANGES },
	[P9_TMKDIR] = { serve_mkdir, CHANGES },
	[P9_TRENAMEAT] = { serve_renameat, CHANGES },
	[P9_TUNLINKAT] = { serve_unlinkat, CHANGES },
	[P9_TVERSION] = { serve_version, FIRST },
	[P9_TAUTH] = { serve_auth, 0 },
	[P9_TATTACH] = { serve_attach, 0 },
	[P9_TFLUSH] = { serve_flush, 0 },
	[P9_TWALK] = { serve_walk, 0 },
	[P9_TREAD] = { serve_read, 0 },
	[P9_TWRITE] = { serve_write, CHANGES },
	[P9_TCLUNK] = { serve_clunk, 0 },
	/* Forgets its fid on a read-only share, too: it looks itself. */
	[P9_TREMOVE] = { serve_remove, 0 },
};

static int dispatch(struct share_server *s, uint8_t type, struct call *c)
{
	if (type >= 128 || !messages[type].serve)
		return -EOPNOTSUPP;
	if (!s->message_max && !(messages[type].flags & FIRST))
		return -EPROTO;
	if (s->read_only && messages[type].flags & CHANGES)
		return -EROFS;
	return messages[type].serve(s, c);
}

/* ---- one request ------------------------------------------------------------ */

/* What the host is to blame for, and `colinux info` tells. */
static void note_error(struct share_server *s, int error)
{
	switch (error) {
	case EIO:
	case ENOMEM:
	case ENODEV:
	case ENFILE:
	case EMFILE:
	case ENOSPC:
	case EDQUOT:
	case ESTALE:
	case ETIMEDOUT:
	case ENOTCONN:
	case EUCLEAN:
	case EREMOTEIO:
		s->errors++;
		s->last_error = error;
	}
}

/* Reads what belongs into the buffer: all but the data of Twrite. */
static const char *take_message(struct share_server *s, struct call *c,
				uint8_t *type, uint16_t *tag)
{
	struct p9_in *in = &c->in;
	size_t limit = s->message_max ? s->message_max : SHARE_MESSAGE_MAX;
	size_t size, rest;

	in->at = s->request;
	in->left = span_read(&c->source, s->request, P9_HEADER);
	size = p9_get32(in);
	*type = p9_get8(in);
	*tag = p9_get16(in);
	if (in->bad)
		return "a message without a header";
	if (size < P9_HEADER || size - P9_HEADER > c->source.size)
		return "a message that is shorter than it says";
	if (size > limit)
		return "a message that is longer than agreed upon";
	if (c->sink.size < P9_ERROR_SIZE)
		return "a message without room for an answer";
	span_cut(&c->source, size - P9_HEADER);
	rest = *type == P9_TWRITE ? P9_WRITE_HEADER - P9_HEADER :
				    c->source.size;
	in->left = span_read(&c->source, s->request, rest);
	in->at = s->request;
	return NULL;
}

static void put_error(struct p9_out *out, int error)
{
	out->used = P9_HEADER;
	out->full = false;
	p9_put32(out, (uint32_t)errno_to_linux(error));
}

static void put_header(struct p9_out *out, size_t size, uint8_t type,
		       uint16_t tag)
{
	size_t used = out->used;

	out->used = 0;
	p9_put32(out, (uint32_t)size);
	p9_put8(out, type);
	p9_put16(out, tag);
	out->used = used;
}

/* The room behind the header of Rread, by a vector of its own: the header is
 * written when it's known how it went. */
static struct span data_room(struct share_server *s, const struct span *answer)
{
	struct span room = span_copy(answer, s->data);

	span_skip(&room, P9_DATA_HEADER);
	return room;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t share_serve(struct share_server *s, struct share_call *io,
		   const char **rule)
{
	struct span answer = { io->answer, io->answer_n, io->answer_size };
	struct call c = {
		.source = { io->request, io->request_n, io->request_size },
		.sink = answer,
		.io = io,
	};
	uint8_t type;
	uint16_t tag;
	int rc;

	io->read = io->written = 0;
	*rule = take_message(s, &c, &type, &tag);
	if (*rule)
		return 0;
	c.sink = data_room(s, &answer);
	c.out = (struct p9_out){
		.data = s->answer,
		.used = P9_HEADER,
		.size = min_size(answer.size, s->message_max ?
						      s->message_max :
						      SHARE_MESSAGE_MAX),
	};
	rc = dispatch(s, type, &c);
	if (!rc && c.out.full)
		rc = -EMSGSIZE;
	if (rc) {
		note_error(s, -rc);
		put_error(&c.out, -rc);
		type = P9_RLERROR - 1;
		c.sunk = 0;
	}
	put_header(&c.out, c.out.used + c.sunk, (uint8_t)(type + 1), tag);
	span_write(&answer, s->answer, c.out.used);
	return c.out.used + c.sunk;
}

/* ---- its life --------------------------------------------------------------- */

struct share_server *share_create(const struct share_options *opt,
				  struct error **err)
{
	struct share_server *s = calloc(1, sizeof(*s));

	if (!s) {
		error_set(err, ENOMEM, "%s", opt->fs.path);
		return NULL;
	}
	s->read_only = opt->read_only;
	s->fs = fs_create(&opt->fs, err);
	if (s->fs)
		return s;
	free(s);
	return NULL;
}

void share_free(struct share_server *s)
{
	if (!s)
		return;
	share_reset(s);
	fs_free(s->fs);
	free(s);
}

int share_enter(struct share_server *s)
{
	return fs_enter(s->fs);
}

void share_look(struct share_server *s)
{
	if (s->gone || fs_in_place(s->fs))
		return;
	fs_abandon(s->fs);
	s->gone = true;
}

void share_reset(struct share_server *s)
{
	fid_forget_all(s);
	s->message_max = 0;
}

void share_get_state(const struct share_server *s, struct share_state *state)
{
	*state = (struct share_state){ s->gone, s->fids, s->errors,
				       s->last_error };
}
