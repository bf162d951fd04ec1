/* SPDX-License-Identifier: GPL-2.0 */
#include "client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "test client: %s\n", what);
	abort();
}

/* Cuts [data, data + n) into pieces. */
static unsigned int cut(struct iovec *iov, unsigned int max, void *data,
			size_t n)
{
	unsigned int i;

	for (i = 0; n; i++) {
		size_t some = i + 1 == max || rand() % 8 == 0 ?
				      n :
				      1 + (size_t)rand() % (n < 40 ? n : n / 2);

		iov[i].iov_base = data;
		iov[i].iov_len = some;
		data = (char *)data + some;
		n -= some;
	}
	return i;
}

size_t client_raw(struct client *c, const void *data, size_t n)
{
	struct iovec request[16], answer[16];
	struct share_call call = { .request = request, .answer = answer };
	uint8_t *copy = malloc(n ? n : 1); /* ASan sees its end */
	size_t size;

	memcpy(copy, data, n);
	call.request_n = cut(request, 16, copy, n);
	call.request_size = n;
	call.answer_n = cut(answer, 16, c->answer, c->room);
	call.answer_size = c->room;
	size = share_serve(c->s, &call, &c->rule);
	free(copy);
	c->read = call.read;
	c->written = call.written;
	c->in = (struct p9_in){ c->answer, size, false };
	return size;
}

static void put_arguments(struct p9_out *out, const char *format, va_list ap)
{
	const char *s;
	const void *data;

	for (; *format; format++) {
		switch (*format) {
		case 'b':
			p9_put8(out, (uint8_t)va_arg(ap, int));
			break;
		case 'w':
			p9_put16(out, (uint16_t)va_arg(ap, int));
			break;
		case 'd':
			p9_put32(out, va_arg(ap, uint32_t));
			break;
		case 'q':
			p9_put64(out, va_arg(ap, uint64_t));
			break;
		case 's':
			s = va_arg(ap, const char *);
			p9_put_string(out, s, strlen(s));
			break;
		case 'D':
			data = va_arg(ap, const void *);
			p9_put_bytes(out, data, va_arg(ap, size_t));
			break;
		default:
			must(false, "a format that is unknown");
		}
	}
}

int ask(struct client *c, enum p9_type type, const char *format, ...)
{
	struct p9_out out = { c->request, P9_HEADER, sizeof(c->request), false };
	uint16_t tag = (uint16_t)rand();
	size_t size;
	va_list ap;
	int kind;

	va_start(ap, format);
	put_arguments(&out, format, ap);
	va_end(ap);
	must(!out.full, "a request too large");
	size = out.used;
	out.used = 0;
	p9_put32(&out, (uint32_t)size);
	p9_put8(&out, (uint8_t)type);
	p9_put16(&out, tag);
	size = client_raw(c, c->request, size);
	must(size >= P9_HEADER, c->rule ? c->rule : "an answer too short");
	must(p9_get32(&c->in) == size, "an answer with a wrong size");
	kind = p9_get8(&c->in);
	must(p9_get16(&c->in) == tag, "an answer with a wrong tag");
	if (kind == P9_RLERROR)
		return -(int)p9_get32(&c->in);
	must(kind == (int)type + 1, "an answer of a wrong type");
	return 0;
}

/* ---- messages --------------------------------------------------------------- */

void get_qid(struct p9_in *in, struct p9_qid *qid)
{
	qid->type = p9_get8(in);
	qid->version = p9_get32(in);
	qid->path = p9_get64(in);
}

int walk(struct client *c, uint32_t fid, uint32_t new, const char *path)
{
	uint8_t names[8192];
	struct p9_out out = { names, 0, sizeof(names), false };
	int n = 0, rc;

	while (*path) {
		size_t length = strcspn(path, "/");

		p9_put_string(&out, path, length);
		path += length + (path[length] == '/');
		n++;
	}
	rc = ask(c, P9_TWALK, "ddwD", fid, new, n, names, out.used);
	if (rc)
		return rc;
	return p9_get16(&c->in) == n ? 0 : -ENOENT;
}

int open_fid(struct client *c, uint32_t fid, uint32_t flags)
{
	return ask(c, P9_TLOPEN, "dd", fid, flags);
}

int create(struct client *c, uint32_t fid, const char *name, uint32_t flags,
	   uint32_t mode)
{
	return ask(c, P9_TLCREATE, "dsddd", fid, name, flags, mode, 0u);
}

int clunk(struct client *c, uint32_t fid)
{
	return ask(c, P9_TCLUNK, "d", fid);
}

int read_fid(struct client *c, uint32_t fid, uint64_t offset, void *data,
	     uint32_t n)
{
	int rc = ask(c, P9_TREAD, "dqd", fid, offset, n);
	uint32_t got;

	if (rc)
		return rc;
	got = p9_get32(&c->in);
	must(got <= n && got == c->in.left, "an Rread with a wrong count");
	memcpy(data, c->in.at, got);
	return (int)got;
}

int write_fid(struct client *c, uint32_t fid, uint64_t offset,
	      const void *data, uint32_t n)
{
	int rc = ask(c, P9_TWRITE, "dqdD", fid, offset, n, data, (size_t)n);

	return rc ? rc : (int)p9_get32(&c->in);
}

static void get_time(struct p9_in *in, uint64_t t[2])
{
	t[0] = p9_get64(in);
	t[1] = p9_get64(in);
}

int get_attributes(struct client *c, uint32_t fid, struct attributes *a)
{
	int rc = ask(c, P9_TGETATTR, "dq", fid, (uint64_t)0x3fff);

	if (rc)
		return rc;
	a->valid = p9_get64(&c->in);
	get_qid(&c->in, &a->qid);
	a->mode = p9_get32(&c->in);
	a->uid = p9_get32(&c->in);
	a->gid = p9_get32(&c->in);
	a->links = p9_get64(&c->in);
	a->rdev = p9_get64(&c->in);
	a->size = p9_get64(&c->in);
	a->block_size = p9_get64(&c->in);
	a->blocks = p9_get64(&c->in);
	get_time(&c->in, a->atime);
	get_time(&c->in, a->mtime);
	get_time(&c->in, a->ctime);
	get_time(&c->in, a->btime);
	must(!c->in.bad && c->in.left == 16, "an Rgetattr of a wrong size");
	return 0;
}

int set_attributes(struct client *c, uint32_t fid, uint32_t set,
		   const struct attributes *a)
{
	return ask(c, P9_TSETATTR, "dddddqqqqq", fid, set, a->mode, a->uid,
		   a->gid, a->size, a->atime[0], a->atime[1], a->mtime[0],
		   a->mtime[1]);
}

/* ---- its life --------------------------------------------------------------- */

struct client *client_with(const struct share_options *opt)
{
	struct client *c = calloc(1, sizeof(*c));
	struct error *err = NULL;

	must(c, "no memory");
	c->s = share_create(opt, &err);
	if (err)
		fprintf(stderr, "%s\n", err->text);
	must(c->s, "no server");
	must(!share_enter(c->s), "the server has no rights");
	c->room = ANSWER_MAX;
	must(!ask(c, P9_TVERSION, "ds", SHARE_MESSAGE_MAX, "9P2000.L"),
	     "no version");
	must(!ask(c, P9_TATTACH, "ddssd", ROOT, P9_NOFID, "root", "", 0u),
	     "cannot attach");
	return c;
}

struct client *client_new(const char *path, bool read_only)
{
	struct share_options opt = { { path, FS_KEEP, FS_KEEP, false },
				     read_only };

	return client_with(&opt);
}

void client_free(struct client *c)
{
	share_free(c->s);
	free(c);
}
