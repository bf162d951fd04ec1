// SPDX-License-Identifier: GPL-2.0
/*
 * breaks SIDE SECONDS: hardware breakpoints and single steps, counted exactly.
 *
 * Runs on both sides at once, SIDE 0 and 1, as the same program at the same
 * linear addresses. Each side runs through place SIDE and writes to variable SIDE
 * only, but watches both sides' with all four debug registers,
 * once for each processor by perf events and once for a child by ptrace: what a
 * side counts must be what it did, and nothing of what the other does. Status 1
 * and a line on stderr at the first difference.
 */
#define _GNU_SOURCE
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCHED	  4   /* DR0 to DR3: two places, two variables */
#define CALLS	  200 /* of one round */
#define TRACED	  20
#define TURNS	  100 /* of the loop that is stepped through */
#define CPUS_MAX  64

/* Where no other program has anything: the processors' breakpoints see all. */
#define PLACES	  0x10000000000UL /* two functions, 64 bytes apart */
#define VARIABLES 0x10000001000UL

static int map_watched(void)
{
	unsigned char *code = mmap((void *)PLACES, 8192,
				   PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS |
					   MAP_FIXED_NOREPLACE, -1, 0);

	if (code != (void *)PLACES) {
		perror("breaks: mmap");
		return 1;
	}
	code[0] = code[64] = 0xc3; /* ret */
	return 0;
}

static uint64_t address(int n)
{
	return n < 2 ? PLACES + 64 * (uint64_t)n :
		       VARIABLES + 64 * (uint64_t)(n - 2);
}

/* TURNS times two instructions, between two labels that the tracer knows. */
extern const char steps_begin[], steps_end[];
void steps_loop(long turns);
__asm__(".text\nsteps_loop:\nsteps_begin:\n"
	"1:\tdecq %rdi\n\tjnz 1b\n"
	"steps_end:\n\tret\n");

static int side, cpus;

/* `done` is what this side did, or asked for. */
static int failed(const char *what, long got, long done)
{
	fprintf(stderr, "breaks: side %d: %s: %ld, with %ld of its own\n", side,
		what, got, done);
	return 1;
}

static long expected(int n, long calls)
{
	return n % 2 == side ? calls : 0;
}

/* ---- perf: each processor watches, whatever runs there ----------------------- */

static int watch(int n, int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_BREAKPOINT,
		.bp_type = n < 2 ? HW_BREAKPOINT_X : HW_BREAKPOINT_W,
		.bp_addr = address(n), .bp_len = sizeof(long),
		.exclude_kernel = 1, .exclude_hv = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
}

static void go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void work(long calls)
{
	void (*place)(void) = (void (*)(void))address(side);
	volatile long *variable = (volatile long *)address(2 + side);
	long i;

	for (i = 0; i < calls; i++) {
		place();
		++*variable;
		if (i % 16 == 0)
			go_to((int)(i / 16) % cpus);
	}
}

static const char *const perf_names[WATCHED] = {
	"perf: times at place 0", "perf: times at place 1",
	"perf: writes to variable 0", "perf: writes to variable 1",
};

static int perf_count(int n, const int *events)
{
	uint64_t value;
	long sum = 0;
	int cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		if (read(events[cpu], &value, sizeof(value)) != sizeof(value))
			return failed("perf: an event can't be read", n, 0);
		sum += (long)value;
		close(events[cpu]);
	}
	return sum == expected(n, CALLS) ? 0 : failed(perf_names[n], sum, CALLS);
}

static int perf_round(void)
{
	int events[WATCHED][CPUS_MAX], n, cpu, bad = 0;

	for (n = 0; n < WATCHED; n++)
		for (cpu = 0; cpu < cpus; cpu++) {
			events[n][cpu] = watch(n, cpu);
			if (events[n][cpu] < 0) {
				perror("breaks: perf_event_open");
				return 1;
			}
		}
	work(CALLS);
	for (n = 0; n < WATCHED; n++)
		bad |= perf_count(n, events[n]);
	return bad;
}

/* ---- ptrace: a child is watched and stepped ---------------------------------- */

static pid_t traced_child(void (*body)(void))
{
	pid_t child = fork();

	if (child)
		return child;
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	body();
	_exit(0);
}

static void body_work(void)
{
	work(TRACED);
}

static void body_steps(void)
{
	steps_loop(TURNS);
}

static int set_debug(pid_t child, int n, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, child,
		      offsetof(struct user, u_debugreg) + 8 * (size_t)n, value) ?
		failed("ptrace: debug register refused", n, 0) : 0;
}

/* DR7: enabled for this task (bits 0, 2, ...), writes of 8 bytes for the two
 * variables (0b1001 in their four bits), execution for the two places (0). */
#define DR7_ALL (0x55ULL | 9ULL << 24 | 9ULL << 28)

static int arm(pid_t child)
{
	int n;

	for (n = 0; n < WATCHED; n++)
		if (set_debug(child, n, address(n)))
			return 1;
	return set_debug(child, 7, DR7_ALL);
}

static int end_child(pid_t child, int bad)
{
	int status;

	if (bad)
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return bad;
}

static int count_traps(pid_t child, long *seen)
{
	int status, n;
	long dr6;

	for (;;) {
		if (ptrace(PTRACE_CONT, child, NULL, NULL) ||
		    waitpid(child, &status, 0) != child)
			return failed("ptrace: lost the child", 0, 0);
		if (WIFEXITED(status))
			return 0;
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
			return end_child(child, failed("ptrace: status",
						       status, 0));
		dr6 = ptrace(PTRACE_PEEKUSER, child,
			     offsetof(struct user, u_debugreg[6]), NULL);
		for (n = 0; n < WATCHED; n++)
			seen[n] += dr6 >> n & 1;
		set_debug(child, 6, 0);
	}
}

static const char *const ptrace_names[WATCHED] = {
	"ptrace: times at place 0", "ptrace: times at place 1",
	"ptrace: writes to variable 0", "ptrace: writes to variable 1",
};

static int ptrace_round(void)
{
	pid_t child = traced_child(body_work);
	long seen[WATCHED] = { 0 };
	int n, bad = 0;

	waitpid(child, NULL, 0);
	if (arm(child))
		return end_child(child, 1);
	if (count_traps(child, seen))
		return 1;
	for (n = 0; n < WATCHED; n++)
		if (seen[n] != expected(n, TRACED))
			bad = failed(ptrace_names[n], seen[n], TRACED);
	return bad;
}

static int step(pid_t child, uint64_t *ip)
{
	struct user_regs_struct regs;
	int status;

	if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) ||
	    waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP ||
	    ptrace(PTRACE_GETREGS, child, NULL, &regs))
		return failed("a single step: status", status, 0);
	*ip = regs.rip;
	return 0;
}

static int step_round(void)
{
	pid_t child = traced_child(body_steps);
	uint64_t ip = 0;
	long steps = 0;

	waitpid(child, NULL, 0);
	while (ip != (uint64_t)(uintptr_t)steps_begin)
		if (step(child, &ip))
			return end_child(child, 1);
	do {
		if (step(child, &ip))
			return end_child(child, 1);
		steps++;
	} while (ip != (uint64_t)(uintptr_t)steps_end);
	ptrace(PTRACE_DETACH, child, NULL, NULL);
	waitpid(child, NULL, 0);
	return steps == 2 * TURNS ? 0 :
				    failed("single steps", steps, 2 * TURNS);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 5);
	long rounds = 0;

	side = argc > 1 && atoi(argv[1]) == 1;
	cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
	if (map_watched())
		return 1;
	do {
		if (perf_round() || ptrace_round() || step_round())
			return 1;
		rounds++;
	} while (time(NULL) < end);
	printf("breaks kept, %ld rounds\n", rounds);
	return 0;
}
