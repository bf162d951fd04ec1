// SPDX-License-Identifier: GPL-2.0
/* The driver of a Windows host: \\.\colinux, as host/nt/ioctl.h says. */
#include "../driver.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "../../../host/nt/ioctl.h"
#include "../../lib/text.h"
#include "../errors.h"
#include "driver_bells.h"
#include "driver_control.h"
#include "wide.h"

struct driver {
	HANDLE file;
	struct driver_bells *bells; /* from the first doorbell on */
};

static int open_error(DWORD code, struct error **err)
{
	switch (code) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
		return error_set(err, 0,
				 CO_NT_DEVICE_PATH ": the driver colinux isn't loaded: run `colinux-daemon --install-driver` as an administrator; `colinux doctor` says whether this host can");
	case ERROR_ACCESS_DENIED:
		return error_set(err, 0,
				 CO_NT_DEVICE_PATH ": no permission: run as an administrator (\"Run as administrator\"), for a guest kernel runs with the rights of Windows' own");
	default:
		return error_set(err, 0,
				 CO_NT_DEVICE_PATH ": cannot open: Windows' error %lu",
				 code);
	}
}

/* ---- requests --------------------------------------------------------------- */

/* Each thread has an event of its own for as long as it lives. */
static HANDLE thread_event(void)
{
	static _Thread_local HANDLE event;

	if (!event)
		event = CreateEventW(NULL, TRUE, FALSE, NULL);
	return event;
}

static int call(HANDLE file, DWORD code, void *in, DWORD in_size, void *out,
		DWORD out_size)
{
	OVERLAPPED o = { .hEvent = thread_event() };
	DWORD n;

	if (DeviceIoControl(file, code, in, in_size, out, out_size, NULL, &o) ||
	    (GetLastError() == ERROR_IO_PENDING &&
	     GetOverlappedResult(file, &o, &n, TRUE)))
		return 0;
	return -errno_of(GetLastError());
}

static int answer(const struct co_nt_result *r)
{
	return r->error ? -errno_from_linux((int)r->error) : 0;
}

static uint8_t *piece(uint8_t *base, size_t *at, co_u64 *address, co_u64 size)
{
	uint8_t *to = base + *at;

	if (size)
		memcpy(to, (const void *)(uintptr_t)*address, size);
	*address = size ? *at : 0;
	*at += size;
	return to;
}

/* The driver reads all in place behind the header. */
static int load(struct driver *d, struct co_req_vm_load *req)
{
	size_t at = sizeof(struct co_nt_load);
	size_t size = at + req->kernel_size + req->initrd_size +
		      req->command_line_size;
	struct co_req_vm_load was = *req;
	struct co_nt_load *block;
	int rc;

	if (size > UINT32_MAX)
		return -EFBIG;
	block = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
	if (!block)
		return -ENOMEM;
	block->load = *req;
	piece((uint8_t *)block, &at, &block->load.kernel, req->kernel_size);
	piece((uint8_t *)block, &at, &block->load.initrd, req->initrd_size);
	piece((uint8_t *)block, &at, &block->load.command_line,
	      req->command_line_size);
	rc = call(d->file, CO_NT_LOAD, NULL, 0, block, (DWORD)size);
	if (!rc) {
		*req = block->load;
		req->kernel = was.kernel;
		req->initrd = was.initrd;
		req->command_line = was.command_line;
		rc = answer(&block->result);
	}
	VirtualFree(block, 0, MEM_RELEASE);
	return rc;
}

static int plain(struct driver *d, unsigned int nr, void *buf, size_t size)
{
	uint8_t out[sizeof(struct co_req_vcpu_run) + sizeof(struct co_nt_result)];
	struct co_nt_result result;
	int rc;

	if (size > sizeof(out) - sizeof(result))
		return -EINVAL;
	rc = call(d->file, CO_NT_REQUEST(nr), buf, (DWORD)size, out,
		  (DWORD)(size + sizeof(result)));
	if (rc)
		return rc;
	memcpy(buf, out, size);
	memcpy(&result, out + size, sizeof(result));
	return answer(&result);
}

/* The core's bells are numbers; ours are events. */
static int doorbell(struct driver *d, const struct co_req_doorbell *req)
{
	struct co_req_doorbell ours = *req;

	if (!d->bells)
		d->bells = driver_bells_open(d->file);
	if (!d->bells)
		return -ENOMEM;
	if (req->handle >= 0) {
		ours.handle = driver_bells_number(d->bells, req->handle);
		if (ours.handle < 0)
			return -ENOSPC;
	}
	return plain(d, CO_REQ_DOORBELL, &ours, sizeof(ours));
}

int driver_request(struct driver *d, unsigned int nr, void *buf, size_t size)
{
	switch (nr) {
	case CO_REQ_VM_LOAD:
		return load(d, buf);
	case CO_REQ_DOORBELL:
		return doorbell(d, buf);
	default:
		return plain(d, nr, buf, size);
	}
}

/* ---- opening ---------------------------------------------------------------- */

static HANDLE open_device(void)
{
	return CreateFileA(CO_NT_DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0,
			   NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
}

/* The driver isn't started with Windows (driver_control.h), but by who needs it. */
struct driver *driver_open(struct error **err)
{
	struct driver *d = need(sizeof(*d));

	d->file = open_device();
	if (d->file == INVALID_HANDLE_VALUE &&
	    GetLastError() == ERROR_FILE_NOT_FOUND) {
		if (driver_start(err)) {
			free(d);
			return NULL;
		}
		d->file = open_device();
	}
	if (d->file == INVALID_HANDLE_VALUE) {
		open_error(GetLastError(), err);
		free(d);
		return NULL;
	}
	if (driver_check_version(d, CO_NT_DEVICE_PATH, "", err)) {
		driver_close(d);
		return NULL;
	}
	return d;
}

void driver_close(struct driver *d)
{
	if (!d)
		return;
	driver_bells_close(d->bells);
	CloseHandle(d->file);
	free(d);
}

/* ---- guest memory ----------------------------------------------------------- */

/* The driver maps into a hole: whoever allocates in between makes it fail, and
 * another one is tried. */
static int map_once(struct driver *d, struct co_nt_map *map)
{
	void *hole = VirtualAlloc(NULL, map->highest - map->lowest, MEM_RESERVE,
				  PAGE_NOACCESS);
	int rc;

	if (!hole)
		return -ENOMEM;
	VirtualFree(hole, 0, MEM_RELEASE);
	map->base = (uintptr_t)hole;
	rc = call(d->file, CO_NT_MAP, map, sizeof(*map), map, sizeof(*map));
	return rc ? rc : answer(&map->result);
}

uint8_t *driver_map(struct driver *d, uint64_t lowest, uint64_t highest,
		    struct error **err)
{
	struct co_nt_map map = { .lowest = lowest, .highest = highest };
	int tries, rc = 0;

	for (tries = 0; tries < 4; tries++) {
		rc = map_once(d, &map);
		if (!rc)
			return (uint8_t *)(uintptr_t)map.base;
		if (rc != -ENOMEM)
			break;
	}
	error_set(err, -rc,
		  "cannot map guest memory 0x%llx-0x%llx of " CO_NT_DEVICE_PATH,
		  (unsigned long long)lowest, (unsigned long long)highest);
	return NULL;
}

/* The driver would do it when its handle is closed; this tells it that nothing is
 * under way in there any more. */
void driver_unmap(struct driver *d, uint8_t *base, uint64_t lowest, uint64_t highest)
{
	struct co_nt_map map = { .base = (uintptr_t)base,
				 .lowest = lowest,
				 .highest = highest };

	if (base)
		call(d->file, CO_NT_UNMAP, &map, sizeof(map), &map, sizeof(map));
}
