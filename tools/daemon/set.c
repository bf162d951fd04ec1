// SPDX-License-Identifier: GPL-2.0
/*
 * What can be changed while the VM runs: vCPUs, memory, pinning. All of a request
 * is checked before any of it is done; then the guest is told, and the answer
 * comes when it has followed.
 */
#include "control.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_MS	       20
#define FOLLOW_SECONDS 30

/* ---- what there is ---------------------------------------------------------- */

json_t *settings_json(struct daemon *d)
{
	struct co_req_vm_info info = { 0 };
	struct text host = { 0 };
	struct cpu_list online;
	char *pin = pin_text(&d->set.pin);
	json_t *o;

	if (vm_info(d, &info))
		say(d, 1, "the driver doesn't tell what the VM has");
	if (!cpus_online(&online))
		cpu_list_text(&online, &host);
	o = json_pack("{s:{s:i, s:i, s:i, s:i}, s:{s:I, s:I, s:I, s:I}, s:{s:s, s:s}}",
		      "cpus", "set", (int)d->set.cpus, "now", (int)info.online,
		      "min", 1, "max", (int)config_cpus_max(&d->config), "mem",
		      "set", (json_int_t)d->set.memory, "now",
		      (json_int_t)info.memory, "min",
		      (json_int_t)CONFIG_MEMORY_MIN, "max",
		      (json_int_t)d->config.memory_max, "pin", "set", pin,
		      "host", host.data ? host.data : "");
	text_free(&host);
	free(pin);
	return o;
}

/* ---- checks ----------------------------------------------------------------- */

static int take_cpus(const struct daemon *d, json_t *v, struct settings *s,
		     struct error **err)
{
	json_int_t n = json_integer_value(v);
	unsigned int max = config_cpus_max(&d->config);

	if (!v)
		return 0;
	if (!json_is_integer(v) || n < 0)
		return error_set(err, 0, "args.cpus is no number of vCPUs");
	if (!n)
		return error_set(err, 0,
				 "cpus=0: the last vCPU can't be removed; `colinux stop %s` ends the VM",
				 d->config.name);
	if (n > max)
		return error_set(err, 0,
				 "cpus=%lld: this VM can have at most %u, its maxcpus when it was started",
				 (long long)n, max);
	s->cpus = (unsigned int)n;
	return 0;
}

static int take_memory(const struct daemon *d, json_t *v, struct settings *s,
		       struct error **err)
{
	json_int_t bytes = json_integer_value(v);
	unsigned long long max = d->config.memory_max;

	if (!v)
		return 0;
	if (!json_is_integer(v) || bytes < 0 || bytes % CO_LARGE_PAGE)
		return error_set(err, 0,
				 "args.memory is no number of bytes, a multiple of 2 MiB");
	if ((uint64_t)bytes < CONFIG_MEMORY_MIN)
		return error_set(err, 0, "mem=%lldM is too little: at least 32M",
				 (long long)bytes >> 20);
	if ((uint64_t)bytes > max)
		return error_set(err, 0,
				 "mem=%lldM: this VM can have at most %lluM, its maxmem when it was started",
				 (long long)bytes >> 20, max >> 20);
	s->memory = (uint64_t)bytes;
	return 0;
}

static int take_pin(json_t *v, struct settings *s, struct error **err)
{
	if (!v)
		return 0;
	if (!json_is_string(v))
		return error_set(err, 0, "args.pin is no string");
	if (pin_parse(&s->pin, json_string_value(v), err))
		return error_wrap(err, "pin");
	return pin_check(&s->pin, err);
}

static int take_all(const struct daemon *d, json_t *args, struct settings *s,
		    json_int_t *seconds, struct error **err)
{
	*s = d->set;
	if (arg_number(args, "timeout", 1, 86400, FOLLOW_SECONDS, seconds, err))
		return -1;
	if (take_cpus(d, json_object_get(args, "cpus"), s, err) ||
	    take_memory(d, json_object_get(args, "memory"), s, err))
		return -1;
	return take_pin(json_object_get(args, "pin"), s, err);
}

/* ---- changes ---------------------------------------------------------------- */

static int refused(const char *what, int rc, struct error **err)
{
	return error_set(err, -rc,
			 "the driver refuses to change %s: nothing is changed",
			 what);
}

static int tell_guest(struct daemon *d, json_t *args, const struct settings *s,
		      struct error **err)
{
	bool cpus = json_object_get(args, "cpus");
	int rc = cpus ? vm_wish_cpus(d, s->cpus) : 0;

	if (rc)
		return refused("cpus", rc, err);
	if (json_object_get(args, "memory"))
		rc = vm_wish_memory(d, s->memory);
	if (!rc)
		return 0;
	if (cpus && vm_wish_cpus(d, d->set.cpus))
		say(d, 0, "the driver doesn't take back cpus=%u", s->cpus);
	return refused("mem", rc, err);
}

/* The words that stand in the request. What was done is undone when a later one
 * fails. */
static int change(struct daemon *d, json_t *args, const struct settings *s,
		  struct error **err)
{
	struct pin old = d->set.pin;
	struct error *again = NULL;

	if (json_object_get(args, "pin") && pin_change(d, &s->pin, err))
		return -1;
	if (!tell_guest(d, args, s, err)) {
		d->set = *s;
		return 0;
	}
	if (pin_change(d, &old, &again)) {
		say(d, 0, "%s", again->text);
		error_free(&again);
	}
	return -1;
}

/* ---- waiting for the guest -------------------------------------------------- */

/* More is a permission, which it uses when it needs to. */
static bool reached(const struct connection *c,
		    const struct co_req_vm_info *info)
{
	return (!c->set_cpus || info->online == c->set_cpus) &&
	       (!c->set_memory || info->memory <= c->set_memory);
}

static void stop_waiting(struct connection *c)
{
	uv_timer_stop(&c->timer);
	json_decref(c->set_id);
	c->set_id = NULL;
}

static void too_late(struct connection *c, const struct co_req_vm_info *info)
{
	struct text t = { 0 };

	text_format(&t, "the guest has not come so far in time:");
	if (c->set_cpus)
		text_format(&t, " cpus=%u, it has %u;", c->set_cpus,
			    info->online);
	if (c->set_memory)
		text_format(&t, " mem=%lluM, it has %lluM;",
			    (unsigned long long)c->set_memory >> 20,
			    (unsigned long long)info->memory >> 20);
	text_format(&t,
		    " the wish stands, and the guest may follow later; `colinux set %s` shows it",
		    c->d->config.name);
	reply_error(c, c->set_id, t.data);
	text_free(&t);
	stop_waiting(c);
}

static void look(uv_timer_t *timer)
{
	struct connection *c = timer->data;
	struct daemon *d = c->d;
	struct co_req_vm_info info = { 0 };
	int rc = vm_info(d, &info);

	if (rc) {
		reply_error(c, c->set_id, "the driver doesn't tell how far it is");
		stop_waiting(c);
	} else if ((c->set_cpus && c->set_cpus != d->set.cpus) ||
		   (c->set_memory && c->set_memory != d->set.memory)) {
		reply_error(c, c->set_id,
			    "another `set` has changed it meanwhile");
		stop_waiting(c);
	} else if (reached(c, &info)) {
		reply(c, c->set_id, settings_json(d));
		stop_waiting(c);
	} else if (uv_now(&d->loop) >= c->set_until) {
		too_late(c, &info);
	}
}

static void wait_for_guest(struct connection *c, json_t *id, json_t *args,
			   json_int_t seconds)
{
	struct daemon *d = c->d;

	c->set_id = json_incref(id);
	c->set_cpus = json_object_get(args, "cpus") ? d->set.cpus : 0;
	c->set_memory = json_object_get(args, "memory") ? d->set.memory : 0;
	c->set_until = uv_now(&d->loop) + (uint64_t)seconds * 1000;
	uv_timer_start(&c->timer, look, 0, LOOK_MS);
}

int verb_set(struct connection *c, json_t *id, json_t *args, struct error **err)
{
	struct settings s;
	json_int_t seconds;

	if (take_all(c->d, args, &s, &seconds, err) ||
	    change(c->d, args, &s, err))
		return -1;
	wait_for_guest(c, id, args, seconds);
	return 0;
}
