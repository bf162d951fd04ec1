// SPDX-License-Identifier: GPL-2.0
/* The devices that the configuration names, and what they ask of the driver. */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/version.h"
#include "../os/console_out.h"
#include "agent.h"
#include "net.h"

#define SCROLLBACK_MAX (4u << 20)

static int raise_at(void *context, uint32_t vcpu, uint32_t events, uint64_t value)
{
	struct daemon *d = context;
	struct co_req_vm_raise req = { .vcpu = vcpu, .events = events,
				       .value = value };

	if (!d->driver)
		return -ENODEV; /* between a guest's end and its restart */
	return driver_request(d->driver, CO_REQ_VM_RAISE, &req, sizeof(req));
}

int devices_raise(struct daemon *d, uint32_t events, uint64_t value)
{
	return raise_at(d, 0, events, value);
}

static int doorbell(void *context, uint32_t queue, int fd)
{
	struct daemon *d = context;
	struct co_req_doorbell req = { .queue = queue, .handle = fd };

	return driver_request(d->driver, CO_REQ_DOORBELL, &req, sizeof(req));
}

static void console_output(struct console_reader *r, const uint8_t *data,
			   size_t n)
{
	struct daemon *d = (struct daemon *)((char *)r -
					     offsetof(struct daemon, log_reader));

	log_add(&d->log, data, n);
	d->console_bytes += n;
	if (!d->options.quiet)
		print_console(data, n);
}

size_t scrollback_bytes(const struct config *c)
{
	uint64_t n = (uint64_t)c->columns * (c->scrollback + c->rows);

	return n < SCROLLBACK_MAX ? (size_t)n : SCROLLBACK_MAX;
}

static int add_console(struct daemon *d, struct error **err)
{
	struct device *dev = console_create(d->machine, "cocon", err);

	if (!dev)
		return -1;
	d->console = console_add_port(dev, NULL,
				      scrollback_bytes(&d->config),
				      d->config.log, err);
	if (!d->console)
		return -1;
	d->agent_port = console_add_port(dev, COLINUX_AGENT_PORT, 0, NULL, err);
	if (!d->agent_port)
		return -1;
	d->log_reader.output = console_output;
	console_attach(d->console, &d->log_reader);
	console_resize(d->console, d->config.columns, d->config.rows);
	d->agent = agent_create(d);
	return consoles_add(d, dev, err);
}

static struct block_options block_options_of(const struct config_disk *disk)
{
	return (struct block_options){
		.path = disk->path,
		.read_only = disk->read_only,
		.part = disk->part,
		.iops = disk->iops,
		.bps = disk->bps,
		.direct = disk->direct,
		.format = disk->format,
		.overlay = disk->overlay,
	};
}

static int add_disks(struct daemon *d, struct error **err)
{
	struct block_options opt;
	char name[16];
	unsigned int i;

	for (i = 0; i < CONFIG_DISKS; i++) {
		if (!d->config.disk[i].path)
			continue;
		opt = block_options_of(&d->config.disk[i]);
		snprintf(name, sizeof(name), "cobd%u", i);
		if (!block_create(d->machine, name, &opt, err))
			return error_wrap(err, "%s", name);
	}
	return 0;
}

static int add_vsock(struct daemon *d, struct error **err)
{
	char *path = instance_path(d, ".vsock");
	struct vsock_options opt = { d->config.vsock_cid, path };
	struct device *dev = NULL;

	if (strlen(path) > 96)
		error_set(err, 0, "vsock=: the path %s is too long for sockets: at most 96 bytes",
			  path);
	else
		dev = vsock_create(d->machine, "covsock", &opt, err);
	free(path);
	return dev ? 0 : -1;
}

int devices_add(struct daemon *d, struct error **err)
{
	/* The machine outlives a VM that starts again: the same for both. */
	d->config.cpus_max = config_cpus_max(&d->config);
	d->machine_driver.context = d;
	d->machine_driver.vcpus = d->config.cpus_max;
	d->machine_driver.raise = raise_at;
	d->machine_driver.doorbell = doorbell;
	d->machine = machine_create(&d->memory, &d->machine_driver, &d->loop);
	if (!d->machine)
		return error_set(err, 0, "cannot make the machine's devices");
	if (add_console(d, err) || add_disks(d, err) || nets_add(d, err) ||
	    shares_add(d, err))
		return -1;
	if (!rng_create(d->machine, "corng", err))
		return -1;
	return d->config.vsock ? add_vsock(d, err) : 0;
}
