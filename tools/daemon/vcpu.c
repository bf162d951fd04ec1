// SPDX-License-Identifier: GPL-2.0
/* The vCPUs' threads: RUN, do what the guest asked, RUN again. */
#include "daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The kernel says here all that it logs, from its first line to its last, and the
 * same once more on its virtio console when it has one. The console's users get
 * the former until the latter speaks: until more has come out than was put in.
 */
static void vcpu_console(struct daemon *d, const struct co_req_vcpu_run *run)
{
	size_t n = run->size < sizeof(run->data) ? run->size :
						   sizeof(run->data);

	log_add(&d->kernel_log, run->data, n);
	if (d->console_bytes > d->injected)
		return;
	d->injected += n;
	console_inject(d->console, run->data, n);
}

static uint64_t vcpu_exit(struct daemon *d, const struct co_req_vcpu_run *run)
{
	uint64_t arg[4];

	switch (run->exit) {
	case CO_EXIT_CONSOLE:
		vcpu_console(d, run);
		return 0;
	case CO_EXIT_DEVICE_READ:
	case CO_EXIT_DEVICE_WRITE:
		memcpy(arg, run->arg, sizeof(arg));
		return machine_access(d->machine,
				      run->exit == CO_EXIT_DEVICE_WRITE, arg);
	default:
		return 0;
	}
}

/* A vCPU that is OFF waits inside of its RUN until the guest starts it. */
static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct daemon *d = v->d;
	struct co_req_vcpu_run run = { .vcpu = v->index };
	int rc;

	atomic_store(&v->number, thread_number());
	for (;;) {
		rc = driver_request(d->driver, CO_REQ_VCPU_RUN, &run,
				    sizeof(run));
		if (rc == -EINTR)
			continue;
		if (rc || run.exit == CO_EXIT_STOP)
			break;
		run.result = vcpu_exit(d, &run);
	}
	atomic_store(&v->error, -rc);
	atomic_fetch_sub(&d->vcpus_running, 1);
	uv_async_send(&d->vcpu_ended);
	return NULL;
}

static int start_one(struct daemon *d, unsigned int index, struct error **err)
{
	struct vcpu *v = &d->vcpu[index];
	struct cpu_list cpus;
	char name[16];
	int rc;

	v->d = d;
	v->index = index;
	atomic_store(&v->error, 0);
	atomic_store(&v->number, 0);
	pin_list(d, &d->set.pin, index, &cpus);
	snprintf(name, sizeof(name), "vcpu%u", index);
	atomic_fetch_add(&d->vcpus_running, 1);
	rc = thread_start(&v->thread, name, &cpus, vcpu_main, v);
	if (!rc)
		return 0;
	atomic_fetch_sub(&d->vcpus_running, 1);
	if (rc == EINVAL && d->set.pin.kind != PIN_NONE)
		return pin_refused(index, &cpus, err);
	return error_set(err, rc, "cannot start the thread of vCPU %u", index);
}

int vcpus_start(struct daemon *d, struct error **err)
{
	unsigned int n = config_cpus_max(&d->config);

	for (d->vcpus = 0; d->vcpus < n; d->vcpus++)
		if (start_one(d, d->vcpus, err))
			return -1;
	return 0;
}

char *vcpus_failure(struct daemon *d)
{
	unsigned int i;
	int code;

	for (i = 0; i < d->vcpus; i++) {
		code = atomic_load(&d->vcpu[i].error);
		if (code)
			return need_format("the driver can't run vCPU %u: %s",
					   i, strerror(code));
	}
	return NULL;
}

void vcpus_join(struct daemon *d)
{
	while (d->vcpus)
		pthread_join(d->vcpu[--d->vcpus].thread, NULL);
}
