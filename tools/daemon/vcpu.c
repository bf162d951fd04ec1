// SPDX-License-Identifier: GPL-2.0
/* The thread of a vCPU: RUN, do what the guest asked, RUN again. */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
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

static void *vcpu_main(void *arg)
{
	struct daemon *d = arg;
	struct co_req_vcpu_run run = { 0 };
	int rc;

	for (;;) {
		rc = driver_request(d->driver, CO_REQ_VCPU_RUN, &run,
				    sizeof(run));
		if (rc == -EINTR)
			continue;
		if (rc || run.exit == CO_EXIT_STOP)
			break;
		run.result = vcpu_exit(d, &run);
	}
	d->vcpu_error = -rc;
	uv_async_send(&d->vcpu_ended);
	return NULL;
}

int vcpu_start(struct daemon *d, struct error **err)
{
	sigset_t all, old;
	int rc;

	d->vcpu_error = 0;
	/* Signals are the loop's: none may take a vCPU out of its RUN. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&d->vcpu_thread, NULL, vcpu_main, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return error_set(err, rc, "cannot start the thread of vCPU 0");
	d->vcpu_started = true;
	return 0;
}

void vcpu_join(struct daemon *d)
{
	if (!d->vcpu_started)
		return;
	pthread_join(d->vcpu_thread, NULL);
	d->vcpu_started = false;
}
