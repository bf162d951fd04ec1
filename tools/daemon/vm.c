// SPDX-License-Identifier: GPL-2.0
/* The VM's life: devices, memory, start, restart, end. */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../os/fault.h"
#include "../os/host.h"
#include "agent.h"
#include "net.h"

/* After its last exit the guest's console output may still be on its way from
 * the ring through the loop; that long it is waited for. */
#define DRAIN_MS 50

/* ---- memory ---------------------------------------------------------------- */

/* More than the host can ever spare is a wish that would never come true. What it
 * can spare now is no bound: memory flows. */
static int check_memory_max(struct daemon *d, struct error **err)
{
	unsigned long long host = host_memory();
	struct co_req_check req = { 0 };
	int rc;

	if (d->config.memory_max == d->config.memory)
		return 0;
	rc = driver_request(d->driver, CO_REQ_CHECK, &req, sizeof(req));
	if (rc)
		return error_set(err, -rc, "the driver doesn't tell what the host has");
	if (req.memory_reserve < host &&
	    d->config.memory_max <= host - req.memory_reserve)
		return 0;
	return error_set(err, 0,
			 "maxmem=%lluM: the host has %lluM, and %lluM of it stay its own: ask for less",
			 (unsigned long long)d->config.memory_max >> 20,
			 host >> 20, req.memory_reserve >> 20);
}

/* To begin with: what it may have beyond it comes on demand. */
static uint64_t first_memory(const struct daemon *d)
{
	return d->set.memory < d->config.memory ? d->set.memory :
						  d->config.memory;
}

static int create_error(const struct daemon *d, int code, struct error **err)
{
	unsigned long long mb = first_memory(d) >> 20;

	switch (code) {
	case E2BIG:
		return error_set(err, 0,
				 "mem=%llu: the host can't spare that much and keep its reserve; `colinux doctor` says how much it can",
				 mb);
	case ENOMEM:
		return error_set(err, 0,
				 "mem=%llu: the host has no such memory in large enough pieces; free some, or ask for less",
				 mb);
	case ENODEV:
		return error_set(err, 0,
				 "this host can't run a guest: `colinux doctor` names the reasons");
	case EPERM:
		return error_set(err, 0,
				 "the driver refuses: making a VM needs CAP_SYS_MODULE");
	default:
		return error_set(err, code, "the driver can't make the VM");
	}
}

static bool memory_owned(void *context, uint64_t pa, uint64_t size)
{
	struct daemon *d = context;
	struct co_req_vm_memory req = { .address = pa, .size = size };

	return !driver_request(d->driver, CO_REQ_VM_MEMORY, &req, sizeof(req));
}

static int map_memory(struct daemon *d, const struct co_req_vm_create *vm,
		      struct error **err)
{
	struct guest_memory mem = {
		.lowest = vm->lowest,
		.highest = vm->highest,
		.owned = memory_owned,
		.context = d,
	};

	mem.base = driver_map(d->driver, vm->lowest, vm->highest, err);
	if (!mem.base)
		return -1;
	d->memory = mem;
	if (!guest_memory_init(&d->memory))
		return error_set(err, ENOMEM, "guest memory");
	fault_guard(&d->memory, d->driver);
	return 0;
}

static int create(struct daemon *d, struct error **err)
{
	struct co_req_vm_create req = {
		.driver_abi = CO_DRIVER_ABI_VERSION,
		.vcpus = config_cpus_max(&d->config),
		.online = d->set.cpus,
		.watchdog = d->config.watchdog,
		.memory = first_memory(d),
		.memory_max = d->config.memory_max,
		.devices = machine_devices(d->machine),
	};
	int rc;

	snprintf((char *)req.name, sizeof(req.name), "%s", d->config.name);
	rc = driver_request(d->driver, CO_REQ_VM_CREATE, &req, sizeof(req));
	if (rc)
		return create_error(d, -rc, err);
	if (map_memory(d, &req, err))
		return -1;
	say(d, 1, "%llu MB in %u piece(s)",
	    (unsigned long long)req.memory >> 20, req.chunks);
	return 0;
}

/* The VM's own half goes; devices, consoles and clients stay. */
static void destroy(struct daemon *d)
{
	fault_guard(NULL, NULL);
	driver_unmap(d->driver, d->memory.base, d->memory.lowest, d->memory.highest);
	guest_memory_free(&d->memory);
	memset(&d->memory, 0, sizeof(d->memory));
	driver_close(d->driver);
	d->driver = NULL;
}

/* A guest that restarts may have no more than before. */
static int limit_memory(struct daemon *d, struct error **err)
{
	int rc = d->set.memory < d->config.memory_max ?
			 vm_wish_memory(d, d->set.memory) : 0;

	return rc ? error_set(err, -rc, "the driver refuses mem=%lluM",
			      (unsigned long long)d->set.memory >> 20) : 0;
}

static int boot(struct daemon *d, struct error **err)
{
	d->driver = driver_open(err);
	if (!d->driver)
		return -1;
	d->boot_time = uv_hrtime();
	if (check_memory_max(d, err) || create(d, err) || load_guest(d, err))
		return -1;
	if (limit_memory(d, err))
		return -1;
	return vcpus_start(d, err);
}

/* ---- the end --------------------------------------------------------------- */

int vm_info(const struct daemon *d, struct co_req_vm_info *info)
{
	if (d->ended) {
		*info = d->final;
		return 0;
	}
	return driver_request(d->driver, CO_REQ_VM_INFO, info, sizeof(*info));
}

static void host_verdict(struct daemon *d, const char *text)
{
	d->final.verdict = CO_VERDICT_HOST;
	snprintf((char *)d->final.text, sizeof(d->final.text), "%s", text);
}

static void finish(struct daemon *d)
{
	struct error *err = NULL;

	d->ended = true;
	uv_timer_stop(&d->ending_timer);
	say(d, 1, "the VM ended: %s: %s", verdict_name(d->final.verdict),
	    (const char *)d->final.text);
	if (verdict_save(d, &err)) {
		say(d, 0, "%s", err->text);
		error_free(&err);
	}
	control_finish(d);
}

static void stop_now(struct daemon *d, const char *why)
{
	struct co_req_vm_stop req = { .verdict = CO_VERDICT_KILLED };
	int rc;

	d->ending = ENDING_FORCED;
	snprintf((char *)req.text, sizeof(req.text), "%s", why);
	rc = driver_request(d->driver, CO_REQ_VM_STOP, &req, sizeof(req));
	if (rc)
		say(d, 0, "the driver can't stop the VM: %s", strerror(-rc));
}

/* Where some vCPUs run and the VM must go. */
static void halt(struct daemon *d, const char *why)
{
	if (!d->vcpus)
		return;
	stop_now(d, why);
	vcpus_join(d);
}

/* A CPU may have gone since: no reason to end the VM. */
static void keep_pins(struct daemon *d)
{
	struct error *err = NULL;

	if (!pin_check(&d->set.pin, &err))
		return;
	say(d, 0, "%s: the vCPUs aren't pinned any more", err->text);
	error_free(&err);
	d->set.pin.kind = PIN_NONE;
}

/* A guest that reboots gets a new VM: its memory and vCPUs can't be made as new
 * in place. */
static void restart(struct daemon *d)
{
	static const char line[] = "\r\n[colinux: the guest restarts]\r\n";
	struct error *err = NULL;

	machine_reset(d->machine);
	destroy(d);
	keep_pins(d);
	d->console_bytes = 0;
	d->injected = sizeof(line) - 1;
	console_inject(d->console, (const uint8_t *)line, sizeof(line) - 1);
	d->reboots++;
	if (!boot(d, &err))
		return;
	halt(d, "it can't be made again");
	memset(&d->final, 0, sizeof(d->final));
	host_verdict(d, err->text);
	error_free(&err);
	finish(d);
}

static void drained(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	int rc;

	memset(&d->final, 0, sizeof(d->final));
	rc = driver_request(d->driver, CO_REQ_VM_INFO, &d->final,
			    sizeof(d->final));
	d->final.text[sizeof(d->final.text) - 1] = 0;
	if (rc)
		host_verdict(d, "the driver doesn't tell the verdict");
	else if (d->failure && (!d->final.verdict ||
				d->final.verdict == CO_VERDICT_KILLED))
		host_verdict(d, d->failure);
	if (d->final.verdict == CO_STOP_REBOOT && d->ending == ENDING_NO)
		restart(d);
	else
		finish(d);
}

/* One thread has ended. The others do so, too, when the VM has its verdict, which
 * a RUN that failed doesn't give. */
static void vcpu_ended(uv_async_t *async)
{
	struct daemon *d = async->data;

	if (!d->vcpus)
		return; /* told twice */
	if (!d->failure) {
		d->failure = vcpus_failure(d);
		if (d->failure)
			stop_now(d, "a vCPU can't run");
	}
	if (atomic_load(&d->vcpus_running))
		return;
	vcpus_join(d);
	uv_timer_start(&d->drain_timer, drained, DRAIN_MS, 0);
}

static void ending_late(uv_timer_t *timer)
{
	stop_now(timer->data, "asked to power off, the guest didn't in time");
}

int vm_power(struct daemon *d, unsigned int wish)
{
	return devices_raise(d, CO_EVENT_POWER, wish);
}

int vm_wish_cpus(struct daemon *d, unsigned int cpus)
{
	return devices_raise(d, CO_EVENT_CPUS, cpus);
}

int vm_wish_memory(struct daemon *d, uint64_t bytes)
{
	return devices_raise(d, CO_EVENT_MEMORY, bytes);
}

void vm_end(struct daemon *d, bool force, unsigned int seconds)
{
	if (d->ended)
		return;
	if (force || d->ending != ENDING_NO) {
		stop_now(d, "stopped by force");
		return;
	}
	d->ending = ENDING_ASKED;
	if (vm_power(d, CO_POWER_OFF))
		say(d, 0, "the driver can't tell the guest to power off");
	uv_timer_start(&d->ending_timer, ending_late, seconds * 1000ull, 0);
}

/* ---- start ----------------------------------------------------------------- */

static int take_settings(struct daemon *d, struct error **err)
{
	int rc = cpus_allowed(&d->allowed);

	if (rc)
		return error_set(err, rc, "cannot tell where vCPUs may run");
	d->set.cpus = d->config.cpus;
	d->set.memory = d->config.memory_max;
	d->set.pin = d->config.pin;
	return pin_check(&d->set.pin, err);
}

int vm_start(struct daemon *d, struct error **err)
{
	uv_async_init(&d->loop, &d->vcpu_ended, vcpu_ended);
	d->vcpu_ended.data = d;
	uv_timer_init(&d->loop, &d->ending_timer);
	d->ending_timer.data = d;
	uv_timer_init(&d->loop, &d->drain_timer);
	d->drain_timer.data = d;
	if (take_settings(d, err) || devices_add(d, err))
		return -1;
	return boot(d, err);
}

void vm_free(struct daemon *d)
{
	halt(d, "the daemon ends");
	agent_free(d->agent);
	d->agent = NULL;
	if (d->console)
		console_detach(d->console, &d->log_reader);
	consoles_free(d);
	machine_free(d->machine);
	d->machine = NULL;
	nets_free(d);
	destroy(d);
	free(d->failure);
}
