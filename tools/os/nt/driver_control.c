// SPDX-License-Identifier: GPL-2.0
#include "driver_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../lib/text.h"
#include "../../lib/version.h"
#include "../service.h"
#include "beside.h"
#include "scm.h"
#include "wide.h"
#include "windows_error.h"

#define DISPLAY_NAME L"Cooperative Linux driver"
#define DRIVER_DEVICE L"" CO_NT_DEVICE_PATH

#ifndef ERROR_INVALID_IMAGE_HASH /* mingw-w64 hasn't got it; winerror.h */
#define ERROR_INVALID_IMAGE_HASH 577
#endif

/* ---- start ------------------------------------------------------------------- */

static const struct {
	DWORD code;
	const char *text;
} start_errors[] = {
	{ ERROR_INVALID_IMAGE_HASH,
	  "Windows doesn't accept its signature. Turn test signing on (`bcdedit /set testsigning on` as administrator, then reboot; Secure Boot must be off for that). `colinux doctor` says more" },
	{ ERROR_DRIVER_BLOCKED,
	  "Windows has it on its list of blocked drivers, or Memory Integrity (HVCI) is on: `colinux doctor` says which" },
	{ ERROR_FILE_NOT_FOUND, "its file is gone: install it again" },
	{ ERROR_PATH_NOT_FOUND, "its file is gone: install it again" },
	{ ERROR_NOT_SUPPORTED,
	  "it refuses this host: `colinux doctor` says why and what to do" },
};

static int start_error(DWORD code, struct error **err)
{
	size_t i;

	for (i = 0; i < sizeof(start_errors) / sizeof(start_errors[0]); i++)
		if (start_errors[i].code == code)
			return error_set(err, 0, "the driver can't be started: %s",
					 start_errors[i].text);
	return error_windows(err, code, "the driver can't be started");
}

static int start(SC_HANDLE service, struct error **err)
{
	DWORD code;

	if (!StartServiceW(service, 0, NULL)) {
		code = GetLastError();
		if (code != ERROR_SERVICE_ALREADY_RUNNING)
			return start_error(code, err);
	}
	return scm_wait(service, SERVICE_RUNNING, err);
}

int driver_start(struct error **err)
{
	SC_HANDLE service = scm_open(DRIVER_SERVICE,
				     SERVICE_START | SERVICE_QUERY_STATUS, err);
	int rc;

	if (!service)
		return *err ? -1 :
			      error_set(err, 0,
					"the driver isn't installed: run `colinux-daemon --install-driver` as administrator");
	rc = start(service, err);
	CloseServiceHandle(service);
	return rc;
}

/* ---- install ----------------------------------------------------------------- */

static SC_HANDLE create(const wchar_t *file, struct error **err)
{
	SC_HANDLE manager = scm_manager(SC_MANAGER_CREATE_SERVICE, err);
	SC_HANDLE service;

	if (!manager)
		return NULL;
	service = CreateServiceW(manager, DRIVER_SERVICE, DISPLAY_NAME,
				 SERVICE_START | SERVICE_QUERY_STATUS,
				 SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
				 SERVICE_ERROR_NORMAL, file, NULL, NULL, NULL,
				 NULL, NULL);
	if (!service)
		error_windows(err, GetLastError(), "the driver can't be installed");
	CloseServiceHandle(manager);
	return service;
}

static SC_HANDLE known_or_new(const wchar_t *file, struct error **err)
{
	SC_HANDLE service = scm_open(DRIVER_SERVICE,
				     SERVICE_START | SERVICE_QUERY_STATUS |
					     SERVICE_CHANGE_CONFIG, err);

	if (!service)
		return *err ? NULL : create(file, err);
	if (ChangeServiceConfigW(service, SERVICE_KERNEL_DRIVER,
				 SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
				 file, NULL, NULL, NULL, NULL, NULL,
				 DISPLAY_NAME))
		return service;
	error_windows(err, GetLastError(), "the driver's settings can't be changed");
	CloseServiceHandle(service);
	return NULL;
}

int driver_install(struct error **err)
{
	wchar_t *file = beside_program(DRIVER_FILE);
	SC_HANDLE service;
	int rc = -1;

	if (GetFileAttributesW(file) == INVALID_FILE_ATTRIBUTES)
		error_windows(err, GetLastError(), "%ls", file);
	else if ((service = known_or_new(file, err))) {
		rc = start(service, err);
		if (rc)
			error_wrap(err, "installed, but");
		CloseServiceHandle(service);
	}
	free(file);
	return rc;
}

int driver_remove(struct error **err)
{
	SC_HANDLE service = scm_open(DRIVER_SERVICE,
				     SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE,
				     err);
	int rc;

	if (!service)
		return *err ? -1 : 0;
	rc = scm_stop(service, err);
	if (rc)
		error_wrap(err, "the driver can't be stopped (does a VM run? See `colinux list`)");
	else if (!DeleteService(service))
		rc = error_windows(err, GetLastError(),
				   "the driver can't be removed");
	CloseServiceHandle(service);
	return rc;
}

/* ---- status ------------------------------------------------------------------ */

/* 0 or a Windows error. */
static DWORD ask_version(struct co_req_version *version)
{
	struct {
		struct co_req_version version;
		struct co_nt_result result;
	} answer = { 0 };
	HANDLE device = CreateFileW(DRIVER_DEVICE, GENERIC_READ | GENERIC_WRITE, 0,
				    NULL, OPEN_EXISTING, 0, NULL);
	DWORD n, code = 0;

	if (device == INVALID_HANDLE_VALUE)
		return GetLastError();
	if (!DeviceIoControl(device, CO_NT_REQUEST(CO_REQ_VERSION), &answer.version,
			     sizeof(answer.version), &answer, sizeof(answer), &n,
			     NULL))
		code = GetLastError();
	else if (n != sizeof(answer) || answer.result.error)
		code = ERROR_INVALID_DATA;
	CloseHandle(device);
	*version = answer.version;
	version->build[sizeof(version->build) - 1] = 0;
	return code;
}

static int running_status(void)
{
	struct co_req_version v = { 0 };
	struct error *err = NULL;
	DWORD code = ask_version(&v);

	if (code) {
		error_windows(&err, code, "the driver runs but doesn't answer");
		puts(err->text);
		error_free(&err);
		return DRIVER_STATUS_ELSE;
	}
	printf("the driver runs: version %s, ABI %u\n", (const char *)v.build,
	       v.driver_abi);
	if (v.driver_abi == CO_DRIVER_ABI_VERSION)
		return DRIVER_STATUS_OK;
	printf("these tools (" COLINUX_VERSION ") speak ABI %d: install both from one release\n",
	       CO_DRIVER_ABI_VERSION);
	return DRIVER_STATUS_VERSION;
}

int driver_status(void)
{
	struct error *err = NULL;
	SC_HANDLE service = scm_open(DRIVER_SERVICE, SERVICE_QUERY_STATUS, &err);
	DWORD state = service ? scm_state(service, &err) : 0;

	if (service)
		CloseServiceHandle(service);
	if (err) {
		puts(err->text);
		error_free(&err);
		return DRIVER_STATUS_ELSE;
	}
	if (!service) {
		puts("the driver isn't installed");
		return DRIVER_STATUS_NONE;
	}
	if (state == SERVICE_RUNNING)
		return running_status();
	puts("the driver is installed but doesn't run; the first VM starts it, and so does --install-driver");
	return DRIVER_STATUS_ELSE;
}
