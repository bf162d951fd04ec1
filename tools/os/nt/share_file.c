// SPDX-License-Identifier: GPL-2.0
/* Open files and directories of a share: data, entries, locks. */
#include <stdlib.h>
#include <string.h>

#include "../../lib/text.h"
#include "../../share/p9.h"
#include "share_nt.h"
#include "wide.h"

NTSTATUS NTAPI NtQueryDirectoryFile(HANDLE file, HANDLE event,
				    PIO_APC_ROUTINE apc, PVOID context,
				    PIO_STATUS_BLOCK io, PVOID info, ULONG size,
				    FILE_INFORMATION_CLASS class, BOOLEAN single,
				    PUNICODE_STRING name, BOOLEAN restart);

#define NO_MORE_FILES ((NTSTATUS)0x80000006)

/* ---- opening ---------------------------------------------------------------- */

static ACCESS_MASK access_of(uint32_t flags)
{
	static const ACCESS_MASK access[] = {
		FILE_GENERIC_READ, FILE_WRITE_DATA | FILE_READ_ATTRIBUTES,
		FILE_GENERIC_READ | FILE_WRITE_DATA,
		FILE_GENERIC_READ | FILE_WRITE_DATA,
	};

	return access[flags & P9_O_ACCESS];
}

static ULONG options_of(uint32_t flags)
{
	return (flags & (P9_O_SYNC | P9_O_DSYNC) ? FILE_WRITE_THROUGH : 0) |
	       (flags & P9_O_DIRECTORY ? FILE_DIRECTORY_FILE : 0);
}

static int file_make(struct fs_node *node, HANDLE h, struct fs_file **out)
{
	struct fs_file *file = need(sizeof(*file));

	file->node = fs_get(node);
	file->h = h;
	file->next = node->fs->files;
	if (file->next)
		file->next->previous = file;
	node->fs->files = file;
	*out = file;
	return 0;
}

static int cut(HANDLE h)
{
	FILE_END_OF_FILE_INFORMATION end = { .EndOfFile.QuadPart = 0 };

	return set_info(h, &end, sizeof(end), FileEndOfFileInformation);
}

int fs_open(struct fs_node *node, uint32_t flags, struct fs_file **file)
{
	ACCESS_MASK access = access_of(flags);
	HANDLE h;
	int rc;

	if (node->kind == FS_SYMLINK)
		return -ELOOP;
	if (node->kind == FS_OTHER)
		return -ENXIO;
	if (node->kind == FS_DIRECTORY && access & FILE_WRITE_DATA)
		return -EISDIR;
	if (flags & P9_O_TRUNC)
		access |= FILE_WRITE_DATA;
	rc = open_at(node->h, NULL, access, FILE_OPEN, options_of(flags), &h);
	if (rc)
		return rc;
	if (flags & P9_O_TRUNC && node->kind == FS_FILE)
		rc = cut(h);
	if (rc) {
		CloseHandle(h);
		return rc;
	}
	return file_make(node, h, file);
}

static int adopt_new(struct fs *fs, HANDLE h, const struct fs_new *new,
		     struct fs_node **node, struct fs_file **file)
{
	HANDLE pin;
	int rc = settle(h, new->mode);

	if (!rc)
		rc = open_at(h, NULL, FILE_READ_ATTRIBUTES, FILE_OPEN, 0, &pin);
	if (!rc)
		rc = node_make(fs, pin, node);
	if (rc) {
		CloseHandle(h);
		return rc;
	}
	return file_make(*node, h, file);
}

static int open_old(struct fs_node *dir, const char *name, uint32_t flags,
		    struct fs_node **node, struct fs_file **file)
{
	int rc = fs_walk(dir, name, node);

	if (rc)
		return rc;
	rc = fs_open(*node, flags, file);
	if (rc)
		fs_put(*node);
	return rc;
}

/* Whoever removes and makes the name again and again isn't followed for ever. */
int fs_open_new(struct fs_node *dir, const char *name, uint32_t flags,
		const struct fs_new *new, struct fs_node **node,
		struct fs_file **file)
{
	ULONG options = (options_of(flags) & ~(ULONG)FILE_DIRECTORY_FILE) |
			FILE_NON_DIRECTORY_FILE;
	int tries, rc = 0;
	HANDLE h;

	for (tries = 0; tries < 8; tries++) {
		rc = open_named(dir, name, access_of(flags), FILE_CREATE, options,
				&h);
		if (!rc)
			return adopt_new(dir->fs, h, new, node, file);
		if (rc != -EEXIST || flags & P9_O_EXCL)
			return rc;
		rc = open_old(dir, name, flags, node, file);
		if (rc != -ENOENT)
			return rc;
	}
	return rc;
}

void fs_close(struct fs_file *file)
{
	if (!file)
		return;
	if (file->h)
		CloseHandle(file->h);
	if (file->next)
		file->next->previous = file->previous;
	if (file->previous)
		file->previous->next = file->next;
	else
		file->node->fs->files = file->next;
	fs_put(file->node);
	free(file);
}

/* ---- data ------------------------------------------------------------------- */

static bool move_one(HANDLE h, bool write, const struct iovec *iov,
		     uint64_t offset, DWORD *n)
{
	OVERLAPPED at = { .Offset = (DWORD)offset,
			  .OffsetHigh = (DWORD)(offset >> 32) };

	*n = 0;
	return write ? WriteFile(h, iov->iov_base, (DWORD)iov->iov_len, n, &at) :
		       ReadFile(h, iov->iov_base, (DWORD)iov->iov_len, n, &at);
}

/* An error behind some bytes is told with the next call. */
static int64_t move(struct fs_file *file, bool write, const struct iovec *iov,
		    unsigned int n, uint64_t offset)
{
	int64_t sum = 0;
	unsigned int i;
	DWORD part;

	if (offset > INT64_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (!move_one(file->h, write, &iov[i], offset + (uint64_t)sum,
			      &part)) {
			if (sum || GetLastError() == ERROR_HANDLE_EOF)
				return sum;
			return set_errno(), -errno;
		}
		sum += part;
		if (part < iov[i].iov_len)
			break;
	}
	return sum;
}

int64_t fs_read(struct fs_file *file, const struct iovec *iov, unsigned int n,
		uint64_t offset)
{
	if (file->node->kind == FS_DIRECTORY)
		return -EISDIR;
	return move(file, false, iov, n, offset);
}

int64_t fs_write(struct fs_file *file, const struct iovec *iov, unsigned int n,
		 uint64_t offset)
{
	return move(file, true, iov, n, offset);
}

/* What was opened for reading has nothing to be written. */
int fs_sync(struct fs_file *file, bool data_only)
{
	(void)data_only;
	if (FlushFileBuffers(file->h) || GetLastError() == ERROR_ACCESS_DENIED)
		return 0;
	return set_errno(), -errno;
}

/* ---- entries ---------------------------------------------------------------- */

struct listing {
	struct fs_file *file;
	uint64_t from;
	bool (*emit)(void *arg, const struct fs_entry *entry);
	void *arg;
};

/* As <dirent.h> has them. */
enum { FIFO = 1, DIRECTORY = 4, REGULAR = 8, LINK = 10 };

/* Looked at only if it may be, for it costs as much as a walk. A reparse point has its
 * tag where others have the size of their extended attributes. */
static bool is_link(const struct fs_file *file, const char *name,
		    const FILE_ID_BOTH_DIRECTORY_INFORMATION *d)
{
	struct fs_node *node;
	bool yes;

	if (d->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT ?
		    !link_tag_likely(d->EaSize) :
		    !link_file_likely(d->FileAttributes,
				      (uint64_t)d->EndOfFile.QuadPart))
		return false;
	if (fs_walk(file->node, name, &node))
		return false;
	yes = node->kind == FS_SYMLINK;
	fs_put(node);
	return yes;
}

static uint8_t type_of(const struct fs_file *file, const char *name,
		       const FILE_ID_BOTH_DIRECTORY_INFORMATION *d)
{
	if (is_link(file, name, d))
		return LINK;
	if (d->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
		return FIFO;
	return d->FileAttributes & FILE_ATTRIBUTE_DIRECTORY ? DIRECTORY : REGULAR;
}

/* The parent of the shared directory is none of the guest's. */
static uint64_t entry_number(const struct fs_file *file, const char *name,
			     uint64_t id)
{
	const struct fs_node *dir = file->node;

	if (!strcmp(name, "..") && dir->index == dir->fs->index)
		return dir->index;
	return id;
}

static bool emit_one(struct listing *l, const FILE_ID_BOTH_DIRECTORY_INFORMATION *d)
{
	char *name = name_from_nt(d->FileName, d->FileNameLength / sizeof(wchar_t));
	struct fs_entry entry = {
		.name = name,
		.number = entry_number(l->file, name, (uint64_t)d->FileId.QuadPart),
		.next = l->file->at + 1,
		.type = type_of(l->file, name, d),
	};
	bool more = l->emit(l->arg, &entry);

	free(name);
	return more;
}

static bool emit_all(struct listing *l, const uint8_t *buffer)
{
	const FILE_ID_BOTH_DIRECTORY_INFORMATION *d;

	for (;; buffer += d->NextEntryOffset) {
		d = (const void *)buffer;
		if (l->file->at >= l->from && !emit_one(l, d))
			return false;
		l->file->at++;
		if (!d->NextEntryOffset)
			return true;
	}
}

/* Windows has no places in a directory: entries are counted, each time from the
 * beginning, since those that were read and not taken don't come again. */
int fs_list(struct fs_file *file, uint64_t offset,
	    bool (*emit)(void *arg, const struct fs_entry *entry), void *arg)
{
	uint8_t buffer[32768] __attribute__((aligned(8)));
	struct listing l = { file, offset, emit, arg };
	BOOLEAN restart = TRUE;
	IO_STATUS_BLOCK io;
	NTSTATUS status;

	if (file->node->kind != FS_DIRECTORY)
		return -ENOTDIR;
	file->at = 0;
	do {
		status = NtQueryDirectoryFile(file->h, NULL, NULL, NULL, &io,
					      buffer, sizeof(buffer),
					      FileIdBothDirectoryInformation,
					      FALSE, NULL, restart);
		restart = FALSE;
	} while (status >= 0 && emit_all(&l, buffer));
	return status >= 0 || status == NO_MORE_FILES ? 0 :
							-errno_of_status(status);
}

/* ---- locks ------------------------------------------------------------------ */

/* Windows' locks keep others from reading and writing, which Linux's don't: those of
 * the guest stay in the guest, which has given them to its own processes already. */
int fs_lock(struct fs_file *file, const struct fs_lock *lock)
{
	(void)file;
	return lock->type > P9_LOCK_UNLOCK ? -EINVAL : 0;
}

int fs_lock_test(struct fs_file *file, struct fs_lock *lock)
{
	(void)file;
	if (lock->type >= P9_LOCK_UNLOCK)
		return -EINVAL;
	lock->type = P9_LOCK_UNLOCK;
	return 0;
}
