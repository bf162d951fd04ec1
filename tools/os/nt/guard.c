// SPDX-License-Identifier: GPL-2.0
/* A job does here what a guard does on Linux: nothing of it outlives its handle, which
 * the guard has, and the guard ends with the daemon. */
#include "../guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "../../lib/text.h"
#include "../process.h"
#include "spawn.h"

const char *guard_program(void)
{
	static char *path;

	if (!path)
		path = process_path();
	return path ? path : "colinux-daemon.exe";
}

/* NULL: GetLastError(). `port` hears when the last process of it has ended. */
static HANDLE make_job(HANDLE port)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = { 0 };
	JOBOBJECT_ASSOCIATE_COMPLETION_PORT tell = { NULL, port };
	HANDLE job = CreateJobObjectW(NULL, NULL);

	limits.BasicLimitInformation.LimitFlags =
		JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
	if (job &&
	    SetInformationJobObject(job, JobObjectExtendedLimitInformation,
				    &limits, sizeof(limits)) &&
	    SetInformationJobObject(job,
				    JobObjectAssociateCompletionPortInformation,
				    &tell, sizeof(tell)))
		return job;
	return NULL;
}

/* There is no SIGTERM: a program of Windows that shall end is ended. */
static DWORD WINAPI watch_daemon(void *arg)
{
	WaitForSingleObject(arg, INFINITE);
	ExitProcess(1);
	return 0;
}

static void wait_empty(HANDLE port)
{
	OVERLAPPED *o;
	ULONG_PTR key;
	DWORD what;

	while (GetQueuedCompletionStatus(port, &what, &key, &o, INFINITE))
		if (what == JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO)
			return;
}

static int run(struct spawn *s, HANDLE job, HANDLE port)
{
	DWORD status = 127;

	if (!AssignProcessToJobObject(job, s->process)) {
		fprintf(stderr, "%s: cannot be guarded (error %lu)\n",
			s->argv[0], GetLastError());
		TerminateProcess(s->process, 127);
		return 127;
	}
	ResumeThread(s->thread);
	wait_empty(port);
	GetExitCodeProcess(s->process, &status);
	return (int)status;
}

int guard_main(int argc, char **argv)
{
	struct spawn s = { .argv = argv + 2, .flags = CREATE_SUSPENDED };
	HANDLE daemon, port, job; /* open until the end */
	struct error *err = NULL;

	if (argc < 3)
		return 127;
	s.program = argv[1];
	daemon = OpenProcess(SYNCHRONIZE, FALSE,
			     (DWORD)strtoul(argv[0], NULL, 10));
	if (!daemon)
		return 0; /* it was faster */
	port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	job = port ? make_job(port) : NULL;
	if (!job || !CreateThread(NULL, 65536, watch_daemon, daemon, 0, NULL)) {
		fprintf(stderr, "%s: no guard (error %lu)\n", argv[1],
			GetLastError());
		return 127;
	}
	if (spawn_start(&s, &err)) {
		fprintf(stderr, "%s\n", err->text);
		error_free(&err);
		return 127;
	}
	return run(&s, job, port);
}
