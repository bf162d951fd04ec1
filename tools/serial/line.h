/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of coserial: the line that carries bytes (serial.c) and the ends, which
 * find a descriptor for it, again and again (ends.c).
 */
#ifndef CO_TOOLS_SERIAL_LINE_H
#define CO_TOOLS_SERIAL_LINE_H

#include "../lib/text.h"
#include "serial.h"

struct serial_end {
	const char *kind;
	/* The first try. -1 and an error: what the user wrote can't be right. */
	int (*start)(struct serial *s, struct error **err);
	/* The connection has ended: look for the next. */
	void (*again)(struct serial *s);
	/* For good; `end_fd`, if any, is closed by the caller. */
	void (*stop)(struct serial *s);
	bool input_apart; /* its end says nothing about the output's */
};

struct serial {
	uv_loop_t *loop;
	struct console *port;
	struct console_reader reader;
	char *name;
	const struct config_serial *line;
	const struct serial_end *end;

	/* The connection: descriptors and their watchers; -1 and NULL: none. */
	int in_fd, out_fd;
	uv_poll_t *in, *out;
	uv_timer_t *patience; /* while held; also: has he gone for good? */
	bool input_ended;
	uint8_t *pending; /* input that the console didn't take yet */
	size_t pending_at, pending_end;
	struct text kept; /* output, from kept_at on */
	size_t kept_at;
	bool held;
	bool stalled; /* the end stands still, output is lost */
	uint64_t lost;

	/* The end's own. */
	int end_fd; /* listener, master of a pseudo terminal; -1: none */
	uv_poll_t *listening;
	uv_timer_t *retry;
	char *place;	  /* where it is, if that isn't the configured path */
	char *link;	  /* that we made */
	int stdio_flags[2]; /* as they were */
	char why[200];
};

extern const struct serial_end serial_ends[]; /* by enum serial_kind */

/* A connection is there, by two descriptors of ours, closed with it. */
void serial_connect(struct serial *s, int in_fd, int out_fd);
/* It isn't any more; why in words, or NULL. The end looks for the next. */
void serial_disconnect(struct serial *s, const char *why);
static inline bool serial_connected(const struct serial *s)
{
	return s->out_fd >= 0;
}

/* Handles of the loop that are freed when it has closed them; *p becomes NULL. */
uv_poll_t *serial_watch(struct serial *s, int fd);
void serial_unwatch(uv_poll_t **p);
uv_timer_t *serial_timer(struct serial *s);
void serial_untimer(uv_timer_t **p);

#endif
