// SPDX-License-Identifier: GPL-2.0
#include "../devices/rig_os.h"

#include <stddef.h>
#include <stdio.h>
#include <windows.h>
#include <shellapi.h>

#define PAGE 4096

uint8_t *rig_memory_map(uint64_t size, uint64_t hole, uint64_t hole_size)
{
	uint8_t *base = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT,
				     PAGE_READWRITE);
	DWORD before;

	if (!base || !VirtualProtect(base + hole, hole_size, PAGE_NOACCESS, &before))
		return NULL;
	return base;
}

void rig_memory_unmap(uint8_t *base, uint64_t size)
{
	(void)size;
	VirtualFree(base, 0, MEM_RELEASE);
}

bool rig_bell_rang(int bell)
{
	return WaitForSingleObject((HANDLE)(intptr_t)bell, 0) == WAIT_OBJECT_0;
}

/* A name is taken by making it: what GetTempFileName() makes is a file. */
bool rig_folder_make(char path[RIG_PATH])
{
	static unsigned int number;
	char top[MAX_PATH + 1], *at;

	if (!GetTempPathA(sizeof(top), top))
		return false;
	for (at = top; *at; at++)
		if (*at == '\\')
			*at = '/';
	snprintf(path, RIG_PATH, "%srig-%lu-%u", top, GetCurrentProcessId(), number++);
	return CreateDirectoryA(path, NULL);
}

/* The shell's wants a list, which ends with an empty name, and its own slashes. */
bool rig_folder_remove(const char *path)
{
	char list[RIG_PATH + 1] = { 0 };
	SHFILEOPSTRUCTA remove = {
		.wFunc = FO_DELETE,
		.pFrom = list,
		.fFlags = FOF_NOCONFIRMATION | FOF_SILENT | FOF_NOERRORUI,
	};
	unsigned int i;

	for (i = 0; path[i] && i < RIG_PATH - 1; i++)
		list[i] = path[i] == '/' ? '\\' : path[i];
	return !SHFileOperationA(&remove);
}

/* ---- a page that goes ---------------------------------------------------------- */

static uint8_t *lost;
static void *handler;
static volatile LONG faults;

static LONG CALLBACK on_fault(EXCEPTION_POINTERS *e)
{
	const EXCEPTION_RECORD *r = e->ExceptionRecord;

	if (r->ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
	    r->ExceptionInformation[1] - (ULONG_PTR)lost >= PAGE)
		return EXCEPTION_CONTINUE_SEARCH;
	InterlockedIncrement(&faults);
	VirtualAlloc(lost, PAGE, MEM_COMMIT, PAGE_READWRITE);
	return EXCEPTION_CONTINUE_EXECUTION;
}

bool rig_page_lose(void *page)
{
	lost = page;
	faults = 0;
	handler = AddVectoredExceptionHandler(1, on_fault);
	return handler && VirtualFree(page, PAGE, MEM_DECOMMIT);
}

unsigned int rig_page_faults(void)
{
	RemoveVectoredExceptionHandler(handler);
	return (unsigned int)faults;
}
