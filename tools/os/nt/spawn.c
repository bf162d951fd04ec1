// SPDX-License-Identifier: GPL-2.0
#include "spawn.h"

#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "../path.h"
#include "wide.h"

/* Backslashes count as themselves, unless a quote follows: then each is written
 * twice, and the quote behind another one (CommandLineToArgvW). */
static void add_word(struct text *t, const char *word)
{
	size_t slashes = 0, i;

	if (*word && !strpbrk(word, " \t\n\v\"")) {
		text_add(t, word, strlen(word));
		return;
	}
	text_add(t, "\"", 1);
	for (; *word; word++) {
		if (*word == '"')
			for (i = 0; i <= slashes; i++)
				text_add(t, "\\", 1);
		slashes = *word == '\\' ? slashes + 1 : 0;
		text_add(t, word, 1);
	}
	for (i = 0; i < slashes; i++)
		text_add(t, "\\", 1);
	text_add(t, "\"", 1);
}

wchar_t *spawn_line(char *const argv[])
{
	struct text t = { 0 };
	wchar_t *line;
	size_t i;

	for (i = 0; argv[i]; i++) {
		if (i)
			text_add(&t, " ", 1);
		add_word(&t, argv[i]);
	}
	line = wide(t.data ? t.data : "");
	text_free(&t);
	return line;
}

/* ---- what is inherited ------------------------------------------------------- */

struct startup {
	STARTUPINFOEXW info;
	HANDLE handles[4];
	size_t n;
};

static HANDLE inherit(struct startup *u, HANDLE h, DWORD otherwise)
{
	size_t i;

	if (!h)
		h = GetStdHandle(otherwise);
	if (!h || h == INVALID_HANDLE_VALUE ||
	    !SetHandleInformation(h, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
		return NULL;
	for (i = 0; i < u->n && u->handles[i] != h; i++)
		;
	if (i == u->n)
		u->handles[u->n++] = h;
	return h;
}

static bool fill_list(struct startup *u)
{
	SIZE_T size = 0;

	InitializeProcThreadAttributeList(NULL, 1, 0, &size);
	u->info.lpAttributeList = need(size);
	return InitializeProcThreadAttributeList(u->info.lpAttributeList, 1, 0,
						 &size) &&
	       (!u->n ||
		UpdateProcThreadAttribute(u->info.lpAttributeList, 0,
					  PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
					  u->handles,
					  u->n * sizeof(u->handles[0]), NULL,
					  NULL));
}

static bool fill(struct startup *u, const struct spawn *s)
{
	STARTUPINFOW *info = &u->info.StartupInfo;

	info->cb = sizeof(u->info);
	info->dwFlags = STARTF_USESTDHANDLES;
	info->hStdInput = inherit(u, s->input, STD_INPUT_HANDLE);
	info->hStdOutput = inherit(u, s->output, STD_OUTPUT_HANDLE);
	info->hStdError = inherit(u, s->errors, STD_ERROR_HANDLE);
	if (s->also)
		inherit(u, s->also, 0);
	return fill_list(u);
}

/* ---- start and end ----------------------------------------------------------- */

static bool create(struct spawn *s, const char *path)
{
	struct startup u = { 0 };
	wchar_t *name = wide(path), *line = spawn_line(s->argv);
	PROCESS_INFORMATION made;
	bool good;

	good = name && line && fill(&u, s) &&
	       CreateProcessW(name, line, NULL, NULL, TRUE,
			      s->flags | EXTENDED_STARTUPINFO_PRESENT, NULL,
			      NULL, &u.info.StartupInfo, &made);
	if (!good)
		set_errno();
	free(u.info.lpAttributeList);
	free(name);
	free(line);
	if (!good)
		return false;
	s->process = made.hProcess;
	s->thread = made.hThread;
	if (!(s->flags & CREATE_SUSPENDED)) {
		CloseHandle(s->thread);
		s->thread = NULL;
	}
	return true;
}

int spawn_start(struct spawn *s, struct error **err)
{
	char *path = path_program(s->program ? s->program : s->argv[0], err);
	int rc = 0;

	if (!path)
		return -1;
	if (!create(s, path))
		rc = error_set(err, errno, "cannot execute %s", path);
	free(path);
	return rc;
}

int spawn_wait(struct spawn *s)
{
	DWORD status = 1;

	WaitForSingleObject(s->process, INFINITE);
	GetExitCodeProcess(s->process, &status);
	CloseHandle(s->process);
	return (int)status;
}
