// SPDX-License-Identifier: GPL-2.0
/* A service at work. The manager starts the process, calls service_main() on a
 * thread of its own and on_control() on the first one. */
#include "service_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "beside.h"
#include "ending.h"
#include "wide.h"
#include "windows_error.h"

#define TICK_MS 1000
#define HINT_MS 15000 /* without a checkpoint for so long it counts as hung */
#define LOG_MAX (1 << 20)

static struct {
	const struct service_program *program;
	int argc; /* of the daemon: its name, and the words */
	char **argv;
	const char *name, *directory;
	SRWLOCK lock; /* of what follows */
	SERVICE_STATUS_HANDLE handle;
	SERVICE_STATUS status;
} service = { .lock = SRWLOCK_INIT };

/* ---- what the manager is told -------------------------------------------------- */

static bool pending(DWORD state)
{
	return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
}

/* With the lock. */
static void report(DWORD state)
{
	SERVICE_STATUS *s = &service.status;

	s->dwCheckPoint = !pending(state) ? 0 :
			  state == s->dwCurrentState ? s->dwCheckPoint + 1 : 1;
	s->dwWaitHint = pending(state) ? HINT_MS : 0;
	s->dwCurrentState = state;
	s->dwControlsAccepted = state == SERVICE_STOPPED ? 0 :
				SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN;
	SetServiceStatus(service.handle, s);
}

/* A service that stops doesn't run again, whatever order the news come in. */
static void become(DWORD state)
{
	AcquireSRWLockExclusive(&service.lock);
	if (state == SERVICE_STOPPED ||
	    service.status.dwCurrentState != SERVICE_STOP_PENDING)
		report(state);
	ReleaseSRWLockExclusive(&service.lock);
}

/* As long as it starts or stops, signs of life. */
static DWORD WINAPI tick(void *arg)
{
	(void)arg;
	while (!ending_wait(TICK_MS)) {
		AcquireSRWLockExclusive(&service.lock);
		if (pending(service.status.dwCurrentState))
			report(service.status.dwCurrentState);
		ReleaseSRWLockExclusive(&service.lock);
	}
	return 0;
}

static DWORD WINAPI on_control(DWORD control, DWORD event, void *data, void *arg)
{
	(void)event;
	(void)data;
	(void)arg;
	switch (control) {
	case SERVICE_CONTROL_STOP:
	case SERVICE_CONTROL_PRESHUTDOWN:
	case SERVICE_CONTROL_SHUTDOWN:
		become(SERVICE_STOP_PENDING);
		ending_ask();
		return NO_ERROR;
	case SERVICE_CONTROL_INTERROGATE:
		return NO_ERROR;
	default:
		return ERROR_CALL_NOT_IMPLEMENTED;
	}
}

static void on_ready(void)
{
	become(SERVICE_RUNNING);
}

/* ---- its life -------------------------------------------------------------------- */

/* A service has nobody to talk to: what it says goes to log\NAME.log beside the
 * program, where only administrators can write. Its stderr is closed, so that
 * freopen() has nothing to begin with; the way of Microsoft's KB 105305 has. */
static void open_log(void)
{
	FILE *f;
	char *name = need_format("log\\%s.log", service.name);
	wchar_t *folder = beside_program("log");
	wchar_t *file = beside_program(name);
	WIN32_FILE_ATTRIBUTE_DATA info;
	bool large = GetFileAttributesExW(file, GetFileExInfoStandard, &info) &&
		     info.nFileSizeLow > LOG_MAX;

	CreateDirectoryW(folder, NULL);
	f = _wfopen(file, large ? L"w" : L"a");
	if (f) {
		*stderr = *f;
		setvbuf(stderr, NULL, _IONBF, 0);
	}
	free(folder);
	free(file);
	free(name);
}

static void finish(int status)
{
	service.status.dwWin32ExitCode =
		status ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR;
	service.status.dwServiceSpecificExitCode = (DWORD)status;
	ending_done();
	become(SERVICE_STOPPED);
}

static int enter_directory(void)
{
	wchar_t *directory = wide(service.directory);
	bool good = directory && SetCurrentDirectoryW(directory);
	struct error *err = NULL;

	free(directory);
	if (good)
		return 0;
	error_windows(&err, GetLastError(), "%s", service.directory);
	fprintf(stderr, "colinux-daemon: %s\n", err->text);
	error_free(&err);
	return 1;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
	HANDLE ticker;

	(void)argc;
	service.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
	service.handle = RegisterServiceCtrlHandlerExW(argv[0], on_control, NULL);
	if (!service.handle)
		return; /* the manager is gone: there is nobody to tell */
	become(SERVICE_START_PENDING);
	ticker = CreateThread(NULL, 0, tick, NULL, 0, NULL);
	open_log();
	finish(enter_directory() ? 1 : service.program->run(service.argc,
							    service.argv));
	if (ticker) {
		WaitForSingleObject(ticker, INFINITE);
		CloseHandle(ticker);
	}
}

int service_run(int argc, char **argv, const struct service_program *program,
		struct error **err)
{
	wchar_t *name;
	SERVICE_TABLE_ENTRYW table[2] = { { 0 } };

	if (argc < 4)
		return error_set(err, 0, "%s is for the service control manager alone",
				 argv[1]);
	service.program = program;
	service.name = argv[2];
	service.directory = argv[3];
	service.argc = argc - 3;
	service.argv = argv + 3;
	service.argv[0] = argv[0];
	name = wide(argv[2]);
	table[0].lpServiceName = name;
	table[0].lpServiceProc = service_main;
	ending_for_service(on_ready);
	if (!StartServiceCtrlDispatcherW(table))
		error_windows(err, GetLastError(),
			      "%s is for the service control manager alone",
			      argv[1]);
	free(name);
	return *err ? -1 : 0;
}
