// SPDX-License-Identifier: GPL-2.0
/* A client's end of a named pipe, its console and what is pressed there. */
#include "../peer.h"

#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "security.h"
#include "user_input.h"
#include "wide.h"

#define BUSY_MS 5000 /* how long a daemon that accepts others is waited for */
#define LOOK_MS 500  /* how often a console is asked for its size */

struct peer {
	HANDLE pipe;
	OVERLAPPED reading, writing; /* with an event each */
	bool pending;		     /* `reading` is under way */
	size_t at, end;		     /* what was read and not taken */
	int error;		     /* errno of the end, 0: it was one */
	bool ended;
	uint8_t buffer[65536];
};

struct user {
	HANDLE console_in, console_out; /* NULL: none, or not changed */
	DWORD mode_in, mode_out;
	HANDLE spoke; /* event */
	struct user_input *input;
	bool quit;
	unsigned int columns, rows;
};

/* ---- the connection ---------------------------------------------------------- */

/* A stranger may have made a pipe of that name: it learns nothing, and not who we
 * are. */
static HANDLE dial(const wchar_t *name)
{
	HANDLE h;

	do {
		h = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL,
				OPEN_EXISTING,
				FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT |
					SECURITY_IDENTIFICATION,
				NULL);
	} while (h == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY &&
		 WaitNamedPipeW(name, BUSY_MS));
	if (h == INVALID_HANDLE_VALUE) {
		set_errno();
	} else if (!security_trusted(h)) {
		CloseHandle(h);
		errno = EACCES;
		h = INVALID_HANDLE_VALUE;
	}
	return h;
}

struct peer *peer_connect(const char *address)
{
	wchar_t *name = wide(address);
	HANDLE h = name ? dial(name) : INVALID_HANDLE_VALUE;
	struct peer *p;

	free(name);
	if (h == INVALID_HANDLE_VALUE)
		return NULL;
	p = need(sizeof(*p));
	p->pipe = h;
	p->reading.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
	p->writing.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (p->reading.hEvent && p->writing.hEvent)
		return p;
	set_errno();
	peer_close(p);
	return NULL;
}

void peer_close(struct peer *p)
{
	DWORD n;

	if (!p)
		return;
	if (p->pending) {
		CancelIo(p->pipe);
		GetOverlappedResult(p->pipe, &p->reading, &n, TRUE);
	}
	CloseHandle(p->pipe);
	if (p->reading.hEvent)
		CloseHandle(p->reading.hEvent);
	if (p->writing.hEvent)
		CloseHandle(p->writing.hEvent);
	free(p);
}

/* The daemon has closed its end, or it can't be read. */
static void note_end(struct peer *p)
{
	DWORD error = GetLastError();

	p->ended = true;
	p->error = error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF ||
				   error == ERROR_PIPE_NOT_CONNECTED ?
			   0 : errno_of(error);
}

/* Reads on unless something is there already. */
static void begin_read(struct peer *p)
{
	HANDLE event = p->reading.hEvent;

	if (p->pending || p->ended || p->at < p->end)
		return;
	memset(&p->reading, 0, sizeof(p->reading));
	p->reading.hEvent = event;
	if (ReadFile(p->pipe, p->buffer, sizeof(p->buffer), NULL, &p->reading) ||
	    GetLastError() == ERROR_IO_PENDING)
		p->pending = true;
	else
		note_end(p);
}

static void end_read(struct peer *p, bool wait)
{
	DWORD n;

	if (!p->pending)
		return;
	if (GetOverlappedResult(p->pipe, &p->reading, &n, wait)) {
		p->pending = false;
		p->at = 0;
		p->end = n;
	} else if (GetLastError() != ERROR_IO_INCOMPLETE) {
		p->pending = false;
		note_end(p);
	}
}

ssize_t peer_read(struct peer *p, void *data, size_t n)
{
	while (p->at == p->end && !p->ended) {
		begin_read(p);
		end_read(p, true);
	}
	if (p->at == p->end) {
		errno = p->error;
		return p->error ? -1 : 0;
	}
	if (n > p->end - p->at)
		n = p->end - p->at;
	memcpy(data, p->buffer + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

static bool write_some(struct peer *p, const void *data, DWORD n, DWORD *done)
{
	HANDLE event = p->writing.hEvent;

	memset(&p->writing, 0, sizeof(p->writing));
	p->writing.hEvent = event;
	return (WriteFile(p->pipe, data, n, NULL, &p->writing) ||
		GetLastError() == ERROR_IO_PENDING) &&
	       GetOverlappedResult(p->pipe, &p->writing, done, TRUE);
}

int peer_write(struct peer *p, const void *data, size_t n)
{
	const uint8_t *at = data;
	DWORD part;

	for (; n; at += part, n -= part)
		if (!write_some(p, at, n < 65536 ? (DWORD)n : 65536, &part))
			return set_errno();
	return 0;
}

/* ---- words ------------------------------------------------------------------- */

/* Windows calls this on a thread of its own. One user at a time. */
static volatile LONG words[32]; /* by their numbers */
static struct user *listener;

static BOOL WINAPI on_control(DWORD type)
{
	static const int word[] = { [CTRL_C_EVENT] = USER_INT,
				    [CTRL_BREAK_EVENT] = USER_QUIT,
				    [CTRL_CLOSE_EVENT] = USER_HUP };

	if (type > CTRL_CLOSE_EVENT || !listener)
		return FALSE;
	if (type == CTRL_BREAK_EVENT && !listener->quit)
		return FALSE;
	words[word[type]] = 1;
	SetEvent(listener->spoke);
	/* A console that closes ends this process when we return. */
	if (type == CTRL_CLOSE_EVENT)
		Sleep(2000);
	return TRUE;
}

struct user *user_watch(bool quit)
{
	struct user *u = need(sizeof(*u));

	u->quit = quit;
	u->spoke = CreateEventW(NULL, FALSE, FALSE, NULL);
	u->input = user_input_open();
	if (u->spoke && u->input && SetConsoleCtrlHandler(on_control, TRUE)) {
		listener = u;
		return u;
	}
	set_errno();
	user_input_close(u->input);
	if (u->spoke)
		CloseHandle(u->spoke);
	free(u);
	return NULL;
}

void user_unwatch(struct user *u)
{
	SetConsoleCtrlHandler(on_control, FALSE);
	listener = NULL;
	user_input_close(u->input);
	if (u->console_in)
		SetConsoleMode(u->console_in, u->mode_in);
	if (u->console_out)
		SetConsoleMode(u->console_out, u->mode_out);
	CloseHandle(u->spoke);
	free(u);
}

int user_word(struct user *u)
{
	int i;

	(void)u;
	for (i = 1; i < 32; i++)
		if (InterlockedExchange(&words[i], 0))
			return i;
	return 0;
}

/* ---- the console ------------------------------------------------------------- */

#define VT_INPUT  0x200 /* ENABLE_VIRTUAL_TERMINAL_INPUT */
#define VT_OUTPUT 0x4   /* ENABLE_VIRTUAL_TERMINAL_PROCESSING */
#define NO_RETURN 0x8   /* DISABLE_NEWLINE_AUTO_RETURN */

/* A console before Windows 10 has no VT: then keys come as characters only, and
 * sequences are shown as they are. */
bool user_raw(struct user *u)
{
	HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
	HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
	DWORD keep = ENABLE_EXTENDED_FLAGS | ENABLE_QUICK_EDIT_MODE;

	if (!GetConsoleMode(in, &u->mode_in))
		return false;
	u->console_in = in;
	if (!SetConsoleMode(in, (u->mode_in & keep) | VT_INPUT))
		SetConsoleMode(in, u->mode_in & keep);
	if (GetConsoleMode(out, &u->mode_out)) {
		u->console_out = out;
		SetConsoleMode(out, u->mode_out | VT_OUTPUT | NO_RETURN |
					    ENABLE_PROCESSED_OUTPUT);
	}
	return true;
}

bool user_size(struct user *u, unsigned int *columns, unsigned int *rows)
{
	CONSOLE_SCREEN_BUFFER_INFO info;

	if (!u->console_out ||
	    !GetConsoleScreenBufferInfo(u->console_out, &info))
		return false;
	*columns = u->columns =
		(unsigned int)(info.srWindow.Right - info.srWindow.Left + 1);
	*rows = u->rows =
		(unsigned int)(info.srWindow.Bottom - info.srWindow.Top + 1);
	return true;
}

ssize_t user_read(struct user *u, void *data, size_t n)
{
	return user_input_read(u->input, data, n);
}

/* Nothing tells a program that doesn't read the console's events. */
static void look_at_size(struct user *u)
{
	unsigned int columns = u->columns, rows = u->rows, now[2];

	if (!columns || !user_size(u, &now[0], &now[1]) ||
	    (now[0] == columns && now[1] == rows))
		return;
	words[USER_WINCH] = 1;
	SetEvent(u->spoke);
}

static DWORD patience(const struct user *u)
{
	return u->columns && !u->quit ? LOOK_MS : INFINITE;
}

int user_wait(struct user *u, struct peer *p, bool input)
{
	HANDLE h[3];
	DWORD n = 2, rc;

	begin_read(p);
	h[0] = p->reading.hEvent;
	h[1] = u->spoke;
	if (input)
		h[n++] = user_input_event(u->input);
	if (p->ended || p->at < p->end)
		return USER_PEER;
	rc = WaitForMultipleObjects(n, h, FALSE, patience(u));
	if (rc == WAIT_FAILED)
		return set_errno();
	if (rc == WAIT_TIMEOUT)
		look_at_size(u);
	end_read(p, false);
	return (p->ended || p->at < p->end ? USER_PEER : 0) |
	       (rc == WAIT_OBJECT_0 + 1 ? USER_WORD : 0) |
	       (rc == WAIT_OBJECT_0 + 2 ? USER_INPUT : 0);
}

bool user_knows_escapes(void)
{
	HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
	DWORD mode;

	return GetConsoleMode(out, &mode) && mode & VT_OUTPUT;
}
