// SPDX-License-Identifier: GPL-2.0
/* What can be told about the VM, while it lives and afterwards. */
#include "daemon.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/version.h"
#include "helpers.h"

const char *verdict_name(uint32_t verdict)
{
	switch (verdict) {
	case CO_VERDICT_NONE:
		return "none";
	case CO_STOP_POWEROFF:
		return "poweroff";
	case CO_STOP_REBOOT:
		return "reboot";
	case CO_STOP_HALT:
		return "halt";
	case CO_STOP_PANIC:
		return "panic";
	case CO_VERDICT_KILLED:
		return "killed";
	case CO_VERDICT_BADCALL:
		return "badcall";
	case CO_VERDICT_HOST:
		return "host";
	case CO_VERDICT_STUCK:
		return "stuck";
	default:
		return "unknown";
	}
}

bool verdict_good(uint32_t verdict)
{
	return verdict == CO_STOP_POWEROFF || verdict == CO_STOP_HALT ||
	       verdict == CO_STOP_REBOOT;
}

static json_t *verdict_json(const struct co_req_vm_info *info)
{
	const char *text = (const char *)info->text;

	return json_pack("{s:i, s:s, s:b, s:o}", "code", (int)info->verdict,
			 "name", verdict_name(info->verdict), "good",
			 verdict_good(info->verdict), "text",
			 json_text(text, strnlen(text, sizeof(info->text))));
}

static void set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key,
			    value ? json_text(value, strlen(value)) : json_null());
}

static json_t *base_json(const struct daemon *d, const char *state)
{
	const struct config *c = &d->config;
	json_t *o = json_pack("{s:s, s:s, s:i, s:I, s:s, s:I, s:i, s:I}", "name",
			      c->name, "state", state, "pid", (int)getpid(),
			      "started", (json_int_t)d->started, "version",
			      COLINUX_VERSION, "memory", (json_int_t)c->memory,
			      "cpus", (int)c->cpus, "reboots",
			      (json_int_t)d->reboots);

	set_text(o, "kernel", c->kernel);
	set_text(o, "initrd", c->initrd);
	set_text(o, "command_line", c->command_line.data);
	return o;
}

/* What it has now, where that is known. */
static void add_machine(struct daemon *d, json_t *o,
			const struct co_req_vm_info *info)
{
	char *pin = pin_text(&d->set.pin);

	if (info->memory)
		json_object_update_new(o, json_pack("{s:I, s:i}", "memory",
						    (json_int_t)info->memory,
						    "cpus", (int)info->online));
	json_object_update_new(
		o, json_pack("{s:I, s:i, s:s}", "memory_max",
			     (json_int_t)d->config.memory_max, "cpus_max",
			     (int)config_cpus_max(&d->config), "pin", pin));
	free(pin);
}

json_t *info_json(struct daemon *d)
{
	json_t *o = base_json(d, d->ended ? "ended" : "running");
	struct co_req_vm_info info = { 0 };

	json_object_set_new(o, "devices", devices_json(d));
	json_object_set_new(o, "shares", shares_json(d));
	json_object_set_new(o, "programs", helpers_json(d));
	json_object_set_new(o, "consoles", consoles_json(d));
	json_object_set_new(o, "lines", lines_json(d));
	if (!vm_info(d, &info)) {
		json_object_set_new(o, "verdict", verdict_json(&info));
		json_object_set_new(o, "stats", counters_json(&info));
	}
	add_machine(d, o, &info);
	json_object_set_new(o, "log", log_lines(&d->log));
	json_object_set_new(o, "kernel_log", log_lines(&d->kernel_log));
	return o;
}

static int save(struct daemon *d, json_t *o, struct error **err)
{
	char *path = instance_path(d, ".json");
	char *text = json_dumps(o, JSON_INDENT(1));
	int rc = 0;

	if (text_file_replace(path, text, strlen(text)))
		rc = error_set(err, errno, "cannot write %s", path);
	free(text);
	free(path);
	json_decref(o);
	return rc;
}

int verdict_save(struct daemon *d, struct error **err)
{
	return save(d, info_json(d), err);
}

void verdict_forget(const struct daemon *d)
{
	char *path = instance_path(d, ".json");

	unlink(path);
	free(path);
}

int verdict_prepare(struct daemon *d, struct error **err)
{
	json_t *o = base_json(d, "lost");
	json_t *verdict =
		json_pack("{s:i, s:s, s:b, s:s}", "code", CO_VERDICT_KILLED,
			  "name", "lost", "good", 0, "text",
			  "the daemon ended without a verdict: it was killed");

	json_object_set_new(o, "verdict", verdict);
	json_object_set_new(o, "log", json_array());
	return save(d, o, err);
}
