/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the fake share with each other, and not with the tests.
 */
#ifndef CO_TESTS_NT_FAKE_INSIDE_H
#define CO_TESTS_NT_FAKE_INSIDE_H

#include <pthread.h>

#include "fake.h"

/* This thread, as a processor. */
extern __thread bool irqs_are_off;
extern __thread co_u8 irql;

/* Dies if interrupts are off, or the IRQL is above `level`. */
void at_most(co_u8 level, const char *function);
#define AT_MOST(level) at_most(level, __func__)

/* Whether this allocation is the one that fails. */
bool fails(void);
/* What the driver has to give back has become so much more. */
void alive(int change);

/* Objects to wait for, by their first word; the second is set where one can be taken. */
enum { EVENT = 1, MUTEX, NOTIFICATION };

/* Over all that can be waited for, and told at each change of it. */
extern pthread_mutex_t big;
extern pthread_cond_t changed;

co_u64 now_ns(void);
void timers_start(void);
void timers_end(void); /* dies when one is set still */

/* Looked up by name, since older Windows hasn't these. */
void *ExAllocateTimer(void (*fn)(void *timer, void *context), void *context,
		      co_u32 attributes);
co_u8 ExSetTimer(void *timer, co_s64 due, co_s64 period, void *more);
co_u8 ExDeleteTimer(void *timer, co_u8 cancel, co_u8 wait, void *more);

#endif
