/* SPDX-License-Identifier: GPL-2.0 */
/* cobd's image on Windows. */
#ifndef CO_NT_DISK_FILE_H
#define CO_NT_DISK_FILE_H

#include <windows.h>

#include "../../devices/block.h"

#define DISK_VOLUMES_MAX 32

struct disk_file {
	HANDLE handle; /* overlapped, of the port */
	HANDLE port;   /* the engine's, one at a time; keys of completions are 0 */
	HANDLE volume[DISK_VOLUMES_MAX]; /* locked and dismounted */
	unsigned int volumes;
	uint32_t align; /* of places and buffers, bytes; 1: none */
};

/* A name of the kernel's, a drive's or a file's, for CreateFile(). Caller frees;
 * NULL and errno. *device: it is no file. */
wchar_t *disk_name(const char *path, bool *device);
/* What is mounted from that disk or partition is locked and dismounted until the file
 * is closed: nobody else writes to it. */
int disk_take_volumes(struct disk_file *f, const char *path, struct error **err);
/* A call that is waited for; false: GetLastError(). */
bool disk_control(HANDLE h, DWORD code, void *in, DWORD in_size, void *out,
		  DWORD out_size);

extern const struct block_engine block_overlapped;

#endif
