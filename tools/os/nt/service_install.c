// SPDX-License-Identifier: GPL-2.0
#include "service_install.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "beside.h"
#include "command_line.h"
#include "driver_control.h"
#include "scm.h"
#include "wide.h"
#include "windows_error.h"

#define DESCRIPTION L"A virtual machine of Cooperative Linux"

/* Until Windows 10 had it in winsvc.h, mingw-w64 hadn't. */
#ifndef SERVICE_CONFIG_PRESHUTDOWN_INFO
#define SERVICE_CONFIG_PRESHUTDOWN_INFO 7
typedef struct {
	DWORD dwPreshutdownTimeout;
} SERVICE_PRESHUTDOWN_INFO;
#endif

/* ---- install ----------------------------------------------------------------- */

static char *present_directory(void)
{
	DWORD n = GetCurrentDirectoryW(0, NULL);
	wchar_t *path = need((n + 1) * sizeof(*path));
	char *out;

	GetCurrentDirectoryW(n, path);
	out = narrow(path);
	free(path);
	return out;
}

static wchar_t *command(const char *name, int words, char **word)
{
	struct text line = { 0 };
	wchar_t *wide_line, *file = program_file();
	char *parts[] = { narrow(file), present_directory() };
	int i;

	command_line_add(&line, parts[0]);
	command_line_add(&line, RUN_SERVICE);
	command_line_add(&line, name);
	command_line_add(&line, parts[1]);
	for (i = 0; i < words; i++)
		command_line_add(&line, word[i]);
	wide_line = wide(line.data);
	text_free(&line);
	free(parts[0]);
	free(parts[1]);
	free(file);
	return wide_line;
}

static void describe(SC_HANDLE service)
{
	static wchar_t text[] = DESCRIPTION;
	SERVICE_DESCRIPTIONW description = { text };
	SERVICE_PRESHUTDOWN_INFO shutdown = { SHUTDOWN_MS };

	ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
	ChangeServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown);
}

static int create_error(DWORD code, const char *name, struct error **err)
{
	switch (code) {
	case ERROR_SERVICE_EXISTS:
	case ERROR_DUPLICATE_SERVICE_NAME:
		return error_set(err, 0,
				 "there is a service '%s' already: remove it first, or choose another name",
				 name);
	case ERROR_SERVICE_MARKED_FOR_DELETE:
		return error_set(err, 0,
				 "the old service '%s' is about to go: close what shows it (the Services window, Task Manager), then try again",
				 name);
	case ERROR_INVALID_NAME:
		return error_set(err, 0,
				 "'%s' can't be a service's name: at most 256 characters, no / and no \\",
				 name);
	default:
		return error_windows(err, code, "service '%s'", name);
	}
}

int service_install(const char *name, int words, char **word, struct error **err)
{
	SC_HANDLE manager = scm_manager(SC_MANAGER_CREATE_SERVICE, err);
	SC_HANDLE service;
	wchar_t *wide_name, *line;
	int rc = 0;

	if (!manager)
		return -1;
	wide_name = wide(name);
	line = command(name, words, word);
	service = CreateServiceW(manager, wide_name, wide_name,
				 SERVICE_CHANGE_CONFIG,
				 SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
				 SERVICE_ERROR_NORMAL, line, NULL, NULL,
				 DRIVER_SERVICE L"\0", NULL, NULL);
	if (service) {
		describe(service);
		CloseServiceHandle(service);
	} else {
		rc = create_error(GetLastError(), name, err);
	}
	free(line);
	free(wide_name);
	CloseServiceHandle(manager);
	return rc;
}

/* ---- remove ------------------------------------------------------------------ */

/* Anybody's service could be named; only ours may go. */
static bool is_ours(const wchar_t *command)
{
	return wcsstr(command, L"colinux-daemon") &&
	       wcsstr(command, L"\"" RUN_SERVICE "\"");
}

static int remove_it(SC_HANDLE service, struct error **err)
{
	wchar_t *line = scm_command(service, err);
	bool ours = line && is_ours(line);

	free(line);
	if (*err)
		return -1;
	if (!ours)
		return error_set(err, 0,
				 "it isn't a service of colinux, so it stays");
	if (scm_stop(service, err))
		return -1;
	if (!DeleteService(service))
		return error_windows(err, GetLastError(), "cannot be removed");
	return 0;
}

#define REMOVE_ACCESS \
	(SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS | SERVICE_STOP | DELETE)

int service_remove(const char *name, struct error **err)
{
	wchar_t *wide_name = wide(name);
	SC_HANDLE service = scm_open(wide_name, REMOVE_ACCESS, err);
	int rc = -1;

	free(wide_name);
	if (service) {
		rc = remove_it(service, err);
		CloseServiceHandle(service);
	} else if (!*err) {
		error_set(err, 0, "there is none of that name");
	}
	return rc ? error_wrap(err, "service '%s'", name) : 0;
}

/* All services of their own process; NULL and an error. Caller frees. */
static ENUM_SERVICE_STATUS_PROCESSW *list(DWORD *count, struct error **err)
{
	SC_HANDLE manager = scm_manager(SC_MANAGER_CONNECT |
						SC_MANAGER_ENUMERATE_SERVICE, err);
	ENUM_SERVICE_STATUS_PROCESSW *all = NULL;
	DWORD room = 0, more = 0, at = 0;

	if (!manager)
		return NULL;
	/* Services may come between the two calls. */
	do {
		room += more + 1;
		all = need_again(all, room);
		if (EnumServicesStatusExW(manager, SC_ENUM_PROCESS_INFO,
					  SERVICE_WIN32_OWN_PROCESS,
					  SERVICE_STATE_ALL, (BYTE *)all, room,
					  &more, count, &at, NULL))
			break;
		at = 0;
	} while (GetLastError() == ERROR_MORE_DATA);
	CloseServiceHandle(manager);
	return all;
}

static int remove_if_ours(const wchar_t *name, struct error **err)
{
	SC_HANDLE service = scm_open(name, SERVICE_QUERY_CONFIG, err);
	wchar_t *line;
	bool ours;
	char *text;
	int rc;

	if (!service) {
		error_free(err); /* not even to be read: nothing of ours */
		return 0;
	}
	line = scm_command(service, err);
	CloseServiceHandle(service);
	ours = line && is_ours(line);
	free(line);
	error_free(err);
	if (!ours)
		return 0;
	text = narrow(name);
	rc = service_remove(text, err);
	free(text);
	return rc;
}

int service_remove_all(struct error **err)
{
	DWORD i, count = 0;
	ENUM_SERVICE_STATUS_PROCESSW *all = list(&count, err);
	int rc = all ? 0 : -1;

	for (i = 0; !rc && i < count; i++)
		rc = remove_if_ours(all[i].lpServiceName, err);
	free(all);
	return rc;
}
