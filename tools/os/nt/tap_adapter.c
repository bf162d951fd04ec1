// SPDX-License-Identifier: GPL-2.0
#include "tap_adapter.h"

#include <stdlib.h>
#include <string.h>
#include <winioctl.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>

#include "../../lib/address.h"
#include "../../lib/text.h"
#include "wide.h"
#include "windows_error.h"

/* The class of network adapters, GUID_DEVCLASS_NET. */
#define NET_CLASS L"{4D36E972-E325-11CE-BFC1-08002BE10318}"
#define ADAPTERS  L"SYSTEM\\CurrentControlSet\\Control\\Class\\" NET_CLASS
#define NAMES	  L"SYSTEM\\CurrentControlSet\\Control\\Network\\" NET_CLASS

#define TAP_CODE(n) CTL_CODE(FILE_DEVICE_UNKNOWN, n, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define TAP_GET_MTU TAP_CODE(3)
#define TAP_MEDIA   TAP_CODE(6)

/* ---- which there are --------------------------------------------------------- */

static bool text_value(HKEY key, const wchar_t *sub, const wchar_t *name,
		       wchar_t *text, DWORD bytes)
{
	return !RegGetValueW(key, sub, name, RRF_RT_REG_SZ, NULL, text, &bytes);
}

/* "tap0901" of today, "tap0801" of the first Windows; behind "root\" or not. */
static bool is_tap(const wchar_t *component)
{
	if (!_wcsnicmp(component, L"root\\", 5))
		component += 5;
	return !_wcsicmp(component, L"tap0901") || !_wcsicmp(component, L"tap0801");
}

/* Fills in the guid of the tap whose number in its class is `sub`. */
static bool read_adapter(HKEY adapters, const wchar_t *sub, struct tap_adapter *a)
{
	wchar_t component[64];

	return text_value(adapters, sub, L"ComponentId", component, sizeof(component)) &&
	       is_tap(component) &&
	       text_value(adapters, sub, L"NetCfgInstanceId", a->guid, sizeof(a->guid));
}

/* Caller frees; an adapter without a connection has its GUID for a name. */
static char *connection_name(const wchar_t *guid)
{
	wchar_t key[256], name[256];

	_snwprintf(key, 256, NAMES L"\\%ls\\Connection", guid);
	if (text_value(HKEY_LOCAL_MACHINE, key, L"Name", name, sizeof(name)))
		return narrow(name);
	return narrow(guid);
}

/* The n-th tap from *index on, which moves on. */
static bool next_adapter(HKEY adapters, DWORD *index, struct tap_adapter *a)
{
	wchar_t sub[64];
	DWORD n = 64;

	while (!RegEnumKeyExW(adapters, (*index)++, sub, &n, NULL, NULL, NULL, NULL)) {
		if (read_adapter(adapters, sub, a)) {
			a->name = connection_name(a->guid);
			return true;
		}
		n = 64;
	}
	return false;
}

static int not_found(const char *name, const struct text *there, struct error **err)
{
	if (!there->length)
		return error_set(err, 0,
				 "no TAP adapter is installed: TAP-Windows6 comes with OpenVPN, and its tapctl create makes one");
	return error_set(err, 0, "no TAP adapter is called '%s': there are %s",
			 name ? name : "", there->data);
}

int tap_adapter_find(const char *name, unsigned int n, struct tap_adapter *a,
		     struct error **err)
{
	struct text there = { 0 };
	DWORD index = 0;
	HKEY adapters;
	int rc = -1;

	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ADAPTERS, 0, KEY_ENUMERATE_SUB_KEYS,
			  &adapters))
		return not_found(name, &there, err);
	while (rc && next_adapter(adapters, &index, a)) {
		rc = name ? _stricmp(name, a->name) : n-- != 0;
		if (rc) {
			text_format(&there, "%s'%s'", there.length ? ", " : "", a->name);
			free(a->name);
		}
	}
	RegCloseKey(adapters);
	if (rc)
		rc = not_found(name, &there, err);
	text_free(&there);
	return rc;
}

/* ---- the handle -------------------------------------------------------------- */

static bool control(HANDLE h, DWORD code, void *data, DWORD bytes)
{
	OVERLAPPED o = { .hEvent = CreateEventW(NULL, TRUE, FALSE, NULL) };
	bool good = o.hEvent;
	DWORD n;

	if (good && !DeviceIoControl(h, code, data, bytes, data, bytes, NULL, &o))
		good = GetLastError() == ERROR_IO_PENDING;
	good = good && GetOverlappedResult(h, &o, &n, TRUE);
	if (o.hEvent)
		CloseHandle(o.hEvent);
	return good;
}

HANDLE tap_adapter_open(const struct tap_adapter *a, uint16_t *mtu,
			struct error **err)
{
	ULONG connected = TRUE, bytes = 0;
	wchar_t path[96];
	HANDLE h;

	_snwprintf(path, 96, L"\\\\.\\Global\\%ls.tap", a->guid);
	h = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
			FILE_ATTRIBUTE_SYSTEM | FILE_FLAG_OVERLAPPED, NULL);
	if (h == INVALID_HANDLE_VALUE) {
		/* What the driver says when it is open already. */
		if (GetLastError() == ERROR_GEN_FAILURE)
			error_set(err, 0, "tap %s has a user already", a->name);
		else
			error_windows(err, GetLastError(), "tap %s", a->name);
		return NULL;
	}
	if (control(h, TAP_GET_MTU, &bytes, sizeof(bytes)) &&
	    control(h, TAP_MEDIA, &connected, sizeof(connected))) {
		*mtu = bytes && bytes <= NET_MTU_LOCAL ? (uint16_t)bytes : NET_MTU;
		return h;
	}
	error_windows(err, GetLastError(), "tap %s", a->name);
	CloseHandle(h);
	return NULL;
}

int tap_adapter_address(const struct tap_adapter *a, const char *address,
			ULONG *context, struct error **err)
{
	struct in_addr in, mask;
	ULONG index, instance, code;
	wchar_t name[96];

	*context = 0;
	_snwprintf(name, 96, L"\\DEVICE\\TCPIP_%ls", a->guid);
	address_parse(address, &in, &mask); /* it has the form: take_address() */
	code = GetAdapterIndex(name, &index);
	if (!code)
		code = AddIPAddress(in.s_addr, mask.s_addr, index, context, &instance);
	if (code && code != ERROR_OBJECT_ALREADY_EXISTS && code != ERROR_DUP_DOMAINNAME)
		return error_windows(err, code, "tap %s can't get address %s", a->name,
				     address);
	return 0;
}
