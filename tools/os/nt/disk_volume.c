// SPDX-License-Identifier: GPL-2.0
/*
 * What Windows has mounted from a disk that a guest shall write to. A volume is
 * locked, which fails while anybody has a file of it open, and dismounted; both
 * hold until its handle is closed.
 */
#include "disk_file.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include "../../lib/text.h"
#include "wide.h"

static int take(struct disk_file *f, HANDLE volume, const char *path,
		const char *name, struct error **err)
{
	if (!disk_control(volume, FSCTL_LOCK_VOLUME, NULL, 0, NULL, 0)) {
		CloseHandle(volume);
		return error_set(err, 0,
				 "%s: Windows uses %s, and files of it are open: close them, take away its drive letter, or put ',ro' behind the path",
				 path, name);
	}
	if (!disk_control(volume, FSCTL_DISMOUNT_VOLUME, NULL, 0, NULL, 0)) {
		CloseHandle(volume);
		return error_set(err, 0, "%s: %s can't be dismounted", path, name);
	}
	f->volume[f->volumes++] = volume;
	return 0;
}

static bool is_on(HANDLE volume, DWORD disk)
{
	union {
		VOLUME_DISK_EXTENTS extents;
		uint8_t room[4096];
	} u;
	DWORD i;

	if (!disk_control(volume, IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS, NULL, 0,
			  &u, sizeof(u)))
		return false;
	for (i = 0; i < u.extents.NumberOfDiskExtents; i++)
		if (u.extents.Extents[i].DiskNumber == disk)
			return true;
	return false;
}

/* `name` ends in a backslash, which would be the volume's root directory. */
static int take_if_on(struct disk_file *f, wchar_t *name, DWORD disk,
		      const char *path, struct error **err)
{
	HANDLE volume;
	char *text;
	int rc;

	name[wcslen(name) - 1] = 0;
	volume = CreateFileW(name, GENERIC_READ | GENERIC_WRITE,
			     FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
			     OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
	if (volume == INVALID_HANDLE_VALUE)
		return 0; /* without a medium, or gone since */
	if (!is_on(volume, disk)) {
		CloseHandle(volume);
		return 0;
	}
	text = narrow(name);
	if (f->volumes == DISK_VOLUMES_MAX) {
		CloseHandle(volume);
		rc = error_set(err, 0, "%s: more than %d volumes are on it", path,
			       DISK_VOLUMES_MAX);
	} else {
		rc = take(f, volume, path, text, err);
	}
	free(text);
	return rc;
}

static int take_all(struct disk_file *f, DWORD disk, const char *path,
		    struct error **err)
{
	wchar_t name[MAX_PATH];
	HANDLE find = FindFirstVolumeW(name, MAX_PATH);
	int rc = 0;

	if (find == INVALID_HANDLE_VALUE)
		return error_set(err, 0,
				 "%s: Windows doesn't tell its volumes", path);
	do {
		rc = take_if_on(f, name, disk, path, err);
	} while (!rc && FindNextVolumeW(find, name, MAX_PATH));
	FindVolumeClose(find);
	return rc;
}

/* A partition is its own volume; a disk has any number of them. */
int disk_take_volumes(struct disk_file *f, const char *path, struct error **err)
{
	STORAGE_DEVICE_NUMBER number;
	HANDLE again;

	if (!disk_control(f->handle, IOCTL_STORAGE_GET_DEVICE_NUMBER, NULL, 0,
			  &number, sizeof(number)))
		return error_set(err, 0,
				 "%s: Windows doesn't tell which disk that is",
				 path);
	if (number.DeviceType != FILE_DEVICE_DISK)
		return error_set(err, 0,
				 "%s: is no disk: put ',ro' behind the path of a CD-ROM",
				 path);
	if (!number.PartitionNumber || number.PartitionNumber == (DWORD)-1)
		return take_all(f, number.DeviceNumber, path, err);
	if (!DuplicateHandle(GetCurrentProcess(), f->handle, GetCurrentProcess(),
			     &again, 0, FALSE, DUPLICATE_SAME_ACCESS))
		return error_set(err, 0, "%s: cannot be locked", path);
	return take(f, again, path, "it", err);
}
