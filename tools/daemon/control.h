/* SPDX-License-Identifier: GPL-2.0 */
/* The control socket: connections, requests, streams. See docs/protocol.md. */
#ifndef CO_TOOLS_CONTROL_H
#define CO_TOOLS_CONTROL_H

#include "daemon.h"

/* What a client can make grow, and how far. */
#define CONNECTIONS_MAX 64
#define LINE_MAX_BYTES	65536
#define WRITE_QUEUE_MAX (8u << 20)
#define STOP_WAITERS	16

struct connection;

/* What a connection does after its request for a stream was answered. */
struct stream_ops {
	/* False: the client broke the protocol. */
	bool (*frame)(struct connection *c, const struct frame *f);
	void (*closed)(struct connection *c);
};

struct connection {
	uv_pipe_t pipe;
	uv_timer_t timer; /* exec: until the agent comes; attach: input retry;
			   * set: look how far the guest is */
	struct daemon *d;
	struct connection *next;
	int handles; /* of pipe and timer, those not closed yet */
	bool closing;

	struct text line;
	bool skipping; /* the rest of a line that was too long */
	json_t *stop_id[STOP_WAITERS];
	unsigned int stop_ids;

	const struct stream_ops *stream; /* NULL: lines */
	struct frame_reader *frames;

	/* set.c */
	json_t *set_id; /* the request that waits for the guest */
	unsigned int set_cpus; /* 0: not in it */
	uint64_t set_memory;   /* the same */
	uint64_t set_until; /* uv_now() */

	/* attach.c */
	struct console_reader reader;
	struct console *console; /* where it is attached, NULL: nowhere */
	struct text input; /* what the console didn't take yet */

	struct capture *capture; /* net_verbs.c */

	/* exec.c */
	uint32_t exec_stream; /* the agent's number, 0: none */
	json_t *exec_id;      /* the request that waits for the agent */
	json_t *exec_args;
	uint32_t input_under_way; /* bytes without a WINDOW */
};

/* Queues bytes; a client that doesn't read loses its connection. */
void connection_write(struct connection *c, const void *data, size_t n);
void connection_frame(struct connection *c, enum frame_type type,
		      const void *data, size_t n);
/* Closes at once; with `flush` when all that was queued is out. */
void connection_close(struct connection *c, bool flush);
/* Bytes come no more until resumed. */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);

/* Answers. `result` is taken over and may be NULL. */
void reply(struct connection *c, json_t *id, json_t *result);
void reply_error(struct connection *c, json_t *id, const char *text);
/* From now on the connection carries frames. False: an answer before has closed it,
 * and `ops->closed` will not be called. */
bool connection_stream(struct connection *c, const struct stream_ops *ops);

/* ---- verbs.c -------------------------------------------------------------- */

/* Evaluates one line. */
void verbs_line(struct connection *c, const char *line, size_t n);
/* What a verb's file has for the table. -1 and an error, or it replies itself. */
int verb_attach(struct connection *c, json_t *id, json_t *args,
		struct error **err);
int verb_exec(struct connection *c, json_t *id, json_t *args,
	      struct error **err);
int verb_disk_resize(struct connection *c, json_t *id, json_t *args,
		     struct error **err);
int verb_set(struct connection *c, json_t *id, json_t *args,
	     struct error **err);
int verb_port(struct connection *c, json_t *id, json_t *args,
	      struct error **err);
int verb_link(struct connection *c, json_t *id, json_t *args,
	      struct error **err);
int verb_capture(struct connection *c, json_t *id, json_t *args,
		 struct error **err);
/* What `set` can change: what is set, what the VM has, what it may have. */
json_t *settings_json(struct daemon *d);
/* The console that args.port names, 0 without it. NULL and an error. */
struct console *arg_console(struct daemon *d, json_t *args, unsigned int *number,
			    struct error **err);
/* args[key], a number in min..max; `otherwise` when it isn't there. */
int arg_number(json_t *args, const char *key, json_int_t min, json_int_t max,
	       json_int_t otherwise, json_int_t *out, struct error **err);

#endif
