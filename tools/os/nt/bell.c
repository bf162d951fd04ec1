// SPDX-License-Identifier: GPL-2.0
/*
 * Bells are events. A handle's number has 32 bits that count, by Windows' promise to
 * programs of both sizes, so that an int holds it.
 */
#include "../bell.h"

#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

#include "wide.h"

struct bell_watch {
	uv_async_t async;
	HANDLE event, wait; /* wait: the pool's; NULL: none */
	void (*fn)(void *arg, int status);
	void *arg;
};

static HANDLE event_of(int bell)
{
	return (HANDLE)(intptr_t)bell;
}

int bell_open(void)
{
	HANDLE h = CreateEventW(NULL, TRUE, FALSE, NULL);

	return h ? (int)(intptr_t)h : set_errno();
}

void bell_close(int bell)
{
	CloseHandle(event_of(bell));
}

void bell_ring(int bell)
{
	SetEvent(event_of(bell));
}

void bell_hush(int bell)
{
	ResetEvent(event_of(bell));
}

void bell_wait(const int bells[2], int ms)
{
	HANDLE both[2] = { event_of(bells[0]), event_of(bells[1]) };

	WaitForMultipleObjects(both[0] == both[1] ? 1 : 2, both, FALSE,
			       ms < 0 ? INFINITE : (DWORD)ms);
}

/* ---- on the loop ------------------------------------------------------------ */

/* A thread of the pool, once for each time that we ask. */
static VOID CALLBACK on_ring(PVOID arg, BOOLEAN timed_out)
{
	(void)timed_out;
	uv_async_send(arg);
}

static bool listen_on(struct bell_watch *w)
{
	return RegisterWaitForSingleObject(&w->wait, w->event, on_ring,
					   &w->async, INFINITE,
					   WT_EXECUTEONLYONCE |
						   WT_EXECUTEINWAITTHREAD);
}

static void forget_wait(struct bell_watch *w)
{
	if (w->wait)
		UnregisterWaitEx(w->wait, INVALID_HANDLE_VALUE);
	w->wait = NULL;
}

static void heard(uv_async_t *async)
{
	struct bell_watch *w = async->data;

	forget_wait(w);
	w->fn(w->arg, 0);
	if (!uv_is_closing((uv_handle_t *)async) && !listen_on(w)) {
		w->wait = NULL;
		w->fn(w->arg, UV_ENOMEM);
	}
}

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

struct bell_watch *bell_watch(uv_loop_t *loop, int bell,
			      void (*fn)(void *arg, int status), void *arg)
{
	struct bell_watch *w = calloc(1, sizeof(*w));

	if (!w || uv_async_init(loop, &w->async, heard)) {
		free(w);
		errno = ENOMEM;
		return NULL;
	}
	w->event = event_of(bell);
	w->fn = fn;
	w->arg = arg;
	w->async.data = w;
	if (listen_on(w))
		return w;
	w->wait = NULL;
	bell_unwatch(w);
	errno = ENOMEM;
	return NULL;
}

void bell_unwatch(struct bell_watch *w)
{
	if (!w)
		return;
	forget_wait(w);
	uv_close((uv_handle_t *)&w->async, free_watch);
}
