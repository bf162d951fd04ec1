// SPDX-License-Identifier: GPL-2.0
/*
 * A colinux-daemon with tools/os/nt's switches and a VM that is none: Wine has no
 * ring 0. Its words:
 *
 *	say=FILE	each step is a line in it
 *	start=MS	how long it takes to start
 *	off=MS		how long to power off, once asked to
 *	status=N	how it ends
 *	bad		no configuration
 *
 * Besides, `--end-session no|yes` is the desktop that asks all daemons whether the
 * session may end, and then tells whether it does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../tools/os/nt/ending.h"
#include "../../tools/os/service.h"

static HANDLE asked;
static const char *say_file;

static const char *value(int argc, char **argv, const char *name)
{
	size_t n = strlen(name);
	int i;

	for (i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return argv[i] + n + 1;
	return NULL;
}

static DWORD number(int argc, char **argv, const char *name)
{
	const char *text = value(argc, argv, name);

	return text ? strtoul(text, NULL, 10) : 0;
}

static void say(const char *what, const char *more)
{
	FILE *f = say_file ? fopen(say_file, "a") : NULL;

	if (!f)
		return;
	fprintf(f, "%s%s\n", what, more);
	fclose(f);
}

static void ask(void *arg)
{
	say("asked", "");
	SetEvent(arg);
}

static int check(int argc, char **argv, struct error **err)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], "bad"))
			return error_set(err, 0, "'bad' is no configuration");
	return 0;
}

static void say_begin(int argc, char **argv)
{
	char directory[MAX_PATH];
	int i;

	GetCurrentDirectoryA(sizeof(directory), directory);
	say("in ", directory);
	for (i = 1; i < argc; i++)
		say("word ", argv[i]);
}

static int run(int argc, char **argv)
{
	say_file = value(argc, argv, "say");
	asked = CreateEventW(NULL, TRUE, FALSE, NULL);
	say_begin(argc, argv);
	fprintf(stderr, "a message\n");
	ending_watch(ask, asked);
	Sleep(number(argc, argv, "start"));
	ending_ready();
	say("runs", "");
	WaitForSingleObject(asked, INFINITE);
	Sleep(number(argc, argv, "off"));
	ending_watch(NULL, NULL);
	say("off", "");
	ending_done();
	return (int)number(argc, argv, "status");
}

static int end_session(WPARAM ends)
{
	HWND window;
	int i;

	/* It is made beside the daemon's start. */
	for (i = 0; !(window = FindWindowW(ENDING_WINDOW_CLASS, NULL)); i++) {
		if (i == 100)
			return 2;
		Sleep(100);
	}
	if (!SendMessageW(window, WM_QUERYENDSESSION, 0, 0))
		return 3;
	SendMessageW(window, WM_ENDSESSION, ends, 0);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct service_program program = { check, run };
	int status;

	if (argc == 3 && !strcmp(argv[1], "--end-session"))
		return end_session(!strcmp(argv[2], "yes"));
	status = service_switch(argc, argv, &program);
	return status >= 0 ? status : run(argc, argv);
}
