// SPDX-License-Identifier: GPL-2.0
/*
 * segments SECONDS: segment registers whose descriptors go away under them.
 *
 * A kernel lets a register keep what it has cached while the descriptor behind its
 * selector is changed, and mends it soon after: at the end of set_thread_area(),
 * at the next switch of tasks, never where the task ends. Whoever loads the selector
 * anew in between, as a world switch does, gets a fault. Rounds of that, as many as
 * fit, while interrupts hit where they will: a descriptor of the GDT is cleared, one
 * of the LDT by another thread, and processes end, or become another program, with
 * an LDT in use. What must come out is a null selector, and a kernel that lives.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TLS_ENTRY	 12 /* the first of the GDT's three for tasks; 64-bit Linux */
#define TLS_CALLS	 500
#define LDT_CALLS	 50
#define I386_SET_THREAD_AREA 243

#define SELECTOR_GDT	 (TLS_ENTRY << 3 | 3)
#define SELECTOR_LDT	 (0 << 3 | 7)

static int failed(const char *what, long got, long wanted)
{
	fprintf(stderr, "segments: %s: %#lx instead of %#lx\n", what, got, wanted);
	return 1;
}

static struct user_desc data_segment(unsigned int entry)
{
	return (struct user_desc){ .entry_number = entry, .limit = 0xfffff,
				   .seg_32bit = 1, .limit_in_pages = 1,
				   .useable = 1 };
}

static struct user_desc no_segment(unsigned int entry)
{
	return (struct user_desc){ .entry_number = entry, .read_exec_only = 1,
				   .seg_not_present = 1 };
}

/* FS is the C library's; this kernel's processes have none of the others in use. */
static void load_segments(uint16_t selector)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%gs" :: "r"((uint32_t)selector));
}

static int expect_segments(const char *what, uint16_t wanted)
{
	uint32_t ds, es, gs;

	__asm__ volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%gs, %2"
			 : "=r"(ds), "=r"(es), "=r"(gs));
	if (ds == wanted && es == wanted && gs == wanted)
		return 0;
	return failed(what, ds != wanted ? ds : es != wanted ? es : gs, wanted);
}

/* ---- a descriptor of the GDT ---------------------------------------------------- */

/* 64-bit programs have no such call: by the 32-bit gate, from low memory. */
static long set_thread_area(struct user_desc *low, struct user_desc desc)
{
	long result;

	*low = desc;
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(I386_SET_THREAD_AREA), "b"(low)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static int gdt_round(struct user_desc *low)
{
	int i;

	for (i = 0; i < TLS_CALLS; i++) {
		if (set_thread_area(low, data_segment(TLS_ENTRY)))
			return failed("set_thread_area", 1, 0);
		load_segments(SELECTOR_GDT);
		if (set_thread_area(low, no_segment(TLS_ENTRY)))
			return failed("set_thread_area to nothing", 1, 0);
		if (expect_segments("a selector without its descriptor", 0))
			return 1;
	}
	return 0;
}

/* ---- a descriptor of the LDT ------------------------------------------------------ */

static int set_ldt(struct user_desc desc)
{
	return (int)syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc));
}

static int use_ldt(void)
{
	if (set_ldt(data_segment(0)))
		return failed("modify_ldt", 1, 0);
	load_segments(SELECTOR_LDT);
	return expect_segments("a selector of the LDT", SELECTOR_LDT);
}

static int ended_well(pid_t child)
{
	int status = -1;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		return failed("a child's status", status, 0);
	return 0;
}

static int exit_round(void)
{
	pid_t child = fork();

	if (!child)
		_exit(use_ldt());
	return ended_well(child);
}

static int exec_round(void)
{
	pid_t child = fork();

	if (!child) {
		if (!use_ldt())
			execl("/proc/self/exe", "segments", "after-exec", NULL);
		_exit(1);
	}
	return ended_well(child);
}

struct user_of_ldt {
	volatile int loaded, stop;
	int bad;
};

/* Loads it, and waits in user mode until it has gone: the kernel's doing, once the
 * other thread has told all processors. */
static void *use_in_thread(void *arg)
{
	struct user_of_ldt *user = arg;
	uint32_t es;

	while (!user->stop) {
		if (!user->loaded)
			continue;
		__asm__ volatile("mov %0, %%es" :: "r"(SELECTOR_LDT));
		user->loaded = 2;
		do
			__asm__ volatile("mov %%es, %0" : "=r"(es));
		while (es == SELECTOR_LDT);
		user->bad |= es != 0;
		user->loaded = 0;
	}
	return NULL;
}

static int shared_rounds(struct user_of_ldt *user)
{
	int i;

	for (i = 0; i < LDT_CALLS; i++) {
		if (set_ldt(data_segment(0)))
			return failed("modify_ldt", 1, 0);
		user->loaded = 1;
		while (user->loaded != 2)
			sched_yield();
		if (set_ldt(no_segment(0)))
			return failed("modify_ldt to nothing", 1, 0);
		while (user->loaded)
			sched_yield();
	}
	return 0;
}

static int shared_in_child(void)
{
	struct user_of_ldt user = { 0 };
	pthread_t thread;
	int bad;

	if (pthread_create(&thread, NULL, use_in_thread, &user))
		return failed("a thread", 0, 1);
	bad = shared_rounds(&user);
	user.stop = 1;
	pthread_join(thread, NULL);
	return bad || user.bad;
}

static int shared_round(void)
{
	pid_t child = fork();

	if (!child)
		_exit(shared_in_child());
	return ended_well(child);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	struct user_desc *low;
	long rounds = 0;

	if (argc > 1 && !strcmp(argv[1], "after-exec"))
		return expect_segments("segments after exec", 0);
	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (low == MAP_FAILED) {
		perror("segments: mmap");
		return 1;
	}
	do {
		if (gdt_round(low) || exit_round() || exec_round() || shared_round())
			return 1;
		rounds++;
	} while (time(NULL) < end);
	printf("segments kept, %ld rounds\n", rounds);
	return 0;
}
