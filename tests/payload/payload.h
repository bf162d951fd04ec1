/* SPDX-License-Identifier: GPL-2.0 */
/* What a payload program has: calls, events, text. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>

#include "../../abi/guest.h"
#include "../../abi/image.h"

/* Each program's own; `words` is the command line. Return = power off. */
void program(const char *words);

co_u64 call(co_u64 nr, co_u64 a0, co_u64 a1, co_u64 a2, co_u64 a3);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the guest with a panic verdict of that text. */
void fail(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* The number behind "name=" on the command line, else `none`. */
co_u64 word(const char *words, const char *name, co_u64 none);
co_u64 pa_of(const void *p);
extern const struct co_boot_info *boot;
extern struct co_vcpu_area *area;
extern volatile co_u64 forwarded, nmis; /* so far */
/* Leaves for another reason before it forwards an interrupt, as a kernel does that
 * spins for a lock on its way there, or is hit by an NMI. */
extern bool late;

void *memcpy(void *dst, const void *src, __SIZE_TYPE__ n);
void *memset(void *dst, int c, __SIZE_TYPE__ n);

static inline co_u64 tsc(void)
{
	co_u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low | (co_u64)high << 32;
}
static inline void irq_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}
static inline void irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

#endif
