// SPDX-License-Identifier: GPL-2.0
#include "scm.h"

#include <stdlib.h>

#include "../../lib/text.h"
#include "windows_error.h"

#define POLL_MS	 200
#define STUCK_MS 30000 /* without a sign of life, beyond its own hint */

static int refused(DWORD code, const char *what, struct error **err)
{
	if (code == ERROR_ACCESS_DENIED)
		return error_set(err, 0,
				 "%s: no permission: run this as administrator (an elevated prompt)",
				 what);
	return error_windows(err, code, "%s", what);
}

SC_HANDLE scm_manager(DWORD access, struct error **err)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, access);

	if (!manager)
		refused(GetLastError(), "the service control manager", err);
	return manager;
}

SC_HANDLE scm_open(const wchar_t *name, DWORD access, struct error **err)
{
	SC_HANDLE manager = scm_manager(SC_MANAGER_CONNECT, err);
	SC_HANDLE service;
	DWORD code;

	if (!manager)
		return NULL;
	service = OpenServiceW(manager, name, access);
	code = GetLastError();
	CloseServiceHandle(manager);
	if (!service && code != ERROR_SERVICE_DOES_NOT_EXIST)
		refused(code, "cannot open the service", err);
	return service;
}

static int query(SC_HANDLE service, SERVICE_STATUS_PROCESS *status,
		 struct error **err)
{
	DWORD n;

	if (QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)status,
				 sizeof(*status), &n))
		return 0;
	return error_windows(err, GetLastError(), "cannot ask for its state");
}

DWORD scm_state(SC_HANDLE service, struct error **err)
{
	SERVICE_STATUS_PROCESS status;

	return query(service, &status, err) ? 0 : status.dwCurrentState;
}

/* Why it is stopped that should run. */
static int ended(const SERVICE_STATUS_PROCESS *status, struct error **err)
{
	if (status->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR)
		return error_set(err, 0, "it ended with status %lu",
				 status->dwServiceSpecificExitCode);
	return error_windows(err, status->dwWin32ExitCode, "it ended");
}

int scm_wait(SC_HANDLE service, DWORD state, struct error **err)
{
	SERVICE_STATUS_PROCESS status;
	ULONGLONG since = GetTickCount64();
	DWORD checkpoint = 0;

	for (;;) {
		if (query(service, &status, err))
			return -1;
		if (status.dwCurrentState == state)
			return 0;
		if (status.dwCurrentState == SERVICE_STOPPED)
			return ended(&status, err);
		if (status.dwCheckPoint != checkpoint)
			since = GetTickCount64();
		checkpoint = status.dwCheckPoint;
		if (GetTickCount64() - since > STUCK_MS + status.dwWaitHint)
			return error_set(err, 0,
					 "no sign of life from it for %d seconds",
					 (int)(STUCK_MS + status.dwWaitHint) / 1000);
		Sleep(POLL_MS);
	}
}

int scm_stop(SC_HANDLE service, struct error **err)
{
	SERVICE_STATUS status;
	DWORD code;

	if (!ControlService(service, SERVICE_CONTROL_STOP, &status)) {
		code = GetLastError();
		if (code == ERROR_SERVICE_NOT_ACTIVE)
			return 0;
		if (code != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) /* it stops already */
			return refused(code, "cannot stop it", err);
	}
	return scm_wait(service, SERVICE_STOPPED, err);
}

wchar_t *scm_command(SC_HANDLE service, struct error **err)
{
	QUERY_SERVICE_CONFIGW *config;
	wchar_t *command = NULL;
	DWORD n = 0;

	QueryServiceConfigW(service, NULL, 0, &n);
	config = need(n + 1);
	if (QueryServiceConfigW(service, config, n, &n))
		command = wcsdup(config->lpBinaryPathName);
	else
		error_windows(err, GetLastError(), "cannot read its settings");
	free(config);
	return command;
}
