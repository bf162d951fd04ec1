/* SPDX-License-Identifier: GPL-2.0 */
/* What ../service.h says of the end, seen from those whom the system tells. */
#ifndef CO_NT_ENDING_H
#define CO_NT_ENDING_H

#include <stdbool.h>

/* Asks, once; before ending_watch() it is kept for then. Any thread. */
void ending_ask(void);
/* Until ending_done(), at most `ms`. True: it has come. Any thread. */
bool ending_wait(unsigned long ms);
#define ENDING_FOREVER 0xfffffffful

/* The service hears of both by this, instead of console and desktop: its process
 * has neither. Before ending_watch(). */
void ending_for_service(void (*ready)(void));

/* A window that nobody sees: the desktop asks windows whether the session may end,
 * and a program with user32 in it hears of that in no other way. */
void ending_window_start(void);
#define ENDING_WINDOW_CLASS L"colinux-daemon"

#endif
