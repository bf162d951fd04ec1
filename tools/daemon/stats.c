// SPDX-License-Identifier: GPL-2.0
/* Counters: the driver's, the threads', the devices'. */
#include "daemon.h"

#include <string.h>

json_t *counters_json(const struct co_req_vm_info *i)
{
	json_t *o = json_object();
	const struct {
		const char *name;
		co_u64 value;
	} counter[] = {
		{ "switches", i->switches },   { "bursts", i->bursts },
		{ "forwarded", i->forwarded }, { "nmis", i->nmis },
		{ "nmis_passage", i->nmis_passage },
		{ "mces", i->mces },	       { "idles", i->idles },
		{ "notifies", i->notifies },   { "events", i->events },
		{ "kicks", i->kicks },	       { "guest_ns", i->guest_ns },
		{ "rescues", i->rescues },
	};
	size_t n;

	for (n = 0; n < sizeof(counter) / sizeof(counter[0]); n++)
		json_object_set_new(o, counter[n].name,
				    json_integer((json_int_t)counter[n].value));
	return o;
}

static void set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_text(value, strlen(value)));
}

static void add_device(void *arg, const struct device_info *info)
{
	json_t *o = json_pack("{s:i, s:s, s:s, s:b, s:b, s:I, s:I, s:I}",
			      "number", (int)info->number, "name", info->name,
			      "type", info->type, "running", info->running,
			      "needs_reset", info->needs_reset, "requests",
			      (json_int_t)info->io.requests, "bytes_read",
			      (json_int_t)info->io.read, "bytes_written",
			      (json_int_t)info->io.written);

	if (info->why)
		set_text(o, "why", info->why);
	if (info->detail)
		set_text(o, "detail", info->detail);
	json_array_append_new(arg, o);
}

json_t *devices_json(struct daemon *d)
{
	json_t *devices = json_array();

	machine_for_each(d->machine, add_device, devices);
	return devices;
}

/* One entry for each thread that the host tells about. */
static json_t *vcpus_json(struct daemon *d, uint64_t *steal)
{
	json_t *all = json_array();
	uint64_t ran, waited;
	unsigned int i;

	*steal = 0;
	for (i = 0; i < d->vcpus; i++) {
		int number = atomic_load(&d->vcpu[i].number);

		if (!number || thread_times(number, &ran, &waited))
			continue;
		*steal += waited;
		json_array_append_new(all,
				      json_pack("{s:i, s:I, s:I}", "vcpu", (int)i,
						"cpu_ns", (json_int_t)ran,
						"steal_ns",
						(json_int_t)waited));
	}
	return all;
}

static json_t *memory_json(const struct co_req_vm_info *i)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "memory",
			 (json_int_t)i->memory, "memory_max",
			 (json_int_t)i->memory_max, "memory_limit",
			 (json_int_t)i->memory_limit, "memory_free",
			 (json_int_t)i->memory_free, "memory_returned",
			 (json_int_t)i->memory_returned);
}

json_t *stats_json(struct daemon *d, struct error **err)
{
	struct co_req_vm_info info = { 0 };
	int rc = vm_info(d, &info);
	uint64_t steal;
	json_t *o, *vcpus;

	if (rc) {
		error_set(err, -rc, "the driver doesn't tell");
		return NULL;
	}
	vcpus = vcpus_json(d, &steal);
	o = json_pack("{s:s, s:I, s:i, s:i, s:I, s:o, s:o}", "name",
		      d->config.name, "ns",
		      (json_int_t)(uv_hrtime() - d->boot_time), "cpus",
		      (int)info.online,
		      "cpus_max", (int)info.vcpus, "steal_ns",
		      (json_int_t)steal, "vcpus", vcpus, "devices",
		      devices_json(d));
	json_object_update_new(o, counters_json(&info));
	json_object_update_new(o, memory_json(&info));
	return o;
}
