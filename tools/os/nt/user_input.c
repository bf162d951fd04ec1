// SPDX-License-Identifier: GPL-2.0
#include "user_input.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "wide.h"

#define ROOM 4096

struct user_input {
	HANDLE from, thread;
	HANDLE full, empty; /* events: there is something; it was taken */
	/* The thread's until it sets `full`, the reader's until it sets `empty`. */
	char data[ROOM];
	size_t at, end;
	DWORD error;
	bool stop; /* the reader has gone: the thread frees all */
};

/* One key may be two halves of a UTF-16 character: the console gives both. */
static bool read_console(struct user_input *u)
{
	wchar_t text[ROOM / 4];
	DWORD n;
	int bytes;

	if (!ReadConsoleW(u->from, text, ROOM / 4, &n, NULL))
		return false;
	bytes = WideCharToMultiByte(CP_UTF8, 0, text, (int)n, u->data, ROOM,
				    NULL, NULL);
	u->end = (size_t)bytes;
	return true;
}

static bool read_once(struct user_input *u)
{
	DWORD mode, n;

	u->at = u->end = 0;
	if (GetConsoleMode(u->from, &mode))
		return read_console(u);
	if (!ReadFile(u->from, u->data, ROOM, &n, NULL))
		return GetLastError() == ERROR_BROKEN_PIPE;
	u->end = n;
	return true;
}

static void release(struct user_input *u)
{
	CloseHandle(u->full);
	CloseHandle(u->empty);
	free(u);
}

static DWORD WINAPI read_on(void *arg)
{
	struct user_input *u = arg;
	bool more = true;

	while (more && !u->stop) {
		u->error = read_once(u) ? 0 : GetLastError();
		more = !u->error && u->end;
		SetEvent(u->full);
		WaitForSingleObject(u->empty, INFINITE);
	}
	while (!u->stop)
		WaitForSingleObject(u->empty, INFINITE);
	release(u);
	return 0;
}

struct user_input *user_input_open(void)
{
	struct user_input *u = need(sizeof(*u));

	u->from = GetStdHandle(STD_INPUT_HANDLE);
	u->full = CreateEventW(NULL, TRUE, FALSE, NULL);
	u->empty = CreateEventW(NULL, FALSE, FALSE, NULL);
	if (u->full && u->empty)
		return u;
	release(u);
	return NULL;
}

/* The thread may stand in a read that nobody ends: it is asked to come back, and
 * whenever it does it frees what is here. */
void user_input_close(struct user_input *u)
{
	HANDLE thread;

	if (!u)
		return;
	thread = u->thread;
	if (!thread) {
		release(u);
		return;
	}
	u->stop = true;
	CancelSynchronousIo(thread);
	SetEvent(u->empty);
	CloseHandle(thread);
}

HANDLE user_input_event(struct user_input *u)
{
	if (!u->thread)
		u->thread = CreateThread(NULL, 65536, read_on, u, 0, NULL);
	return u->full;
}

ssize_t user_input_read(struct user_input *u, void *data, size_t n)
{
	if (WaitForSingleObject(u->full, 0) != WAIT_OBJECT_0) {
		errno = EAGAIN;
		return -1;
	}
	if (u->error) {
		errno = errno_of(u->error);
		return -1;
	}
	if (n > u->end - u->at)
		n = u->end - u->at;
	memcpy(data, u->data + u->at, n);
	u->at += n;
	/* The end stays. */
	if (n && u->at == u->end) {
		ResetEvent(u->full);
		SetEvent(u->empty);
	}
	return (ssize_t)n;
}
