// SPDX-License-Identifier: GPL-2.0
/* On which of the host's CPUs the vCPUs run. */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pin_list(const struct daemon *d, const struct pin *pin, unsigned int index,
	      struct cpu_list *out)
{
	if (pin->kind == PIN_NONE)
		*out = d->allowed;
	else
		pin_cpus(pin, index, out);
}

/* The host has the CPU, but not for us: a cgroup's cpuset keeps it away. */
int pin_refused(unsigned int index, const struct cpu_list *cpus,
		struct error **err)
{
	struct text t = { 0 };

	cpu_list_text(cpus, &t);
	error_set(err, 0,
		  "pin: the host doesn't let vCPU %u run on CPU %s: the cgroup of the daemon (cpuset.cpus) must have it",
		  index, t.data);
	text_free(&t);
	return -1;
}

static int absent(unsigned int cpu, const struct cpu_list *online,
		  struct error **err)
{
	struct text t = { 0 };

	cpu_list_text(online, &t);
	error_set(err, 0,
		  "pin: the host has no CPU %u, or it is offline: choose from %s",
		  cpu, t.data);
	text_free(&t);
	return -1;
}

int pin_check(const struct pin *pin, struct error **err)
{
	struct cpu_list online;
	unsigned int i;
	int rc;

	if (pin->kind == PIN_NONE)
		return 0;
	rc = cpus_online(&online);
	if (rc)
		return error_set(err, rc,
				 "pin: the host doesn't tell which CPUs it has: is /sys mounted");
	for (i = 0; i < pin->cpus.n; i++)
		if (!cpu_list_has(&online, pin->cpus.cpu[i]))
			return absent(pin->cpus.cpu[i], &online, err);
	return 0;
}

static int move_all(struct daemon *d, const struct pin *pin, struct error **err)
{
	struct cpu_list cpus;
	unsigned int i;
	int rc;

	for (i = 0; i < d->vcpus; i++) {
		pin_list(d, pin, i, &cpus);
		rc = thread_move(d->vcpu[i].thread, &cpus);
		if (rc == EINVAL)
			return pin_refused(i, &cpus, err);
		if (rc)
			return error_set(err, rc, "pin: cannot move vCPU %u", i);
	}
	return 0;
}

int pin_change(struct daemon *d, const struct pin *pin, struct error **err)
{
	struct error *again = NULL;

	if (pin_check(pin, err))
		return -1;
	if (!move_all(d, pin, err)) {
		d->set.pin = *pin;
		return 0;
	}
	/* Where they were they may be again, unless a CPU went in between. */
	if (move_all(d, &d->set.pin, &again)) {
		say(d, 0, "%s", again->text);
		error_free(&again);
	}
	return -1;
}
