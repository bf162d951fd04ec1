// SPDX-License-Identifier: GPL-2.0
/*
 * A device's thread as a coroutine: it runs when the guest has rung, until it
 * would sleep, so that a script does the same each time.
 */
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fast.h"
#include "fuzz.h"

#define STACK (256u << 10)
#define GUARD 4096u

static struct {
	bool exists, ended, inside;
	void *(*work)(void *arg);
	void *arg;
	ucontext_t main, own;
	char *stack;
	/* For the sanitizer: whose stack is in use. */
	void *main_fake, *own_fake;
	const void *main_stack;
	size_t main_size;
} thread;

bool fake_in_thread(void)
{
	return thread.inside;
}

static void arrive_in_thread(void)
{
	__sanitizer_finish_switch_fiber(thread.own_fake, &thread.main_stack,
					&thread.main_size);
}

void fake_yield(void)
{
	__sanitizer_start_switch_fiber(&thread.own_fake, thread.main_stack,
				       thread.main_size);
	swapcontext(&thread.own, &thread.main);
	arrive_in_thread();
}

static void begin(void)
{
	arrive_in_thread();
	thread.work(thread.arg);
	thread.ended = true;
	__sanitizer_start_switch_fiber(NULL, thread.main_stack,
				       thread.main_size);
	swapcontext(&thread.own, &thread.main);
}

static void run(void)
{
	if (!thread.exists || thread.ended)
		return;
	thread.inside = true;
	__sanitizer_start_switch_fiber(&thread.main_fake, thread.stack, STACK);
	swapcontext(&thread.main, &thread.own);
	__sanitizer_finish_switch_fiber(thread.main_fake, NULL, NULL);
	thread.inside = false;
}

void fuzz_let_work(unsigned int (*rests)(void))
{
	(void)rests;
	run();
}

/* ---- instead of virtio.c's and the C library's ------------------------------ */

int __wrap_device_thread(pthread_t *id, void *(*work)(void *arg), void *arg);
int __wrap_pthread_join(pthread_t id, void **result);

static void make_stack(void)
{
	char *p = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fake_must(p != MAP_FAILED && !mprotect(p, GUARD, PROT_NONE),
		  "no memory for a stack");
	thread.stack = p + GUARD;
}

int __wrap_device_thread(pthread_t *id, void *(*work)(void *arg), void *arg)
{
	fake_must(!thread.exists, "a second thread of one device");
	if (!thread.stack)
		make_stack();
	*id = 0;
	thread.exists = true;
	thread.ended = false;
	thread.work = work;
	thread.arg = arg;
	thread.own_fake = NULL;
	getcontext(&thread.own);
	thread.own.uc_stack.ss_sp = thread.stack;
	thread.own.uc_stack.ss_size = STACK;
	/* What its predecessor left there when it ended. */
	__asan_unpoison_memory_region(thread.stack, STACK);
	makecontext(&thread.own, begin, 0);
	/* Else the sanitizer would unpoison all of it at each switch. */
	thread.own.uc_stack.ss_size = 0;
	return 0;
}

int __wrap_pthread_join(pthread_t id, void **result)
{
	unsigned int turns = 1000;

	(void)id;
	(void)result;
	fake_must(thread.exists, "no thread to wait for");
	while (!thread.ended && turns--)
		run();
	fake_must(thread.ended, "a thread that doesn't end");
	thread.exists = false;
	return 0;
}
