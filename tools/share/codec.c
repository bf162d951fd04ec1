/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes of 9P messages.
 */
#include "p9.h"

#include <errno.h>
#include <string.h>

static uint64_t get(struct p9_in *in, unsigned int bytes)
{
	uint64_t value = 0;
	unsigned int i;

	if (in->bad || in->left < bytes) {
		in->bad = true;
		return 0;
	}
	for (i = 0; i < bytes; i++)
		value |= (uint64_t)in->at[i] << (8 * i);
	in->at += bytes;
	in->left -= bytes;
	return value;
}

uint8_t p9_get8(struct p9_in *in)
{
	return (uint8_t)get(in, 1);
}

uint16_t p9_get16(struct p9_in *in)
{
	return (uint16_t)get(in, 2);
}

uint32_t p9_get32(struct p9_in *in)
{
	return (uint32_t)get(in, 4);
}

uint64_t p9_get64(struct p9_in *in)
{
	return get(in, 8);
}

int p9_get_string(struct p9_in *in, char *to, size_t max)
{
	size_t n = p9_get16(in);
	const uint8_t *from = in->at;

	*to = 0;
	if (in->bad || n > in->left) {
		in->bad = true;
		return -EPROTO;
	}
	in->at += n;
	in->left -= n;
	if (n > max)
		return -ENAMETOOLONG;
	if (memchr(from, 0, n))
		return -EINVAL;
	memcpy(to, from, n);
	to[n] = 0;
	return 0;
}

int p9_get_name(struct p9_in *in, char name[P9_NAME_MAX + 1])
{
	int rc = p9_get_string(in, name, P9_NAME_MAX);

	if (rc)
		return rc;
	if (!*name || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return -EINVAL;
	return 0;
}

static void put(struct p9_out *out, uint64_t value, unsigned int bytes)
{
	if (out->full || out->size - out->used < bytes) {
		out->full = true;
		return;
	}
	for (; bytes; bytes--, value >>= 8)
		out->data[out->used++] = (uint8_t)value;
}

void p9_put8(struct p9_out *out, uint8_t value)
{
	put(out, value, 1);
}

void p9_put16(struct p9_out *out, uint16_t value)
{
	put(out, value, 2);
}

void p9_put32(struct p9_out *out, uint32_t value)
{
	put(out, value, 4);
}

void p9_put64(struct p9_out *out, uint64_t value)
{
	put(out, value, 8);
}

void p9_put_bytes(struct p9_out *out, const void *data, size_t n)
{
	if (out->full || out->size - out->used < n) {
		out->full = true;
		return;
	}
	if (n)
		memcpy(out->data + out->used, data, n);
	out->used += n;
}

void p9_put_string(struct p9_out *out, const char *s, size_t n)
{
	p9_put16(out, (uint16_t)n);
	p9_put_bytes(out, s, n);
}

void p9_put_qid(struct p9_out *out, const struct p9_qid *qid)
{
	p9_put8(out, qid->type);
	p9_put32(out, qid->version);
	p9_put64(out, qid->path);
}
