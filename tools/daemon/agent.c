// SPDX-License-Identifier: GPL-2.0
/*
 * All commands share one port. What a command's input may have under way is
 * bounded by its window (exec.c), what its output may by the client's; the queue
 * here is bounded besides, against clients that send only signals.
 */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/version.h"

#define QUEUE_MAX (4u << 20)
#define RETRY_MS  5

enum agent_state { AGENT_AWAY, AGENT_OPEN, AGENT_READY, AGENT_BROKEN };

struct agent {
	struct daemon *d;
	struct console_reader reader;
	uv_timer_t *timer;
	enum agent_state state;
	bool complained;
	struct frame_reader frames;
	struct text queue;
	uint32_t last; /* stream number given out */
	struct {
		uint32_t stream; /* 0: free */
		struct connection *c;
	} slot[FRAME_STREAMS];
};

static struct connection *find(struct agent *a, uint32_t stream)
{
	size_t i;

	for (i = 0; stream && i < FRAME_STREAMS; i++)
		if (a->slot[i].stream == stream)
			return a->slot[i].c;
	return NULL;
}

static void release(struct agent *a, uint32_t stream)
{
	size_t i;

	for (i = 0; i < FRAME_STREAMS; i++)
		if (a->slot[i].stream == stream)
			a->slot[i].stream = 0;
}

static void fail_all(struct agent *a, const char *why)
{
	struct frame f = { .type = FRAME_FAIL,
			   .data = (const uint8_t *)why,
			   .length = (uint32_t)strlen(why) };
	size_t i;

	for (i = 0; i < FRAME_STREAMS; i++) {
		if (!a->slot[i].stream)
			continue;
		a->slot[i].stream = 0;
		exec_from_agent(a->slot[i].c, &f);
	}
}

/* ---- towards the guest ----------------------------------------------------- */

static void push(uv_timer_t *timer)
{
	struct agent *a = timer->data;
	size_t taken = 1;

	while (taken && a->queue.length) {
		taken = console_input(a->d->agent_port,
				      (const uint8_t *)a->queue.data,
				      a->queue.length);
		text_drop(&a->queue, taken);
	}
	if (a->queue.length)
		uv_timer_start(a->timer, push, RETRY_MS, 0);
}

bool agent_send(struct agent *a, enum frame_type type, uint32_t stream,
		const void *data, size_t n)
{
	uint8_t buffer[FRAME_HEADER + FRAME_MAX];
	bool idle = !a->queue.length;

	if (a->state != AGENT_READY)
		return true; /* its streams have failed already */
	if (a->queue.length + n + FRAME_HEADER > QUEUE_MAX)
		return false;
	text_add(&a->queue, buffer, frame_put(buffer, type, stream, data, n));
	if (idle)
		push(a->timer);
	return true;
}

bool agent_ready(const struct agent *a)
{
	return a->state == AGENT_READY;
}

uint32_t agent_open(struct agent *a, struct connection *c)
{
	size_t i;

	for (i = 0; i < FRAME_STREAMS; i++) {
		if (a->slot[i].stream)
			continue;
		if (!++a->last)
			a->last = 1;
		a->slot[i].stream = a->last;
		a->slot[i].c = c;
		return a->last;
	}
	return 0;
}

void agent_leave(struct agent *a, uint32_t stream)
{
	if (!find(a, stream))
		return;
	release(a, stream);
	if (!agent_send(a, FRAME_CLOSE, stream, NULL, 0))
		say(a->d, 0, "the agent doesn't read: a command may go on");
}

/* ---- from the guest -------------------------------------------------------- */

static void hello(struct agent *a, const struct frame *f)
{
	say(a->d, 1, "agent: %.*s", (int)f->length, (const char *)f->data);
	/* A new agent knows nothing of its predecessor's commands. */
	fail_all(a, "the agent in the guest was started anew");
	a->state = AGENT_READY;
	exec_agent_ready(a->d);
}

static bool from_guest(void *arg, const struct frame *f)
{
	struct agent *a = arg;
	struct connection *c;

	if (f->type == FRAME_HELLO) {
		hello(a, f);
		return true;
	}
	c = find(a, f->stream);
	if (!c)
		return true; /* of a client that has gone */
	if (f->type == FRAME_EXIT || f->type == FRAME_FAIL)
		release(a, f->stream);
	exec_from_agent(c, f);
	return true;
}

static void agent_output(struct console_reader *r, const uint8_t *data, size_t n)
{
	struct agent *a = (struct agent *)((char *)r -
					   offsetof(struct agent, reader));

	if (a->state == AGENT_BROKEN ||
	    frame_feed(&a->frames, data, n, from_guest, a))
		return;
	/* Told once: a guest can do it as often as it likes. */
	say(a->d, a->complained ? 2 : 0,
	    "the guest's agent sent something that is no frame");
	a->complained = true;
	a->state = AGENT_BROKEN;
	fail_all(a, "the agent in the guest sent something that is no frame");
}

static void agent_guest_open(struct console_reader *r, bool open)
{
	struct agent *a = (struct agent *)((char *)r -
					   offsetof(struct agent, reader));

	a->state = open ? AGENT_OPEN : AGENT_AWAY;
	a->frames.have = 0;
	a->queue.length = 0;
	fail_all(a, "the agent in the guest has gone");
}

/* ---- life ------------------------------------------------------------------ */

struct agent *agent_create(struct daemon *d)
{
	struct agent *a = need(sizeof(*a));

	a->d = d;
	a->timer = need(sizeof(*a->timer));
	uv_timer_init(&d->loop, a->timer);
	a->timer->data = a;
	a->state = AGENT_OPEN;
	a->reader.output = agent_output;
	a->reader.guest_open = agent_guest_open;
	console_attach(d->agent_port, &a->reader);
	return a;
}

static void timer_closed(uv_handle_t *handle)
{
	free(handle);
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	console_detach(a->d->agent_port, &a->reader);
	uv_close((uv_handle_t *)a->timer, timer_closed);
	text_free(&a->queue);
	free(a);
}
