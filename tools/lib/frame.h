/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames: how console and exec streams travel on the control socket (after the
 * answer to `attach` or `exec`) and between daemon and guest agent. Prose in
 * docs/protocol.md. No library but libc: the agent uses this file, too.
 */
#ifndef CO_TOOLS_FRAME_H
#define CO_TOOLS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* type:8 zero:24 stream:32 length:32, little-endian, then length bytes */
#define FRAME_HEADER 12
#define FRAME_MAX    32768 /* bytes of payload */
/* Bytes of input, or of output, that may be under way without a WINDOW. */
#define FRAME_WINDOW_SIZE 65536
#define FRAME_STREAMS	  16 /* commands that the agent runs at once */

enum frame_type {
	FRAME_HELLO = 1,     /* agent: text "colinux-agent <protocol>" */
	FRAME_ARGV = 2,	     /* to agent: NUL-terminated words; starts a stream */
	FRAME_SHELL = 3,     /* to agent: text for /bin/sh -c; starts a stream */
	FRAME_INPUT = 4,     /* bytes for the console or for stdin */
	FRAME_INPUT_END = 5, /* stdin ends here */
	FRAME_OUTPUT = 6,    /* bytes from the console or from stdout */
	FRAME_ERRORS = 7,    /* bytes from stderr */
	FRAME_WINDOW = 8,    /* u32: so many bytes were consumed */
	FRAME_EXIT = 9,	     /* u32: exit status, or 128 + signal; ends a stream */
	FRAME_FAIL = 10,     /* text: why there is no command; ends a stream */
	FRAME_SIGNAL = 11,   /* u32: signal number for the command's group */
	FRAME_RESIZE = 12,   /* u16 columns, u16 rows */
	FRAME_END = 13,	     /* text: the VM's verdict; ends the connection */
	FRAME_CLOSE = 14,    /* to agent: the client has gone; ends a stream */
	FRAME_TYPES
};

struct frame {
	enum frame_type type;
	uint32_t stream;
	const uint8_t *data;
	uint32_t length;
};

/* Puts header and payload (n <= FRAME_MAX) at `out`; returns the bytes put. */
size_t frame_put(uint8_t *out, enum frame_type type, uint32_t stream,
		 const void *data, size_t n);
size_t frame_put_u32(uint8_t *out, enum frame_type type, uint32_t stream,
		     uint32_t value);
/* The payload as a number; 0 when it isn't four bytes. */
uint32_t frame_u32(const struct frame *f);

struct frame_reader {
	uint8_t buffer[FRAME_HEADER + FRAME_MAX];
	size_t have;
};

/* Takes bytes of a stream and calls `fn` for each whole frame. False when what
 * came is no frame, or fn returned false: the stream can't be used any more. */
bool frame_feed(struct frame_reader *r, const uint8_t *data, size_t n,
		bool (*fn)(void *arg, const struct frame *f), void *arg);

#endif
