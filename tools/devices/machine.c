/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine: its devices in the order of their creation.
 */
#include <stdlib.h>
#include <string.h>

#include "virtio.h"

struct machine {
	const struct guest_memory *mem;
	struct machine_driver driver;
	uv_loop_t *loop;
	struct device *device[CO_DEVICES_MAX];
	uint32_t devices;
	uint32_t queues; /* numbers given out */
};

struct machine *machine_create(const struct guest_memory *mem,
			       const struct machine_driver *driver,
			       uv_loop_t *loop)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->mem = mem;
	m->driver = *driver;
	m->loop = loop;
	return m;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	while (m->devices)
		device_free(m->device[--m->devices]);
	free(m);
}

uint64_t machine_access(struct machine *m, bool write, const uint64_t arg[4])
{
	if (arg[0] < m->devices)
		return device_access(m->device[arg[0]], write, arg);
	/* How a guest finds out where there is none. */
	if (arg[0] < CO_DEVICES_MAX && arg[1] == CO_DEV_ID && !write)
		return 0;
	return CO_ERROR_DEVICE;
}

uint32_t machine_devices(const struct machine *m)
{
	return m->devices;
}

void machine_reset(struct machine *m)
{
	uint32_t i;

	for (i = 0; i < m->devices; i++)
		device_reset(m->device[i]);
}

void machine_for_each(struct machine *m,
		      void (*fn)(void *arg, const struct device_info *info),
		      void *arg)
{
	uint32_t i;

	for (i = 0; i < m->devices; i++)
		device_describe(m->device[i], fn, arg);
}

int machine_enter(struct machine *m, struct device *dev, struct error **err)
{
	if (m->devices == CO_DEVICES_MAX)
		return error_set(err, 0, "more than %d devices in the VM",
				 CO_DEVICES_MAX);
	dev->number = m->devices;
	m->device[m->devices++] = dev;
	return 0;
}

int machine_take_queue_number(struct machine *m, uint32_t *number,
			      struct error **err)
{
	if (m->queues == CO_QUEUES_MAX)
		return error_set(err, 0, "more than %d queues in the VM",
				 CO_QUEUES_MAX);
	*number = m->queues++;
	return 0;
}

void machine_each(struct machine *m, void (*fn)(struct device *dev, void *arg),
		  void *arg)
{
	uint32_t i;

	for (i = 0; i < m->devices; i++)
		fn(m->device[i], arg);
}

struct device *machine_find(const struct machine *m, const char *name)
{
	uint32_t i;

	for (i = 0; i < m->devices; i++)
		if (!strcmp(m->device[i]->name, name))
			return m->device[i];
	return NULL;
}

const struct machine_driver *machine_driver_of(const struct machine *m)
{
	return &m->driver;
}

const struct guest_memory *machine_memory(const struct machine *m)
{
	return m->mem;
}

uv_loop_t *machine_loop(const struct machine *m)
{
	return m->loop;
}
