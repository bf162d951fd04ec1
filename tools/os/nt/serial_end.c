// SPDX-License-Identifier: GPL-2.0
#include "serial_end.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "../../serial/serial.h"
#include "wide.h"

#define RETRY_MS   1000
#define READ_BYTES 4096

struct serial_end {
	const struct config_serial *line;
	uv_async_t *wake;
	wchar_t *name; /* for CreateFile(); NULL: standard input and output */
	HANDLE stop;   /* event */
	HANDLE in, out; /* of the reading thread; overlapped unless `plain` */
	bool plain;
	pthread_t reader, writer;
	bool running; /* both threads were started */

	pthread_mutex_t lock; /* of all from here on */
	pthread_cond_t changed;
	bool connected, stopping;
	char why[120];
	uint8_t input[READ_BYTES];
	size_t input_at, input_end;
	struct text output;
};

/* ---- the handle ------------------------------------------------------------- */

static void set_why(struct serial_end *e, DWORD error)
{
	pthread_mutex_lock(&e->lock);
	snprintf(e->why, sizeof(e->why), "%s",
		 error ? strerror(errno_of(error)) : "");
	pthread_mutex_unlock(&e->lock);
}

/* Until it's done or the line is closed; false: GetLastError(). */
static bool wait_for(struct serial_end *e, HANDLE h, OVERLAPPED *o, DWORD *n)
{
	HANDLE both[2] = { e->stop, o->hEvent };

	if (GetLastError() != ERROR_IO_PENDING)
		return false;
	if (WaitForMultipleObjects(2, both, FALSE, INFINITE) == WAIT_OBJECT_0)
		CancelIoEx(h, o);
	return GetOverlappedResult(h, o, n, TRUE);
}

static void set_state(DCB *dcb, const struct serial_mode *m)
{
	static const char parity[] = "noems"; /* NOPARITY, ODDPARITY, ... */

	dcb->fBinary = TRUE;
	dcb->fOutX = dcb->fInX = m->xon > 0;
	dcb->fOutxCtsFlow = m->hardware > 0;
	dcb->fRtsControl = m->hardware > 0 ? RTS_CONTROL_HANDSHAKE :
			   m->rts ? RTS_CONTROL_ENABLE : RTS_CONTROL_DISABLE;
	dcb->fDtrControl = m->dtr ? DTR_CONTROL_ENABLE : DTR_CONTROL_DISABLE;
	if (m->baud)
		dcb->BaudRate = m->baud;
	if (m->data)
		dcb->ByteSize = (BYTE)m->data;
	if (m->parity)
		dcb->Parity = (BYTE)(strchr(parity, m->parity) - parity);
	if (m->stop)
		dcb->StopBits = m->stop == 2 ? TWOSTOPBITS : ONESTOPBIT;
}

/* Reads come back with what there is, as from a pipe. */
static bool set_mode(HANDLE h, const struct serial_mode *m)
{
	COMMTIMEOUTS t = { .ReadIntervalTimeout = MAXDWORD,
			   .ReadTotalTimeoutMultiplier = MAXDWORD,
			   .ReadTotalTimeoutConstant = MAXDWORD - 1 };
	DCB dcb = { .DCBlength = sizeof(dcb) };

	if (!GetCommState(h, &dcb))
		return false;
	set_state(&dcb, m);
	return SetCommState(h, &dcb) && SetCommTimeouts(h, &t);
}

/* False: GetLastError(). */
static bool open_file(struct serial_end *e)
{
	e->in = e->out = CreateFileW(e->name, GENERIC_READ | GENERIC_WRITE, 0,
				     NULL, OPEN_EXISTING,
				     FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT |
					     SECURITY_IDENTIFICATION,
				     NULL);
	if (e->in == INVALID_HANDLE_VALUE)
		return false;
	if (e->line->kind != SERIAL_DEVICE || set_mode(e->in, &e->line->mode))
		return true;
	CloseHandle(e->in);
	e->in = e->out = INVALID_HANDLE_VALUE;
	return false;
}

/* One client at a time: who comes while another is there finds it busy. */
static bool make_pipe(struct serial_end *e)
{
	e->in = e->out = CreateNamedPipeW(
		e->name,
		PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED |
			FILE_FLAG_FIRST_PIPE_INSTANCE,
		PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT |
			PIPE_REJECT_REMOTE_CLIENTS,
		1, 65536, 65536, 0, NULL);
	return e->in != INVALID_HANDLE_VALUE;
}

static bool accept_client(struct serial_end *e, OVERLAPPED *o)
{
	DWORD n;

	memset(&o->Internal, 0, sizeof(o->Internal));
	ResetEvent(o->hEvent);
	return ConnectNamedPipe(e->in, o) ||
	       GetLastError() == ERROR_PIPE_CONNECTED ||
	       wait_for(e, e->in, o, &n);
}

/* The end is there, or will be soon. False: GetLastError(). */
static bool open_end(struct serial_end *e)
{
	switch (e->line->kind) {
	case SERIAL_LISTEN:
		return make_pipe(e);
	case SERIAL_STDIO:
		e->plain = true;
		e->in = GetStdHandle(STD_INPUT_HANDLE);
		e->out = GetStdHandle(STD_OUTPUT_HANDLE);
		return true;
	default:
		return open_file(e);
	}
}

static void close_end(struct serial_end *e)
{
	if (e->line->kind == SERIAL_LISTEN && e->in != INVALID_HANDLE_VALUE &&
	    !e->stopping)
		DisconnectNamedPipe(e->in); /* it stays, for the next */
	else if (!e->plain && e->in != INVALID_HANDLE_VALUE)
		CloseHandle(e->in);
	if (e->line->kind != SERIAL_LISTEN || e->stopping)
		e->in = e->out = INVALID_HANDLE_VALUE;
}

/* ---- reading ---------------------------------------------------------------- */

static void set_connected(struct serial_end *e, bool connected)
{
	pthread_mutex_lock(&e->lock);
	e->connected = connected;
	if (!connected)
		text_free(&e->output);
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	uv_async_send(e->wake);
}

/* The loop's thread takes it; false: the line is closed. */
static bool hand_over(struct serial_end *e, size_t n)
{
	bool more;

	pthread_mutex_lock(&e->lock);
	e->input_at = 0;
	e->input_end = n;
	uv_async_send(e->wake);
	while (e->input_at < e->input_end && !e->stopping)
		pthread_cond_wait(&e->changed, &e->lock);
	more = !e->stopping;
	pthread_mutex_unlock(&e->lock);
	return more;
}

static void read_on(struct serial_end *e, OVERLAPPED *o)
{
	DWORD n = 0;
	bool good;

	do {
		ResetEvent(o->hEvent);
		good = ReadFile(e->in, e->input, READ_BYTES, &n,
				e->plain ? NULL : o) ||
		       (!e->plain && wait_for(e, e->in, o, &n));
		if (good && !n && e->line->kind != SERIAL_DEVICE)
			break;
	} while (good && hand_over(e, n));
	set_why(e, good || GetLastError() == ERROR_BROKEN_PIPE ? 0 :
							     GetLastError());
}

static bool meet(struct serial_end *e, OVERLAPPED *o)
{
	bool good = e->in != INVALID_HANDLE_VALUE || open_end(e);

	if (good && e->line->kind == SERIAL_LISTEN)
		good = accept_client(e, o);
	if (!good)
		set_why(e, GetLastError());
	return good;
}

static bool stopping(struct serial_end *e)
{
	return WaitForSingleObject(e->stop, 0) == WAIT_OBJECT_0;
}

static void *reader(void *arg)
{
	OVERLAPPED o = { .hEvent = CreateEventW(NULL, TRUE, FALSE, NULL) };
	struct serial_end *e = arg;

	while (o.hEvent && !stopping(e)) {
		if (meet(e, &o)) {
			set_connected(e, true);
			read_on(e, &o);
			set_connected(e, false);
			if (e->plain)
				break; /* there is no other */
			close_end(e);
		}
		if (e->line->kind != SERIAL_LISTEN)
			WaitForSingleObject(e->stop, RETRY_MS);
	}
	if (o.hEvent)
		CloseHandle(o.hEvent);
	return NULL;
}

/* ---- writing ---------------------------------------------------------------- */

/* Takes what waits; false: the line is closed. */
static bool next_output(struct serial_end *e, struct text *now)
{
	pthread_mutex_lock(&e->lock);
	while (!e->stopping && !(e->connected && e->output.length))
		pthread_cond_wait(&e->changed, &e->lock);
	*now = e->output;
	memset(&e->output, 0, sizeof(e->output));
	pthread_mutex_unlock(&e->lock);
	return !e->stopping;
}

/* What fails shows at the reader, too. */
static void write_text(struct serial_end *e, OVERLAPPED *o,
		       const struct text *t)
{
	size_t at = 0;
	DWORD n;

	for (; at < t->length; at += n) {
		ResetEvent(o->hEvent);
		if (!WriteFile(e->out, t->data + at, (DWORD)(t->length - at), &n,
			       e->plain ? NULL : o) &&
		    (e->plain || !wait_for(e, e->out, o, &n)))
			return;
	}
}

static void *writer(void *arg)
{
	OVERLAPPED o = { .hEvent = CreateEventW(NULL, TRUE, FALSE, NULL) };
	struct serial_end *e = arg;
	struct text now = { 0 };

	while (o.hEvent && next_output(e, &now)) {
		write_text(e, &o, &now);
		text_free(&now);
		uv_async_send(e->wake);
	}
	text_free(&now);
	if (o.hEvent)
		CloseHandle(o.hEvent);
	return NULL;
}

/* ---- the loop's side -------------------------------------------------------- */

bool serial_end_connected(struct serial_end *e)
{
	bool connected;

	pthread_mutex_lock(&e->lock);
	connected = e->connected;
	pthread_mutex_unlock(&e->lock);
	return connected;
}

const char *serial_end_why(struct serial_end *e)
{
	return e->why;
}

size_t serial_end_input(struct serial_end *e, const uint8_t **data)
{
	size_t n;

	pthread_mutex_lock(&e->lock);
	*data = e->input + e->input_at;
	n = e->input_end - e->input_at;
	pthread_mutex_unlock(&e->lock);
	return n;
}

void serial_end_taken(struct serial_end *e, size_t n)
{
	pthread_mutex_lock(&e->lock);
	e->input_at += n;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
}

bool serial_end_write(struct serial_end *e, const void *data, size_t n,
		      size_t *kept)
{
	bool room;

	pthread_mutex_lock(&e->lock);
	room = e->connected && e->output.length + n <= SERIAL_KEPT;
	if (room)
		text_add(&e->output, data, n);
	*kept = e->output.length;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	return room;
}

size_t serial_end_kept(struct serial_end *e)
{
	size_t n;

	pthread_mutex_lock(&e->lock);
	n = e->output.length;
	pthread_mutex_unlock(&e->lock);
	return n;
}

/* ---- life ------------------------------------------------------------------- */

/* COM10 and above are only found by their whole names. */
static wchar_t *name_of(const struct config_serial *line)
{
	const char *path = line->path;
	char *name, *at;
	wchar_t *out;

	if (line->kind == SERIAL_STDIO)
		return NULL;
	if (!strncmp(path, "\\\\.\\", 4))
		name = need_copy(path, strlen(path));
	else
		name = need_format("\\\\.\\%s%s",
				   line->kind == SERIAL_DEVICE ? "" : "pipe\\",
				   path);
	for (at = name; *at; at++)
		if (*at == '/')
			*at = '\\';
	out = wide(name);
	free(name);
	return out;
}

static int first_try(struct serial_end *e, struct error **err)
{
	if (e->line->kind == SERIAL_CONNECT || open_end(e))
		return 0;
	if (GetLastError() == ERROR_ACCESS_DENIED ||
	    GetLastError() == ERROR_PIPE_BUSY)
		return error_set(err, 0, "%s: another program has it",
				 e->line->path);
	set_errno();
	return error_set(err, errno, "%s", e->line->path);
}

static int start(struct serial_end *e, struct error **err)
{
	int rc = pthread_create(&e->reader, NULL, reader, e);

	if (rc)
		return error_set(err, rc, "cannot start a thread");
	rc = pthread_create(&e->writer, NULL, writer, e);
	e->running = !rc;
	if (!rc)
		return 0;
	SetEvent(e->stop);
	pthread_join(e->reader, NULL);
	return error_set(err, rc, "cannot start a thread");
}

struct serial_end *serial_end_open(const struct config_serial *line,
				   uv_async_t *wake, struct error **err)
{
	struct serial_end *e = need(sizeof(*e));

	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->changed, NULL);
	e->line = line;
	e->wake = wake;
	e->in = e->out = INVALID_HANDLE_VALUE;
	e->name = name_of(line);
	e->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!first_try(e, err) && !start(e, err))
		return e;
	serial_end_close(e);
	return NULL;
}

/* A thread that stands in a call for standard input stays there: the process ends
 * next, and it with it. */
static void join(struct serial_end *e)
{
	if (e->plain) {
		CancelSynchronousIo(pthread_gethandle(e->reader));
		CancelSynchronousIo(pthread_gethandle(e->writer));
	}
	pthread_join(e->writer, NULL);
	pthread_join(e->reader, NULL);
}

void serial_end_close(struct serial_end *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	e->stopping = true;
	pthread_cond_broadcast(&e->changed);
	pthread_mutex_unlock(&e->lock);
	SetEvent(e->stop);
	if (e->running)
		join(e);
	if (!e->plain && e->in != INVALID_HANDLE_VALUE)
		CloseHandle(e->in);
	CloseHandle(e->stop);
	text_free(&e->output);
	pthread_cond_destroy(&e->changed);
	pthread_mutex_destroy(&e->lock);
	free(e->name);
	free(e);
}
