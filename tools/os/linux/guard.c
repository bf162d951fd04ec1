// SPDX-License-Identifier: GPL-2.0
#include "../guard.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The running image, even if its file was replaced by an upgrade. */
const char *guard_program(void)
{
	return "/proc/self/exe";
}

struct guard {
	sigset_t signals;
	pid_t program;
	int status; /* the program's, from waitpid() */
	bool ending;
	struct timespec until; /* SIGKILL then, and again from time to time */
};

/* The program itself. */
static _Noreturn void become(const struct guard *g, pid_t guard,
			     const char *path, char **argv)
{
	sigprocmask(SIG_UNBLOCK, &g->signals, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != guard)
		_exit(127); /* it was killed already */
	execv(path, argv); /* execvp() would ask a shell about some */
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Whoever left the program's group is a child of the guard by now or will be when
 * its parent is gone. */
static void signal_children(int number)
{
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
		 (int)getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, number);
	if (f)
		fclose(f);
}

static void signal_all(const struct guard *g, int number)
{
	kill(-g->program, number);
	signal_children(number);
}

static void wake_in(struct guard *g, long ms)
{
	clock_gettime(CLOCK_MONOTONIC, &g->until);
	g->until.tv_sec += ms / 1000;
	g->until.tv_nsec += ms % 1000 * 1000000;
	if (g->until.tv_nsec >= 1000000000) {
		g->until.tv_sec++;
		g->until.tv_nsec -= 1000000000;
	}
}

static struct timespec left(const struct guard *g)
{
	struct timespec now, t = { 0 };
	long long ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (g->until.tv_sec - now.tv_sec) * 1000000000LL +
	     (g->until.tv_nsec - now.tv_nsec);
	if (ns > 0) {
		t.tv_sec = ns / 1000000000;
		t.tv_nsec = ns % 1000000000;
	}
	return t;
}

/* False: there is nobody left. */
static bool reap(struct guard *g)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == g->program)
			g->status = status;
	return pid == 0;
}

static void watch(struct guard *g)
{
	struct timespec t;
	int number;

	while (reap(g)) {
		t = left(g);
		number = g->ending ? sigtimedwait(&g->signals, NULL, &t) :
				     sigwaitinfo(&g->signals, NULL);
		if (number < 0 && errno == EAGAIN) {
			signal_all(g, SIGKILL);
			wake_in(g, 100);
		} else if (number > 0 && number != SIGCHLD && !g->ending) {
			g->ending = true;
			signal_all(g, SIGTERM);
			wake_in(g, GUARD_SECONDS * 1000L);
		}
	}
}

/* Whoever waits for the guard sees how the program ended. */
static int end_like(const struct guard *g)
{
	static const struct rlimit none = { 0, 0 };
	int number;
	sigset_t set;

	if (!WIFSIGNALED(g->status))
		return WEXITSTATUS(g->status);
	number = WTERMSIG(g->status);
	setrlimit(RLIMIT_CORE, &none);
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), number);
	return 128 + number;
}

int guard_main(int argc, char **argv)
{
	struct guard g = { 0 };
	pid_t guard = getpid();

	if (argc < 3)
		return 127;
	sigemptyset(&g.signals);
	sigaddset(&g.signals, SIGTERM);
	sigaddset(&g.signals, SIGINT);
	sigaddset(&g.signals, SIGHUP);
	sigaddset(&g.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &g.signals, NULL);
	prctl(PR_SET_NAME, "colinux-guard");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != (pid_t)strtol(argv[0], NULL, 10))
		return 0; /* the daemon was faster */
	g.program = fork();
	if (g.program < 0) {
		fprintf(stderr, "%s: cannot fork: %s\n", argv[1],
			strerror(errno));
		return 127;
	}
	if (!g.program)
		become(&g, guard, argv[1], argv + 2);
	setpgid(g.program, g.program);
	watch(&g);
	return end_like(&g);
}
