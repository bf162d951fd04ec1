// SPDX-License-Identifier: GPL-2.0
#include <signal.h>

#include "../../devices/virtio.h"

int device_thread(pthread_t *thread, void *(*work)(void *arg), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(thread, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}
