// SPDX-License-Identifier: GPL-2.0
/*
 * Files of running VMs: of administrators and services in %ProgramData%, of
 * others in their own %LocalAppData%. Daemons listen on named pipes, whose names are
 * the machine's: a hash of the directory keeps those of two directories apart.
 */
#include "../place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "security.h"
#include "wide.h"

static char *variable(const wchar_t *name)
{
	const wchar_t *value = _wgetenv(name);

	return value && *value ? narrow(value) : NULL;
}

char *place_runtime(struct error **err)
{
	bool all = security_elevated();
	char *base = variable(all ? L"ProgramData" : L"LOCALAPPDATA"), *path;

	if (!base) {
		error_set(err, 0,
			  "no runtime directory: the environment has no %s: set COLINUX_RUNTIME_DIR",
			  all ? "ProgramData" : "LOCALAPPDATA");
		return NULL;
	}
	path = need_format("%s\\colinux-run", base);
	free(base);
	return path;
}

/* Anybody may make folders in %ProgramData%: one that a stranger made isn't ours. */
static int check_owner(const wchar_t *name)
{
	HANDLE h = CreateFileW(name, READ_CONTROL,
			       FILE_SHARE_READ | FILE_SHARE_WRITE |
				       FILE_SHARE_DELETE,
			       NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS,
			       NULL);
	bool trusted;

	if (h == INVALID_HANDLE_VALUE)
		return set_errno();
	trusted = security_trusted(h);
	CloseHandle(h);
	if (trusted)
		return 0;
	errno = EPERM;
	return -1;
}

int place_make(const char *path)
{
	SECURITY_ATTRIBUTES rights = { sizeof(rights), security_own(true), FALSE };
	wchar_t *name = wide_path(path);
	int rc = 0;

	if (!name || !rights.lpSecurityDescriptor)
		rc = name ? set_errno() : -1;
	else if (!CreateDirectoryW(name, &rights))
		rc = GetLastError() == ERROR_ALREADY_EXISTS ?
			     check_owner(name) : set_errno();
	LocalFree(rights.lpSecurityDescriptor);
	free(name);
	return rc;
}

/* ---- names in it ------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t read_names(HANDLE find, WIN32_FIND_DATAW *data, char ***names)
{
	size_t n = 0;

	do {
		*names = need_again(*names, (n + 1) * sizeof(**names));
		(*names)[n++] = narrow(data->cFileName);
	} while (FindNextFileW(find, data));
	return n;
}

int place_list(const char *path, void (*fn)(void *arg, const char *name),
	       void *arg)
{
	char *pattern = need_format("%s\\*", path), **names = NULL;
	wchar_t *name = wide_path(pattern);
	WIN32_FIND_DATAW data;
	HANDLE find = name ? FindFirstFileW(name, &data) : INVALID_HANDLE_VALUE;
	size_t n, i;

	free(pattern);
	if (find == INVALID_HANDLE_VALUE && name)
		set_errno();
	free(name);
	if (find == INVALID_HANDLE_VALUE)
		return -1;
	n = read_names(find, &data, &names);
	FindClose(find);
	qsort(names, n, sizeof(*names), by_name);
	for (i = 0; i < n; i++) {
		fn(arg, names[i]);
		free(names[i]);
	}
	free(names);
	return 0;
}

/* ---- the control pipe ------------------------------------------------------- */

/* FNV-1a of the whole path in one case, as most of Windows' folders are found. */
static unsigned long long hash_of(const char *directory)
{
	unsigned long long h = 0xcbf29ce484222325;
	wchar_t *name = wide(directory), full[2048] = L"";
	char *text, *at;

	if (name)
		GetFullPathNameW(name, 2048, full, NULL);
	text = narrow(*full ? full : L"");
	for (at = text; *at; at++)
		h = (h ^ (unsigned char)tolower((unsigned char)*at)) *
		    0x100000001b3;
	free(text);
	free(name);
	return h;
}

char *place_control(const char *directory, const char *name)
{
	return need_format("\\\\.\\pipe\\colinux-%016llx-%s", hash_of(directory),
			   name);
}

/* A pipe's name has up to 256 characters, a VM's at most 49. */
int place_control_check(const char *address, struct error **err)
{
	(void)address;
	(void)err;
	return 0;
}

/* process_begin() has seen to it. */
int place_control_guard(const char *address)
{
	(void)address;
	return 0;
}

/* A pipe is gone with its process. */
void place_control_remove(const char *address)
{
	(void)address;
}
