// SPDX-License-Identifier: GPL-2.0
#include "frame.h"

#include <string.h>

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

size_t frame_put(uint8_t *out, enum frame_type type, uint32_t stream,
		 const void *data, size_t n)
{
	put32(out, type);
	put32(out + 4, stream);
	put32(out + 8, (uint32_t)n);
	if (n)
		memcpy(out + FRAME_HEADER, data, n);
	return FRAME_HEADER + n;
}

size_t frame_put_u32(uint8_t *out, enum frame_type type, uint32_t stream,
		     uint32_t value)
{
	uint8_t payload[4];

	put32(payload, value);
	return frame_put(out, type, stream, payload, sizeof(payload));
}

uint32_t frame_u32(const struct frame *f)
{
	return f->length == 4 ? get32(f->data) : 0;
}

/* How many bytes the frame at the buffer's start needs, 0 if it is none. */
static size_t frame_size(const struct frame_reader *r)
{
	uint32_t type, length;

	if (r->have < FRAME_HEADER)
		return FRAME_HEADER;
	type = get32(r->buffer);
	length = get32(r->buffer + 8);
	if (!type || type >= FRAME_TYPES || length > FRAME_MAX)
		return 0;
	return FRAME_HEADER + length;
}

static bool frame_deliver(struct frame_reader *r,
			  bool (*fn)(void *arg, const struct frame *f),
			  void *arg)
{
	struct frame f = {
		.type = (enum frame_type)get32(r->buffer),
		.stream = get32(r->buffer + 4),
		.data = r->buffer + FRAME_HEADER,
		.length = get32(r->buffer + 8),
	};

	r->have = 0;
	return fn(arg, &f);
}

bool frame_feed(struct frame_reader *r, const uint8_t *data, size_t n,
		bool (*fn)(void *arg, const struct frame *f), void *arg)
{
	size_t size, part;

	for (;;) {
		size = frame_size(r);
		if (!size)
			return false;
		if (r->have >= FRAME_HEADER && r->have == size) {
			if (!frame_deliver(r, fn, arg))
				return false;
			continue;
		}
		if (!n)
			return true;
		part = size - r->have < n ? size - r->have : n;
		memcpy(r->buffer + r->have, data, part);
		r->have += part;
		data += part;
		n -= part;
	}
}
