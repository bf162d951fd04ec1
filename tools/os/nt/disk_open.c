// SPDX-License-Identifier: GPL-2.0
/* cobd's image: what may be one, how large it is, and that no one else has it. */
#include "disk_file.h"

#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include "../../lib/text.h"
#include "../disk_engine.h"
#include "wide.h"

bool disk_control(HANDLE h, DWORD code, void *in, DWORD in_size, void *out,
		  DWORD out_size)
{
	HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
	/* The lowest bit: the handle's completion port isn't told. */
	OVERLAPPED o = { .hEvent = (HANDLE)((uintptr_t)event | 1) };
	DWORD n, error;
	bool good;

	if (!event)
		return false;
	good = DeviceIoControl(h, code, in, in_size, out, out_size, NULL, &o) ||
	       (GetLastError() == ERROR_IO_PENDING &&
		GetOverlappedResult(h, &o, &n, TRUE));
	error = GetLastError();
	CloseHandle(event);
	SetLastError(error);
	return good;
}

/* \Device\x is the kernel's name; \??\x, \DosDevices\x and \\.\x are the user's. */
wchar_t *disk_name(const char *path, bool *device)
{
	static const char *const user[] = { "\\DosDevices\\", "\\??\\", "\\\\.\\" };
	char *name = NULL;
	wchar_t *out;
	size_t i, n;

	*device = true;
	if (!strncasecmp(path, "\\Device\\", 8) ||
	    !strncasecmp(path, "\\Volume{", 8))
		name = need_format("\\\\?\\%s%s",
				   path[1] == 'V' || path[1] == 'v' ? "" : "GLOBALROOT\\",
				   path + 1);
	for (i = 0; !name && i < 3; i++) {
		n = strlen(user[i]);
		if (!strncasecmp(path, user[i], n))
			name = need_format("\\\\.\\%s", path + n);
	}
	*device = name;
	out = name ? wide(name) : wide_path(path);
	free(name);
	return out;
}

/* ---- size ------------------------------------------------------------------- */

int block_image_size(const struct block_image *image, const char *path,
		     uint64_t *size, struct error **err)
{
	GET_LENGTH_INFORMATION length;
	LARGE_INTEGER bytes;

	if (image->host_device ?
		    disk_control(image->file->handle, IOCTL_DISK_GET_LENGTH_INFO,
				 NULL, 0, &length, sizeof(length)) :
		    GetFileSizeEx(image->file->handle, &bytes)) {
		*size = (uint64_t)(image->host_device ? length.Length.QuadPart :
							bytes.QuadPart);
		return 0;
	}
	set_errno();
	return error_set(err, errno, "%s: has no size", path);
}

int block_image_resize(struct block_image *image, uint64_t size)
{
	LARGE_INTEGER to = { .QuadPart = (LONGLONG)size };

	if (SetFilePointerEx(image->file->handle, to, NULL, FILE_BEGIN) &&
	    SetEndOfFile(image->file->handle))
		return 0;
	return errno_of(GetLastError());
}

static int find_size(struct block_image *image, const char *path,
		     struct error **err)
{
	DISK_GEOMETRY geometry;
	uint64_t size;

	image->block_size = SECTOR;
	image->file->align = 1;
	if (image->host_device) {
		if (!disk_control(image->file->handle,
				  IOCTL_DISK_GET_DRIVE_GEOMETRY, NULL, 0,
				  &geometry, sizeof(geometry)) ||
		    geometry.BytesPerSector < SECTOR)
			return error_set(err, 0, "%s: has no blocks", path);
		image->block_size = image->file->align = geometry.BytesPerSector;
	}
	if (block_image_size(image, path, &size, err))
		return -1;
	image->size = size;
	if (!size)
		return error_set(err, 0,
				 "%s: is empty: give it a size, a file with `fsutil file createnew`",
				 path);
	if (size % SECTOR)
		return error_set(err, 0,
				 "%s: its size of %llu bytes is not a multiple of %d: fill it up with `fsutil file seteof`",
				 path, (unsigned long long)size, SECTOR);
	return 0;
}

/* ---- open ------------------------------------------------------------------- */

static int open_error(const char *path, bool read_only, struct error **err)
{
	DWORD error = GetLastError();

	if (error == ERROR_SHARING_VIOLATION)
		return error_set(err, 0,
				 "%s: another program has it open, or another device of a VM: end it first, or give each VM an image of its own",
				 path);
	set_errno();
	if (errno == ENOENT)
		return error_set(err, 0,
				 "%s: cannot open the image: %s: check the path, or make a file with `fsutil file createnew`",
				 path, strerror(ENOENT));
	if (!read_only && (errno == EACCES || errno == EROFS))
		return error_set(err, errno,
				 "%s: cannot be opened for writing; make it writable, run as an administrator, or put ',ro' behind its path",
				 path);
	return error_set(err, errno, "%s: cannot open the image", path);
}

/* A file is locked by how it's shared: others may read at most. A disk can't be
 * opened so, for Windows has it open: its volumes are locked. */
static int open_file(struct block_image *image, const char *path, bool read_only,
		     struct error **err)
{
	struct disk_file *f = image->file;
	bool device;
	wchar_t *name = disk_name(path, &device);

	f->handle = INVALID_HANDLE_VALUE;
	if (!name)
		return error_set(err, errno, "%s", path);
	f->handle = CreateFileW(name,
				GENERIC_READ | (read_only ? 0 : GENERIC_WRITE),
				FILE_SHARE_READ | (device ? FILE_SHARE_WRITE : 0),
				NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
	free(name);
	if (f->handle == INVALID_HANDLE_VALUE)
		return open_error(path, read_only, err);
	image->host_device = device;
	f->port = CreateIoCompletionPort(f->handle, NULL, 0, 1);
	if (!f->port)
		return error_set(err, 0, "%s: cannot be waited for", path);
	if (device && !read_only && disk_take_volumes(f, path, err))
		return -1;
	return find_size(image, path, err);
}

/* NTFS fills the gap up to a write behind all that was ever written, while that
 * write waits: a sparse file has its end written once, and no gap. Where there are
 * no sparse files such writes are slower, which is all. */
static void close_gap(struct block_image *image, bool read_only)
{
	FILE_SET_SPARSE_BUFFER sparse = { TRUE };
	BY_HANDLE_FILE_INFORMATION info;

	if (read_only || image->host_device ||
	    !GetFileInformationByHandle(image->file->handle, &info) ||
	    info.dwFileAttributes & FILE_ATTRIBUTE_SPARSE_FILE)
		return;
	disk_control(image->file->handle, FSCTL_SET_SPARSE, &sparse,
		     sizeof(sparse), NULL, 0);
}

int block_image_open(struct block_image *image, const struct block_options *opt,
		     struct error **err)
{
	int rc;

	memset(image, 0, sizeof(*image));
	image->fd = image->direct_fd = -1;
	image->file = need(sizeof(*image->file));
	rc = open_file(image, opt->path, opt->read_only, err);
	if (!rc && opt->part)
		rc = error_set(err, 0,
			       "%s: part=%u: not on Windows: name the partition itself, \\Device\\HarddiskN\\PartitionM, or use an image of one partition",
			       opt->path, opt->part);
	if (rc)
		block_image_close(image);
	else
		close_gap(image, opt->read_only);
	return rc;
}

void block_image_close(struct block_image *image)
{
	struct disk_file *f = image->file;

	if (!f)
		return;
	if (f->handle != INVALID_HANDLE_VALUE)
		CloseHandle(f->handle);
	if (f->port)
		CloseHandle(f->port);
	while (f->volumes)
		CloseHandle(f->volume[--f->volumes]); /* unlocks it */
	free(f);
	image->file = NULL;
}

/* ---- engines ---------------------------------------------------------------- */

const struct block_engine *block_choose(const struct block_image *image,
					int wake)
{
	(void)image;
	(void)wake;
	return &block_overlapped;
}

const struct block_engine *block_fallback(const struct block_engine *engine)
{
	(void)engine;
	return NULL;
}

void block_image_keep(struct block_image *image)
{
	(void)image;
}

const char *block_image_trouble(const struct block_image *image)
{
	(void)image;
	return "";
}
