// SPDX-License-Identifier: GPL-2.0
/*
 * Measures small things, one at a time:
 *
 *	workloads [-d DEVICE] [-n PERCENT] NAME...
 *
 * prints a line "NAME UNIT BETTER VALUE" for each. The same static binary runs
 * on the host and in the guest. A workload returns operations and the time that
 * they took; -n scales their number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HYPERCALLS "/sys/kernel/debug/colinux/hypercalls"
#define MIB 1048576L

static const char *device;
static long percent = 100;

struct result {
	double count, ns;
};

static void die(const char *what, const char *name)
{
	fprintf(stderr, "workloads: %s: %s: %s\n", name, what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct result since(double start, long count)
{
	return (struct result){ count, now() - start };
}

static long scaled(long count)
{
	count = count * percent / 100;
	return count ? count : 1;
}

static struct result do_getppid(void)
{
	long i, n = scaled(50000);
	double start = now();

	for (i = 0; i < n; i++)
		syscall(SYS_getppid);
	return since(start, n);
}

static struct result do_fork(void)
{
	long i, n = scaled(60);
	double start = now();

	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork", "fork");
		if (!pid)
			_exit(0);
		if (waitpid(pid, NULL, 0) != pid)
			die("waitpid", "fork");
	}
	return since(start, n);
}

static struct result do_fault(void)
{
	long page = sysconf(_SC_PAGESIZE), i, n = scaled(4000);
	double start;
	char *p = mmap(NULL, n * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct result r;

	if (p == MAP_FAILED)
		die("mmap", "fault");
	/* One fault per page is what is measured. */
	madvise(p, n * page, MADV_NOHUGEPAGE);
	start = now();
	for (i = 0; i < n; i++)
		p[i * page] = 1;
	r = since(start, n);
	munmap(p, n * page);
	return r;
}

static void echo_bytes(int from, int to)
{
	char c;

	while (read(from, &c, 1) == 1)
		if (write(to, &c, 1) != 1)
			_exit(1);
	_exit(0);
}

static struct result do_pipe(void)
{
	long i, n = scaled(1000);
	int there[2], back[2];
	double start;
	struct result r;
	pid_t pid;
	char c = 0;

	if (pipe(there) || pipe(back))
		die("pipe", "pipe");
	pid = fork();
	if (pid < 0)
		die("fork", "pipe");
	if (!pid) {
		close(there[1]);
		echo_bytes(there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	start = now();
	for (i = 0; i < n; i++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("round trip", "pipe");
	r = since(start, n);
	close(there[1]);
	close(back[0]);
	waitpid(pid, NULL, 0);
	return r;
}

static struct result do_nanosleep(void)
{
	struct timespec ms = { 0, 1000000 };
	long i, n = scaled(50);
	double start = now();

	for (i = 0; i < n; i++)
		if (nanosleep(&ms, NULL))
			die("nanosleep", "nanosleep");
	return since(start, n);
}

static void compute(long n)
{
	volatile unsigned long sink;
	unsigned long x = 1;

	while (n-- > 0)
		x = x * 6364136223846793005UL + 1442695040888963407UL;
	sink = x;
	(void)sink;
}

static struct result do_cpu(void)
{
	long n = scaled(20000000);
	double start = now();

	compute(n);
	return since(start, n);
}

/* The same by a process for each processor, until the last one has ended. */
static struct result do_parallel(void)
{
	long n = scaled(60000000), cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	double start = now();
	pid_t pid;

	for (i = 0; i < cpus; i++) {
		pid = fork();
		if (pid < 0)
			die("fork", "parallel");
		if (!pid) {
			compute(n);
			_exit(0);
		}
	}
	for (i = 0; i < cpus; i++)
		if (wait(NULL) < 0)
			die("wait", "parallel");
	return since(start, n * cpus);
}

/* Reads of `size` at offsets that jump through the device; no cache below. */
static struct result read_blocks(const char *name, long size, long n)
{
	int fd = open(device, O_RDONLY | O_DIRECT | O_CLOEXEC);
	void *buf = NULL;
	struct result r;
	double start;
	long i, blocks;

	if (fd < 0)
		die(device, name);
	blocks = lseek(fd, 0, SEEK_END) / size;
	errno = EINVAL;
	if (blocks < 1 || posix_memalign(&buf, 4096, size))
		die("too small, or no memory", name);
	start = now();
	for (i = 0; i < n; i++)
		if (pread(fd, buf, size, i * 7919 % blocks * size) != size)
			die("read", name);
	r = since(start, n);
	free(buf);
	close(fd);
	return r;
}

static struct result do_read4k(void)
{
	return read_blocks("read4k", 4096, scaled(300));
}

/* Counted in MiB, whence MiB/s below. */
static struct result do_read1m(void)
{
	return read_blocks("read1m", MIB, scaled(40));
}

/* The guest kernel makes the calls itself: a process can't. */
static struct result do_hypercall(void)
{
	FILE *f = fopen(HYPERCALLS, "r+");
	struct result r;

	if (!f)
		die(HYPERCALLS, "hypercall");
	fprintf(f, "%ld\n", scaled(5000));
	if (fflush(f))
		die("write", "hypercall");
	rewind(f);
	if (fscanf(f, "%lf %lf", &r.count, &r.ns) != 2 || r.count < 1)
		die("no 'count ns' read back", "hypercall");
	fclose(f);
	return r;
}

enum unit { NS, MIB_PER_S };

static const struct workload {
	const char *name;
	struct result (*run)(void);
	enum unit unit;
	int needs_device;
} workloads[] = {
	{ "getppid", do_getppid, NS, 0 },
	{ "fork", do_fork, NS, 0 },
	{ "fault", do_fault, NS, 0 },
	{ "pipe", do_pipe, NS, 0 },
	{ "nanosleep", do_nanosleep, NS, 0 },
	{ "cpu", do_cpu, NS, 0 },
	{ "parallel", do_parallel, NS, 0 },
	{ "read4k", do_read4k, NS, 1 },
	{ "read1m", do_read1m, MIB_PER_S, 1 },
	{ "hypercall", do_hypercall, NS, 0 },
};

#define COUNT (sizeof(workloads) / sizeof(workloads[0]))

static void print(const struct workload *w, struct result r)
{
	if (w->unit == NS)
		printf("%s ns lower %.3f\n", w->name, r.ns / r.count);
	else
		printf("%s MiB/s higher %.3f\n", w->name, r.count / r.ns * 1e9);
	fflush(stdout);
}

static void run(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT && strcmp(workloads[i].name, name); i++)
		;
	if (i == COUNT) {
		fprintf(stderr, "workloads: %s: no such workload\n", name);
		exit(1);
	}
	if (workloads[i].needs_device && !device) {
		fprintf(stderr, "workloads: %s needs -d DEVICE\n", name);
		exit(1);
	}
	print(&workloads[i], workloads[i].run());
}

static void usage(void)
{
	size_t i;

	fprintf(stderr, "usage: workloads [-d DEVICE] [-n PERCENT] NAME...\n");
	for (i = 0; i < COUNT; i++)
		fprintf(stderr, "  %s\n", workloads[i].name);
	exit(1);
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "d:n:")) != -1) {
		if (option == 'd')
			device = optarg;
		else if (option == 'n' && (percent = atol(optarg)) > 0)
			continue;
		else
			usage();
	}
	if (optind == argc)
		usage();
	for (; optind < argc; optind++)
		run(argv[optind]);
	return 0;
}
