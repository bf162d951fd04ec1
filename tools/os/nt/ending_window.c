// SPDX-License-Identifier: GPL-2.0
#include "ending.h"

#include <windows.h>

static LRESULT on_end_session(HWND window, WPARAM ends)
{
	if (!ends) {
		ShutdownBlockReasonDestroy(window);
		return 0;
	}
	ending_ask();
	ending_wait(ENDING_FOREVER);
	return 0;
}

/* The question is answered with yes: a no would stop everybody's shutdown. With a
 * reason the user is shown what is waited for, instead of a program that hangs. */
static LRESULT CALLBACK on_message(HWND window, UINT message, WPARAM w, LPARAM l)
{
	switch (message) {
	case WM_QUERYENDSESSION:
		ShutdownBlockReasonCreate(window, L"The Linux guest is powering off");
		return TRUE;
	case WM_ENDSESSION:
		return on_end_session(window, w);
	default:
		return DefWindowProcW(window, message, w, l);
	}
}

static DWORD WINAPI window_main(void *arg)
{
	WNDCLASSEXW class = {
		.cbSize = sizeof(class),
		.lpfnWndProc = on_message,
		.hInstance = GetModuleHandleW(NULL),
		.lpszClassName = ENDING_WINDOW_CLASS,
	};
	MSG message;

	(void)arg;
	/* No message-only window: those aren't asked. */
	if (!RegisterClassExW(&class) ||
	    !CreateWindowExW(0, ENDING_WINDOW_CLASS, L"colinux-daemon", 0, 0, 0,
			     0, 0, NULL, NULL, class.hInstance, NULL))
		return 1; /* no desktop, nobody who logs off */
	while (GetMessageW(&message, NULL, 0, 0) > 0)
		DispatchMessageW(&message);
	return 0;
}

void ending_window_start(void)
{
	HANDLE thread = CreateThread(NULL, 0, window_main, NULL, 0, NULL);

	if (thread)
		CloseHandle(thread);
}
