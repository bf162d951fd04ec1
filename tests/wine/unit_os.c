// SPDX-License-Identifier: GPL-2.0
/* Windows has no fork(): a thread stands in for the child, and ends where it aborts. */
#include "../unit/unit_os.h"

#include <signal.h>
#include <windows.h>

enum { RETURNED, ABORTED };

/* abort() calls this in the thread itself; going back would end the program. */
static void end_thread(int number)
{
	(void)number;
	ExitThread(ABORTED);
}

static DWORD WINAPI thread(void *fn)
{
	((void (*)(void))fn)();
	return RETURNED;
}

bool unit_aborts(void (*fn)(void))
{
	void (*before)(int) = signal(SIGABRT, end_thread);
	HANDLE child = CreateThread(NULL, 0, thread, (void *)fn, 0, NULL);
	DWORD status = RETURNED;

	if (!child)
		return false;
	WaitForSingleObject(child, INFINITE);
	GetExitCodeThread(child, &status);
	CloseHandle(child);
	signal(SIGABRT, before);
	return status == ABORTED;
}
