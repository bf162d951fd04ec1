// SPDX-License-Identifier: GPL-2.0
#include "../background.h"

#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "spawn.h"
#include "wide.h"

/* Of another console, hidden, which no Ctrl-C of ours reaches. */
#define APART (CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP)

/* What it says on standard error comes by a pipe: it can't have our console. */
static DWORD WINAPI relay(void *arg)
{
	HANDLE from = arg;
	char buffer[4096];
	DWORD n;

	while (ReadFile(from, buffer, sizeof(buffer), &n, NULL) && n)
		if (write_all(2, buffer, n))
			break;
	CloseHandle(from);
	return 0;
}

struct ends {
	HANDLE ready[2], errors[2], null; /* [0] is for reading */
};

static void close_all(struct ends *e, bool mine)
{
	HANDLE h[] = { e->null, e->ready[1], e->errors[1],
		       mine ? e->ready[0] : NULL, mine ? e->errors[0] : NULL };
	size_t i;

	for (i = 0; i < sizeof(h) / sizeof(h[0]); i++)
		if (h[i] && h[i] != INVALID_HANDLE_VALUE)
			CloseHandle(h[i]);
}

static bool open_all(struct ends *e)
{
	memset(e, 0, sizeof(*e));
	e->null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
			      FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
			      OPEN_EXISTING, 0, NULL);
	return e->null != INVALID_HANDLE_VALUE &&
	       CreatePipe(&e->ready[0], &e->ready[1], NULL, 0) &&
	       CreatePipe(&e->errors[0], &e->errors[1], NULL, 0);
}

/* argv[0] --ready-fd NUMBER, and the rest. All but words[2] stay the caller's. */
static char **with_ready(char *const argv[], HANDLE ready)
{
	size_t n = 0;
	char **words;

	while (argv[n])
		n++;
	words = need((n + 3) * sizeof(*words));
	words[0] = argv[0];
	words[1] = "--ready-fd";
	words[2] = need_format("%d", (int)(intptr_t)ready);
	memcpy(words + 3, argv + 1, (n - 1) * sizeof(*words));
	return words;
}

static int start(struct background *b, struct ends *e, char *const argv[],
		 struct error **err)
{
	char **words = with_ready(argv, e->ready[1]);
	struct spawn s = { .argv = words, .input = e->null, .output = e->null,
			   .errors = e->errors[1], .also = e->ready[1],
			   .flags = APART };
	int rc = spawn_start(&s, err);

	free(words[2]);
	free(words);
	if (rc)
		return rc;
	b->process = (intptr_t)s.process;
	b->ready = _open_osfhandle((intptr_t)e->ready[0], _O_BINARY | _O_NOINHERIT);
	b->errors = (intptr_t)CreateThread(NULL, 0, relay, e->errors[0], 0, NULL);
	return 0;
}

int background_start(struct background *b, char *const argv[],
		     struct error **err)
{
	struct ends e;
	int rc;

	if (!open_all(&e)) {
		set_errno();
		close_all(&e, true);
		return error_set(err, errno, "cannot make a pipe");
	}
	rc = start(b, &e, argv, err);
	close_all(&e, rc);
	return rc;
}

#define LOOK_MS 20

/* A pipe without a name can't be waited for. */
bool background_spoke(const struct background *b, unsigned int ms)
{
	HANDLE pipe = (HANDLE)_get_osfhandle(b->ready);
	DWORD n = 0, waited;

	for (waited = 0; waited < ms; waited += LOOK_MS) {
		if (!PeekNamedPipe(pipe, NULL, 0, NULL, &n, NULL) || n)
			return true;
		Sleep(LOOK_MS);
	}
	return false;
}

void background_kill(const struct background *b)
{
	TerminateProcess((HANDLE)(intptr_t)b->process, 1);
}

/* Programs of the daemon's, which could have its standard error, end with it. */
int background_wait(struct background *b)
{
	struct spawn s = { .process = (HANDLE)(intptr_t)b->process };
	HANDLE thread = (HANDLE)(intptr_t)b->errors;
	int status = spawn_wait(&s);

	if (thread) {
		WaitForSingleObject(thread, INFINITE);
		CloseHandle(thread);
		b->errors = 0;
	}
	return status;
}

/* A process can't become another program here: it waits for it. */
int background_become(char *const argv[], struct error **err)
{
	struct spawn s = { .argv = argv };

	return spawn_start(&s, err) ? -1 : spawn_wait(&s);
}

/* There is no fork(): the other process begins anew, and knows itself by a
 * --ready-fd besides. */
int background_leave(int *ready, int argc, char *const argv[],
		     struct error **err)
{
	char **words = need(((size_t)argc + 1) * sizeof(*words)), c;
	struct background b;
	int i;

	if (*ready >= 0)
		return 0; /* this is the other */
	for (i = 0; i < argc; i++)
		words[i] = argv[i];
	if (background_start(&b, words, err))
		return -1;
	if (read(b.ready, &c, 1) == 1)
		exit(0);
	exit(background_wait(&b) ? 1 : 0);
}
