// SPDX-License-Identifier: GPL-2.0
/*
 * Asks the shim's test driver for everything, as a program of Windows would.
 *
 *	drive all	results as TAP lines without numbers
 *	drive sweep	all of it again and again, with the Nth allocation failing
 *	drive ask N	one question
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../plain.h"
#include "codes.h"

#define NO_RESOURCES 0xc000009au
#define CANCELLED    0xc0000120u
#define MIB2	     0x200000

static const char *const family[] = {
	[ASK_POOL] = "pools and contiguous memory",
	[ASK_PAGES] = "pages in contiguous chunks, mapped",
	[ASK_MDL] = "MDLs",
	[ASK_EVENT] = "events, named ones too, and waits for one and several",
	[ASK_MUTEX] = "mutexes",
	[ASK_LOCK] = "spin locks and IRQL",
	[ASK_DPC] = "DPCs on each CPU, held off by DISPATCH_LEVEL",
	[ASK_TIMER] = "timers",
	[ASK_EX_TIMER] = "timers of Windows 8.1, if there are any",
	[ASK_THREAD] = "system threads",
	[ASK_AFFINITY] = "affinity",
	[ASK_IPI] = "a function on all CPUs",
	[ASK_WORK] = "work items",
	[ASK_TEXT] = "formatted text",
};

static int node;

static void check(const char *name, int good, const char *format, long value)
{
	printf("%s - %s\n", good ? "ok" : "not ok", name);
	if (!good) {
		printf("# ");
		printf(format, value);
		printf("\n");
	}
}

static int open_node(void)
{
	int fd = open("/dev/selftest", O_RDWR);

	if (fd < 0 && errno != ENOMEM) {
		perror("/dev/selftest");
		exit(1);
	}
	return fd;
}

/* The answer's first word, or minus the status or errno. */
static long ask_for(int fd, unsigned int code, const void *in, unsigned int in_size,
		    void *out, unsigned int out_size)
{
	struct plain p = { .code = code, .in = (unsigned long)in,
			   .out = (unsigned long)out, .in_size = in_size,
			   .out_size = out_size };

	if (ioctl(fd, PLAIN_REQUEST, &p))
		return -errno;
	return p.status ? -(long)p.status : (long)*(unsigned int *)out;
}

static long ask(int fd, unsigned int which)
{
	unsigned int out[8] = { 0 };

	return ask_for(fd, ASK(which), NULL, 0, out, sizeof(out));
}

/* ---- requests that wait ------------------------------------------------------------- */

static void nothing(int signal)
{
	(void)signal;
}

static void *pend(void *arg)
{
	unsigned int out[8] = { 0 };

	*(long *)arg = ask_for(node, ASK(ASK_PEND), NULL, 0, out, sizeof(out));
	return NULL;
}

static void wait_for_pending(void)
{
	usleep(200000);
}

static void test_pending(void)
{
	struct sigaction act = { .sa_handler = nothing };
	pthread_t thread;
	long result = 1;
	int fd = node;

	sigaction(SIGUSR1, &act, NULL);
	pthread_create(&thread, NULL, pend, &result);
	wait_for_pending();
	ask(node, ASK_RELEASE);
	pthread_join(thread, NULL);
	check("a request is pended, and a DPC completes it", !result, "%lx", -result);
	pthread_create(&thread, NULL, pend, &result);
	wait_for_pending();
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	check("a signal cancels one", result == -(long)CANCELLED, "%lx", -result);
	node = open_node();
	pthread_create(&thread, NULL, pend, &result);
	wait_for_pending();
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	close(node);
	node = fd;
	check("its file can be closed then", result == -(long)CANCELLED, "%lx", -result);
}

/* ---- memory for the program ------------------------------------------------------------ */

static sigjmp_buf bus;

static void bus_error(int signal)
{
	(void)signal;
	siglongjmp(bus, 1);
}

static int faults(volatile char *p)
{
	struct sigaction act = { .sa_handler = bus_error };

	sigaction(SIGBUS, &act, NULL);
	if (sigsetjmp(bus, 1))
		return 1;
	(void)*p;
	return 0;
}

static void test_map(void)
{
	unsigned long out[4] = { 0 };
	long err = ask_for(node, ASK(ASK_MAP), NULL, 0, out, sizeof(out));
	char *p = mmap(NULL, 2 * MIB2, PROT_READ | PROT_WRITE, MAP_SHARED, node, out[1]);

	check("the driver maps memory for its requester", !err && out[1] && p != MAP_FAILED,
	      "%ld", err);
	if (err || p == MAP_FAILED)
		return;
	check("it is there", !faults(p) && !p[0] && !faults(p + MIB2 - 1), "%d", 0);
	p[5] = 7;
	check("and nothing else is", faults(p + MIB2), "%d", 0);
	err = ask(node, ASK_UNMAP);
	check("it is gone when the driver unmaps it", !err && faults(p), "%ld", err);
	munmap(p, 2 * MIB2);
}

static struct callbacks callbacks(void)
{
	unsigned int room[16] = { 0 };
	struct callbacks came;

	ask_for(node, ASK(ASK_CALLBACK), NULL, 0, room, sizeof(room));
	memcpy(&came, room + 1, sizeof(came));
	return came;
}

/* A child's end, while the parent has the same file. */
static void test_process(void)
{
	unsigned int before = callbacks().ends;
	pid_t child = fork();
	int status = 0;

	if (!child) {
		unsigned long out[4] = { 0 };
		long err = ask_for(node, ASK(ASK_MAP), NULL, 0, out, sizeof(out));
		char *p = mmap(NULL, MIB2, PROT_READ | PROT_WRITE, MAP_SHARED, node,
			       out[1]);

		_exit(err || p == MAP_FAILED || faults(p));
	}
	check("a process that has memory of the driver's mapped ends",
	      child > 0 && waitpid(child, &status, 0) == child && !status, "%ld", status);
	check("the driver hears of it, and may unmap it", callbacks().ends == before + 1 &&
	      ask(node, ASK_UNMAP) > 0, "%ld", callbacks().ends - before);
}

static void test_direct(void)
{
	static unsigned int out[3000];
	long err = ask_for(node, DIRECT_ASK(ASK_DIRECT), NULL, 0, out + 7, 5000);

	check("a direct request reaches its program's buffer", err == 0x600d, "%lx", err);
}

/* ---- names, files, callbacks ------------------------------------------------------------- */

static long has(const char *name)
{
	unsigned short wide[64] = { 0 };
	unsigned int out[8], i;

	for (i = 0; name[i]; i++)
		wide[i] = name[i];
	return ask_for(node, ASK(ASK_NAMES), wide, sizeof(wide), out, sizeof(out));
}

static void test_files(void)
{
	int other = open_node();
	long a = ask(node, ASK_FILE), b = ask(other, ASK_FILE);

	close(other);
	check("each open file has its own context", !a && !b, "%ld", a ? a : b);
}

static void command(const char *text)
{
	int fd = open("/dev/ntshim", O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("not ok - /dev/ntshim takes `%s'\n# %s\n", text, strerror(errno));
	close(fd);
}

static void test_callbacks(void)
{
	struct callbacks came;

	command("power sleep");
	command("power back");
	command("bugcheck");
	command("shutdown");
	came = callbacks();
	check("power, bug check and shutdown come to their callbacks",
	      came.sleeps == 1 && came.backs == 1 && came.bugs == 1 && came.shutdowns == 1,
	      "sleeps %ld", came.sleeps);
}

static void test_all(void)
{
	unsigned int i;
	long line;

	for (i = 0; i < sizeof(family) / sizeof(*family); i++) {
		if (!family[i])
			continue;
		line = ask(node, i);
		check(family[i], !line, "selftest.c:%ld", line);
	}
	line = ask(node, ASK_IMAGE);
	check("the driver's own sections have addresses", !line, "selftest.c:%ld", line);
	check("a name that Windows has is found", has("KeSetEvent") == 1, "%d", 0);
	check("a name that it hasn't isn't", has("KeSetEvents") == 0, "%d", 0);
	check("a request without a function is refused",
	      ask(node, 99) > 0 && ask(node, 60) > 0, "%d", 0);
	test_files();
	test_direct();
	test_pending();
	test_map();
	test_process();
	test_callbacks();
}

/* ---- the sweep ------------------------------------------------------------------------------ */

static long status(const char *word)
{
	char text[512] = { 0 }, *at;
	int fd = open("/dev/ntshim", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0) {
		perror("/dev/ntshim");
		exit(1);
	}
	close(fd);
	at = strstr(text, word);
	return at ? atol(at + strlen(word)) : -1;
}

/* What goes wrong in any other way than for want of memory. */
static int ask_everything(void)
{
	unsigned long out[4] = { 0 };
	int fd = open_node(), bad = 0;
	unsigned int i;
	long line;

	if (fd < 0)
		return 0;
	for (i = 0; i < sizeof(family) / sizeof(*family); i++) {
		line = family[i] ? ask(fd, i) : 0;
		if (line && line != -(long)NO_RESOURCES) {
			printf("# %s: %lx\n", family[i], line);
			bad++;
		}
	}
	if (!ask_for(fd, ASK(ASK_MAP), NULL, 0, out, sizeof(out)))
		bad += ask(fd, ASK_UNMAP) != 0;
	close(fd);
	return bad;
}

static void sweep(void)
{
	long nth, failed = 0, held = status("held "), bad = 0, leaks = 0;
	char text[64];

	for (nth = 1; nth < 10000; nth++) {
		snprintf(text, sizeof(text), "fail nth %ld", nth);
		command(text);
		bad += ask_everything();
		if (status("failed ") == failed)
			break;
		failed = status("failed ");
		/* A thread's object goes a moment after the thread. */
		usleep(2000);
		leaks += status("held ") != held;
	}
	command("fail off");
	printf("# %ld allocations, each failed once\n", nth - 1);
	check("each allocation that fails is a failure of its own kind",
	      nth > 15 && !bad, "%ld", bad);
	check("and leaves nothing behind", !leaks, "%ld times", leaks);
	bad = 0;
	for (nth = 1; nth <= 20; nth++) {
		snprintf(text, sizeof(text), "fail random %ld 5", nth);
		command(text);
		bad += ask_everything();
	}
	command("fail off");
	usleep(100000);
	check("nor do random ones", !bad && status("held ") == held, "%ld", bad);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "sweep")) {
		sweep();
		return 0;
	}
	node = open_node();
	if (argc == 3 && !strcmp(argv[1], "ask"))
		printf("%ld\n", ask(node, atoi(argv[2])));
	else if (argc == 3 && !strcmp(argv[1], "has"))
		printf("%ld\n", has(argv[2]));
	else if (argc == 2 && !strcmp(argv[1], "all"))
		test_all();
	else
		return 2;
	return 0;
}
