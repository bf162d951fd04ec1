// SPDX-License-Identifier: GPL-2.0
/* Files of a share: found, told about, changed. */
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "../../share/p9.h"
#include "share_nt.h"
#include "wide.h"

/* What a guest sees of a mode; there's no other file system with Linux's numbers. */
#define MODE_FILE      0100000u
#define MODE_DIRECTORY 0040000u
#define MODE_LINK      0120777u
#define MODE_FIFO      0010000u /* junctions and their like: what nobody opens */
#define WRITABLE       0222u

/* 1601 to 1970, in units of 100 ns. */
#define EPOCH 116444736000000000ll

/* ---- names ------------------------------------------------------------------ */

#define MOVED 0xf000

static bool is_device(const wchar_t *name)
{
	static const wchar_t *const three[] = { L"CON", L"PRN", L"AUX", L"NUL" };
	size_t n = wcscspn(name, L". "), i;

	for (i = 0; i < 4; i++)
		if (n == 3 && !_wcsnicmp(name, three[i], 3))
			return true;
	return n == 4 && name[3] >= L'1' && name[3] <= L'9' &&
	       (!_wcsnicmp(name, L"COM", 3) || !_wcsnicmp(name, L"LPT", 3));
}

static void move_char(wchar_t *c)
{
	if (*c && *c < 0x80)
		*c |= MOVED;
}

/* A dot or a space at the end is dropped by Windows' programs, and names of devices
 * are those devices to them. */
wchar_t *name_to_nt(const char *name)
{
	wchar_t *out = wide(name), *c;

	if (!out)
		return NULL;
	if (wcslen(out) > 255) {
		free(out);
		errno = ENAMETOOLONG;
		return NULL;
	}
	if (is_device(out))
		move_char(out);
	for (c = out; *c; c++)
		if (*c < L' ' || wcschr(L"<>:\"|?*\\/", *c))
			move_char(c);
	if (c > out && (c[-1] == L'.' || c[-1] == L' '))
		move_char(c - 1);
	return out;
}

char *name_from_nt(const wchar_t *name, size_t length)
{
	wchar_t *copy = need((length + 1) * sizeof(*copy));
	char *out;
	size_t i;

	for (i = 0; i < length; i++)
		copy[i] = name[i] > MOVED && name[i] < MOVED + 0x80 ?
				  name[i] & 0x7f : name[i];
	out = narrow(copy);
	free(copy);
	return out;
}

/* ---- opening ---------------------------------------------------------------- */

int open_at(HANDLE dir, const wchar_t *name, ACCESS_MASK access,
	    ULONG disposition, ULONG options, HANDLE *h)
{
	UNICODE_STRING text = { 0 };
	OBJECT_ATTRIBUTES what;
	IO_STATUS_BLOCK io;
	NTSTATUS status;

	if (name) {
		text.Length = (USHORT)(wcslen(name) * sizeof(*name));
		text.MaximumLength = text.Length;
		text.Buffer = (wchar_t *)(uintptr_t)name;
	}
	InitializeObjectAttributes(&what, &text, 0, dir, NULL);
	status = NtCreateFile(h, access | SYNCHRONIZE, &what, &io, NULL,
			      FILE_ATTRIBUTE_NORMAL, SHARE_ALL, disposition,
			      options | FILE_SYNCHRONOUS_IO_NONALERT |
				      FILE_OPEN_FOR_BACKUP_INTENT |
				      FILE_OPEN_REPARSE_POINT,
			      NULL, 0);
	return status < 0 ? -errno_of_status(status) : 0;
}

int open_named(struct fs_node *dir, const char *name, ACCESS_MASK access,
	       ULONG disposition, ULONG options, HANDLE *h)
{
	wchar_t *nt = name_to_nt(name);
	int rc = nt ? 0 : -errno;

	if (!rc && dir->kind != FS_DIRECTORY)
		rc = -ENOTDIR;
	if (!rc)
		rc = open_at(dir->h, nt, access, disposition, options, h);
	free(nt);
	return rc;
}

int set_info(HANDLE h, void *info, ULONG size, int class)
{
	IO_STATUS_BLOCK io;
	NTSTATUS status = NtSetInformationFile(h, &io, info, size,
					       (FILE_INFORMATION_CLASS)class);

	return status < 0 ? -errno_of_status(status) : 0;
}

/* ---- nodes ------------------------------------------------------------------ */

static enum fs_kind kind_of(DWORD attributes)
{
	if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
		return FS_OTHER;
	return attributes & FILE_ATTRIBUTE_DIRECTORY ? FS_DIRECTORY : FS_FILE;
}

static uint64_t number(const BY_HANDLE_FILE_INFORMATION *i)
{
	return (uint64_t)i->nFileIndexHigh << 32 | i->nFileIndexLow;
}

static void fill(struct fs_node *node, const BY_HANDLE_FILE_INFORMATION *i)
{
	node->kind = kind_of(i->dwFileAttributes);
	node->volume = i->dwVolumeSerialNumber;
	node->index = number(i);
	node->version = i->ftCreationTime.dwLowDateTime ^
			i->ftCreationTime.dwHighDateTime * 1000003u;
}

static void look_for_link(struct fs_node *node,
			  const BY_HANDLE_FILE_INFORMATION *i)
{
	char target[FS_TARGET_MAX + 1];
	int n = link_read(node->h, i, target);

	if (n <= 0)
		return;
	node->kind = FS_SYMLINK;
	node->target = (uint32_t)n;
}

int node_make(struct fs *fs, HANDLE h, struct fs_node **out)
{
	BY_HANDLE_FILE_INFORMATION info;
	struct fs_node *node;

	if (!GetFileInformationByHandle(h, &info)) {
		set_errno();
		CloseHandle(h);
		return -errno;
	}
	node = need(sizeof(*node));
	node->fs = fs;
	node->h = h;
	node->references = 1;
	fill(node, &info);
	look_for_link(node, &info);
	node->next = fs->nodes;
	if (node->next)
		node->next->previous = node;
	fs->nodes = node;
	*out = node;
	return 0;
}

struct fs_node *fs_get(struct fs_node *node)
{
	node->references++;
	return node;
}

void fs_put(struct fs_node *node)
{
	if (!node || --node->references)
		return;
	if (node->h)
		CloseHandle(node->h);
	if (node->next)
		node->next->previous = node->previous;
	if (node->previous)
		node->previous->next = node->next;
	else
		node->fs->nodes = node->next;
	free(node);
}

bool fs_stale(const struct fs_node *node)
{
	return !node->h;
}

int fs_walk(struct fs_node *dir, const char *name, struct fs_node **node)
{
	HANDLE h;
	int rc = open_named(dir, name, FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &h);

	return rc ? rc : node_make(dir->fs, h, node);
}

enum fs_kind fs_kind(const struct fs_node *node)
{
	return node->kind;
}

uint64_t fs_number(const struct fs_node *node)
{
	return node->index;
}

uint32_t fs_version(const struct fs_node *node)
{
	return node->version;
}

/* ---- what they are ---------------------------------------------------------- */

static struct fs_time time_of(const FILETIME *f)
{
	int64_t t = (int64_t)((uint64_t)f->dwHighDateTime << 32 |
			      f->dwLowDateTime) - EPOCH;

	if (t < 0)
		t = 0;
	return (struct fs_time){ (uint64_t)t / 10000000,
				 (uint32_t)(t % 10000000) * 100 };
}

static uint32_t mode_of(const struct fs_node *node, DWORD attributes)
{
	static const uint32_t type[] = { [FS_FILE] = MODE_FILE,
					 [FS_DIRECTORY] = MODE_DIRECTORY,
					 [FS_SYMLINK] = MODE_LINK,
					 [FS_OTHER] = MODE_FIFO };
	bool fixed = attributes & FILE_ATTRIBUTE_READONLY &&
		     node->kind != FS_DIRECTORY; /* there it is the desktop's */

	return type[node->kind] | (fixed ? 0555 : 0755);
}

static uint64_t size_of(const struct fs_node *node,
			const BY_HANDLE_FILE_INFORMATION *i)
{
	if (node->kind == FS_SYMLINK)
		return node->target;
	if (node->kind != FS_FILE)
		return 0;
	return (uint64_t)i->nFileSizeHigh << 32 | i->nFileSizeLow;
}

int fs_stat(struct fs_node *node, struct fs_stat *st)
{
	BY_HANDLE_FILE_INFORMATION i;

	if (!GetFileInformationByHandle(node->h, &i))
		return set_errno(), -errno;
	*st = (struct fs_stat){
		.mode = mode_of(node, i.dwFileAttributes),
		.links = node->kind == FS_DIRECTORY ? 1 : i.nNumberOfLinks,
		.size = size_of(node, &i),
		.block_size = 4096,
		.has_btime = true,
		.atime = time_of(&i.ftLastAccessTime),
		.mtime = time_of(&i.ftLastWriteTime),
		.ctime = time_of(&i.ftLastWriteTime),
		.btime = time_of(&i.ftCreationTime),
	};
	st->blocks = (st->size + 511) / 512;
	return 0;
}

int fs_room(struct fs_node *node, struct fs_room *room)
{
	FILE_FS_FULL_SIZE_INFORMATION s;
	IO_STATUS_BLOCK io;
	NTSTATUS status = NtQueryVolumeInformationFile(
		node->h, &io, &s, sizeof(s), FileFsFullSizeInformation);

	if (status < 0)
		return -errno_of_status(status);
	*room = (struct fs_room){
		.block_size = s.SectorsPerAllocationUnit * s.BytesPerSector,
		.name_max = P9_NAME_MAX,
		.blocks = (uint64_t)s.TotalAllocationUnits.QuadPart,
		.free = (uint64_t)s.ActualAvailableAllocationUnits.QuadPart,
		.available = (uint64_t)s.CallerAvailableAllocationUnits.QuadPart,
		.id = node->volume,
	};
	return 0;
}

/* ---- what can be changed ---------------------------------------------------- */

static LARGE_INTEGER to_nt(const struct fs_time *t)
{
	LARGE_INTEGER out;

	out.QuadPart = (LONGLONG)(t->sec * 10000000 + t->nsec / 100) + EPOCH;
	return out;
}

static LARGE_INTEGER now(void)
{
	LARGE_INTEGER out;
	FILETIME f;

	GetSystemTimeAsFileTime(&f);
	out.HighPart = (LONG)f.dwHighDateTime;
	out.LowPart = f.dwLowDateTime;
	return out;
}

static int set_basic(HANDLE node, FILE_BASIC_INFORMATION *b)
{
	HANDLE h;
	int rc = open_at(node, NULL, FILE_WRITE_ATTRIBUTES, FILE_OPEN, 0, &h);

	if (rc)
		return rc;
	rc = set_info(h, b, sizeof(*b), FileBasicInformation);
	CloseHandle(h);
	return rc;
}

/* Zeroes in the structure leave what is. The last 200 ns of time are nobody's. */
static int change_times(struct fs_node *node, const struct fs_change *c)
{
	FILE_BASIC_INFORMATION b = { 0 };
	const uint64_t latest = 900000000000ull; /* seconds: fits into 64 bits */

	if (c->atime.nsec > 999999999 || c->mtime.nsec > 999999999 ||
	    c->atime.sec > latest || c->mtime.sec > latest)
		return -EINVAL;
	if (c->set & P9_SET_ATIME)
		b.LastAccessTime = c->set & P9_SET_ATIME_TO ? to_nt(&c->atime) :
							      now();
	if (c->set & P9_SET_MTIME)
		b.LastWriteTime = c->set & P9_SET_MTIME_TO ? to_nt(&c->mtime) :
							     now();
	return set_basic(node->h, &b);
}

static int set_read_only(HANDLE h, bool read_only)
{
	FILE_BASIC_INFORMATION b = { 0 };
	BY_HANDLE_FILE_INFORMATION i;
	DWORD a;

	if (!GetFileInformationByHandle(h, &i))
		return set_errno(), -errno;
	a = i.dwFileAttributes & ~(DWORD)FILE_ATTRIBUTE_READONLY;
	b.FileAttributes = read_only ? a | FILE_ATTRIBUTE_READONLY :
			   a ? a : FILE_ATTRIBUTE_NORMAL;
	return set_basic(h, &b);
}

int settle(HANDLE h, uint32_t mode)
{
	return mode & WRITABLE ? 0 : set_read_only(h, true);
}

/* As Linux's vfat: whether anybody may write is all that is kept, and a mode that
 * asks for something else is refused: reading and entering for its owner, and no
 * bits beyond 0777. */
static int change_mode(struct fs_node *node, uint32_t mode)
{
	if (node->kind == FS_OTHER || node->kind == FS_SYMLINK)
		return -EOPNOTSUPP;
	if (mode & 07000 || (mode & 0400) != 0400)
		return -EPERM;
	if (node->kind == FS_DIRECTORY)
		return mode & 0200 ? 0 : -EPERM;
	return set_read_only(node->h, !(mode & WRITABLE));
}

static int change_size(struct fs_node *node, struct fs_file *file, uint64_t size)
{
	FILE_END_OF_FILE_INFORMATION end;
	HANDLE h = NULL;
	int rc = 0;

	if (size > INT64_MAX)
		return -EINVAL;
	if (node->kind != FS_FILE)
		return node->kind == FS_DIRECTORY ? -EISDIR : -EINVAL;
	end.EndOfFile.QuadPart = (LONGLONG)size;
	if (file && !set_info(file->h, &end, sizeof(end),
			      FileEndOfFileInformation))
		return 0;
	rc = open_at(node->h, NULL, FILE_WRITE_DATA, FILE_OPEN, 0, &h);
	if (rc)
		return rc;
	rc = set_info(h, &end, sizeof(end), FileEndOfFileInformation);
	CloseHandle(h);
	return rc;
}

int fs_change(struct fs_node *node, struct fs_file *file,
	      const struct fs_change *c)
{
	int rc = 0;

	/* Everything is root's. */
	if ((c->set & P9_SET_UID && c->uid) || (c->set & P9_SET_GID && c->gid))
		return -EPERM;
	if (c->set & P9_SET_MODE)
		rc = change_mode(node, c->mode & 07777);
	if (!rc && c->set & P9_SET_SIZE)
		rc = change_size(node, file, c->size);
	if (!rc && c->set & (P9_SET_ATIME | P9_SET_MTIME))
		rc = change_times(node, c);
	return rc;
}

/* ---- extended attributes: none ---------------------------------------------- */

int fs_xattr_get(struct fs_node *node, const char *name, void *value,
		 size_t size)
{
	(void)node;
	(void)value;
	(void)size;
	return *name ? -EOPNOTSUPP : 0;
}

int fs_xattr_set(struct fs_node *node, const char *name, const void *value,
		 size_t size, uint32_t flags)
{
	(void)node;
	(void)name;
	(void)value;
	(void)size;
	(void)flags;
	return -EOPNOTSUPP;
}

int fs_xattr_remove(struct fs_node *node, const char *name)
{
	(void)node;
	(void)name;
	return -EOPNOTSUPP;
}
