// SPDX-License-Identifier: GPL-2.0
/* Processors of the first group, up to 64: threads of this process are there
 * unless somebody moves them. */
#include "../cpus.h"

#include <windows.h>

#include "wide.h"

#define STACK_SIZE (256 * 1024)

static void to_list(DWORD_PTR mask, struct cpu_list *out)
{
	unsigned int cpu;

	out->n = 0;
	for (cpu = 0; cpu < 64; cpu++)
		if (mask >> cpu & 1)
			out->cpu[out->n++] = (uint16_t)cpu;
}

static int masks(DWORD_PTR *process, DWORD_PTR *system)
{
	if (GetProcessAffinityMask(GetCurrentProcess(), process, system))
		return 0;
	return errno_of(GetLastError());
}

int cpus_online(struct cpu_list *out)
{
	DWORD_PTR process = 0, system = 0;
	int rc = masks(&process, &system);

	to_list(system, out);
	return rc;
}

int cpus_allowed(struct cpu_list *out)
{
	DWORD_PTR process = 0, system = 0;
	int rc = masks(&process, &system);

	to_list(process, out);
	return rc;
}

/* ---- threads ---------------------------------------------------------------- */

struct start {
	void *(*main)(void *);
	void *arg;
	DWORD_PTR cpus;
	HANDLE placed; /* event: `error` is there */
	DWORD error;
};

static DWORD_PTR to_mask(const struct cpu_list *list)
{
	DWORD_PTR mask = 0;
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (list->cpu[i] < 64)
			mask |= (DWORD_PTR)1 << list->cpu[i];
	return mask;
}

static DWORD place(HANDLE thread, DWORD_PTR cpus)
{
	return SetThreadAffinityMask(thread, cpus) ? 0 : GetLastError();
}

/* It is in its place before anything else. */
static void *begin(void *arg)
{
	struct start *s = arg, own = *s;

	s->error = place(GetCurrentThread(), own.cpus);
	own.error = s->error;
	SetEvent(own.placed); /* *s is the starter's, and may be gone */
	return own.error ? NULL : own.main(own.arg);
}

static int start(pthread_t *thread, struct start *s)
{
	pthread_attr_t attr;
	int rc;

	pthread_attr_init(&attr);
	rc = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (!rc)
		rc = pthread_create(thread, &attr, begin, s);
	pthread_attr_destroy(&attr);
	if (rc)
		return rc;
	WaitForSingleObject(s->placed, INFINITE);
	if (!s->error)
		return 0;
	pthread_join(*thread, NULL);
	return errno_of(s->error);
}

/* Names are Linux's: a debugger here shows the function. */
int thread_start(pthread_t *thread, const char *name,
		 const struct cpu_list *cpus, void *(*main)(void *), void *arg)
{
	struct start s = { .main = main, .arg = arg, .cpus = to_mask(cpus) };
	int rc;

	(void)name;
	s.placed = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!s.placed)
		return errno_of(GetLastError());
	rc = start(thread, &s);
	CloseHandle(s.placed);
	return rc;
}

int thread_move(pthread_t thread, const struct cpu_list *cpus)
{
	DWORD error = place(pthread_gethandle(thread), to_mask(cpus));

	return error ? errno_of(error) : 0;
}

int thread_number(void)
{
	return (int)GetCurrentThreadId();
}

/* Windows counts what a thread ran, not what it waited for a processor. */
int thread_times(int number, uint64_t *ran, uint64_t *waited)
{
	(void)number;
	(void)ran;
	(void)waited;
	return ENOENT;
}
