// SPDX-License-Identifier: GPL-2.0
/* A client's command in the guest. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#define AGENT_WAIT_SECONDS 30

/* ---- frames ---------------------------------------------------------------- */

static bool from_client(struct connection *c, const struct frame *f)
{
	switch (f->type) {
	case FRAME_INPUT:
		c->input_under_way += f->length;
		if (c->input_under_way > FRAME_WINDOW_SIZE)
			return false;
		break;
	case FRAME_INPUT_END:
	case FRAME_WINDOW:
	case FRAME_SIGNAL:
		break;
	default:
		return false;
	}
	return agent_send(c->d->agent, f->type, c->exec_stream, f->data,
			  f->length);
}

static void exec_closed(struct connection *c)
{
	agent_leave(c->d->agent, c->exec_stream);
	c->exec_stream = 0;
}

static const struct stream_ops exec_ops = { from_client, exec_closed };

void exec_from_agent(struct connection *c, const struct frame *f)
{
	uint32_t n;

	switch (f->type) {
	case FRAME_OUTPUT:
	case FRAME_ERRORS:
		connection_frame(c, f->type, f->data, f->length);
		break;
	case FRAME_WINDOW:
		n = frame_u32(f);
		c->input_under_way -= n < c->input_under_way ?
					      n : c->input_under_way;
		connection_frame(c, f->type, f->data, f->length);
		break;
	case FRAME_EXIT:
	case FRAME_FAIL:
		c->exec_stream = 0;
		connection_frame(c, f->type, f->data, f->length);
		connection_close(c, true);
		break;
	default:
		break;
	}
}

/* ---- the request ----------------------------------------------------------- */

/* The words of the command as the agent takes them: each with its NUL. */
static int pack_argv(json_t *argv, struct text *out, struct error **err)
{
	json_t *word;
	size_t i;

	json_array_foreach(argv, i, word) {
		if (!json_is_string(word))
			return error_set(err, 0, "args.argv[%zu] is no string", i);
		text_add(out, json_string_value(word),
			 json_string_length(word) + 1);
	}
	if (!out->length)
		return error_set(err, 0, "args.argv is empty");
	return 0;
}

static int pack_command(json_t *args, enum frame_type *type, struct text *out,
			struct error **err)
{
	json_t *argv = json_object_get(args, "argv");
	json_t *shell = json_object_get(args, "shell");

	if (!argv == !shell)
		return error_set(err, 0,
				 "either args.argv (array) or args.shell (string) is needed");
	if (argv && !json_is_array(argv))
		return error_set(err, 0, "args.argv is no array");
	if (shell && !json_is_string(shell))
		return error_set(err, 0, "args.shell is no string");
	*type = argv ? FRAME_ARGV : FRAME_SHELL;
	if (argv && pack_argv(argv, out, err))
		return -1;
	if (shell)
		text_add(out, json_string_value(shell),
			 json_string_length(shell));
	if (out->length > FRAME_MAX)
		return error_set(err, 0, "the command has %zu bytes, at most %d go",
				 out->length, FRAME_MAX);
	return 0;
}

static int begin(struct connection *c, json_t *id, json_t *args,
		 struct error **err)
{
	struct text command = { 0 };
	enum frame_type type;
	int rc = pack_command(args, &type, &command, err);

	if (!rc) {
		c->exec_stream = agent_open(c->d->agent, c);
		if (!c->exec_stream)
			rc = error_set(err, 0, "%d commands run already",
				       FRAME_STREAMS);
	}
	if (!rc) {
		reply(c, id, json_pack("{s:i}", "window", FRAME_WINDOW_SIZE));
		if (!connection_stream(c, &exec_ops))
			exec_closed(c);
		else if (!agent_send(c->d->agent, type, c->exec_stream,
				     command.data, command.length))
			connection_close(c, false);
	}
	text_free(&command);
	return rc;
}

static void waited_enough(uv_timer_t *timer)
{
	struct connection *c = timer->data;

	reply_error(c, c->exec_id,
		    "the agent in the guest hasn't come in time: is colinux-agent installed and running there, and has the guest booted?");
	json_decref(c->exec_id);
	json_decref(c->exec_args);
	c->exec_id = c->exec_args = NULL;
}

static void go_on(struct connection *c)
{
	json_t *id = c->exec_id, *args = c->exec_args;
	struct error *err = NULL;

	uv_timer_stop(&c->timer);
	c->exec_id = c->exec_args = NULL;
	if (begin(c, id, args, &err)) {
		reply_error(c, id, err->text);
		error_free(&err);
	}
	json_decref(id);
	json_decref(args);
}

void exec_agent_ready(struct daemon *d)
{
	struct connection *c;

	for (c = d->connections; c; c = c->next)
		if (c->exec_id && !c->closing)
			go_on(c);
}

static int wait_for_agent(struct connection *c, json_t *id, json_t *args,
			  json_int_t seconds, struct error **err)
{
	struct text command = { 0 };
	enum frame_type type;
	int rc = pack_command(args, &type, &command, err);

	text_free(&command);
	if (rc)
		return rc;
	c->exec_id = json_incref(id);
	c->exec_args = json_incref(args);
	uv_timer_start(&c->timer, waited_enough, (uint64_t)seconds * 1000, 0);
	return 0;
}

int verb_exec(struct connection *c, json_t *id, json_t *args,
	      struct error **err)
{
	json_int_t seconds;

	if (arg_number(args, "wait", 0, 3600, AGENT_WAIT_SECONDS, &seconds, err))
		return -1;
	if (agent_ready(c->d->agent))
		return begin(c, id, args, err);
	return wait_for_agent(c, id, args, seconds, err);
}
