// SPDX-License-Identifier: GPL-2.0
#include "../process.h"

#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <ntsecapi.h>
#include <sddl.h>

#include "../../lib/text.h"
#include "security.h"
#include "wide.h"

static UINT console_page;

static void restore_page(void)
{
	SetConsoleOutputCP(console_page);
}

/* Pipes, events and processes that are made without a word about rights get these
 * (files don't: theirs are the folder's). */
static void keep_to_ourselves(void)
{
	PSECURITY_DESCRIPTOR sd = security_own(false);
	TOKEN_DEFAULT_DACL dacl;
	BOOL present, defaulted;
	HANDLE token;
	bool done = false;

	if (sd && OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_DEFAULT,
				   &token)) {
		done = GetSecurityDescriptorDacl(sd, &present,
						 &dacl.DefaultDacl,
						 &defaulted) &&
		       SetTokenInformation(token, TokenDefaultDacl, &dacl,
					   sizeof(dacl));
		CloseHandle(token);
	}
	LocalFree(sd);
	if (done)
		return;
	fprintf(stderr,
		"colinux: cannot keep what this program makes to its user (error %lu)\n",
		GetLastError());
	exit(1);
}

void process_begin(void)
{
	int fd;

	for (fd = 0; fd < 3; fd++)
		_setmode(fd, _O_BINARY);
	console_page = GetConsoleOutputCP();
	if (console_page && console_page != CP_UTF8 &&
	    SetConsoleOutputCP(CP_UTF8))
		atexit(restore_page);
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
	keep_to_ourselves();
}

char *process_path(void)
{
	DWORD room = 1024, n;
	wchar_t *self = NULL;
	char *path;

	do {
		room *= 2;
		self = need_again(self, room * sizeof(*self));
		n = GetModuleFileNameW(NULL, self, room);
	} while (n == room);
	path = n ? narrow(self) : NULL;
	free(self);
	return path;
}

char **process_environment(void)
{
	static char **words;
	wchar_t *block, *at;
	size_t n = 0;

	if (words)
		return words;
	block = GetEnvironmentStringsW();
	for (at = block; at && *at; at += wcslen(at) + 1) {
		words = need_again(words, (n + 2) * sizeof(*words));
		words[n++] = narrow(at);
	}
	if (!words)
		words = need(sizeof(*words));
	words[n] = NULL;
	FreeEnvironmentStringsW(block);
	return words;
}

bool random_bytes(void *data, size_t n)
{
	return RtlGenRandom(data, (ULONG)n);
}

int inherited_descriptor(int number)
{
	return _open_osfhandle(number, _O_BINARY | _O_NOINHERIT);
}
