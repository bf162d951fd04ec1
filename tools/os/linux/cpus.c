// SPDX-License-Identifier: GPL-2.0
#include "../cpus.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a vCPU's thread needs is a few pages: RUN's structure and a device's call. */
#define STACK_SIZE (256 * 1024)

int cpus_online(struct cpu_list *out)
{
	struct text t = { 0 };
	int rc = 0;

	if (text_file(&t, "/sys/devices/system/cpu/online", 65536))
		rc = errno;
	else if (t.length && t.data[t.length - 1] == '\n')
		t.data[t.length - 1] = 0;
	if (!rc && (!t.length || !cpu_list_parse(out, t.data)))
		rc = EPROTO;
	text_free(&t);
	return rc;
}

int cpus_allowed(struct cpu_list *out)
{
	cpu_set_t set;
	unsigned int cpu;

	if (sched_getaffinity(0, sizeof(set), &set))
		return errno;
	out->n = 0;
	for (cpu = 0; cpu < CPU_LIST_MAX; cpu++)
		if (CPU_ISSET(cpu, &set))
			out->cpu[out->n++] = (uint16_t)cpu;
	return 0;
}

static void to_set(const struct cpu_list *list, cpu_set_t *set)
{
	unsigned int i;

	CPU_ZERO(set);
	for (i = 0; i < list->n; i++)
		CPU_SET(list->cpu[i], set);
}

static int start(pthread_t *thread, const pthread_attr_t *attr,
		 void *(*main)(void *), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(thread, attr, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int thread_start(pthread_t *thread, const char *name,
		 const struct cpu_list *cpus, void *(*main)(void *), void *arg)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int rc;

	to_set(cpus, &set);
	pthread_attr_init(&attr);
	rc = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (!rc)
		rc = pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (!rc)
		rc = start(thread, &attr, main, arg);
	pthread_attr_destroy(&attr);
	/* A name is for people; the thread is as good without it. */
	if (!rc)
		(void)pthread_setname_np(*thread, name);
	return rc;
}

int thread_move(pthread_t thread, const struct cpu_list *cpus)
{
	cpu_set_t set;

	to_set(cpus, &set);
	return pthread_setaffinity_np(thread, sizeof(set), &set);
}

int thread_number(void)
{
	return gettid();
}

int thread_times(int number, uint64_t *ran, uint64_t *waited)
{
	char *path = need_format("/proc/self/task/%d/schedstat", number);
	struct text t = { 0 };
	char *end;
	int rc = text_file(&t, path, 4096) ? errno : 0;

	free(path);
	if (!rc && !t.length)
		rc = ENOENT;
	if (!rc) {
		*ran = strtoull(t.data, &end, 10);
		*waited = strtoull(end, NULL, 10);
	}
	text_free(&t);
	return rc;
}
