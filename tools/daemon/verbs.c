// SPDX-License-Identifier: GPL-2.0
/* The verbs of the control socket. */
#include "control.h"

#include <stdlib.h>
#include <string.h>

int arg_number(json_t *args, const char *key, json_int_t min, json_int_t max,
	       json_int_t otherwise, json_int_t *out, struct error **err)
{
	json_t *v = json_object_get(args, key);

	*out = v ? json_integer_value(v) : otherwise;
	if (v && (!json_is_integer(v) || *out < min || *out > max))
		return error_set(err, 0, "args.%s is no number from %lld to %lld",
				 key, (long long)min, (long long)max);
	return 0;
}

struct console *arg_console(struct daemon *d, json_t *args, unsigned int *number,
			    struct error **err)
{
	json_int_t n;

	if (arg_number(args, "port", 0, d->config.consoles - 1, 0, &n, err))
		return NULL;
	if (number)
		*number = (unsigned int)n;
	return console_of(d, (unsigned int)n);
}

static int verb_info(struct connection *c, json_t *id, json_t *args,
		     struct error **err)
{
	(void)args;
	(void)err;
	reply(c, id, info_json(c->d));
	return 0;
}

static int verb_stats(struct connection *c, json_t *id, json_t *args,
		      struct error **err)
{
	json_t *o = stats_json(c->d, err);

	(void)args;
	if (!o)
		return -1;
	reply(c, id, o);
	return 0;
}

static int verb_settings(struct connection *c, json_t *id, json_t *args,
			 struct error **err)
{
	(void)args;
	(void)err;
	reply(c, id, settings_json(c->d));
	return 0;
}

static int verb_log(struct connection *c, json_t *id, json_t *args,
		    struct error **err)
{
	struct text all = { 0 };
	unsigned int n;

	if (!arg_console(c->d, args, &n, err))
		return -1;
	log_copy(console_log(c->d, n), &all);
	reply(c, id,
	      json_pack("{s:o}", "text",
			json_text(all.data ? all.data : "", all.length)));
	text_free(&all);
	return 0;
}

static int verb_resize(struct connection *c, json_t *id, json_t *args,
		       struct error **err)
{
	struct console *console = arg_console(c->d, args, NULL, err);
	json_int_t columns, rows;

	if (!console ||
	    arg_number(args, "columns", 1, 65535, 0, &columns, err) ||
	    arg_number(args, "rows", 1, 65535, 0, &rows, err))
		return -1;
	if (!columns || !rows)
		return error_set(err, 0, "args.columns or args.rows is missing");
	console_resize(console, (unsigned int)columns, (unsigned int)rows);
	reply(c, id, NULL);
	return 0;
}

/* Answered when the VM has ended. */
static int verb_stop(struct connection *c, json_t *id, json_t *args,
		     struct error **err)
{
	json_t *force = json_object_get(args, "force");
	json_int_t seconds;

	if (arg_number(args, "timeout", 1, 86400, 60, &seconds, err))
		return -1;
	if (force && !json_is_boolean(force))
		return error_set(err, 0, "args.force is neither true nor false");
	if (c->stop_ids == STOP_WAITERS)
		return error_set(err, 0, "too many stops on this connection");
	c->stop_id[c->stop_ids++] = json_incref(id);
	if (json_is_true(force) || c->d->ending == ENDING_NO)
		vm_end(c->d, json_is_true(force), (unsigned int)seconds);
	return 0;
}

static int verb_power(struct connection *c, json_t *id, json_t *args,
		      struct error **err)
{
	static const struct {
		const char *name;
		unsigned int wish;
	} wish[] = {
		{ "off", CO_POWER_OFF },
		{ "reboot", CO_POWER_REBOOT },
		{ "cad", CO_POWER_CAD },
	};
	const char *name = json_string_value(json_object_get(args, "event"));
	size_t i;
	int rc;

	for (i = 0; name && i < sizeof(wish) / sizeof(wish[0]); i++) {
		if (strcmp(name, wish[i].name))
			continue;
		rc = vm_power(c->d, wish[i].wish);
		if (rc)
			return error_set(err, -rc, "the driver refuses");
		reply(c, id, NULL);
		return 0;
	}
	return error_set(err, 0, "args.event is none of off, reboot, cad");
}

static const struct verb {
	const char *name;
	int (*run)(struct connection *c, json_t *id, json_t *args,
		   struct error **err);
} verbs[] = {
	{ "info", verb_info },	   { "stats", verb_stats },
	{ "log", verb_log },	   { "attach", verb_attach },
	{ "resize", verb_resize }, { "stop", verb_stop },
	{ "power", verb_power },   { "exec", verb_exec },
	{ "set", verb_set },	   { "settings", verb_settings },
	{ "disk-resize", verb_disk_resize },
	{ "port", verb_port },	   { "link", verb_link },
	{ "capture", verb_capture },
};

static int dispatch(struct connection *c, json_t *id, json_t *request,
		    struct error **err)
{
	const char *name = json_string_value(json_object_get(request, "verb"));
	json_t *args = json_object_get(request, "args");
	size_t i;

	if (c->exec_id || c->set_id)
		return error_set(err, 0,
				 "%s waits on this connection: use another",
				 c->exec_id ? "an exec" : "a set");
	if (!name)
		return error_set(err, 0, "the request has no \"verb\"");
	if (args && !json_is_object(args))
		return error_set(err, 0, "\"args\" is no object");
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(name, verbs[i].name))
			return verbs[i].run(c, id, args, err);
	return error_set(err, 0, "unknown verb '%s'", name);
}

void verbs_line(struct connection *c, const char *line, size_t n)
{
	json_error_t why;
	json_t *request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
	struct error *err = NULL;
	json_t *id;

	if (!json_is_object(request)) {
		if (request)
			error_set(&err, 0, "the request is no JSON object");
		else
			error_set(&err, 0, "malformed JSON: %s (column %d)",
				  why.text, why.column);
		reply_error(c, json_null(), err->text);
		error_free(&err);
		json_decref(request);
		return;
	}
	id = json_object_get(request, "id");
	if (!id || json_is_object(id) || json_is_array(id))
		id = json_null();
	if (dispatch(c, id, request, &err)) {
		reply_error(c, id, err->text);
		error_free(&err);
	}
	json_decref(request);
}
