// SPDX-License-Identifier: GPL-2.0
/* Who wants this process to end, and who waits until it has (../service.h). */
#include "ending.h"

#include <windows.h>

#include "../service.h"

static struct {
	SRWLOCK lock;
	void (*ask)(void *arg);
	void *arg;
	bool asked, over;
	void (*ready)(void); /* of the service */
} ending = { .lock = SRWLOCK_INIT };

static CONDITION_VARIABLE ended = CONDITION_VARIABLE_INIT;

void ending_ask(void)
{
	AcquireSRWLockExclusive(&ending.lock);
	if (!ending.asked && ending.ask)
		ending.ask(ending.arg);
	ending.asked = true;
	ReleaseSRWLockExclusive(&ending.lock);
}

bool ending_wait(unsigned long ms)
{
	ULONGLONG end = GetTickCount64() + ms, now = 0;
	bool over;

	AcquireSRWLockExclusive(&ending.lock);
	while (!ending.over && (ms == ENDING_FOREVER ||
				(now = GetTickCount64()) < end))
		SleepConditionVariableSRW(&ended, &ending.lock,
					  ms == ENDING_FOREVER ? INFINITE :
						(DWORD)(end - now), 0);
	over = ending.over;
	ReleaseSRWLockExclusive(&ending.lock);
	return over;
}

/* The process is gone when this returns, so it doesn't before all is written.
 * Ctrl-C and Ctrl-Break are the loop's own. */
static BOOL WINAPI on_console(DWORD event)
{
	if (event != CTRL_CLOSE_EVENT && event != CTRL_LOGOFF_EVENT &&
	    event != CTRL_SHUTDOWN_EVENT)
		return FALSE;
	ending_ask();
	ending_wait(ENDING_FOREVER);
	return TRUE;
}

void ending_for_service(void (*ready)(void))
{
	ending.ready = ready;
}

void ending_watch(void (*ask)(void *arg), void *arg)
{
	AcquireSRWLockExclusive(&ending.lock);
	ending.ask = ask;
	ending.arg = arg;
	if (ending.asked && ask)
		ask(arg);
	ReleaseSRWLockExclusive(&ending.lock);
	if (ending.ready || !ask)
		return;
	SetConsoleCtrlHandler(on_console, TRUE);
	ending_window_start();
}

void ending_ready(void)
{
	if (ending.ready)
		ending.ready();
}

void ending_done(void)
{
	AcquireSRWLockExclusive(&ending.lock);
	ending.over = true;
	ReleaseSRWLockExclusive(&ending.lock);
	WakeAllConditionVariable(&ended);
}
