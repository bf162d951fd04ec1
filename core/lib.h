/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the core takes from its compiler and the C library that every host has
 * (kernel, ntoskrnl or libc): four memory functions. No OS header is included
 * anywhere in core/.
 */
#ifndef CO_CORE_LIB_H
#define CO_CORE_LIB_H

#include "../abi/types.h"

typedef __SIZE_TYPE__ co_size;
typedef __UINTPTR_TYPE__ co_uptr; /* a pointer as a number, in this world only */

/* A port's own files have these from their OS already, and say so. */
#ifndef CO_LIB_PROVIDED
#define bool _Bool
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

void *memcpy(void *dst, const void *src, co_size n);
void *memset(void *dst, int c, co_size n);
int memcmp(const void *a, const void *b, co_size n);
co_size strlen(const char *s);
#endif

/* Linux's numbers, on every host; ports translate (NT: to NTSTATUS). */
#define CO_EPERM  1
#define CO_EINTR  4
#define CO_ENXIO  6
#define CO_E2BIG  7
#define CO_ENOMEM 12
#define CO_EFAULT 14
#define CO_EBUSY  16
#define CO_EEXIST 17
#define CO_ENODEV 19
#define CO_EINVAL 22
#define CO_EPROTO 71
#define CO_ENOEXEC 8

#define CO_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CO_MAX(a, b) ((a) > (b) ? (a) : (b))
#define CO_ALIGN_DOWN(x, a) ((x) & ~((co_u64)(a)-1))
#define CO_ALIGN_UP(x, a) CO_ALIGN_DOWN((x) + (a)-1, a)
#define CO_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define co_container_of(ptr, type, member) \
	((type *)((char *)(ptr)-__builtin_offsetof(type, member)))

/* Memory that another CPU or the other kernel changes: one access, sequentially
 * consistent. */
#define co_load(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define co_store(p, v) __atomic_store_n(p, v, __ATOMIC_SEQ_CST)
#define co_fetch_or(p, v) __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define co_fetch_and(p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define co_exchange(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define co_fetch_add(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
/* *p from old to new; true if that was done */
#define co_compare_exchange(p, old, new)                              \
	({                                                            \
		__typeof__(*(p)) co_old_ = (old);                     \
		__atomic_compare_exchange_n(p, &co_old_, new, false,  \
					    __ATOMIC_SEQ_CST,         \
					    __ATOMIC_SEQ_CST);        \
	})

#endif
