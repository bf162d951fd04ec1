// SPDX-License-Identifier: GPL-2.0
#include "driver_bells.h"

#include <pthread.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>

#include "../../../host/nt/ioctl.h"
#include "../../lib/text.h"
#include "../bell.h"

struct driver_bells {
	HANDLE driver, stop, came; /* the latter two: events */
	pthread_t thread;
	pthread_mutex_t lock; /* of the two below */
	int bell[CO_NT_BELLS_MAX];
	int used;
};

static void ring(struct driver_bells *b, const struct co_nt_bells *answer)
{
	int i;

	pthread_mutex_lock(&b->lock);
	for (i = 0; i < b->used; i++)
		if (answer->rung[i / 64] >> (i % 64) & 1)
			bell_ring(b->bell[i]);
	pthread_mutex_unlock(&b->lock);
}

/* False: the driver tells no more. */
static bool wait_once(struct driver_bells *b)
{
	OVERLAPPED o = { .hEvent = b->came };
	struct co_nt_bells bells;
	HANDLE both[2] = { b->stop, b->came };
	DWORD n;

	memset(&bells, 0, sizeof(bells));
	memset(bells.wanted, 0xff, sizeof(bells.wanted));
	if (!DeviceIoControl(b->driver, CO_NT_BELLS, &bells, sizeof(bells),
			     &bells, sizeof(bells), NULL, &o) &&
	    GetLastError() != ERROR_IO_PENDING)
		return false;
	if (WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0)
		CancelIoEx(b->driver, &o);
	if (!GetOverlappedResult(b->driver, &o, &n, TRUE))
		return false;
	ring(b, &bells);
	return true;
}

static void *listen_on(void *arg)
{
	struct driver_bells *b = arg;

	while (WaitForSingleObject(b->stop, 0) == WAIT_TIMEOUT && wait_once(b))
		;
	return NULL;
}

static void release(struct driver_bells *b)
{
	if (b->stop)
		CloseHandle(b->stop);
	if (b->came)
		CloseHandle(b->came);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

struct driver_bells *driver_bells_open(HANDLE driver)
{
	struct driver_bells *b = need(sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	b->driver = driver;
	b->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	b->came = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (b->stop && b->came &&
	    !pthread_create(&b->thread, NULL, listen_on, b))
		return b;
	release(b);
	return NULL;
}

void driver_bells_close(struct driver_bells *b)
{
	if (!b)
		return;
	SetEvent(b->stop);
	pthread_join(b->thread, NULL);
	release(b);
}

int driver_bells_number(struct driver_bells *b, int bell)
{
	int i;

	pthread_mutex_lock(&b->lock);
	for (i = 0; i < b->used && b->bell[i] != bell; i++)
		;
	if (i == b->used && i < CO_NT_BELLS_MAX)
		b->bell[b->used++] = bell;
	pthread_mutex_unlock(&b->lock);
	return i < CO_NT_BELLS_MAX ? i : -1;
}
