/* SPDX-License-Identifier: GPL-2.0 */
/* The host's CPUs, and threads on them. */
#ifndef CO_TOOLS_OS_CPUS_H
#define CO_TOOLS_OS_CPUS_H

#include <pthread.h>
#include <stdint.h>

#include "../lib/cpus.h"

/* The CPUs that the host has and uses now. 0 or an errno. */
int cpus_online(struct cpu_list *out);
/* Those on which this thread may run. 0 or an errno. */
int cpus_allowed(struct cpu_list *out);

/* Starts a thread that no signal interrupts, under a name of at most 15 bytes,
 * which runs on `cpus` only. 0 or an errno: EINVAL when none of them may be used
 * by this process. */
int thread_start(pthread_t *thread, const char *name,
		 const struct cpu_list *cpus, void *(*main)(void *), void *arg);
/* Moves a thread to these CPUs. 0 or an errno, as above. */
int thread_move(pthread_t thread, const struct cpu_list *cpus);

/* The host's number for the calling thread, for thread_times(). */
int thread_number(void);
/* How long a thread of this process ran, and how long it would have but found no
 * free CPU; nanoseconds. 0 or an errno: ENOENT where the host doesn't count. */
int thread_times(int number, uint64_t *ran, uint64_t *waited);

#endif
