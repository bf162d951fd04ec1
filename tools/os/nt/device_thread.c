// SPDX-License-Identifier: GPL-2.0
#include "../../devices/virtio.h"

/* No signals here that a thread could get. */
int device_thread(pthread_t *thread, void *(*work)(void *arg), void *arg)
{
	return pthread_create(thread, NULL, work, arg);
}
